"""Results as a terminal shows them: what matters, at 80 columns, with or without colour."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest

from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.table import Table
from rich.text import Text

from otpspec.outcome import Verdict
from otpspec.results import Evidence, LoadResult, Objective, Results, RuleResult
from otpspec_reports.conclusion import Conclusion, conclude, excused, mended
from otpspec_reports.figures import duration
from otpspec_reports.people import who_came
from otpspec_reports.verdicts import SYMBOLS, WORDS, against, why_known, words
from otpspec_reports.visible import one_line, visible

STYLES: dict[Verdict, str] = {
    Verdict.PASSED: "green",
    Verdict.BROKEN: "bold red",
    Verdict.NOT_APPLICABLE: "dim",
    Verdict.INCONCLUSIVE: "yellow",
}

KNOWN = "red"
"""The style of a rule that is broken, but known to be: less loud than one that fails the run."""

MOST_FINDINGS = 3
"""The most findings that are told of one broken rule."""

_INDENT = 12
_WORD = re.compile(r"""(?:"(?:\\.|[^"\\])*"|'[^']*'|\\.|\S)+""")


def table(results: Results) -> RenderableType:
    """The results, for `rich.console.Console.print`."""
    parts: list[RenderableType] = [*_lines(results.rules)]
    for rule in results.rules:
        if rule.verdict is Verdict.BROKEN and not excused(rule):
            parts += ["", *_broken(rule)]
    parts += _known(results.rules)
    for verdict in (Verdict.INCONCLUSIVE, Verdict.NOT_APPLICABLE):
        parts += _reasons(results.rules, verdict)
    if results.load:
        parts += ["", *_load(results.load)]
    return Group(*parts, *_closing(results))


@dataclass(frozen=True)
class _Labelled:
    """A label, and text that hangs beside it."""

    label: str
    text: str
    indent: int = _INDENT
    style: str = ""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        room = max(options.max_width - self.indent, 20)
        begin = f"  {self.label}"
        for line in Text(one_line(self.text)).wrap(console, room):
            line.rstrip()
            yield Text.assemble((f"{begin:<{self.indent}}", "dim"), (line.plain, self.style))
            begin = ""


@dataclass(frozen=True)
class _Command:
    """A command that may be copied from the screen, over as many lines as it needs."""

    label: str
    command: str

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        begin = f"  {self.label}"
        for line in continued(self.command, max(options.max_width - _INDENT, 20)):
            yield Text.assemble((f"{begin:<{_INDENT}}", "dim"), (line, "bold"), overflow="fold")
            begin = ""


def continued(command: str, width: int) -> list[str]:
    """A command over several lines that a shell reads as one: never cut within quotes."""
    lines = [""]
    for word in _WORD.findall(visible(command)):
        longer = f"{lines[-1]} {word}" if lines[-1] else word
        if lines[-1] and len(longer) + len(" \\") > width:
            lines[-1] += " \\"
            lines.append(f"  {word}")
        else:
            lines[-1] = longer
    return lines


def _lines(rules: list[RuleResult]) -> Iterator[Text]:
    width = max((len(one_line(rule.id)) for rule in rules), default=0)
    for rule in rules:
        yield Text.assemble(
            (f"{SYMBOLS[rule.verdict]} ", _style(rule)),
            f"{one_line(rule.id):<{width}}  {one_line(rule.level):<6}  ",
            (f"{words(rule):<14}", _style(rule)),
            f"  {one_line(rule.statement)}",
            no_wrap=True,
            overflow="ellipsis",
        )


def _style(rule: RuleResult) -> str:
    if mended(rule):
        return STYLES[Verdict.BROKEN]
    return KNOWN if excused(rule) else STYLES[rule.verdict]


def _broken(rule: RuleResult) -> Iterator[RenderableType]:
    yield Text.assemble(
        one_line(rule.id), f" {one_line(rule.level)}  ", ("broken", STYLES[Verdict.BROKEN])
    )
    yield _Labelled("rule", rule.statement)
    yield _Labelled("source", "; ".join(rule.sources))
    if known := why_known(rule):
        yield _Labelled("known", known)
    findings = against(rule)
    told = [one for one in findings if one.expected or one.got]
    if not told:
        yield _Labelled("reason", rule.reason)
    shown = told[:MOST_FINDINGS]
    for one, following in zip_longest(shown, shown[1:]):
        yield from _finding(one)
        if one.replay and (following is None or following.replay != one.replay):
            yield _Command("replay", one.replay)
    if len(told) > MOST_FINDINGS:
        yield _Labelled("and", f"{len(told) - MOST_FINDINGS} more ways; the report shows each")


