"""A run is no faster than the profile allows, and slower where the target asks for it."""

import asyncio
import time
from collections.abc import Callable
from datetime import timedelta

import pytest

from otpspec.outcome import Outcome
from otpspec.target import Answer, Session

from .asked import Waits, in_session, started
from .driven import CARD
from .samples import changed
from .scripted import Asked, Said, scripted

THROTTLED = {Outcome.THROTTLED}
ROUNDED = 0.01  # seconds by which a timer may be early


def timed(bank: list[float]) -> Callable[[Asked], Said]:
    """A server that notes when each request came."""

    def answer(asked: Asked) -> Said:
        bank.append(time.monotonic())
        return 201, {}

    return answer


@pytest.mark.parametrize(("rate", "apart"), [("40/s", 0.025), ("1200/m", 0.05)])
def test_rate_is_kept_however_many_ask_at_once(rate: str, apart: float) -> None:
    came: list[float] = []

    async def play(session: Session) -> float:
        began = time.monotonic()
        async with session.another() as other:
            both = [session, other]
            await asyncio.gather(*(both[n % 2].ask("enroll", CARD) for n in range(20)))
        return began

    with scripted(timed(came)) as server:
        began = in_session(server.url, play, f"target.max_rate={rate}")

    assert len(came) == 20
    assert all(at - began >= n * apart - ROUNDED for n, at in enumerate(sorted(came)))


def test_steps_of_an_operation_count_one_by_one() -> None:
    came: list[float] = []
    step = '[[operations.enroll]]\nmethod = "GET"\npath = "/first"\n\n[[operations.enroll]]\n'
    text = changed(("[operations.enroll]\n", step))

    async def play(session: Session) -> float:
        began = time.monotonic()
        await asyncio.gather(*(session.ask("enroll", CARD) for _ in range(5)))
        return began

    with scripted(timed(came)) as server:
        began = in_session(server.url, play, "target.max_rate=25/s", text=text)

    assert len(came) == 10
    assert max(came) - began >= 9 * 0.04 - ROUNDED


def test_without_a_rate_nobody_waits_for_a_turn() -> None:
    with scripted(lambda asked: (201, {})) as server:
        clock = Waits()
        started(server.url, clock=clock)

    assert clock.waited == []


# --- Retry-After --------------------------------------------------------------------------------


