"""Latencies, counted: every percentile within one part in a hundred, in a fixed amount of memory.

Log-linear buckets, 128 to each doubling, so that a bucket is at most 0.8 % wide; up to 255 µs each
value has its own. Two histograms merge by adding their counts, exactly, in whatever order.
"""

from collections.abc import Iterable

from otpspec.results import Latency

BITS = 7
LARGEST = (1 << 40) - 1  # µs: twelve days
BUCKETS = (41 - BITS) << BITS


def bucket(value: int) -> int:
    """The bucket of a duration in whole microseconds, from 0 to LARGEST."""
    shift = value.bit_length() - BITS - 1
    return (shift << BITS) + (value >> shift) if shift > 0 else value


def middle(index: int) -> float:
    """The middle of a bucket, in microseconds."""
    if index < 2 << BITS:
        return float(index)
    shift = (index >> BITS) - 1
    low = (index - (shift << BITS)) << shift
    return low + ((1 << shift) - 1) / 2


class Histogram:
    """Counts durations, in whole microseconds."""

    __slots__ = ("counts", "largest", "total")

    def __init__(self) -> None:
        self.counts = [0] * BUCKETS
        self.total = 0  # µs
        self.largest = 0  # µs

    @property
    def count(self) -> int:
        """How many were counted."""
        return sum(self.counts)

    def record(self, seconds: float) -> None:
        """Count one duration; what is negative counts as nothing."""
        value = min(max(int(seconds * 1e6 + 0.5), 0), LARGEST)
        self.counts[bucket(value)] += 1
        self.total += value
        if value > self.largest:
            self.largest = value

    def merge(self, other: "Histogram") -> None:
        """Add another histogram's counts to this one's."""
        self.counts = [a + b for a, b in zip(self.counts, other.counts, strict=True)]
        self.total += other.total
        self.largest = max(self.largest, other.largest)

    def packed(self) -> dict[str, object]:
        """What another process needs to have the same histogram, as plain values."""
        counts = [pair for pair in enumerate(self.counts) if pair[1]]
        return {"counts": counts, "total": self.total, "largest": self.largest}

    @classmethod
    def unpacked(cls, packed: "dict[str, object]") -> "Histogram":
        """The histogram that another process has packed."""
        found = cls()
        counts: Iterable[tuple[int, int]] = packed["counts"]  # type: ignore[assignment]
        for index, count in counts:
            found.counts[index] = count
        found.total = int(str(packed["total"]))
        found.largest = int(str(packed["largest"]))
        return found

    def percentiles(self, *parts: float) -> list[float]:
        """The durations, in milliseconds, that such parts of all do not exceed; 0 where empty.

        `parts` rise: 0.5 for the median.
        """
        found: list[float] = []
        count = self.count
        wanted = [max(part * count, 1.0) for part in parts]
        seen = 0
        for index, here in enumerate(self.counts):
            if not here:
                continue
            seen += here
            while len(found) < len(wanted) and seen >= wanted[len(found)]:
                found.append(min(middle(index), self.largest) / 1e3)
        return found + [self.largest / 1e3] * (len(wanted) - len(found))

    def latency(self) -> Latency:
        """The percentiles that are reported."""
        p50, p90, p99, p999, p9999 = self.percentiles(0.5, 0.9, 0.99, 0.999, 0.9999)
        count = self.count
        return Latency(
            p50_ms=round(p50, 3),
            p90_ms=round(p90, 3),
            p99_ms=round(p99, 3),
            p999_ms=round(p999, 3),
            p9999_ms=round(p9999, 3),
            max_ms=self.largest / 1e3,
            mean_ms=round(self.total / count / 1e3, 3) if count else 0.0,
        )
