"""When the journeys of an open run begin: a schedule that does not ask how the target is doing."""

import itertools
import math
import random
import re
from collections.abc import Iterator
from typing import NamedTuple

_RAMP = re.compile(r"([0-9.]+)\.\.([0-9.]+)/s")
_STEP = re.compile(r"([0-9.]+)/s")
_LIKE = 'write it like "300/s", "10..500/s" (a ramp) or "100/s,200/s,400/s" (steps)'

ARRIVALS = ("constant", "poisson")
"""Evenly spaced, or at random as people come who know nothing of each other."""


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


class Arrivals(NamedTuple):
    """A schedule of journeys."""

    text: str
    kind: str
    legs: tuple[Leg, ...]

    @classmethod
    def parse(cls, text: str, kind: str, lasts: float) -> "Arrivals":
        """Read "300/s", "10..500/s" or "100/s,200/s", over so many seconds.

        Raises ValueError with what to write instead.
        """
        if kind not in ARRIVALS:
            raise ValueError(f'"{kind}" is no kind of arrivals; {" or ".join(ARRIVALS)}')
        parts = [part.strip() for part in text.split(",")]
        each = lasts / len(parts)
        legs = tuple(_leg(part, text, each) for part in parts)
        return cls(text.replace(" ", ""), kind, legs)

    def __str__(self) -> str:
        return f"open: {self.text}, {self.kind}"

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
            return self._at(_evenly(math.ceil(first) + phase, step))
        return self._at(_at_random(first, share, rng))

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
