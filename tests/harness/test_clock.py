"""The clock jumps when nothing else can happen first, and says when it is not what it seems."""

import asyncio
import re
import socket
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from otpspec.clock import IdleSelector, JumpingClock, Reading, RealClock, find_clock
from otpspec.errors import ClockError
from otpspec.guard import Guard, GuardedTransport, Rules

from .scripted import scripted

SECOND = timedelta(seconds=1)
NEVER = 60.0  # seconds that no test lasts


class TargetTime:
    """The time of a target that can be moved, as the target itself keeps it."""

    leans_on = ""
    hint = "whatever mends it."

    def __init__(self, rate: float = 1.0, moves: Callable[[float], float] = lambda s: s) -> None:
        self.rate = rate
        self.moved = 1_000_000.0
        self.jumps: list[float] = []
        self._moves = moves
        self._began = time.monotonic()

    @property
    def now(self) -> float:
        return self.moved + (time.monotonic() - self._began) * self.rate

    async def read(self) -> Reading:
        await asyncio.sleep(0.001)  # a request has a time-out, and so a timer
        return Reading(self.now, self.rate)

    async def advance(self, seconds: float) -> Reading:
        self.jumps.append(seconds)
        self.moved += self._moves(seconds)
        return await self.read()


Main = Callable[[JumpingClock], Awaitable[Any]]


def run(main: Main, target: TargetTime | None = None, stuck_after: float = NEVER) -> Any:
    """Run on a loop whose clock jumps; one in which nothing can happen any more ends."""
    selector = IdleSelector(timedelta(seconds=stuck_after))
    hook = target or TargetTime()

    async def started() -> Any:
        clock = JumpingClock(hook, await hook.read())
        selector.on_idle = clock.idle
        return await main(clock)

    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selector)) as runner:
        loop = runner.get_loop()
        task = loop.create_task(started())
        selector.on_stuck = task.cancel
        return loop.run_until_complete(task)


def after(clock: JumpingClock, seconds: float) -> datetime:
    return clock.now() + timedelta(seconds=seconds)


def age(clock: JumpingClock) -> float:
    """Whole seconds of the target since the test began; the few real ones do not show."""
    return round((clock.now().timestamp() - 1_000_000) / 10) * 10


# --- when it jumps ------------------------------------------------------------------------------


def test_a_task_that_sleeps_alone_wakes_at_its_time_at_once() -> None:
    target = TargetTime()

    async def main(clock: JumpingClock) -> datetime:
        when = after(clock, 600)
        await clock.sleep_until(when)
        assert when <= clock.now() < when + SECOND
        return when

    when = run(main, target)

    assert len(target.jumps) == 1
    assert target.now >= when.timestamp()


def test_time_that_is_past_is_not_slept_for() -> None:
    target = TargetTime()

    async def main(clock: JumpingClock) -> None:
        await clock.sleep_until(clock.now())
        await clock.sleep_until(after(clock, -600))

    run(main, target)

    assert target.jumps == []


def test_sleepers_wake_in_the_order_of_their_times() -> None:
    woken: list[tuple[int, float]] = []

    async def main(clock: JumpingClock) -> None:
        async def sleeper(seconds: int) -> None:
            await clock.sleep_until(after(clock, seconds))
            woken.append((seconds, age(clock)))

        await asyncio.gather(*(sleeper(seconds) for seconds in (900, 300, 600, 300)))

    run(main)

    assert woken == [(300, 300), (300, 300), (600, 600), (900, 900)]


def test_a_sleeper_that_sleeps_again_takes_its_turn() -> None:
    woken: list[tuple[str, float]] = []

    async def main(clock: JumpingClock) -> None:
        async def sleeper(name: str, every: float) -> None:
            for _ in range(3):
                await clock.sleep_until(after(clock, every))
                woken.append((name, age(clock)))

        await asyncio.gather(sleeper("a", 100), sleeper("b", 160))

    run(main)

    assert woken == [("a", 100), ("b", 160), ("a", 200), ("a", 300), ("b", 320), ("b", 480)]


