"""Which rule catches which broken server: the matrix of `otpspec prove`."""

from collections.abc import Sequence
from typing import Any

from jinja2 import Environment, PackageLoader
from rich import box
from rich.table import Table
from rich.text import Text

Row = dict[str, Any]
"""mutant, rule, sentence, options, verdicts (rule id to verdict), reasons, seconds."""

_templates = Environment(
    loader=PackageLoader("otpspec_reports"), autoescape=True, trim_blocks=True, lstrip_blocks=True
)


def caught_by(row: Row) -> list[str]:
    """The rules that a server broke."""
    return [rule for rule, verdict in row["verdicts"].items() if verdict == "broken"]


def table(rows: Sequence[Row]) -> Table:
    """One line a server: its own rule first, then the others that caught it too."""
    found = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    found.add_column("server", no_wrap=True)
    found.add_column("rule", no_wrap=True)
    found.add_column("caught", no_wrap=True)
    found.add_column("also by")
    for row in rows:
        by = caught_by(row)
        if not row["mutant"]:
            name = " ".join(["strict", *row["options"], *(["under load"] * row["load"])])
            found.add_row(name, "", Text("✗" if by else "clean", "red" if by else "green"), *by[:1])
            continue
        own = row["rule"] in by
        mark = Text("✓" if own else "✗", "green" if own else "bold red")
        found.add_row(row["mutant"], row["rule"], mark, " ".join(r for r in by if r != row["rule"]))
    return found


def render(rows: Sequence[Row], faults: Sequence[str]) -> str:
    """The matrix as one self-contained HTML page."""
    rules = list(dict.fromkeys(rule for row in rows for rule in row["verdicts"]))
    mutants = [row for row in rows if row["mutant"]]
    return _templates.get_template("proof.html.j2").render(
        rules=rules,
        rows=rows,
        faults=faults,
        caught=sum(row["rule"] in caught_by(row) for row in mutants),
        mutants=len(mutants),
    )
