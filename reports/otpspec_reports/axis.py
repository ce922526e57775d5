"""Where the calls of a scenario lie in time, on an axis on which they can be told apart.

A race lasts milliseconds and a code's validity ten minutes, often in one scenario. Drawn to scale,
the race is a dot. So a quiet stretch, in which no call is under way, is drawn short, and marked.

    calls   |--|      |-|                          |---|
             |---|
    drawn   |--|  //  |-|  //  |---|
             |---|
"""

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Self

from otpspec.results import Exchange

QUIET_SHARE = 0.12
"""How long a quiet stretch is drawn at most, as a share of the time in which calls are under way.

Many quiet stretches together take no more room than the calls do.
"""

QUIET_WIDTH, QUIET_MOST = 9.0, 35.0
"""Where each stretch has its own scale: how wide a quiet one is, and all of them at most."""

THINNEST = 1.5
"""The thinnest bar, in percent: what an eye still finds."""


@dataclass(frozen=True)
class Bar:
    """A stretch of the axis, in percent of its width."""

    start: float
    width: float


@dataclass(frozen=True, kw_only=True)
class Axis:
    """Moments, each with its place on the axis in percent, and what is drawn short."""

    moments: list[tuple[float, float]]
    quiet: list[Bar]
    quiet_s: list[tuple[float, float]]
    """From when to when each of them lasted."""

    begins: list[float]
    """When the calls began."""

    @classmethod
    def of(cls, exchanges: Sequence[Exchange]) -> Self:
        """The axis for these calls."""
        busy = _busy(exchanges)
        if not busy:
            return cls(moments=[], quiet=[], quiet_s=[], begins=[])
        under_way = sum(end - begin for begin, end in busy) or 0.001 * len(busy)
        longest = under_way * min(QUIET_SHARE, 1 / len(busy))
        at = busy[0][1] - busy[0][0]
        places, cut, lasted = [(busy[0][0], 0.0), (busy[0][1], at)], [], []
        for (_, before), (begin, end) in pairwise(busy):
            if begin - before > longest:
                cut.append((at, longest))
                lasted.append((before, begin))
            at += min(begin - before, longest)
            places.append((begin, at))
            at += end - begin
            places.append((end, at))
        scale = 100 / at if at else 0.0
        return cls(
            moments=[(moment, place * scale) for moment, place in places],
            quiet=[Bar(start * scale, width * scale) for start, width in cut],
            quiet_s=lasted,
            begins=[one.called_s for one in exchanges],
        )

    @property
    def stretches(self) -> list[tuple[float, float]]:
        """From when to when time is drawn to scale: what lies between the quiet stretches."""
        if not self.moments:
            return []
        edges = [self.moments[0][0], *(at for cut in self.quiet_s for at in cut)]
        edges.append(self.moments[-1][0])
        return list(zip(edges[::2], edges[1::2], strict=True))

    def spread(self) -> Self:
        """The same, each stretch with a scale of its own: the more calls began in it, the wider.

        On one scale for all, a start of ten milliseconds leaves no room for a race of one.
        """
        gap = min(QUIET_WIDTH, QUIET_MOST / len(self.quiet)) if self.quiet else 0.0
        counts = [sum(begin <= at <= end for at in self.begins) for begin, end in self.stretches]
        shares = [math.sqrt(count) for count in counts]
        room = (100 - gap * len(self.quiet)) / sum(shares) if shares else 0.0
        moments, quiet, left = [], [], 0.0
        for (begin, end), share in zip(self.stretches, shares, strict=True):
            first, last = self.place(begin), self.place(end)
            scale = share * room / (last - first) if last > first else 0.0
            within = ((at, place) for at, place in self.moments if begin <= at <= end)
            moments += [(at, left + (place - first) * scale) for at, place in within]
            left += share * room
            quiet.append(Bar(left, gap))
            moments.append((end, left))
            left += gap
        return replace(self, moments=moments, quiet=quiet[:-1])

    def bar(self, begin: float, end: float) -> Bar:
        """The bar from one moment to another."""
        width = max(self.place(end) - self.place(begin), THINNEST)
        return Bar(min(self.place(begin), 100 - width), width)

    def place(self, moment: float) -> float:
        """Where a moment lies, in percent; one beyond the axis, at its nearer end."""
        right = bisect_left(self.moments, (moment,))
        if right in (0, len(self.moments)):
            return 0.0 if right == 0 else self.moments[-1][1]
        (before, start), (after, stop) = self.moments[right - 1 : right + 1]
        share = (moment - before) / (after - before) if after > before else 0.0
        return start + share * (stop - start)


def _busy(exchanges: Sequence[Exchange]) -> list[tuple[float, float]]:
    """The stretches in which some call was under way, in order."""
    merged: list[tuple[float, float]] = []
    spans = ((one.called_s, max(one.called_s, one.returned_s)) for one in exchanges)
    for begin, end in sorted(spans):
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((begin, end))
    return merged
