"""Latencies, counted: every percentile within one part in a hundred, in a fixed amount of memory.

Log-linear buckets, 128 to each doubling, so that a bucket is at most 0.8 % wide; up to 255 µs each
value has its own. Two histograms merge by adding their counts.
"""

from otpspec.results import Latency

_BITS = 7
_PER_OCTAVE = 1 << _BITS
_LARGEST = (1 << 40) - 1  # µs: twelve days
_BUCKETS = (40 - _BITS) * _PER_OCTAVE + _PER_OCTAVE


class Histogram:
    """Counts durations, in whole microseconds."""

    __slots__ = ("_counts", "count", "largest", "total")

    def __init__(self) -> None:
        self._counts = [0] * _BUCKETS
        self.count = 0
        self.total = 0  # µs
        self.largest = 0  # µs

    def record(self, seconds: float) -> None:
        """Count one duration; what is negative counts as nothing."""
        value = int(seconds * 1e6 + 0.5)
        if not 0 <= value <= _LARGEST:
            value = 0 if value < 0 else _LARGEST
        shift = value.bit_length() - _BITS - 1
        if shift > 0:
            self._counts[(shift << _BITS) + (value >> shift)] += 1
        else:
            self._counts[value] += 1
        self.count += 1
        self.total += value
        if value > self.largest:
            self.largest = value

    def merge(self, other: "Histogram") -> None:
        """Add another histogram's counts to this one's."""
        self._counts = [a + b for a, b in zip(self._counts, other._counts, strict=True)]
        self.count += other.count
        self.total += other.total
        self.largest = max(self.largest, other.largest)

    def percentiles(self, *parts: float) -> list[float]:
        """The durations, in milliseconds, that such parts of all do not exceed; 0 where empty.

        `parts` rise: 0.5 for the median.
        """
        found: list[float] = []
        wanted = [max(part * self.count, 1.0) for part in parts]
        seen = 0
        for index, count in enumerate(self._counts):
            if not count:
                continue
            seen += count
            while len(found) < len(wanted) and seen >= wanted[len(found)]:
                found.append(min(_middle(index), self.largest) / 1e3)
        return found + [self.largest / 1e3] * (len(wanted) - len(found))

    def latency(self) -> Latency:
        """The percentiles that are reported."""
        p50, p90, p99, p999 = self.percentiles(0.5, 0.9, 0.99, 0.999)
        return Latency(
            p50_ms=round(p50, 3),
            p90_ms=round(p90, 3),
            p99_ms=round(p99, 3),
            p999_ms=round(p999, 3),
            max_ms=self.largest / 1e3,
            mean_ms=round(self.total / self.count / 1e3, 3) if self.count else 0.0,
        )


def _middle(index: int) -> float:
    """The middle of a bucket, in microseconds."""
    if index < 2 * _PER_OCTAVE:
        return float(index)
    shift = (index >> _BITS) - 1
    low = (index - (shift << _BITS)) << shift
    return low + ((1 << shift) - 1) / 2
