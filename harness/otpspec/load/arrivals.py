"""When the journeys of an open run begin: a schedule that does not ask how the target is doing."""

import heapq
import itertools
import math
import random
import re
from collections.abc import Iterator
from typing import NamedTuple

from otpspec.profile.reader import parse_duration

_RAMP = re.compile(r"([0-9.]+)\.\.([0-9.]+)/s")
_CROWD = re.compile(r"(\d{1,6})@(\S+)")
_STEP = re.compile(r"([0-9.]+)/s")
_LIKE = 'write it like "300/s", "10..500/s" (a ramp) or "100/s,200/s,400/s" (steps)'

ARRIVALS = ("constant", "poisson")
"""Evenly spaced, or at random as people come who know nothing of each other."""


MOST_AT_ONCE = 100_000
"""Journeys of a crowd: each takes a card, and most of them a connection."""


class Leg(NamedTuple):
    """A part of a run, in which the rate changes evenly from one value to another."""

    first: float  # journeys a second
    last: float
    lasts: float  # seconds

    def journeys(self, after: float) -> float:
        """How many have begun so many seconds after the leg did."""
        return self.first * after + (self.last - self.first) * after * after / (2 * self.lasts)

    def when(self, journeys: float) -> float:
        """When, after the leg's beginning, so many have begun: the inverse of `journeys`."""
        if journeys <= 0:
            return 0.0
        change = (self.last - self.first) / self.lasts
        if abs(change) * self.lasts < 1e-9 * max(self.first, self.last):
            return journeys / self.first
        under = max(self.first * self.first + 2 * change * journeys, 0.0)
        return 2 * journeys / (self.first + math.sqrt(under))


class Crowd(NamedTuple):
    """Journeys that begin at once."""

    journeys: int
    at: float  # seconds after the run has begun

    @classmethod
    def parse(cls, text: str) -> "tuple[Crowd, ...]":
        """Read "200@10s", or several: "200@10s,500@20s". Raises ValueError: what to write."""
        return tuple(cls._one(part.strip(), text) for part in text.split(",") if text.strip())

    @classmethod
    def _one(cls, part: str, text: str) -> "Crowd":
        match = _CROWD.fullmatch(part)
        if match is None or not 1 <= int(match[1]) <= MOST_AT_ONCE:
            raise ValueError(
                f'"{text}" is no crowd; write it like "200@10s": 200 journeys begin at once, ten '
                f"seconds after the run has; at most {MOST_AT_ONCE:,}"
            )
        return cls(int(match[1]), parse_duration(match[2]).total_seconds())

    def __str__(self) -> str:
        return f"{self.journeys:,} at once after {self.at:g} s"


class Arrivals(NamedTuple):
    """A schedule of journeys."""

    text: str
    kind: str
    legs: tuple[Leg, ...]
    crowds: tuple[Crowd, ...] = ()

    @classmethod
    def parse(cls, text: str, kind: str, lasts: float, crowd: str = "") -> "Arrivals":
        """Read "300/s", "10..500/s" or "100/s,200/s", over so many seconds.

        `crowd`: what comes on top, see Crowd. Raises ValueError with what to write instead.
        """
        if kind not in ARRIVALS:
            raise ValueError(f'"{kind}" is no kind of arrivals; {" or ".join(ARRIVALS)}')
        parts = [part.strip() for part in text.split(",")]
        each = lasts / len(parts)
        legs = tuple(_leg(part, text, each) for part in parts)
        return cls(text.replace(" ", ""), kind, legs, Crowd.parse(crowd))

    def __str__(self) -> str:
        return ", and ".join([f"open: {self.text}, {self.kind}", *map(str, self.crowds)])

    def at_once(self) -> int:
        """How many journeys begin at once at most, beside those of the rate."""
        return max((crowd.journeys for crowd in self.crowds), default=0)

    def per_s(self) -> float:
        """The highest rate."""
        return max(max(leg.first, leg.last) for leg in self.legs)

    def times(
        self, rng: random.Random, *, share: float = 1.0, after: float = 0.0
    ) -> Iterator[float]:
        """When journeys begin, in seconds after the run did, for ever: the last rate goes on.

        `share`: the part of them that is this process's. `after`: the first is not before that.
        """
        first = self._journeys(after)
        if self.kind == "constant":
            step = 1 / share
            phase = 0.0 if share == 1.0 else rng.random() * step
            times = self._at(_evenly(math.ceil(first) + phase, step))
        else:
            times = self._at(_at_random(first, share, rng))
        crowds = [crowd for crowd in self.crowds if crowd.at >= after]
        return (
            heapq.merge(times, *(_together(crowd, share) for crowd in crowds)) if crowds else times
        )

    def _journeys(self, after: float) -> float:
        """How many have begun by a time."""
        begun = 0.0
        for leg in self.legs:
            if after <= leg.lasts:
                return begun + leg.journeys(after)
            begun += leg.journeys(leg.lasts)
            after -= leg.lasts
        return begun + after * self.legs[-1].last

    def _at(self, marks: Iterator[float]) -> Iterator[float]:
        """When so many journeys have begun, for rising numbers of them."""
        begun, before = 0.0, 0.0
        legs = iter(self.legs)
        leg = next(legs)
        for mark in marks:
            while mark >= before + leg.journeys(leg.lasts):
                before += leg.journeys(leg.lasts)
                begun += leg.lasts
                following = next(legs, None)
                if following is None:
                    yield begun + (mark - before) / leg.last
                    for more in marks:
                        yield begun + (more - before) / leg.last
                    return
                leg = following
            yield begun + leg.when(mark - before)


def _together(crowd: Crowd, share: float) -> Iterator[float]:
    return itertools.repeat(crowd.at, round(crowd.journeys * share))


def _evenly(first: float, step: float) -> Iterator[float]:
    for n in itertools.count():  # no sum, which would drift
        yield first + n * step


def _at_random(first: float, share: float, rng: random.Random) -> Iterator[float]:
    while True:
        first += rng.expovariate(share)
        yield first


def _leg(part: str, text: str, lasts: float) -> Leg:
    ramp, step = _RAMP.fullmatch(part), _STEP.fullmatch(part)
    try:
        found = [float(rate) for rate in (ramp.groups() if ramp else step.groups() if step else ())]
    except ValueError:
        found = []
    if not found or max(found) > 1e6:
        raise ValueError(f'"{text}" is no rate; {_LIKE}')
    if found[-1] <= 0:
        raise ValueError(f'"{text}" ends with no journeys at all; {_LIKE}')
    return Leg(found[0], found[-1], lasts)