def _finding(evidence: Evidence) -> Iterator[RenderableType]:
    yield _Labelled("expected", evidence.expected)
    yield _Labelled("got", evidence.got, style="bold")
    if evidence.measured:
        told = (f"{name} {value}" for name, value in evidence.measured.items())
        yield _Labelled("measured", "; ".join(told))


def _reasons(rules: list[RuleResult], verdict: Verdict) -> Iterator[RenderableType]:
    """Why, each reason once, with the rules that it holds for."""
    reasons = [
        (rule.id, rule.reason + (f" (waived: {rule.waived})" if rule.waived else ""))
        for rule in rules
        if rule.verdict is verdict
    ]
    yield from _grouped(reasons, Text(WORDS[verdict], STYLES[verdict]))


def _known(rules: list[RuleResult]) -> Iterator[RenderableType]:
    """Why each known failure is one; it asks no more of the reader."""
    reasons = [(rule.id, why_known(rule)) for rule in rules if excused(rule)]
    yield from _grouped(reasons, Text("known failures", KNOWN))


def _grouped(reasons: list[tuple[str, str]], title: Text) -> Iterator[RenderableType]:
    ids: dict[str, list[str]] = {}
    for rule_id, reason in reasons:
        ids.setdefault(one_line(reason), []).append(one_line(rule_id))
    if ids:
        yield ""
        yield title
    for reason, those in ids.items():
        yield _Labelled("", reason or "no reason was given", indent=2)
        yield _Labelled("", ", ".join(those), indent=4, style="dim")


def _load(load: LoadResult) -> Iterator[RenderableType]:
    yield Text("load", "bold")
    headline = (
        f"{load.arrivals}, for {duration(load.duration_s)}: {load.requests:,} requests at "
        f"{load.rate_per_s:,.1f}/s, {load.failures:,} failures, {load.judged:,} answers judged"
    )
    yield _Labelled("", headline, indent=2)
    if load.mix_source:
        yield _Labelled("mix", who_came(load), indent=8, style="dim")
    for note in load.notes:
        yield _Labelled("note", note, indent=8)
    figures = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    figures.add_column("  latency in ms", no_wrap=True)
    for name in ("count", "/s", "failed", "p50", "p90", "p99", "p99.9", "max"):
        figures.add_column(name, justify="right", no_wrap=True)
    for one in load.operations:
        latency = one.latency
        spread = (latency.p50_ms, latency.p90_ms, latency.p99_ms, latency.p999_ms, latency.max_ms)
        figures.add_row(
            Text(f"  {one_line(one.operation)}"),
            f"{one.count:,}",
            f"{one.rate_per_s:,.1f}",
            f"{one.failures:,}",
            *(f"{value:.1f}" if value < 100 else f"{value:.0f}" for value in spread),
        )
    yield figures
    if load.objectives:
        yield _objectives(load.objectives)
    if load.schedule is not None and load.latency_sent is not None:
        sent = load.latency_sent
        told = (
            f"from when sent: p50 {sent.p50_ms:.1f}, p99 {sent.p99_ms:.1f}, max {sent.max_ms:.0f}"
        )
        yield _Labelled("", f"above from when each was due; {told}", indent=2, style="dim")


def _objectives(objectives: list[Objective]) -> Table:
    """Which of the declared limits were kept: measured and allowed."""
    limits = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    limits.add_column("  limit", no_wrap=True)
    for name in ("allowed", "measured", "of requests"):
        limits.add_column(name, justify="right", no_wrap=True)
    limits.add_column("", no_wrap=True)
    for one in objectives:
        limits.add_row(
            Text(f"  {one_line(one.name)}"),
            Text(one_line(one.limit)),
            Text(one_line(one.measured) or "-"),
            f"{one.requests:,}",
            Text(f"{SYMBOLS[one.verdict]} {WORDS[one.verdict]}", STYLES[one.verdict]),
        )
    return limits


def _closing(results: Results) -> Iterator[RenderableType]:
    summary = conclude(results)
    yield ""
    for note in results.notes:
        yield _Labelled("note", note, indent=8)
    for caveat in summary.caveats:
        yield _Labelled("", caveat, indent=2, style="yellow")
    good = summary.conclusion is Conclusion.CONFORMANT
    bad = summary.conclusion is Conclusion.BROKEN
    style = "bold green" if good else "bold red" if bad else "bold yellow"
    yield Text.assemble((summary.headline, style), f": {summary.tally}")
