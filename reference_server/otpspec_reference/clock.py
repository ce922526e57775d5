"""The server's time: real, or moved by a test that holds the lease."""

import secrets
import time
from collections.abc import Callable

IDLE_LEASE_S = 30.0
"""A lease that nobody used for so long is free again: its holder may have been killed."""


def wall_clock() -> float:
    """Real time, looked up at each call: so that freezegun, which replaces it, is seen."""
    return time.time()


class Clock:
    """Seconds since the epoch, as the rules see them: real time, moved forward and sped up."""

    def __init__(self, rate: float = 1.0, real: Callable[[], float] = wall_clock) -> None:
        self._real = real
        self._first_rate = rate
        self.jumps = 0
        self.rate = 1.0
        self._real_at = self._now_at = 0.0
        self.set_rate(rate)

    def now(self) -> float:
        """The server's time."""
        return self._now_at + (self._real() - self._real_at) * self.rate

    def advance(self, seconds: float) -> None:
        """Jump forward; never back, since no rule says what happens to time that is taken back."""
        self._now_at += seconds
        self.jumps += 1

    def set_rate(self, rate: float) -> None:
        """From now on, let the time run so many times as fast as real time."""
        if rate != self.rate:
            self._now_at, self._real_at = self.now(), self._real()
            self.rate = rate

    def reset(self) -> None:
        """Back to real time, as at the start. It counts as a jump: others must see it."""
        self.rate = 1.0
        self._real_at = self._now_at = 0.0
        self.set_rate(self._first_rate)
        self.jumps += 1


class Lease:
    """The right to move the clock, held by one test run at a time.

    Its idleness is measured in real time, on the monotonic clock: jumps do not end it.
    """

    def __init__(self) -> None:
        self._holder: str | None = None
        self._used_at = 0.0

    def take(self) -> str | None:
        """A new lease, or None while another is held and in use."""
        now = time.monotonic()
        if self._holder is not None and now - self._used_at < IDLE_LEASE_S:
            return None
        self._holder, self._used_at = secrets.token_urlsafe(16), now
        return self._holder

    def use(self, lease: object) -> bool:
        """Whether this is the holder's lease; if so, it has been used just now."""
        if self._holder is None or lease != self._holder:
            return False
        self._used_at = time.monotonic()
        return True

    def give_back(self, lease: str) -> bool:
        """End the lease; False where it was not the holder's."""
        if self._holder is None or lease != self._holder:
            return False
        self._holder = None
        return True
