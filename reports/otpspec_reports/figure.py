"""One evidence as a timeline: what is drawn where, on a wide sheet and on a narrow one.

    lane            |release                  | is a bar's call, its end its answer
    session   [==] start: done
    conn. 1         [=====] wrong code: wrong otc
    conn. 2         [========] ✗ right code: approved        marked: it contradicts the rule
              0 s   12 s  +5 ms  +10 ms

Whatever the evidence holds, a sheet has at most so many bars, and words of at most so many letters.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from otpspec.outcome import Verdict
from otpspec.results import Evidence, Exchange
from otpspec_reports import lanes, told
from otpspec_reports.axis import Axis
from otpspec_reports.exchanges import MOST_BARS, tone
from otpspec_reports.lanes import Label, Piece, extent, width_of
from otpspec_reports.margins import (
    LETTERS,
    Gap,
    Mark,
    Scale,
    gaps,
    released,
    releases_on,
    times,
)

LINE, TALL = 18.0, 31.0
"""The height of a line, and of one on which words stand above their bars."""

BAR = 9.0
"""The height of a bar."""

THINNEST = 4.0
"""The width of a bar that would be thinner than an eye can see."""

CROSS = "✗ "
"""What stands before the words about a bar that is marked: colour alone tells too few."""

FEW = 6
"""As many marked bars stand out; where more are marked, it is rather their number that does."""

GUTTER = 104.0
"""The room for the lanes' names, of at most so many letters as `told.LANE` says."""

_EDGE = 4.0  # left free at the right
_MANY = 16  # of more bars than these the words stand beside them: above, they take twice as much
_BESIDE = 190.0  # the room that they are left on a wide sheet
_PADDING = 2.0  # above and below a lane


@dataclass(frozen=True)
class Sheet:
    """What a timeline is drawn on."""

    name: str
    width: float
    bars: int  # the most that are drawn
    letters: int  # the most of a bar's label
    apart: float  # what the name of a time needs
    titles: bool  # whether there may be a pointer


WIDE = Sheet("wide", 960, bars=MOST_BARS, letters=told.LABEL, apart=76, titles=True)
NARROW = Sheet("narrow", 360, bars=36, letters=30, apart=62, titles=False)


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One exchange."""

    x: float
    y: float
    width: float
    sure: float  # how much of the width it was surely in flight; 0: not known
    tone: str  # through | refused | silent
    marked: bool
    answered: bool
    text: str
    text_x: float
    text_y: float
    ends: bool  # text_x is where the text ends
    title: str


@dataclass(frozen=True)
class Lane:
    """A connection's or a session's part of the height."""

    name: str
    y: float
    height: float
    against: list[tuple[float, float]]  # top and height of its lines on which something is marked


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A timeline on one sheet; lengths in pixels, at the size that it is made for."""

    sheet: Sheet
    left: float  # where the lanes begin
    right: float
    top: float
    bottom: float  # where they end
    height: float
    lanes: list[Lane]
    bars: list[Bar]
    ticks: list[Mark]
    gaps: list[Gap]
    releases: list[Mark]


@dataclass(frozen=True, kw_only=True)
class Timeline:
    """One evidence on both sheets, and in words."""

    sheets: list[Figure]
    count: int
    marked: int
    stands_out: bool  # few enough are marked to be shown loudly
    tones: list[str]  # those that are drawn
    sure: bool  # whether it is known how long requests were surely in flight
    sentence: str


def shows(evidence: Evidence) -> bool:
    """Whether an evidence has a timeline: what broke a rule, and a race that was inconclusive."""
    raced = bool(evidence.releases_s)
    inconclusive = evidence.verdict is Verdict.INCONCLUSIVE
    wanted = evidence.verdict is Verdict.BROKEN or (inconclusive and raced)
    return wanted and bool(evidence.exchanges)


def timeline(evidence: Evidence, most: int = WIDE.bars) -> Timeline | None:
    """An evidence's timeline, of at most so many bars; None where it has none."""
    if not shows(evidence):
        return None
    sheets = [draw(evidence, sheet, most) for sheet in (WIDE, NARROW)]
    bars, marked = sheets[0].bars, len(lanes.marked(evidence))
    return Timeline(
        sheets=sheets,
        count=len(evidence.exchanges),
        marked=marked,
        stands_out=marked <= FEW,
        tones=[one for one in ("through", "refused", "silent") if one in {b.tone for b in bars}],
        sure=any(bar.sure for bar in bars),
        sentence=told.contradiction(evidence),
    )