def busy(times: int, *, status: int = 429, **headers: str) -> Callable[[Asked], Said]:
    """A server that refuses so many requests before it answers."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    left = iter(range(times))

    def answer(asked: Asked) -> Said:
        if next(left, None) is not None:
            return status, {}, named
        return 201, {"transaction_id": "t-1"}

    return answer


def asked_of(bank: Callable[[Asked], Said], *changes: str, patient: bool = True) -> tuple[
    Answer, int, list[timedelta]
]:  # fmt: skip
    """The answer to a start, how often it was asked for, and what was waited in between."""
    clock = Waits()
    with scripted(bank) as server:
        answer = started(server.url, *changes, patient=patient, clock=clock)
        return answer, len(server.asked), clock.waited


def test_request_that_is_refused_for_a_time_is_asked_again_when_it_is_over() -> None:
    answer, times, waited = asked_of(busy(1, Retry_After="90"))

    assert (answer.outcomes, answer.captures) == ({Outcome.DONE}, {"id": "t-1"})
    assert times == 2
    assert waited == [timedelta(seconds=90)]


def test_answer_is_that_of_the_request_that_was_carried_out() -> None:
    answer, _, _ = asked_of(busy(2, Retry_After="30"))

    assert answer.returned - answer.called < timedelta(seconds=30)


def test_time_may_be_given_as_a_date() -> None:
    dates = {
        "Date": "Sun, 06 Nov 1994 08:49:37 GMT",
        "Retry_After": "Sun, 06 Nov 1994 08:50:07 GMT",
    }

    answer, times, waited = asked_of(busy(1, **dates))

    assert (answer.outcomes, times, waited) == ({Outcome.DONE}, 2, [timedelta(seconds=30)])


def test_date_that_has_passed_is_no_wait() -> None:
    dates = {
        "Date": "Sun, 06 Nov 1994 08:49:37 GMT",
        "Retry_After": "Sun, 06 Nov 1994 08:00:00 GMT",
    }

    _, times, waited = asked_of(busy(1, **dates))

    assert (times, waited) == (2, [timedelta(0)])


def test_impatient_caller_gets_the_refusal() -> None:
    answer, times, waited = asked_of(busy(1, Retry_After="1"), patient=False)

    assert (answer.outcomes, times, waited) == (THROTTLED, 1, [])


@pytest.mark.parametrize(
    "headers",
    [
        {"Retry_After": ""},
        {"Retry_After": "soon"},
        {"Retry_After": "nan"},
        {"Retry_After": "inf"},
        {"Retry_After": "121"},
        {"Retry_After": "86400"},
        {"Retry_After": "Sun, 06 Nov 1994 08:49:37 GMT"},  # by whose clock?
        {"Date": "now", "Retry_After": "Sun, 06 Nov 1994 08:49:37 GMT"},
    ],
    ids=str,
)
def test_throttling_for_a_time_that_cannot_be_read_or_waited_for_is_not_asked_again(
    headers: dict[str, str],
) -> None:
    answer, times, waited = asked_of(busy(1, **headers))

    assert (answer.outcomes, times, waited) == (THROTTLED, 1, [])


def test_throttling_that_does_not_say_for_how_long_is_asked_again_after_ever_longer_times() -> None:
    answer, times, waited = asked_of(busy(3))

    assert (answer.outcomes, answer.captures, times) == ({Outcome.DONE}, {"id": "t-1"}, 4)
    assert [wait.total_seconds() for wait in waited] == [0.5, 1, 2]
    assert answer.returned - answer.called < timedelta(seconds=1)


def test_throttling_that_does_not_end_is_given_up_after_a_quarter_of_a_minute() -> None:
    answer, times, waited = asked_of(busy(100))

    assert (answer.outcomes, times) == (THROTTLED, 6)
    assert sum(wait.total_seconds() for wait in waited) == 15.5


def test_throttling_that_never_ends_is_not_waited_for_again_and_again() -> None:
    clock = Waits()

    async def play(session: Session) -> list[Answer]:
        return [await session.ask("enroll", CARD) for _ in range(4)]

    with scripted(busy(100)) as server:
        answers = in_session(server.url, play, clock=clock)

    assert all(answer.outcomes == THROTTLED for answer in answers)
    assert len(clock.waited) == 5 + 4  # 4 s and 8 s of the first, 4 s of the second: in vain


def test_impatient_caller_gets_a_refusal_without_a_time_too() -> None:
    answer, times, waited = asked_of(busy(1), patient=False)

    assert (answer.outcomes, times, waited) == (THROTTLED, 1, [])


@pytest.mark.parametrize(
    ("patterns", "status", "meant"),
    [
        ("", 503, {Outcome.UNAVAILABLE}),
        ("", 302, {Outcome.UNKNOWN}),
        ('{status = 429, outcomes = "locked"}', 429, {Outcome.LOCKED}),
        ('{status = 429, outcomes = ["throttled", "locked"]}', 429,
         {Outcome.THROTTLED, Outcome.LOCKED}),
    ],
)  # fmt: skip
def test_what_may_have_been_carried_out_is_not_asked_again(
    patterns: str, status: int, meant: set[Outcome]
) -> None:
    answers = f'operations.start.answers=[{{status = 201, outcomes = "done"}}, {patterns}]'

    answer, times, waited = asked_of(busy(1, status=status, Retry_After="1"), answers)

    assert (answer.outcomes, times, waited) == (meant, 1, [])


def test_throttling_that_the_profile_names_is_waited_for_too() -> None:
    answers = (
        'operations.start.answers=[{status = 201, outcomes = "done"}, '
        '{status = 503, outcomes = "throttled"}]'
    )

    answer, times, _ = asked_of(busy(1, status=503, Retry_After="1"), answers)

    assert (answer.outcomes, times) == ({Outcome.DONE}, 2)


def test_target_that_refuses_for_ever_is_given_up() -> None:
    answer, times, waited = asked_of(busy(100, Retry_After="5"))

    assert answer.outcomes == THROTTLED
    assert times <= 8
    assert len(waited) <= 8


def test_whoever_was_told_to_slow_down_does() -> None:
    came: list[float] = []
    refuse = iter([True, True, True])

    def answer(asked: Asked) -> Said:
        came.append(time.monotonic())
        return (429, {}, {"Retry-After": "0"}) if next(refuse, False) else (201, {})

    async def play(session: Session) -> float:
        await session.ask("enroll", CARD)
        answered = time.monotonic()
        for _ in range(5):
            await session.ask("enroll", CARD)
        return answered

    with scripted(answer) as server:
        answered = in_session(server.url, play, clock=Waits())

    assert len(came) == 9
    assert came[-1] - answered >= 4 * 0.02 - ROUNDED  # one burst of refusals: 20 ms apart


def test_backing_off_slows_the_run_only_where_it_has_helped() -> None:
    def paused(refusals: int) -> list[float]:
        refuse = iter([True] * refusals)
        apart: list[float] = []

        def answer(asked: Asked) -> Said:
            return (429, {}) if next(refuse, False) else (201, {})

        async def play(session: Session) -> None:
            await session.ask("enroll", CARD)
            apart.append(session._access._apart_s)

        with scripted(answer) as server:
            in_session(server.url, play, clock=Waits())
        return apart

    assert paused(1) == [0.02]
    assert paused(100) == [0.0]  # a limit of this card's alone: nobody else waits for it