def test_a_task_that_is_awake_holds_the_clock() -> None:
    ages: list[float] = []

    async def main(clock: JumpingClock) -> None:
        async def busy() -> None:
            for _ in range(200):
                await asyncio.sleep(0)
                ages.append(age(clock))

        await asyncio.gather(clock.sleep_until(after(clock, 600)), busy())

    run(main)

    assert set(ages) == {0}


def test_a_plain_sleep_holds_the_clock() -> None:
    ages: list[float] = []

    async def main(clock: JumpingClock) -> None:
        async def plain() -> None:
            await asyncio.sleep(0.05)
            ages.append(age(clock))

        await asyncio.gather(clock.sleep_until(after(clock, 600)), plain())
        ages.append(age(clock))

    run(main)

    assert ages == [0, 600]


def client(origin: str) -> httpx.AsyncClient:
    """A client as the harness has it, for one origin."""
    return httpx.AsyncClient(transport=GuardedTransport(Guard(Rules(), [origin])))


def test_a_request_that_is_under_way_holds_the_clock() -> None:
    ages: list[float] = []

    def slow(asked: Any) -> tuple[int, Any]:
        time.sleep(0.1)
        return 200, {}

    with scripted(slow) as server:

        async def main(clock: JumpingClock) -> None:
            async def ask() -> None:
                async with client(server.url) as http:
                    for _ in range(2):  # on a new connection, and on one that is there
                        await http.get(server.url)
                        ages.append(age(clock))

            await asyncio.gather(clock.sleep_until(after(clock, 600)), ask())
            ages.append(age(clock))

        run(main)

    assert ages == [0, 0, 600]


def test_a_name_that_is_being_resolved_holds_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    ages: list[float] = []
    real = socket.getaddrinfo

    def slow(host: Any, *more: Any, **named: Any) -> Any:
        if host in ("localhost", b"localhost"):
            time.sleep(0.1)
        return real(host, *more, **named)

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    with scripted(lambda asked: (200, {})) as server:
        url = server.url.replace("127.0.0.1", "localhost")

        async def main(clock: JumpingClock) -> None:
            async def ask() -> None:
                async with client(url) as http:
                    await http.get(url)
                    ages.append(age(clock))

            await asyncio.gather(clock.sleep_until(after(clock, 600)), ask())

        run(main)

    assert ages == [0]


def test_what_has_come_already_is_read_before_the_clock_jumps() -> None:
    target = TargetTime()
    jumps: list[int] = []

    async def main(clock: JumpingClock) -> None:
        ours, theirs = socket.socketpair()
        reader, writer = await asyncio.open_connection(sock=ours)

        async def read() -> None:
            await reader.readexactly(1)  # a wait without a time-out
            jumps.append(len(target.jumps))

        reading = asyncio.create_task(read())
        await asyncio.sleep(0)
        with theirs:
            theirs.send(b"x")  # the last that happens before all of them wait
            await clock.sleep_until(after(clock, 600))
            await reading
        writer.close()

    run(main, target)

    assert jumps == [0]


def test_a_connection_that_is_open_and_idle_does_not_hold_the_clock() -> None:
    with scripted(lambda asked: (200, {})) as server:

        async def main(clock: JumpingClock) -> float:
            async with client(server.url) as http:
                await http.get(server.url)
                await clock.sleep_until(after(clock, 600))
                return age(clock)

        assert run(main, stuck_after=2) == 600


def test_tasks_that_wait_for_one_another_do_not_hold_the_clock() -> None:
    async def main(clock: JumpingClock) -> list[str]:
        said: list[str] = []
        event, lock, queue = asyncio.Event(), asyncio.Lock(), asyncio.Queue[str]()

        async def sleeper() -> None:
            async with lock:
                await clock.sleep_until(after(clock, 600))
                said.append(f"slept {age(clock):g}")
            event.set()
            queue.put_nowait(f"queued {age(clock):g}")

        async def waits_for_the_lock() -> None:
            async with lock:
                said.append(f"locked {age(clock):g}")

        async def waits_for_the_event() -> None:
            await event.wait()
            said.append(f"told {age(clock):g}")

        async with asyncio.TaskGroup() as group:
            group.create_task(sleeper())
            await asyncio.sleep(0)
            group.create_task(waits_for_the_lock())
            group.create_task(waits_for_the_event())
            said.append(await asyncio.shield(group.create_task(queue.get())))
        return sorted(said)

    assert run(main) == ["locked 600", "queued 600", "slept 600", "told 600"]


