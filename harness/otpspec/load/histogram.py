"""Latencies, counted: every percentile within one part in a hundred, in a fixed amount of memory.

Log-linear buckets, 128 to each doubling, so that a bucket is at most 0.8 % wide; up to 255 µs each
value has its own. Two histograms merge by adding their counts, exactly, in whatever order.
"""

from array import array
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from otpspec.results import Latency

BITS = 7
LARGEST = (1 << 40) - 1  # µs: twelve days
BUCKETS = (41 - BITS) << BITS

Counts = NDArray[np.int64]
"""So many durations in each of BUCKETS buckets."""


def middle(index: int) -> float:
    """The middle of a bucket, in microseconds."""
    if index < 2 << BITS:
        return float(index)
    shift = (index >> BITS) - 1
    low = (index - (shift << BITS)) << shift
    return low + ((1 << shift) - 1) / 2


def _buckets(values: Counts) -> Counts:
    """The buckets of durations in whole microseconds, from 0 to LARGEST."""
    bits = np.frexp(values.astype(np.float64))[1]  # of a whole number: as many as it has
    shift = np.maximum(bits.astype(np.int64) - BITS - 1, 0)
    return (shift << BITS) + (values >> shift)


class Histogram:
    """Counts durations, in whole microseconds.

    What is recorded is only noted, which costs next to nothing, and counted when it is asked for or
    settled, all of it at once. Who records without end settles it now and then.
    """

    __slots__ = ("_counts", "_largest", "_noted", "_total", "record")

    def __init__(self) -> None:
        self._counts: Counts = np.zeros(BUCKETS, np.int64)
        self._total = self._largest = 0  # µs
        self._noted = array("d")
        self.record: Callable[[float], None] = self._noted.append
        """Record one duration, in seconds; what is negative counts as nothing."""

    def settle(self) -> Counts | None:
        """Count what was noted; how many of it came to each bucket, None where nothing was."""
        if not self._noted:
            return None
        micros = np.array(self._noted) * 1e6 + 0.5
        del self._noted[:]
        values = np.clip(micros, 0, LARGEST).astype(np.int64)
        fresh: Counts = np.bincount(_buckets(values), minlength=BUCKETS)
        self._counts += fresh
        self._total += int(values.sum())
        self._largest = max(self._largest, int(values.max()))
        return fresh

    @property
    def counts(self) -> Counts:
        """How many there were in each bucket."""
        self.settle()
        return self._counts

    @property
    def count(self) -> int:
        """How many were recorded."""
        return int(self.counts.sum())

    @property
    def total(self) -> int:
        """All of them together, in microseconds."""
        self.settle()
        return self._total

    @property
    def largest(self) -> int:
        """The longest, in microseconds."""
        self.settle()
        return self._largest

    def merge(self, other: "Histogram") -> None:
        """Add another histogram's counts to this one's."""
        self._counts = self.counts + other.counts
        self._total += other.total
        self._largest = max(self._largest, other.largest)

    @classmethod
    def of(cls, counts: Counts) -> "Histogram":
        """One of which only the counts are known: a percentile is a bucket's middle."""
        found = cls()
        found._counts = counts
        found._largest = LARGEST
        return found

    def packed(self) -> dict[str, object]:
        """What another process needs to have the same histogram, as plain values."""
        where = np.flatnonzero(self.counts)
        counts = list(zip(where.tolist(), self._counts[where].tolist(), strict=True))
        return {"counts": counts, "total": self._total, "largest": self._largest}

    @classmethod
    def unpacked(cls, packed: "dict[str, Any]") -> "Histogram":
        """The histogram that another process has packed."""
        found = cls()
        counts: Iterable[tuple[int, int]] = packed["counts"]
        for index, count in counts:
            found._counts[index] = count
        found._total = int(packed["total"])
        found._largest = int(packed["largest"])
        return found

    def percentiles(self, *parts: float) -> list[float]:
        """The durations, in milliseconds, that such parts of all do not exceed; 0 where empty.

        `parts` rise: 0.5 for the median.
        """
        seen = np.cumsum(self.counts)
        count = int(seen[-1])
        if not count:
            return [0.0] * len(parts)
        wanted = [max(part * count, 1.0) for part in parts]
        where = np.minimum(np.searchsorted(seen, wanted), BUCKETS - 1).tolist()
        return [min(middle(index), self._largest) / 1e3 for index in where]

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
