"""Time, as the target sees it.

A scenario says when it wants to go on (`sleep_until`) and does not care how it gets there:
against a stranger's server it waits, against a server whose time can be moved the clock jumps.

When may the clock jump? When nothing else can happen first: every task is asleep on the clock, or
waits for another task. The event loop itself knows: it then has nothing ready and no timer of its
own, and asks its selector to wait without end. Every wait on the outside (a request, an inbox, a
plain asyncio.sleep) has a timer, and so holds the clock, whoever started it.
"""

import asyncio
import heapq
import itertools
import selectors
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from otpspec import realtime
from otpspec.errors import ClockError
from otpspec.verdicts import NotApplicable

SLACK = 1.0
"""Seconds by which a target's clock may be off what was asked, before it is called wrong:
many clocks keep whole seconds."""

LOOKS = 5
"""How often a clock is looked at after its first jump: of a target with several workers, some
may move and some not."""

_LOOK_AGAIN = 0.1  # seconds until a witness that may be behind is asked again


class Clock(Protocol):
    """Time, as the target sees it."""

    def now(self) -> datetime:
        """What time it is at the target, by the harness's count."""

    async def sleep_until(self, when: datetime) -> None:
        """Return when it is `when` at the target, or later."""


@dataclass(frozen=True)
class Reading:
    """What the target's own clock showed."""

    now: float  # seconds since 1970
    rate: float = 1.0  # seconds of the target a second
    behind: float = 0.0  # seconds by which it may show less than there is


class TimeHook(Protocol):
    """How a target's time is moved."""

    leans_on: str  # what a verdict that needed a jump leans on; "": on nothing but the target
    hint: str  # what to try where the clock does not move as asked

    async def read(self) -> Reading:
        """Read the target's clock. Raises ClockError where it cannot be read."""

    async def advance(self, seconds: float) -> Reading:
        """Move the target's clock forward. Raises ClockError where it does not move."""


class RealClock:
    """The target's time cannot be moved: ten minutes take ten minutes."""

    leans_on = ""

    def now(self) -> datetime:
        """Now; the harness's clock stands for the target's, only differences are ever used."""
        return realtime.now()

    async def sleep_until(self, when: datetime) -> None:
        """Wait for real."""
        while (left := (when - self.now()).total_seconds()) > 0:
            await asyncio.sleep(left)


class Turns:
    """Whose turn it is: so many scenarios at once, and those that wait for a time are none of them.

    A code that waits in a queue grows old: with all scenarios at once, a slow target is asked too
    late. One whose time has come goes on at once, without a turn of its own.
    """

    def __init__(self, at_once: int) -> None:
        self._free = asyncio.Semaphore(at_once)

    async def begin(self) -> Callable[[], None]:
        """Wait for a turn; the function that ends it, which may be called more than once."""
        await self._free.acquire()
        ends = [self._free.release]

        def end() -> None:
            if ends:
                ends.pop()()

        return end


class TrialClock:
    """A clock as one trial sees it: with a limit to its patience, and a note of its waits."""

    def __init__(
        self, clock: Clock, patience: timedelta | None, end_turn: Callable[[], None] = lambda: None
    ) -> None:
        """`patience`: how long may be waited; None: what is waited for takes no real time."""
        self._clock = clock
        self._began = clock.now()
        self._until = None if patience is None else clock.now() + patience
        self.rest = end_turn
        """Others may go on: this trial waits for what takes long."""

        self.slept = False
        """Whether anything was waited for: what is judged then leans on the clock."""

    def now(self) -> datetime:
        """What time it is at the target."""
        return self._clock.now()

    async def sleep_until(self, when: datetime) -> None:
        """Wait; raises NotApplicable where it would be for too long."""
        if self._until is not None and when > self._until:
            minutes = (self._until - self._began).total_seconds() / 60
            raise NotApplicable(f"left out: it would wait longer than --max-wait {minutes:g}m")
        self.slept |= when > self.now()
        self.rest()
        await self._clock.sleep_until(when)