def test_tasks_of_tasks_are_no_different() -> None:
    async def main(clock: JumpingClock) -> list[float]:
        ages: list[float] = []

        async def nested(depth: int) -> None:
            await clock.sleep_until(after(clock, 100))
            if depth:
                await asyncio.gather(*(asyncio.create_task(nested(depth - 1)) for _ in range(2)))
            ages.append(age(clock))

        await nested(3)
        return ages

    ages = run(main)

    assert ages == [400] * 15


def test_a_cancelled_sleeper_moves_nothing() -> None:
    target = TargetTime()

    async def main(clock: JumpingClock) -> float:
        early = asyncio.create_task(clock.sleep_until(after(clock, 300)))
        late = asyncio.create_task(clock.sleep_until(after(clock, 600)))
        await asyncio.sleep(0)
        early.cancel()
        await late
        return age(clock)

    assert run(main, target) == 600
    assert len(target.jumps) == 1


def test_when_every_sleeper_is_cancelled_the_clock_stands_still() -> None:
    target = TargetTime()

    async def main(clock: JumpingClock) -> None:
        sleeper = asyncio.create_task(clock.sleep_until(after(clock, 300)))
        await asyncio.sleep(0)
        sleeper.cancel()
        await asyncio.gather(sleeper, return_exceptions=True)
        await asyncio.Event().wait()

    with pytest.raises(asyncio.CancelledError):
        run(main, target, stuck_after=0.1)

    assert target.jumps == []


def test_a_thousand_sleepers_take_one_jump_for_each_time() -> None:
    target = TargetTime()
    woken: list[int] = []

    async def main(clock: JumpingClock) -> None:
        base = clock.now()

        async def sleeper(number: int) -> None:
            await clock.sleep_until(base + timedelta(seconds=60 * (1 + number % 50)))
            woken.append(number % 50)

        await asyncio.gather(*(sleeper(number) for number in range(1000)))

    run(main, target)

    assert woken == sorted(woken)
    assert len(woken) == 1000
    assert len(target.jumps) == 50


def test_time_goes_on_between_the_jumps() -> None:
    async def main(clock: JumpingClock) -> float:
        before = clock.now()
        await asyncio.sleep(0.05)
        return (clock.now() - before).total_seconds()

    assert run(main) >= 0.05


def test_a_target_whose_time_runs_faster_is_followed() -> None:
    target = TargetTime(rate=100.0)

    async def main(clock: JumpingClock) -> tuple[float, float]:
        await asyncio.sleep(0.05)
        off = clock.now().timestamp() - target.now
        await clock.sleep_until(after(clock, 600))
        await clock.check()
        return off, clock.now().timestamp() - target.now

    before, later = run(main, target)

    assert abs(before) < 1
    assert abs(later) < 1


# --- when it is not what it seems ---------------------------------------------------------------

WHY = (
    "Someone else moves it, or it does not move as asked: no time can be judged.\n"
    "Try: end other runs against this target; check the profile's [clock]."
)


def error_of(main: Main, target: TargetTime) -> list[str]:
    with pytest.raises(ClockError) as raised:
        run(main, target)
    first, _, rest = str(raised.value).partition("\n")
    assert rest == WHY
    return first.split(", and ")


async def sleep_ten_minutes(clock: JumpingClock) -> None:
    await clock.sleep_until(after(clock, 600))