def draw(evidence: Evidence, sheet: Sheet, most: int) -> Figure:
    """An evidence on one sheet."""
    places = lanes.choose(evidence, min(most, sheet.bars))
    exchanges = [evidence.exchanges[place] for place in places]
    against = set(lanes.marked(evidence))
    axis = Axis.of(_answered_by_then(exchanges)).spread()
    left = GUTTER if any(exchange.lane for exchange in exchanges) else 0.0
    beside = _BESIDE if sheet.titles and len(exchanges) > _MANY else 0.0
    scale = Scale(axis, left, sheet.width - _EDGE - beside)
    together = releases_on(evidence.releases_s, axis)
    top = 20.0 if together else 4.0
    drawn = [_Drawn(e, p in against, scale, sheet) for e, p in zip(exchanges, places, strict=True)]
    rows, bars, bottom = _stack(drawn, top)
    quiet = gaps(axis, scale)
    return Figure(
        sheet=sheet,
        left=left,
        right=scale.right,
        top=top,
        bottom=bottom,
        height=bottom + (34.0 if any(gap.said for gap in quiet) else 20.0),
        lanes=rows,
        bars=bars,
        ticks=times(axis, scale, together, sheet.apart),
        gaps=quiet,
        releases=released(together, scale),
    )


class _Drawn:
    """An exchange with the room that it takes from left to right."""

    def __init__(self, exchange: Exchange, marked: bool, scale: Scale, sheet: Sheet) -> None:
        self.exchange, self.marked, self.sheet = exchange, marked, sheet
        begin, end = scale.x(exchange.called_s), scale.x(lanes.ended(exchange))
        self.x = min(begin, scale.right - THINNEST)
        self.width = max(end - self.x, THINNEST)
        self.sure = 0.0
        if exchange.unanswered_s is not None:
            self.sure = min(max(scale.x(exchange.unanswered_s) - self.x, 0.0), self.width)
        self.text = told.label(exchange, sheet.letters)
        self.lane = told.lane_name(exchange)
        bar, plot = (self.x, self.x + self.width), (scale.left, sheet.width - _EDGE)
        width = width_of(f"{CROSS}{self.text}" if marked else self.text, LETTERS)
        self.label: Label = lanes.label(bar, width, plot)
        self.piece = Piece(self.lane, *extent(bar, self.label, width))

    def at(self, y: float, height: float) -> Bar:
        """The bar on a line of the sheet."""
        middle = y + height - LINE / 2
        return Bar(
            x=self.x,
            y=middle - BAR / 2,
            width=self.width,
            sure=self.sure,
            tone=tone(self.exchange),
            marked=self.marked,
            answered=self.exchange.status is not None,
            text=self.text,
            text_x=self.label.x,
            text_y=y + 11 if self.label.above else middle + 4,
            ends=self.label.ends,
            title=told.title(self.exchange) if self.sheet.titles else "",
        )


def _answered_by_then(exchanges: Sequence[Exchange]) -> list[Exchange]:
    """The same, none waited for beyond the last answer: a time-out would squeeze all before it."""
    last = max((lanes.ended(one) for one in exchanges if one.status is not None), default=None)
    if last is None:
        return list(exchanges)
    return [
        replace(one, returned_s=max(one.called_s, last))
        if one.status is None and lanes.ended(one) > last
        else one
        for one in exchanges
    ]


def _stack(drawn: Sequence[_Drawn], top: float) -> tuple[list[Lane], list[Bar], float]:
    """The lanes from top to bottom, with their bars; where the last one ends."""
    rows: list[Lane] = []
    bars: list[tuple[int, Bar]] = []
    y = top
    for name, of_lane in lanes.lines([one.piece for one in drawn]):
        begin = y
        y += _PADDING
        against = []
        for line in of_lane:
            height = TALL if any(drawn[place].label.above for place in line) else LINE
            bars += [(place, drawn[place].at(y, height)) for place in line]
            if any(drawn[place].marked for place in line):
                against.append((y, height))
            y += height
        y += _PADDING
        rows.append(Lane(name, begin, y - begin, against))
    return rows, [bar for _, bar in sorted(bars, key=lambda bar: bar[0])], y
