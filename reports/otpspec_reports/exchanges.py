"""Which exchanges a page shows, and where each lies in time."""

from dataclasses import dataclass

from otpspec.outcome import SILENT, SUCCESS, Verdict
from otpspec.results import Evidence, Exchange, RuleResult
from otpspec_reports.axis import Axis, Bar

MOST = 60
"""The most exchanges that a page shows of one evidence."""

MOST_BARS = 72
"""The most bars of a timeline: a burst of 64, and what led to it."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One exchange, where it lies in time, and what kind of answer it had."""

    exchange: Exchange
    bar: Bar
    tone: str  # through | refused | silent


@dataclass(frozen=True, kw_only=True)
class Exchanges:
    """The first and the last exchanges of one evidence, and how many between were left out."""

    count: int
    first: list[Row]
    left_out: int
    last: list[Row]
    begin_s: float
    end_s: float
    quiet: list[Bar]  # the stretches that are drawn shorter than they were
    at_once: int  # the most that were in flight at one moment
    text: int  # how many characters are shown of a request or an answer


@dataclass(frozen=True)
class Limit:
    """How much of one evidence fits on a page; results.json holds all."""

    exchanges: int
    text: int  # characters of a request or an answer
    bars: int = 0  # of its timeline


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How much is shown of an evidence that failed, and of one that passed."""

    failing: Limit
    passing: Limit

    def of(self, evidence: Evidence) -> Limit:
        """The limit for this evidence."""
        return self.failing if fails(evidence) else self.passing


def fails(evidence: Evidence) -> bool:
    """Whether someone needs to read this."""
    return evidence.verdict in (Verdict.BROKEN, Verdict.INCONCLUSIVE)


def limits(rules: list[RuleResult]) -> Limits:
    """Share a page's room out: 600 rows for what failed, 200 for a glance at what passed."""
    failing = [sum(map(fails, rule.evidence)) for rule in rules]
    return Limits(
        failing=Limit(
            _share(600, sum(failing), most=MOST, least=8),
            text=600,
            bars=_share(720, sum(failing), most=MOST_BARS, least=8),
        ),
        passing=Limit(_share(200, failing.count(0), most=12, least=4), text=200),
    )


def chart(exchanges: list[Exchange], limit: Limit) -> Exchanges:
    """Choose what is shown, and lay it out over the time that all of it took.

    The last ones are worth more than the first: they lead to the verdict.
    """
    axis = Axis.of(exchanges)
    count, most = len(exchanges), limit.exchanges
    head = count if count <= most else most // 3
    tail = 0 if count <= most else most - head
    return Exchanges(
        count=count,
        first=[_row(one, axis) for one in exchanges[:head]],
        left_out=count - head - tail,
        last=[_row(one, axis) for one in exchanges[count - tail :]],
        begin_s=min((one.called_s for one in exchanges), default=0.0),
        end_s=max((one.returned_s for one in exchanges), default=0.0),
        quiet=axis.quiet,
        at_once=at_once(exchanges),
        text=limit.text,
    )


def at_once(exchanges: list[Exchange]) -> int:
    """The most calls that were in flight at one moment; one that ends as another begins is not."""
    edges = sorted(
        [(one.called_s, 1) for one in exchanges] + [(one.returned_s, -1) for one in exchanges]
    )
    flying = most = 0
    for _, step in edges:
        flying += step
        most = max(most, flying)
    return most


def _row(exchange: Exchange, axis: Axis) -> Row:
    bar = axis.bar(exchange.called_s, exchange.returned_s)
    return Row(exchange=exchange, bar=bar, tone=tone(exchange))


def tone(exchange: Exchange) -> str:
    """What kind of answer it had: through, refused or silent."""
    meant = set(exchange.outcomes)
    if not meant or meant & SILENT:
        return "silent"
    return "through" if meant & SUCCESS else "refused"


def _share(room: int, among: int, *, most: int, least: int) -> int:
    return max(least, min(most, room // max(among, 1)))