@pytest.mark.parametrize(
    ("moves", "where"),
    [
        (lambda seconds: 0.0, "is 600.0 s behind where that leads."),
        (lambda seconds: seconds / 60, "is 590.0 s behind where that leads."),
        (lambda seconds: seconds * 2, "is 600.0 s ahead of where that leads."),
        (lambda seconds: -seconds, "is 1200.0 s behind where that leads."),
    ],
    ids=["not at all", "in minutes", "twice as far", "backwards"],
)
def test_a_target_that_does_not_move_as_asked_is_found_out(
    moves: Callable[[float], float], where: str
) -> None:
    asked, found = error_of(sleep_ten_minutes, TargetTime(moves=moves))

    assert re.fullmatch(
        r"The target's clock was asked to go (599\.99\d|600\.000) s on from 1000000\.\d{3}", asked
    )
    assert found == where


def test_a_clock_of_whole_seconds_is_no_fault() -> None:
    class WholeSeconds(TargetTime):
        async def read(self) -> Reading:
            return Reading(float(int((await super().read()).now)))

    async def main(clock: JumpingClock) -> None:
        for _ in range(20):
            await clock.sleep_until(after(clock, 90.5))
        await clock.check()

    run(main, WholeSeconds())


def test_somebody_else_who_moves_the_clock_is_found_out_at_the_next_jump() -> None:
    target = TargetTime()

    async def main(clock: JumpingClock) -> None:
        target.moved += 300
        await clock.sleep_until(after(clock, 600))

    _, found = error_of(main, target)

    assert found == "is 300.0 s ahead of where that leads."


def test_somebody_else_who_moves_the_clock_is_found_out_by_a_check() -> None:
    target = TargetTime()

    async def main(clock: JumpingClock) -> None:
        await clock.sleep_until(after(clock, 600))
        await clock.check()
        target.moved -= 5
        await clock.check()

    assert error_of(main, target) == [
        "The target's clock was moved by this run",
        "is 5.0 s behind where that leads.",
    ]


def test_every_sleeper_is_told_that_the_clock_is_wrong() -> None:
    async def main(clock: JumpingClock) -> list[Any]:
        sleepers = [clock.sleep_until(after(clock, 60 * n)) for n in range(1, 5)]
        return await asyncio.gather(*sleepers, return_exceptions=True)

    told = run(main, TargetTime(moves=lambda seconds: 0.0))

    assert [type(error) for error in told] == [ClockError] * 4


def test_a_hook_that_fails_in_any_way_wakes_the_sleepers_with_its_error() -> None:
    class Fails(TargetTime):
        async def advance(self, seconds: float) -> Reading:
            raise LookupError("a fault of the hook")

    with pytest.raises(LookupError, match="a fault of the hook"):
        run(sleep_ten_minutes, Fails(), stuck_after=1)


def test_a_clock_is_tried_before_it_is_used() -> None:
    target = TargetTime()

    clock = asyncio.run(find_clock(target))

    assert isinstance(clock, JumpingClock)
    assert len(target.jumps) == 1


UNJUDGED = "No rule was checked, so this says nothing about the target.\nTry: whatever mends it."


def refused(target: TargetTime) -> str:
    with pytest.raises(ClockError) as raised:
        asyncio.run(find_clock(target))
    first, _, rest = str(raised.value).partition("\n")
    assert rest == UNJUDGED
    return first


@pytest.mark.parametrize(
    ("factor", "why"),
    [
        (0.0, "does not move: it was asked to go 3 s on, and went 0.0 s."),
        (0.1, "does not move: it was asked to go 3 s on, and went 0.3 s."),
        (0.5, "moves another way than asked: it was asked to go 3 s on, and went 1.5 s on."),
        (2.0, "moves another way than asked: it was asked to go 3 s on, and went 6.0 s on."),
        (-1.0, "moves another way than asked: it was asked to go 3 s on, and went 3.0 s back."),
        (1e3, "moves another way than asked: it was asked to go 3 s on, and went 3000.0 s on."),
    ],
)
def test_a_clock_that_fails_its_trial_is_not_used(factor: float, why: str) -> None:
    target = TargetTime(moves=lambda seconds: seconds * factor)

    assert refused(target) == f"The target's clock {why}"


class Workers(TargetTime):
    """Two workers take turns to answer, and only one of them moves."""

    asked = 0

    async def read(self) -> Reading:
        self.asked += 1
        reading = await super().read()
        still = reading.now - sum(self.jumps) * (self.asked % 2)
        return Reading(still)


