"""Results as a Markdown summary: for a CI job's page or a comment on a pull request."""

import re
from collections.abc import Iterable

from otpspec.outcome import Verdict
from otpspec.results import LoadResult, Results, RuleResult
from otpspec_reports.conclusion import Conclusion, conclude, excused, fault, mended
from otpspec_reports.figures import duration, millis, moment
from otpspec_reports.people import who_came
from otpspec_reports.verdicts import SYMBOLS, URGENCY, WORDS, against, why_known, words
from otpspec_reports.visible import cut, one_line

MOST_ROWS = 100
"""The most rules of the table; a comment may have 65,536 characters."""

MOST_BROKEN = 20
"""The most broken rules that are told in full."""

TEXT = 300
"""The most characters of one text."""

_SIGNS = {
    Conclusion.CONFORMANT: "✅",
    Conclusion.BROKEN: "❌",
    Conclusion.INCONCLUSIVE: "⚠️",
    Conclusion.NOTHING_CHECKED: "⚠️",
}


def render(results: Results) -> str:
    """The results as Markdown."""
    summary = conclude(results)
    parts = [
        f"## {_SIGNS[summary.conclusion]} {summary.headline}: {_text(results.target.name)}",
        f"{_text(summary.tally)}. Target {_code(results.target.base_url)}, "
        f"{_text(moment(results.started))}, took {duration(results.duration_s)}, "
        f"seed {results.seed}, otpspec {_text(results.otpspec_version)}.",
        *(f"> {_text(note)}" for note in [*summary.caveats, *results.notes]),
    ]
    telling = sorted(
        (rule for rule in results.rules if rule.verdict is not Verdict.PASSED or mended(rule)),
        key=_urgency,
    )
    if telling:
        parts.append(_rules(telling))
    broken = [rule for rule in telling if rule.verdict is Verdict.BROKEN and not excused(rule)]
    parts += [account for rule in broken[:MOST_BROKEN] if (account := _account(rule))]
    if results.load:
        parts += _load(results.load)
    return "\n\n".join(parts) + "\n"


def _urgency(rule: RuleResult) -> tuple[bool, int]:
    """What fails the run comes first, and what is known last."""
    return excused(rule), 0 if mended(rule) else URGENCY.index(rule.verdict)


def _rules(rules: list[RuleResult]) -> str:
    rows = [
        (
            _text(rule.id),
            _text(rule.level),
            f"{SYMBOLS[rule.verdict]} {words(rule)}",
            _text(rule.statement),
            _text(_why(rule)),
        )
        for rule in rules[:MOST_ROWS]
    ]
    left_out = len(rules) - len(rows)
    more = f"\n\n{left_out} more rules are in the full report." if left_out else ""
    return _table(("rule", "level", "verdict", "what it asks", "why"), rows) + more


def _why(rule: RuleResult) -> str:
    known = why_known(rule)
    told = (
        fault(rule),
        f"known: {known}" if known else "",
        rule.reason + (f" (waived: {rule.waived})" if rule.waived else ""),
    )
    return "; ".join(filter(None, told))


def _account(rule: RuleResult) -> str:
    lines = []
    found = against(rule)[:3]
    for one in found:
        told = (("expected", _text(one.expected)), ("got", _text(one.got)))
        lines += [f"- **{label}** {text}" for label, text in told if text]
    lines += [f"- **replay** {_code(it)}" for it in dict.fromkeys(f.replay for f in found) if it]
    if not lines:
        return ""
    return "\n".join([f"**{_text(rule.id)}** {_text(rule.statement)}", "", *lines])


def _load(load: LoadResult) -> list[str]:
    rows = [
        (
            _text(one.operation),
            f"{one.count:,}",
            f"{one.rate_per_s:,.1f}",
            f"{one.failures:,}",
            *map(
                millis,
                (one.latency.p50_ms, one.latency.p90_ms, one.latency.p99_ms, one.latency.max_ms),
            ),
        )
        for one in load.operations
    ]
    head = ("operation", "requests", "rate, /s", "failures", "p50", "p90", "p99", "max")
    return [
        "### Load",
        f"{_text(load.arrivals)}, for {duration(load.duration_s)}: {load.requests:,} requests at "
        f"{load.rate_per_s:,.1f}/s, {load.failures:,} failures, {load.judged:,} answers judged.",
        *(f"> {_text(note)}" for note in load.notes),
        _table(head, rows, numbers_from=1),
        *([_objectives(load)] if load.objectives else []),
        *([_text(f"Mix: {who_came(load)}")] if load.mix_source else []),
    ]


def _objectives(load: LoadResult) -> str:
    """Which of the declared limits were kept: measured and allowed."""
    rows = [
        (
            _text(one.name),
            f"{SYMBOLS[one.verdict]} {WORDS[one.verdict]}",
            _text(one.reason),
            _text(one.limit),
            _text(one.measured) or "-",
            f"{one.requests:,}",
        )
        for one in load.objectives
    ]
    head = ("limit", "verdict", "why", "allowed", "measured", "of requests")
    return _table(head, rows, numbers_from=3)


def _table(
    head: tuple[str, ...], rows: Iterable[tuple[str, ...]], *, numbers_from: int = 99
) -> str:
    rule = ["---:" if column >= numbers_from else "---" for column in range(len(head))]
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, tuple(rule), *rows))


def _text(text: str) -> str:
    """Text that means itself: no markup, no table border, no link, no one is mentioned."""
    short = cut(one_line(text), TEXT)
    plain = re.sub(r"([\\`*_\[\]<>|~$#!&])", r"\\\1", short)
    plain = re.sub(r":(?=//)", r"\\:", plain)
    plain = re.sub(r"(?i)\b(www)\.", r"\1\\.", plain)
    return re.sub(r"@(?=\w)", "@\u200b", plain)


def _code(text: str) -> str:
    """A code span: fenced by more backticks than the text has; borders of a table still count."""
    short = cut(one_line(text), TEXT).replace("|", "\\|")
    longest = max((len(run) for run in re.findall("`+", short)), default=0)
    fence = "`" * (longest + 1)
    space = " " if longest else ""
    return f"{fence}{space}{short}{space}{fence}"