class JumpingClock:
    """A clock that jumps to the next waking time whenever nothing else can happen first.

    `idle` is to be called by the event loop's selector (see IdleSelector).
    """

    def __init__(self, hook: TimeHook, first: Reading) -> None:
        self._hook = hook
        self._rate = first.rate
        self._base = first.now
        self._start = realtime.monotonic()
        self._tolerance = SLACK + first.behind * max(first.rate, 1.0)
        self._jumped = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = itertools.count()
        self._jump: asyncio.Task[None] | None = None
        self._jumped_at = self._start
        self.jumps = 0
        self.leans_on = hook.leans_on

    @property
    def stands_still(self) -> bool:
        """Whether no time passes between two jumps."""
        return self._rate == 0.0

    def _now(self) -> float:
        return self._base + (realtime.monotonic() - self._start) * self._rate + self._jumped

    def now(self) -> datetime:
        """What time it is at the target."""
        return realtime.at(self._now())

    async def sleep_until(self, when: datetime) -> None:
        """Sleep until the clock has been moved to `when`.

        Raises ClockError where the target's clock does not move as it was asked to.
        """
        if when.timestamp() <= self._now():
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (when.timestamp(), next(self._order), future))
        await future

    def idle(self) -> bool:
        """Nothing can happen before the next waking time: jump there. False: nobody sleeps."""
        while self._sleepers and self._sleepers[0][2].done():
            heapq.heappop(self._sleepers)  # its task was cancelled
        if not self._sleepers or (self._jump and not self._jump.done()):
            return False
        self._jump = asyncio.ensure_future(self._jump_to(self._sleepers[0][0]))
        return True

    async def _jump_to(self, when: float) -> None:
        try:
            if (seconds := when - self._now()) > 0:
                await self._advance(seconds)
        except Exception as error:  # whatever it was, to jump again would not mend it
            for _, _, future in self._sleepers:
                if not future.done():
                    future.set_exception(error)
            self._sleepers.clear()
            return
        reached = max(when, self._now())  # a sum of floats may be a hair less than what it is
        while self._sleepers and self._sleepers[0][0] <= reached:
            future = heapq.heappop(self._sleepers)[2]
            if not future.done():
                future.set_result(None)

    async def _advance(self, seconds: float) -> None:
        before = self._now()
        called = realtime.monotonic()
        reading = await self._hook.advance(seconds)
        self._jumped += seconds
        self._jumped_at = realtime.monotonic()
        self.jumps += 1
        took = (realtime.monotonic() - called) * self._rate
        if reading.behind and reading.now < self._now():
            return  # it may still show the time before the jump: check() asks again
        self._compare(reading, took, f"was asked to go {seconds:.3f} s on from {before:.3f}")

    async def check(self) -> None:
        """Compare the target's clock with the harness's count once more.

        Raises ClockError where another one has moved it in the meantime.
        """
        self._compare(*await self._look(), "was moved by this run")

    async def _look(self) -> tuple[Reading, float]:
        """What the target shows, and how long it took to ask, in its seconds.

        A witness that may be behind is asked until it has had the time to show the last jump.
        """
        while True:
            called = realtime.monotonic()
            reading = await self._hook.read()
            took = (realtime.monotonic() - called) * self._rate
            shown = reading.now >= self._now() - took - self._tolerance
            if shown or called - self._jumped_at > reading.behind:
                return reading, took
            await asyncio.sleep(_LOOK_AGAIN)

    def _compare(self, reading: Reading, took: float, what: str) -> None:
        off = reading.now - self._now()
        if abs(off) > took + self._tolerance:
            raise ClockError(
                f"The target's clock {what}, and is {abs(off):.1f} s "
                f"{'ahead of' if off > 0 else 'behind'} where that leads.\n"
                "Someone else moves it, or it does not move as asked: no time can be judged.\n"
                "Try: end other runs against this target; check the profile's [clock]."
            )

    async def try_out(self) -> None:
        """Jump once, and look whether all of the target has jumped with it.

        Raises ClockError: which way it moved, and what to try.
        """
        step = 3 * self._tolerance  # half of it must not pass for the whole
        reading = await self._hook.advance(step)
        self._jumped += step
        self._jumped_at = realtime.monotonic()
        self.jumps += 1
        await self._look()
        left = reading.behind - (realtime.monotonic() - self._jumped_at)
        await asyncio.sleep(max(left, 0.0))  # so long any part of it may be behind
        went: list[float] = []
        for _ in range(LOOKS):
            reading, took = await self._look()
            went.append(step + _beyond(reading.now - self._now(), took))
        if why := _how_it_moves(step, went, self._tolerance):
            raise ClockError(
                f"{why}\nNo rule was checked, so this says nothing about the target.\n"
                f"Try: {self._hook.hint}"
            )


def _beyond(off: float, took: float) -> float:
    """What is left of a difference when the time that the asking took is granted."""
    return max(0.0, off - took) if off > 0 else min(0.0, off + took)


def _how_it_moves(step: float, went: list[float], tolerance: float) -> str:
    """What is wrong with a clock that was asked to go `step` seconds on; "" for nothing."""
    wrong = [seconds for seconds in went if abs(seconds - step) > tolerance]
    asked = f"it was asked to go {step:g} s on, and went"
    if not wrong:
        return ""
    if len(wrong) < len(went):
        return (
            f"Only a part of the target's clock moves: {asked} so far in "
            f"{len(went) - len(wrong)} of {len(went)} answers, {wrong[0]:.1f} s in another."
        )
    if max(abs(seconds) for seconds in wrong) <= tolerance:
        return f"The target's clock does not move: {asked} {abs(wrong[0]):.1f} s."
    back = " back" if wrong[0] < 0 else " on"
    return f"The target's clock moves another way than asked: {asked} {abs(wrong[0]):.1f} s{back}."


async def find_clock(hook: TimeHook | None) -> RealClock | JumpingClock:
    """The clock for a target; with a hook, it is tried on a few seconds first.

    Raises ClockError where the target's clock does not move, or not as asked.
    """
    if hook is None:
        return RealClock()
    clock = JumpingClock(hook, await hook.read())
    await clock.try_out()
    return clock


class IdleSelector(selectors.DefaultSelector):
    """A selector that tells when its event loop has nothing left to wait for but the clock."""

    def __init__(self, stuck_after: timedelta) -> None:
        super().__init__()
        self.on_idle: Callable[[], bool] = lambda: False  # True: something is ready now
        self.on_stuck: Callable[[], None] = lambda: None
        self._stuck_after = stuck_after.total_seconds()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """As any selector; without a time-out, first ask whether the clock can go on."""
        if timeout is not None:
            return super().select(timeout)
        if events := super().select(0):
            return events
        if self.on_idle():
            return []
        if not (events := super().select(self._stuck_after)):
            self.on_stuck()
        return events
