"""Which times an axis names: within a race after its release, else since the scenario began."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

ENOUGH = 1e-9
"""Times that differ by less are the same."""


@dataclass(frozen=True)
class Tick:
    """A time on an axis, and what is written at it."""

    at_s: float
    text: str


def ticks(
    stretch: tuple[float, float], width: float, apart: float, releases: Sequence[float] = ()
) -> list[Tick]:
    """The times to be named in a stretch that is drawn to scale, the most important first.

    `width` is what the stretch has, `apart` what one name needs. Where something was released in
    the stretch, or where it is short, times are counted from there on.
    """
    begin, end = stretch
    origin = next((at for at in releases if begin - ENOUGH <= at <= end), None)
    named = [
        Tick(begin if origin is None else origin, seconds(begin if origin is None else origin))
    ]
    step = _step(end - begin, width / apart)
    if step is None:
        return named
    if origin is None and step >= 0.1:
        return [*named, *_absolute(begin, end, step)]
    return [*named, *_relative(named[0].at_s, begin, end, step)]


def seconds(at_s: float) -> str:
    """A moment in seconds, without zeros that say nothing: '601.012 s'."""
    return f"{_short(at_s, 4)} s"


def _absolute(begin: float, end: float, step: float) -> Iterator[Tick]:
    for number in range(math.ceil(begin / step), math.floor(end / step + ENOUGH) + 1):
        yield Tick(number * step, seconds(number * step))


def _relative(origin: float, begin: float, end: float, step: float) -> Iterator[Tick]:
    before, after = (origin - begin) / step, (end - origin) / step
    for number in range(-math.floor(before + ENOUGH), math.floor(after + ENOUGH) + 1):
        if number:
            yield Tick(origin + number * step, _span(number * step))


def _span(span_s: float) -> str:
    """A span, with its sign: '+20 ms'."""
    sign = "-" if span_s < 0 else "+"
    size = abs(span_s)
    return f"{sign}{_short(size, 4)} s" if size >= 1 else f"{sign}{_short(size * 1000, 4)} ms"


def _step(span_s: float, most: float) -> float | None:
    """The smallest of 1, 2, 5, 10, … that makes at most so many steps; None: not even one fits."""
    if span_s <= ENOUGH or most < 1:
        return None
    least = span_s / most
    power = 10.0 ** math.floor(math.log10(least))
    step = next(size * power for size in (1, 2, 5, 10) if size * power >= least * (1 - ENOUGH))
    return step if step <= span_s else None


def _short(value: float, digits: int) -> str:
    text = f"{value:,.{digits}f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
