"""What a run says of a standard, clause by clause."""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from otpspec import conclude
from otpspec.cli.output import complain, out
from otpspec.errors import OtpspecError
from otpspec.outcome import Verdict
from otpspec.policy import LIMITS, Limit, Policy
from otpspec.profile.reader import did_you_mean
from otpspec.results import RuleResult
from otpspec.rules import RULES, STANDARDS, Rule, StandardName
from otpspec_reports.conclusion import excused
from otpspec_reports.terminal import STYLES
from otpspec_reports.verdicts import WORDS


class Row(NamedTuple):
    """A clause, the rules that come from it, and what they came to."""

    clause: str
    rules: tuple[str, ...]
    verdict: Verdict | None  # None: no rule of it was checked
    note: str = ""


def standard(name: str) -> StandardName:
    """The standard of that name.

    Raises OtpspecError where there is none, with what was meant.
    """
    word = name.lower()
    for known in STANDARDS:
        if known == word:
            return known
    near = [known for known in STANDARDS if word in known][:1]  # asvs: owasp-asvs
    hint = f"did you mean {near[0]}?" if near else did_you_mean(word, STANDARDS)
    raise OtpspecError(f"There is no standard {name}; {hint}")


def rules_of(name: StandardName) -> list[Rule]:
    """The rules that come from a standard, among others."""
    return [r for r in RULES.values() if any(s.standard == name for s in r.citations)]


def clauses(name: StandardName) -> dict[str, list[str]]:
    """The clauses of a standard that rules come from, in its order, with the rules' ids."""
    found: dict[str, list[str]] = {}
    for rule in RULES.values():
        for source in rule.citations:
            if source.standard == name:
                ids = found.setdefault(source.clause or source.words, [])
                ids += [rule.id] if rule.id not in ids else []
    return found if name == "safekey" else {clause: found[clause] for clause in in_order(found)}


def in_order(numbers: Iterable[str]) -> list[str]:
    """Clauses as their standard numbers them: 2.9 before 2.10."""
    return sorted(numbers, key=lambda n: [(int(d or 0), w) for d, w in _PARTS.findall(n)])


_PARTS = re.compile(r"(\d+)|([^\d.]+)")


def coverage(name: StandardName, results: Iterable[RuleResult], policy: Policy) -> list[Row]:
    """Each clause with the worst verdict of its rules, and what the policy promises too little."""
    results = list(results)
    verdicts = {rule.id: rule.verdict for rule in results}
    known = {rule.id for rule in results if excused(rule)}
    rows = []
    for clause, ids in clauses(name).items():
        checked = [verdicts[rule_id] for rule_id in ids if rule_id in verdicts]
        missing = [rule_id for rule_id in ids if rule_id not in verdicts]
        notes = [f"{rule_id} known" for rule_id in ids if rule_id in known]
        notes += [f"{', '.join(missing)} not checked"] if missing and checked else []
        verdict = conclude.worst(checked) if checked else None
        if broken := [limit.words for limit in _outside(name, policy) if limit.clause == clause]:
            verdict = Verdict.BROKEN
            notes.insert(0, f"the policy must promise {', '.join(broken)}")
        rows.append(Row(clause, tuple(ids), verdict, "; ".join(notes)))
    return rows


def within(name: StandardName, policy: Policy) -> bool:
    """Whether what a profile promises keeps within a standard's limits."""
    return not list(_outside(name, policy))


def _outside(name: StandardName, policy: Policy) -> Iterator[Limit]:
    return (limit for limit in LIMITS.get(name, ()) if limit.broken_by(policy))


def publish(name: StandardName, results: Iterable[RuleResult], policy: Policy) -> None:
    """Print the coverage of a standard."""
    out.print(table(name, coverage(name, results, policy)))
    if not within(name, policy):
        complain(f"The policy promises less than {name} asks for: see the clauses that are broken.")


def table(name: StandardName, rows: Iterable[Row]) -> RenderableType:
    """The coverage, for `rich.console.Console.print`."""
    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False, title_justify="left")
    shown.add_column("clause", max_width=32)
    shown.add_column("rules")
    shown.add_column("verdict", max_width=30)
    for row in rows:
        words = WORDS[row.verdict] if row.verdict else "not checked"
        style = STYLES[row.verdict] if row.verdict else "dim"
        verdict = Text.assemble((words, style), f": {row.note}" if row.note else "")
        shown.add_row(Text(row.clause), Text(", ".join(row.rules)), verdict)
    about = STANDARDS[name]
    parts: list[RenderableType] = ["", Text(f"{about.name}, clause by clause", "bold"), shown]
    if about.beyond:
        parts.append(Text("not to be seen from outside", "dim"))
        parts += [Text(f"  {clause}  {words}", "dim") for clause, words in about.beyond.items()]
    return Group(*parts)
