"""Which exchanges a timeline draws, and on which line of it each lies."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from unicodedata import east_asian_width

from otpspec.results import Evidence, Exchange

BETWEEN = 8.0
"""The room between two things on one line."""

BESIDE = 5.0
"""The room between a bar and what is said of it."""


def marked(evidence: Evidence) -> list[int]:
    """The places of the exchanges that contradict the rule; a place that is none is passed over."""
    there = range(len(evidence.exchanges))
    return sorted({place for place in evidence.contradiction if place in there})


def choose(evidence: Evidence, most: int) -> list[int]:
    """The places of at most so many exchanges: those of the contradiction, and what lies nearest.

    Where nothing contradicts the rule, what lies nearest to the last burst, or the last ones. Of
    what is equally near, the later: it leads to the verdict.
    """
    exchanges = evidence.exchanges
    kept = marked(evidence)[-most:]
    begin, end = _stretch([exchanges[place] for place in kept], evidence)

    def distance(place: int) -> tuple[float, int]:
        one = exchanges[place]
        return max(begin - ended(one), one.called_s - end, 0.0), -place

    of_it = set(kept)
    others = (place for place in range(len(exchanges)) if place not in of_it)
    near = nsmallest(most - len(kept), others, key=distance)
    return sorted([*kept, *near], key=lambda place: (exchanges[place].called_s, place))


def ended(exchange: Exchange) -> float:
    """When an exchange was over; never before it began, whoever wrote the file."""
    return max(exchange.called_s, exchange.returned_s)


def _stretch(contradiction: Sequence[Exchange], evidence: Evidence) -> tuple[float, float]:
    """The time around which a reader looks."""
    if contradiction:
        return min(e.called_s for e in contradiction), max(map(ended, contradiction))
    at = max(evidence.releases_s or map(ended, evidence.exchanges), default=0.0)
    return at, at


@dataclass(frozen=True)
class Piece:
    """A bar with what is said of it: the room that both take, and the lane that they belong to."""

    lane: str
    left: float
    right: float


def lines(pieces: Sequence[Piece]) -> list[tuple[str, list[list[int]]]]:
    """For each lane, in the order of their first pieces, its lines: the places of their pieces.

    They are read like steps: a piece stands on the line of the one before it, or on the next below
    on which it touches none; and on the first line again when all before it are left behind.
    """
    lanes: dict[str, list[list[int]]] = {}
    at: dict[str, int] = {}
    for place, piece in enumerate(pieces):
        of_lane = lanes.setdefault(piece.lane, [])
        before = (other for line in of_lane for other in line)
        behind = all(pieces[other].right + BETWEEN <= piece.left for other in before)
        line = 0 if behind else at[piece.lane]
        while line < len(of_lane) and any(_touch(piece, pieces[other]) for other in of_lane[line]):
            line += 1
        if line == len(of_lane):
            of_lane.append([])
        of_lane[line].append(place)
        at[piece.lane] = line
    return list(lanes.items())


def _touch(one: Piece, other: Piece) -> bool:
    return one.left < other.right + BETWEEN and other.left < one.right + BETWEEN


@dataclass(frozen=True)
class Label:
    """Where the words about a bar stand: beside it, or above it."""

    x: float
    ends: bool = False  # x is where they end, not where they begin
    above: bool = False


def label(bar: tuple[float, float], width: float, plot: tuple[float, float]) -> Label:
    """Where the words about a bar find room: after it, else before it, else above it."""
    (begin, end), (left, right) = bar, plot
    if end + BESIDE + width <= right:
        return Label(end + BESIDE)
    if begin - BESIDE - width >= left:
        return Label(begin - BESIDE, ends=True)
    return Label(max(left, min(begin, right - width)), above=True)


def extent(bar: tuple[float, float], words: Label, width: float) -> tuple[float, float]:
    """The room that a bar and its words take, from left to right."""
    begin = words.x - width if words.ends else words.x
    return min(bar[0], begin), max(bar[1], begin + width)


def width_of(text: str, size: float) -> float:
    """About how wide a text is in a font without serifs; rather too wide than too narrow."""
    return sum(1.05 if east_asian_width(letter) in "WF" else 0.62 for letter in text) * size


def free(spans: Iterable[tuple[float, float]], apart: float) -> list[int]:
    """The places of the spans that can stand on one line; those that come first come first."""
    taken: list[tuple[float, float]] = []
    found = []
    for place, (left, right) in enumerate(spans):
        if all(right + apart <= begin or end + apart <= left for begin, end in taken):
            taken.append((left, right))
            found.append(place)
    return found
