"""What stands along a timeline's axis: times, releases, and time in which nothing was under way."""

from collections.abc import Sequence
from dataclasses import dataclass

from otpspec_reports.axis import Axis
from otpspec_reports.figures import duration
from otpspec_reports.lanes import free, width_of
from otpspec_reports.ticks import Tick, seconds, ticks

LETTERS = 11.0
"""The size of a letter."""

ASIDE = 4.0
"""How far a text stands beside its mark."""

_RELEASES = 8  # lines of release that are drawn: the last ones


@dataclass(frozen=True)
class Mark:
    """A text on the axis or above it."""

    x: float
    text: str
    ends: bool = False


@dataclass(frozen=True)
class Gap:
    """Time in which nothing was under way, drawn short."""

    x: float
    width: float
    text: str
    said: bool  # whether there is room for the text


class Scale:
    """Where a moment lies between the left and the right of a drawing."""

    def __init__(self, axis: Axis, left: float, right: float) -> None:
        self.axis, self.left, self.right = axis, left, right

    def x(self, at_s: float) -> float:
        """Where a moment lies."""
        return self.at(self.axis.place(at_s))

    def at(self, percent: float) -> float:
        """Where a place of the axis lies."""
        return self.left + (self.right - self.left) * percent / 100


def releases_on(releases_s: Sequence[float], axis: Axis) -> list[float]:
    """The releases that lie on the axis."""
    begin, end = axis.moments[0][0], axis.moments[-1][0]
    return sorted(at for at in set(releases_s) if begin <= at <= end)[-_RELEASES:]


def released(releases: Sequence[float], scale: Scale) -> list[Mark]:
    """The lines of release, each with its words where there is room for them."""
    marks = []
    for at_s in releases:
        text, x = f"released together at {seconds(at_s)}", scale.x(at_s)
        fits = x + width_of(text, LETTERS) + ASIDE <= scale.right
        marks.append(Mark(x, text, ends=not fits))
    spans = [_span(mark) for mark in reversed(marks)]
    said = {len(marks) - 1 - place for place in free(spans, 8)}
    return [m if place in said else Mark(m.x, "") for place, m in enumerate(marks)]


def _span(mark: Mark) -> tuple[float, float]:
    width = width_of(mark.text, LETTERS) + ASIDE
    return (mark.x - width, mark.x) if mark.ends else (mark.x, mark.x + width)


def times(axis: Axis, scale: Scale, releases: Sequence[float], apart: float) -> list[Mark]:
    """The times that are named: the beginnings, then what lies between, where room is left."""
    first: list[Tick] = []
    rest: list[Tick] = []
    for begin, end in axis.stretches:
        width = scale.x(end) - scale.x(begin)
        head, *others = ticks((begin, end), width, apart, releases)
        first.append(head)
        rest += others
    marks = []
    for tick in first[::-1] + rest:
        x, width = scale.x(tick.at_s), width_of(tick.text, LETTERS) + ASIDE
        marks.append(Mark(x, tick.text, ends=x + width > scale.right))
    return [marks[place] for place in free(map(_span, marks), 6)]


def gaps(axis: Axis, scale: Scale) -> list[Gap]:
    """The quiet stretches; the longest ones are named first."""
    pairs = sorted(zip(axis.quiet, axis.quiet_s, strict=True), key=lambda one: -_length(one[1]))
    texts = [duration(_length(span)) for _, span in pairs]
    begins = [scale.at(bar.start) for bar, _ in pairs]
    widths = [
        scale.at(bar.start + bar.width) - x for (bar, _), x in zip(pairs, begins, strict=True)
    ]
    centres = [x + width / 2 for x, width in zip(begins, widths, strict=True)]
    halves = [width_of(text, LETTERS) / 2 for text in texts]
    spans = [(c - half, c + half) for c, half in zip(centres, halves, strict=True)]
    said = set(free(spans, 4))
    found = zip(begins, widths, texts, strict=True)
    return sorted(
        (Gap(x, width, text, place in said) for place, (x, width, text) in enumerate(found)),
        key=lambda gap: gap.x,
    )


def _length(span: tuple[float, float]) -> float:
    return span[1] - span[0]
