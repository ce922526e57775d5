"""A run against a server whose time can be moved: jumps, the lease, and what goes wrong."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, NamedTuple

import pytest

from otpspec import REFUSED, Trial, Verdict
from otpspec import runner as runners
from otpspec.errors import TargetError
from otpspec.profile import load
from otpspec.runner import Finished, Runner, Scenario

from .scripted import scripted

Server = Any
Play = Callable[[Trial], Awaitable[None]]


def at(server: Server, *changes: str) -> Runner:
    """A runner that is not open yet."""
    environ = {"OTPSPEC_TEST_TOKEN": server.token}
    changes = ("inbox.quiet=10ms", *changes)
    profile = load("safekey-reference", base_url=server.url, changes=changes, environ=environ)
    return Runner(profile, seed=7)


class Other(NamedTuple):
    """A server that is not the one that is meant."""

    url: str
    token: str = "wrong-token"


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


# --- what cannot be used ------------------------------------------------------------------------

NOTHING = "No rule was checked, so this says nothing about the target.\n"
NOT_JSON = "the answer is not JSON"
NO_LEASE = "something that [clock] captures is not in the answer"


def refusal(server: Any, *changes: str) -> str:
    """Why a run cannot begin."""
    with pytest.raises(TargetError) as raised:
        at(server, *changes).open()
    return str(raised.value)


def test_target_that_is_down_is_told_from_one_that_refuses(reference_server: Server) -> None:
    said = refusal(reference_server, "target.base_url=http://127.0.0.1:9", "clock.kind=real")

    assert said == (
        "No answer from http://127.0.0.1:9 (connection refused).\n"
        "  profile   safekey-reference, target.base_url\n"
        "  request   POST /cards\n" + NOTHING + "Try: start the target, or give its address "
        "with --base-url."
    )


def test_another_server_does_not_enrol_a_card() -> None:
    with scripted(lambda asked: (404, b"<h1>not here</h1>")) as other:
        said = refusal(Other(other.url), "clock.kind=real")

    assert said == (
        f"{other.url} does not enrol a card: unknown (HTTP 404)\n"
        "  profile   safekey-reference, operations.enroll\n"
        "  request   POST /cards\n"
        "  answer    <h1>not here</h1>\n" + NOTHING + "Try: check --base-url and the patterns of "
        "operations.enroll."
    )


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        (200, b"<h1>welcome</h1>", NOT_JSON),
        (200, b"", NOT_JSON),
        (200, b"[" * 200_000, NOT_JSON),
        (200, b"{}", NO_LEASE),
        (500, b"{}", "HTTP 500"),
        (302, b"{}", "HTTP 302"),
    ],
)
def test_another_server_is_no_clock(status: int, body: bytes, why: str) -> None:
    with scripted(lambda asked: (status, body)) as other:
        said = refusal(Other(other.url))

    where = f"{other.url} does not answer as the profile's [clock] says"
    assert said.splitlines()[0] == f"{where} ({why})."


def test_wrong_token_is_found_out_before_anything_is_judged(reference_server: Server) -> None:
    with_wrong_token = Other(reference_server.url)

    for clock, table in (("http", "clock"), ("real", "inbox")):
        said = refusal(with_wrong_token, f"clock.kind={clock}")

        where = f"{reference_server.url} does not answer as the profile's [{table}] says"
        assert said.splitlines()[0] == f"{where} (HTTP 401)."


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
