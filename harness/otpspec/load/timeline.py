"""A load run second by second: what is kept of a second that is over is a few hundred bytes."""

from collections.abc import Iterable, Iterator

import msgspec
import numpy as np

from otpspec.load.histogram import BUCKETS, Counts, Histogram
from otpspec.results import LoadPoint


class Second(msgspec.Struct, array_like=True):
    """A second, as another process is told of it."""

    number: int
    failures: int
    unanswered: int
    users: int
    buckets: list[int]
    counts: list[int]


class _Second:
    """A second that is over; its latencies only where there were any."""

    __slots__ = ("buckets", "counts", "failures", "unanswered", "users")

    def __init__(self, failures: int, unanswered: int, users: int, counts: Counts) -> None:
        self.failures = failures
        self.unanswered = unanswered
        self.users = users
        where = np.flatnonzero(counts)
        self.buckets = where.astype(np.uint16)
        self.counts = counts[where].astype(np.uint32)

    @property
    def requests(self) -> int:
        """How many there were."""
        return int(self.counts.sum()) + self.unanswered

    def histogram(self) -> Histogram:
        """Its latencies."""
        counts: Counts = np.zeros(BUCKETS, np.int64)
        counts[self.buckets] = self.counts
        return Histogram.of(counts)


class Timeline:
    """The seconds of a run. Who tells it of something sees first that it is in the right second."""

    def __init__(self, began: float) -> None:
        """`began`: as `time.monotonic` shows it."""
        self._began = began
        self._past: dict[int, _Second] = {}
        self._number = 0
        self.ends = began + 1.0
        """When the second under way is over, as `time.monotonic` shows it."""

        self.counts: Counts = np.zeros(BUCKETS, np.int64)
        """The answers of the second under way, by bucket of their latency."""

        self.failures = 0
        self.users = 0
        """How many there are, as was said last in the second under way."""

        self._unanswered = 0

    def turn(self, at: float) -> None:
        """Begin another second."""
        if self.failures or self._unanswered or self.users or self.counts.any():
            self._past[self._number] = self._now()
        self._number = int(at - self._began)
        self.ends = self._began + self._number + 1
        self.counts[:] = 0
        self.failures = self._unanswered = self.users = 0

    def lost(self) -> None:
        """A call got no answer."""
        self.failures += 1
        self._unanswered += 1

    def last_rate(self) -> float:
        """Requests in the second before."""
        second = self._past.get(self._number - 1)
        return 0.0 if second is None else float(second.requests)

    def packed(self, since: int = 0) -> list[Second]:
        """The seconds from a certain one on, that under way among them, for another process."""
        seconds = {**self._past, self._number: self._now()}
        return [
            Second(n, s.failures, s.unanswered, s.users, s.buckets.tolist(), s.counts.tolist())
            for n, s in seconds.items()
            if n >= since
        ]

    def merge(self, seconds: Iterable[Second]) -> None:
        """Add what other processes saw to what is known of the same seconds.

        It is for who sees none of its own: nothing of those is under way.
        """
        self._number = -1
        for other in seconds:
            counts: Counts = np.zeros(BUCKETS, np.int64)
            counts[other.buckets] = other.counts
            known = self._past.get(other.number)
            if known is None:
                known = _Second(0, 0, 0, counts[:0])
            else:
                counts[known.buckets] += known.counts
            self._past[other.number] = _Second(
                known.failures + other.failures,
                known.unanswered + other.unanswered,
                known.users + other.users,
                counts,
            )

    def points(self, duration: float) -> list[LoadPoint]:
        """A point for each second; a last one that is less than half of one says too little."""
        return list(self._points(duration))

    def _now(self) -> _Second:
        return _Second(self.failures, self._unanswered, self.users, self.counts)

    def _points(self, duration: float) -> Iterator[LoadPoint]:
        for number, second in sorted({**self._past, self._number: self._now()}.items()):
            lasted = min(duration - number, 1.0)
            if lasted < 0.5 or number < 0:
                continue
            p50, p99 = second.histogram().percentiles(0.5, 0.99)
            yield LoadPoint(
                t_s=float(number),
                users=second.users,
                rate_per_s=round(second.requests / lasted, 3),
                failures_per_s=round(second.failures / lasted, 3),
                p50_ms=round(p50, 3),
                p99_ms=round(p99, 3),
            )
