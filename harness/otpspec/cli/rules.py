"""otpspec rules: the catalogue."""

import inspect
import pkgutil
import subprocess
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from typing import Annotated, Any

import typer
from rich import box
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

import otpspec_scenarios.conformance
from otpspec.cli import coverage
from otpspec.cli.output import out
from otpspec.cli.prove import mutants
from otpspec.errors import OtpspecError
from otpspec.profile.reader import did_you_mean
from otpspec.rules import NEEDS, RULES, Rule, StandardName
from otpspec.verdicts import RULES_ATTRIBUTE

_INDENT = 12


def rules(
    rule_id: Annotated[
        str | None, typer.Argument(metavar="RULE", help="Explain one rule: EXPIRY-2")
    ] = None,
    standard: Annotated[
        str, typer.Option(metavar="NAME", help="Only the rules of psd2, owasp-asvs, …")
    ] = "",
) -> None:
    """Print the rule catalogue, or explain one rule."""
    named = coverage.standard(standard) if standard else None
    if rule_id is None:
        out.print(_table(coverage.rules_of(named) if named else RULES.values(), named))
        return
    rule = RULES.get(rule_id.upper())
    if rule is None:
        raise OtpspecError(f"There is no rule {rule_id}; {did_you_mean(rule_id.upper(), RULES)}")
    _explain(rule)


def _table(chosen: Iterable[Rule], named: StandardName | None) -> Table:
    """The rules, each in as many lines as it needs; with the clauses of a standard, if one is."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("id", no_wrap=True)
    table.add_column("level", no_wrap=True)
    if named:
        table.add_column("clause", max_width=24)
    table.add_column("rule")
    for rule in chosen:
        cited = dict.fromkeys(s.clause for s in rule.citations if s.standard == named and s.clause)
        clauses = [Text(", ".join(cited))] if named else []
        table.add_row(Text(rule.id), rule.level, *clauses, Text(rule.statement))
    return table


def _explain(rule: Rule) -> None:
    out.print(Text(f"{rule.id} {rule.level}{'  (core)' if rule.core else ''}"))
    _lines("rule", [rule.statement])
    _lines("source", [source.full for source in rule.citations])
    _lines("in the field", [f"{report.id}: {report.words}" for report in rule.field])
    _lines("needs", [NEEDS[need].replace("`", "") for need in rule.needs])
    _lines("what is done", scenarios(rule.id) or [_elsewhere(rule)])
    _lines("catches", _mutants(rule.id))
    if rule.family not in _ELSEWHERE:
        _lines("check", [f"otpspec check PROFILE -k {rule.id}"])


def _lines(label: str, texts: Iterable[str]) -> None:
    """A label, and what belongs to it beside it."""
    for text in texts:
        table = Table.grid(padding=(0, 1, 0, 0))
        table.add_column(min_width=_INDENT, no_wrap=True)
        table.add_column()
        table.add_row(Text(label, "dim"), Text(text))
        out.print(Padding(table, (0, 0, 0, 2)))
        label = ""


_ELSEWHERE = {"LOAD": "a load run judges it: otpspec load PROFILE"}


def _elsewhere(rule: Rule) -> str:
    return _ELSEWHERE.get(rule.family, "no scenario proves it yet")


def scenarios(rule_id: str) -> list[str]:
    """What is done to check a rule: a sentence for each of its scenarios."""
    return [
        _sentence(function.__name__) + (f" ({doc.splitlines()[0]})" if doc else "")
        for function, doc in _proofs()
        if rule_id in getattr(function, RULES_ATTRIBUTE)
    ]


def _proofs() -> Iterator[tuple[Callable[..., Any], str | None]]:
    package = otpspec_scenarios.conformance
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        if module.name.rpartition(".")[2].startswith("test_"):
            for function in vars(import_module(module.name)).values():
                if inspect.iscoroutinefunction(function) and hasattr(function, RULES_ATTRIBUTE):
                    yield function, inspect.getdoc(function)


def _sentence(name: str) -> str:
    """A test's name as the claim that it is."""
    return name.removeprefix("test_").replace("_", " ").replace("csc", "3CSC").replace("otc", "OTC")


def _mutants(rule_id: str) -> list[str]:
    """The servers that are broken on purpose, and that this rule catches."""
    try:
        return [f"{m.name}: {m.sentence}" for m in mutants() if m.rule == rule_id]
    except (OSError, subprocess.CalledProcessError):
        return ["(the reference server does not list its mutants)"]
