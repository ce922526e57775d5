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
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from otpspec.errors import ClockError

SLACK = 1.0
"""Seconds by which a target's clock may be off what was asked, before it is called wrong:
many clocks keep whole seconds."""

TRIAL = 3 * SLACK
"""Seconds of a clock's first jump: enough to tell one that moves from one that does not."""


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


class TimeHook(Protocol):
    """How a target's time is moved."""

    async def read(self) -> Reading:
        """Read the target's clock. Raises ClockError where it cannot be read."""

    async def advance(self, seconds: float) -> Reading:
        """Move the target's clock forward. Raises ClockError where it does not move."""


class RealClock:
    """The target's time cannot be moved: ten minutes take ten minutes."""

    def now(self) -> datetime:
        """Now; the harness's clock stands for the target's, only differences are ever used."""
        return datetime.now(UTC)

    async def sleep_until(self, when: datetime) -> None:
        """Wait for real."""
        while (left := (when - self.now()).total_seconds()) > 0:
            await asyncio.sleep(left)


class JumpingClock:
    """A clock that jumps to the next waking time whenever nothing else can happen first.

    `idle` is to be called by the event loop's selector (see IdleSelector).
    """

    def __init__(self, hook: TimeHook, first: Reading) -> None:
        self._hook = hook
        self._rate = first.rate
        self._base = first.now
        self._start = time.monotonic()
        self._jumped = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = itertools.count()
        self._jump: asyncio.Task[None] | None = None
        self.jumps = 0

    def _now(self) -> float:
        return self._base + (time.monotonic() - self._start) * self._rate + self._jumped

    def now(self) -> datetime:
        """What time it is at the target."""
        return datetime.fromtimestamp(self._now(), UTC)

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
        while self._sleepers and self._sleepers[0][0] <= self._now():
            future = heapq.heappop(self._sleepers)[2]
            if not future.done():
                future.set_result(None)

    async def _advance(self, seconds: float) -> None:
        before = self._now()
        called = time.monotonic()
        reading = await self._hook.advance(seconds)
        self._jumped += seconds
        self.jumps += 1
        took = (time.monotonic() - called) * self._rate
        self._compare(reading, took, f"was asked to go {seconds:.3f} s on from {before:.3f}")

    async def check(self) -> None:
        """Compare the target's clock with the harness's count once more.

        Raises ClockError where another one has moved it in the meantime.
        """
        called = time.monotonic()
        reading = await self._hook.read()
        self._compare(reading, (time.monotonic() - called) * self._rate, "was moved by this run")

    def _compare(self, reading: Reading, took: float, what: str) -> None:
        off = reading.now - self._now()
        if abs(off) > took + SLACK:
            raise ClockError(
                f"The target's clock {what}, and is {abs(off):.1f} s "
                f"{'ahead of' if off > 0 else 'behind'} where that leads.\n"
                "Someone else moves it, or it does not move as asked: no time can be judged.\n"
                "Try: end other runs against this target; check the profile's [clock]."
            )


async def find_clock(hook: TimeHook | None) -> RealClock | JumpingClock:
    """The clock for a target; with a hook, it is tried on a few seconds first.

    Raises ClockError where the target's clock does not move.
    """
    if hook is None:
        return RealClock()
    clock = JumpingClock(hook, await hook.read())
    await clock._advance(TRIAL)
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
