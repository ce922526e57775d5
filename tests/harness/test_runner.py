"""A run against a server whose time can be moved: jumps, the lease, and what goes wrong."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from otpspec import REFUSED, Trial, Verdict
from otpspec import runner as runners
from otpspec.errors import TargetError
from otpspec.profile import load
from otpspec.runner import Finished, Runner, Scenario

Server = Any
Play = Callable[[Trial], Awaitable[None]]


def at(server: Server, *changes: str) -> Runner:
    """A runner that is not open yet."""
    environ = {"OTPSPEC_TEST_TOKEN": server.token}
    changes = ("inbox.quiet=10ms", *changes)
    profile = load("safekey-reference", base_url=server.url, changes=changes, environ=environ)
    return Runner(profile, seed=7)


@contextmanager
def opened(server: Server, *changes: str) -> Iterator[Runner]:
    runner = at(server, *changes)
    runner.open()
    try:
        yield runner
    finally:
        runner.close()


def play(server: Server, *plays: Play) -> list[Finished]:
    """What scenarios that run at once come to."""
    with opened(server) as runner:
        scenarios = [Scenario(f"play-{n}", (), one) for n, one in enumerate(plays)]
        runner.start(scenarios)
        return [runner.result(scenario) for scenario in scenarios]


async def expires(trial: Trial) -> None:
    challenge = await trial.start()
    await trial.clock.sleep_until(challenge.surely_expired + timedelta(seconds=1))
    trial.expect(await trial.verify(challenge), *REFUSED, because="it is old")


def test_ten_minutes_of_the_target_pass_for_all_scenarios_at_once(
    reference_server: Server,
) -> None:
    before = reference_server.hook("/test/clock")

    finished = play(reference_server, *[expires] * 20)

    after = reference_server.hook("/test/clock")
    assert {one.verdict for one in finished} == {Verdict.PASSED}
    assert 600 < after["now"] - before["now"] < 700
    assert after["jumps"] - before["jumps"] < 30
    for one in finished:
        verify = next(answer for answer in one.answers if answer.operation == "verify")
        assert 600 < (verify.called - one.began).total_seconds() < 700


def test_a_verdict_under_a_clock_that_somebody_else_has_moved_is_inconclusive(
    serve: Callable[..., Server],
) -> None:
    server = serve()

    async def meddled_with(trial: Trial) -> None:
        challenge = await trial.start()
        await trial.clock.sleep_until(trial.began + timedelta(seconds=300))
        await asyncio.wait_for(asyncio.to_thread(server.hook, "/test/reset", {}), 10)
        trial.check(not challenge, expected="x", got="y", because="it is broken, or seems so")

    (finished,) = play(server, meddled_with)

    assert finished.verdict is Verdict.INCONCLUSIVE
    asked, _, found = finished.reason.partition(", and is ")
    assert asked == "The target's clock was moved by this run"
    assert found in ("303.0 s behind where that leads.", "303.1 s behind where that leads.")


def test_a_scenario_that_nothing_can_wake_is_ended(
    reference_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runners, "STUCK_AFTER", timedelta(seconds=0.2))

    async def waits(trial: Trial) -> None:
        await asyncio.Event().wait()

    first, second = play(reference_server, waits, expires)

    assert first.verdict is Verdict.INCONCLUSIVE
    assert first.reason == "it waits for something that cannot happen any more"
    assert second.verdict is Verdict.PASSED


def test_only_one_run_moves_the_clock(reference_server: Server) -> None:
    with (
        opened(reference_server),
        pytest.raises(TargetError, match=r"^Another run moves the clock"),
    ):
        at(reference_server).open()

    with opened(reference_server):
        pass  # it was given back


def test_a_run_that_cannot_begin_gives_the_clock_back(reference_server: Server) -> None:
    wrong = 'operations.enroll.answers=[{status = 299, outcomes = "done"}]'

    with pytest.raises(TargetError, match="does not enrol a card"):
        at(reference_server, wrong).open()

    with opened(reference_server):
        pass


def test_a_refusal_to_enrol_shows_no_card(reference_server: Server) -> None:
    changes = (
        'operations.enroll.answers=[{status = 299, outcomes = "done"}]',
        "operations.enroll.path=/cards/{card.pan}",
    )

    with pytest.raises(TargetError) as raised:
        at(reference_server, *changes).open()

    assert "  request   POST /cards/•••\n" in str(raised.value)


def test_closing_ends_what_is_under_way(reference_server: Server) -> None:
    async def hangs(trial: Trial) -> None:
        await asyncio.sleep(60)

    scenario = Scenario("hangs", (), hangs)
    with opened(reference_server) as runner:
        runner.start([scenario])
    finished = runner.result(scenario)

    assert finished.verdict is Verdict.INCONCLUSIVE
    assert finished.reason == "the run was ended before it finished"
    assert not runner._thread.is_alive()
    runner.close()  # once more does no harm
