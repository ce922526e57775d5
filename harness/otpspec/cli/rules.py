"""otpspec rules: the catalogue."""

from typing import Annotated

import typer
from rich import box
from rich.table import Table

from otpspec.cli.output import UNUSABLE, complain, out
from otpspec.profile.reader import did_you_mean
from otpspec.rules import RULES


def rules(
    rule_id: Annotated[
        str | None, typer.Argument(metavar="RULE", help="Explain one rule: EXPIRY-2")
    ] = None,
) -> None:
    """Print the rule catalogue, or explain one rule."""
    if rule_id is None:
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        table.add_column("id", no_wrap=True)
        table.add_column("level")
        table.add_column("rule")
        for rule in RULES.values():
            table.add_row(rule.id, rule.level, rule.statement)
        out.print(table)
        return
    rule_or_none = RULES.get(rule_id.upper())
    if rule_or_none is None:
        complain(f"There is no rule {rule_id}; {did_you_mean(rule_id.upper(), RULES)}")
        raise typer.Exit(UNUSABLE)
    rule = rule_or_none
    out.print(f"{rule.id} {rule.level}{'  (core)' if rule.core else ''}")
    out.print(f"  rule      {rule.statement}", soft_wrap=True)
    for source in rule.sources:
        out.print(f"  source    {source}", soft_wrap=True, markup=False)
    out.print(f"  check     otpspec check PROFILE -k {rule.id}")
