"""otpspec judge: a history that anyone recorded, judged by the rules."""

from pathlib import Path
from time import perf_counter
from typing import Annotated

import msgspec
import typer
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from otpspec import history as histories
from otpspec.cli.output import BROKEN, INCONCLUSIVE, OK, out
from otpspec.errors import OtpspecError
from otpspec.history import History
from otpspec.linearize import BUDGET, Broken, Judged, Legality, judge
from otpspec.profile import load_policy
from otpspec.redact import Redactor

SCHEMA_VERSION = 1
_SHOWN = 5  # broken cards with their smallest history
_LINES = 24  # of one smallest history
_CODES = {Legality.LEGAL: OK, Legality.BROKEN: BROKEN, Legality.UNKNOWN: INCONCLUSIVE}


class BrokenCard(msgspec.Struct, frozen=True, kw_only=True):
    """A card of which no order is legal, as the JSON file has it."""

    card: str
    operations: int
    why: str  # empty where it was not looked for, or the budget ended first
    lines: list[int]  # of the smallest history in the file; records of a packed one
    history: list[str]  # those lines in words
    smallest: bool  # False: the budget ended before nothing more could be left out


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What a history came to, as the JSON file has it."""

    schema_version: int = SCHEMA_VERSION
    history: str
    policy: str
    verdict: str  # legal | broken | unknown
    operations: int
    cards: int
    broken: list[BrokenCard]
    unknown: list[str]  # cards that were out of budget
    duration_s: float


def judge_history(
    file: Annotated[
        Path, typer.Argument(metavar="HISTORY", help="JSON lines, or a packed history.")
    ],
    policy: Annotated[
        str, typer.Option(metavar="NAME", help="safekey, psd2, …, or a profile: its policy.")
    ] = "safekey",
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change it: policy.max_wrong=5"),
    ] = None,
    budget: Annotated[
        int, typer.Option(min=1, help="Steps of the rules that one card may cost.")
    ] = BUDGET,
    show: Annotated[int, typer.Option(min=0, help="How many broken cards are explained.")] = _SHOWN,
    json: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write what was found as JSON, too.")
    ] = None,
) -> None:
    """Judge a recorded history: is there an order of its operations that the rules allow?"""
    promised = load_policy(policy, changes=changes or ())
    began = perf_counter()
    history = histories.read(file)
    found = judge(history, promised, budget=budget, explain=show)
    took = perf_counter() - began
    _print(history, found, policy, took, budget, Redactor())
    if json is not None:
        _write(_verdict(history, found, policy, took, Redactor()), json)
    raise typer.Exit(_CODES[found.legality])


def _print(
    history: History, found: Judged, policy: str, took: float, budget: int, redact: Redactor
) -> None:
    count = f"{_number(found.operations, 'operation')} on {_number(found.cards, 'card')}"
    legal = found.cards - len(found.broken) - len(found.unknown)
    _line("history", f"{redact(history.source)}: {count}")
    _line("policy", redact(policy))
    _line("verdict", f"{found.legality}, after {took:.1f} s")
    _line("legal", _number(legal, "card"))
    if found.broken:
        _line("broken", _number(len(found.broken), "card"))
        for one in found.broken:
            if one.lines or not one.whole:
                _explain(history, one, redact)
        told = sum(bool(one.lines) or not one.whole for one in found.broken)
        if told < len(found.broken):
            more = _number(len(found.broken) - told, "more card")
            _line("", f"and {more}; try --show {len(found.broken)}")
    if found.unknown:
        _line("unknown", _number(len(found.unknown), "card"))
        some = ", ".join(map(redact, found.unknown[:5]))
        _line("", f"out of budget: {some}; try a --budget of more than {budget}")


def _explain(history: History, one: Broken, redact: Redactor) -> None:
    places = ", ".join(str(place) for place in _places(history, one)[:_LINES])
    of = f"{len(one.smallest)} of {_number(one.operations, 'operation')}"
    if not one.smallest:
        of = f"{_number(one.operations, 'operation')}; the budget ended before it was small"
    _line("", Text(f"card {redact(one.card)}, {of}", "bold"))
    for told in one.lines[:_LINES]:
        _line("", f"  {told}")
    if len(one.lines) > _LINES:
        _line("", f"  and {len(one.lines) - _LINES} more")
    if one.words:
        _line("", one.words)
    if places:
        _line("", Text(f"{_place(history, one)} {places}", "dim"))


def _places(history: History, one: Broken) -> list[int]:
    """Where its smallest history stands in the file."""
    return [history.first_line + call.row for call in one.smallest]


def _place(history: History, one: Broken) -> str:
    kind = "line" if history.first_line > 1 else "record"
    return kind if len(one.smallest) == 1 else f"{kind}s"


def _line(label: str, text: str | Text) -> None:
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(min_width=8, no_wrap=True)
    table.add_column()
    table.add_row(Text(label, "dim"), text if isinstance(text, Text) else Text(text))
    out.print(Padding(table, (0, 0, 0, 2)))


def _number(count: int, what: str) -> str:
    return f"{count:,} {what}" + ("" if count == 1 else "s")


def _verdict(
    history: History, found: Judged, policy: str, took: float, redact: Redactor
) -> Verdict:
    broken = [
        BrokenCard(
            card=redact(one.card),
            operations=one.operations,
            why=one.words,
            lines=_places(history, one),
            history=list(one.lines),
            smallest=one.whole,
        )
        for one in found.broken
    ]
    return Verdict(
        history=redact(history.source),
        policy=redact(policy),
        verdict=str(found.legality),
        operations=found.operations,
        cards=found.cards,
        broken=broken,
        unknown=[redact(card) for card in found.unknown],
        duration_s=round(took, 3),
    )


def _write(verdict: Verdict, path: Path) -> None:
    try:
        path.write_bytes(msgspec.json.format(msgspec.json.encode(verdict), indent=2) + b"\n")
    except OSError as error:
        raise OtpspecError(
            f"The verdict cannot be written to {path} ({error.strerror}).\n"
            "Try: --json with a file in a directory of your own."
        ) from error