def test_a_clock_of_which_only_a_part_moves_is_not_used() -> None:
    assert refused(Workers()) == (
        "Only a part of the target's clock moves: it was asked to go 3 s on, and went so far in "
        "3 of 5 answers, 0.0 s in another."
    )


class Behind(TargetTime):
    """Shows whole seconds, and each for up to a second after it is over, as a Date header does."""

    shown = 0.0
    shown_at = -1.0

    async def read(self) -> Reading:
        reading = await super().read()
        if time.monotonic() - self.shown_at > 1:
            self.shown, self.shown_at = float(int(reading.now)), time.monotonic()
        return Reading(self.shown, behind=2.0)


def test_a_witness_that_is_behind_is_waited_for_and_found_right() -> None:
    async def main(clock: JumpingClock) -> None:
        await clock.try_out()
        for seconds in (0.5, 90.25, 600):
            await clock.sleep_until(after(clock, seconds))
            await clock.check()

    run(main, Behind())


@pytest.mark.parametrize(
    ("factor", "why"),
    [
        (0.0, r"does not move: it was asked to go 9 s on, and went [0-2]\.\d s\."),
        (
            0.5,
            r"moves another way than asked: it was asked to go 9 s on, and went [3-5]\.\d s on\.",
        ),
    ],
)
def test_a_witness_that_is_behind_does_not_hide_a_clock_that_moves_wrong(
    factor: float, why: str
) -> None:
    found = refused(Behind(moves=lambda seconds: seconds * factor))

    assert re.fullmatch(r"The target's clock " + why, found), found


def test_a_jump_that_a_witness_shows_later_is_checked_all_the_same() -> None:
    async def main(clock: JumpingClock) -> None:
        await clock.sleep_until(after(clock, 600))
        await clock.check()

    asked, found = error_of(main, Behind(moves=lambda seconds: 0.0))

    assert asked == "The target's clock was moved by this run"
    assert re.fullmatch(r"is 60\d\.\d s behind where that leads\.|is 59\d\.\d s .*", found)


def test_a_clock_says_what_its_verdicts_lean_on() -> None:
    target = TargetTime()
    target.leans_on = "a clock of the tests"

    assert JumpingClock(target, Reading(0.0)).leans_on == "a clock of the tests"
    assert RealClock().leans_on == ""


def test_a_clock_that_stands_still_between_jumps_has_no_drift() -> None:
    class Still(TargetTime):
        async def read(self) -> Reading:
            await asyncio.sleep(0.001)
            return Reading(self.moved, rate=0.0)

    target = Still()
    target.moved = 1_790_000_000.123457

    async def main(clock: JumpingClock) -> int:
        when = clock.now()
        for _ in range(500):
            when += timedelta(seconds=0.1)
            await clock.sleep_until(when)
            assert clock.now() == when
            assert abs(target.moved - when.timestamp()) < 1e-3
        return clock.jumps

    assert run(main, target) == 500


def test_without_a_hook_time_is_real() -> None:
    assert isinstance(asyncio.run(find_clock(None)), RealClock)


# --- real time, and no time ---------------------------------------------------------------------


def test_real_clock_waits_until_it_is_time() -> None:
    async def main() -> tuple[datetime, datetime]:
        clock = RealClock()
        when = clock.now() + timedelta(seconds=0.15)
        await clock.sleep_until(when)
        await clock.sleep_until(when - SECOND)  # past: at once
        return when, clock.now()

    when, woken = asyncio.run(main())

    assert when <= woken
    assert when.tzinfo is UTC


def test_a_run_in_which_nothing_can_happen_any_more_is_ended() -> None:
    async def main(clock: JumpingClock) -> None:
        await clock.sleep_until(after(clock, 600))
        await asyncio.Event().wait()

    with pytest.raises(asyncio.CancelledError):
        run(main, stuck_after=0.1)


def test_a_loop_that_waits_for_something_is_not_stuck() -> None:
    async def main(clock: JumpingClock) -> str:
        await asyncio.sleep(0.3)
        return "done"

    assert run(main, stuck_after=0.05) == "done"
