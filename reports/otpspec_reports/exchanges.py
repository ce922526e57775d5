"""Which exchanges a page shows, and where each lies in time."""

from dataclasses import dataclass

from otpspec.outcome import SILENT, SUCCESS, Verdict
from otpspec.results import Evidence, Exchange, RuleResult

from otpspec_reports.axis import Axis, Bar

MOST = 60
"""The most exchanges that a page shows of one evidence."""

TEXT = 600
"""The most characters that a page shows of a request or an answer; results.json holds all."""

_FAILING = (Verdict.BROKEN, Verdict.INCONCLUSIVE)


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


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How many exchanges of one evidence fit on a page, by whether it needs to be read."""

    failing: int
    passing: int

    def of(self, evidence: Evidence) -> int:
        """The limit for this evidence."""
        return self.failing if evidence.verdict in _FAILING else self.passing


def limits(rules: list[RuleResult]) -> Limits:
    """Share a page's room out: 600 rows for what failed, 300 for what passed."""
    evidence = [one for rule in rules for one in rule.evidence]
    failing = sum(one.verdict in _FAILING for one in evidence)
    return Limits(
        failing=_share(600, failing, most=MOST, least=8),
        passing=_share(300, len(evidence) - failing, most=12, least=4),
    )


def chart(exchanges: list[Exchange], *, most: int) -> Exchanges:
    """Choose what is shown, and lay it out over the time that all of it took.

    The last ones are worth more than the first: they lead to the verdict.
    """
    axis = Axis.of(exchanges)
    rows = [_row(one, axis) for one in exchanges]
    head = len(rows) if len(rows) <= most else most // 3
    tail = 0 if len(rows) <= most else most - head
    return Exchanges(
        count=len(rows),
        first=rows[:head],
        left_out=len(rows) - head - tail,
        last=rows[len(rows) - tail :],
        begin_s=min((one.called_s for one in exchanges), default=0.0),
        end_s=max((one.returned_s for one in exchanges), default=0.0),
        quiet=axis.quiet,
        at_once=at_once(exchanges),
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
    return Row(exchange=exchange, bar=bar, tone=_tone(exchange))


def _tone(exchange: Exchange) -> str:
    meant = set(exchange.outcomes)
    if not meant or meant & SILENT:
        return "silent"
    return "through" if meant & SUCCESS else "refused"


def _share(room: int, among: int, *, most: int, least: int) -> int:
    return max(least, min(most, room // max(among, 1)))
