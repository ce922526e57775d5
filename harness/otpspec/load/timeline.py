"""A load run second by second: what is kept of a second that is over is a few hundred bytes."""

from array import array
from collections.abc import Iterator

from otpspec.load.histogram import BUCKETS, Histogram
from otpspec.results import LoadPoint


class _Second:
    """A second that is over; its latencies only where there were any."""

    __slots__ = ("buckets", "counts", "failures", "unanswered", "users")

    def __init__(self, failures: int, unanswered: int, users: int, counts: list[int]) -> None:
        self.failures = failures
        self.unanswered = unanswered
        self.users = users
        self.buckets = array("H", [n for n, count in enumerate(counts) if count])
        self.counts = array("L", [count for count in counts if count])

    def histogram(self) -> Histogram:
        """Its latencies."""
        found = Histogram()
        for bucket, count in zip(self.buckets, self.counts, strict=True):
            found.counts[bucket] = count
        found.largest = 1 << 50  # not kept: a percentile is a bucket's middle
        return found


class Timeline:
    """The seconds of a run."""

    def __init__(self, began: float) -> None:
        """`began`: as `time.monotonic` shows it."""
        self._began = began
        self._past: dict[int, _Second] = {}
        self._number = 0
        self.ends = began + 1.0
        """When the second under way is over, as `time.monotonic` shows it."""

        self.counts = [0] * BUCKETS
        """The answers of the second under way, by bucket of their latency."""

        self.failures = 0
        self._unanswered = 0
        self._users = 0

    def turn(self, at: float) -> None:
        """Begin another second."""
        if any((self.failures, self._unanswered, self._users)) or any(self.counts):
            self._past[self._number] = self._now()
        self._number = int(at - self._began)
        self.ends = self._began + self._number + 1
        self.counts = [0] * BUCKETS
        self.failures = self._unanswered = self._users = 0

    def lost(self, at: float) -> None:
        """A call got no answer."""
        if at >= self.ends:
            self.turn(at)
        self.failures += 1
        self._unanswered += 1

    def saw(self, at: float, users: int) -> None:
        """So many users there are."""
        if at >= self.ends:
            self.turn(at)
        self._users = users

    def last_rate(self, at: float) -> float:
        """Requests in the second before."""
        if at >= self.ends:
            self.turn(at)
        second = self._past.get(self._number - 1)
        return 0.0 if second is None else float(sum(second.counts) + second.unanswered)

    def points(self, duration: float) -> list[LoadPoint]:
        """A point for each second; a last one that is less than half of one says too little."""
        return list(self._points(duration))

    def _now(self) -> _Second:
        return _Second(self.failures, self._unanswered, self._users, self.counts)

    def _points(self, duration: float) -> Iterator[LoadPoint]:
        for number, second in sorted({**self._past, self._number: self._now()}.items()):
            lasted = min(duration - number, 1.0)
            if lasted < 0.5:
                continue
            p50, p99 = second.histogram().percentiles(0.5, 0.99)
            yield LoadPoint(
                t_s=float(number),
                users=second.users,
                rate_per_s=round((sum(second.counts) + second.unanswered) / lasted, 3),
                failures_per_s=round(second.failures / lasted, 3),
                p50_ms=round(p50, 3),
                p99_ms=round(p99, 3),
            )
