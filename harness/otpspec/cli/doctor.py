"""otpspec doctor: each operation once, with what the profile made of the answer."""

import sys
from collections.abc import Iterator
from typing import Annotated

import msgspec
import typer
from rich.text import Text

from otpspec import doctor as clinic
from otpspec.cli.check import BaseUrl, Changes, ProfileArgument
from otpspec.cli.check import options as same_target
from otpspec.cli.output import err, out
from otpspec.doctor import Diagnosis, Step, Suggestion
from otpspec.doctor.report import Exchange, Mark, Message
from otpspec.rules import RULES
from otpspec_reports.terminal import continued
from otpspec_reports.visible import one_line

_SYMBOLS: dict[Mark, tuple[str, str]] = {
    "ok": ("✓", "green"),
    "wrong": ("✗", "bold red"),
    "doubt": ("!", "yellow"),
    "skipped": ("-", "dim"),
}
_INDENT = 12
_MOST_RULES = 8


def doctor(
    profile: ProfileArgument,
    base_url: BaseUrl = None,
    changes: Changes = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="The same as data, for editors and scripts.")
    ] = False,
) -> None:
    """Try each operation once, and show what the profile made of the answers.

    Exit codes: 0 all that was tried was understood, 2 profile, target, clock or inbox cannot be
    used, 3 something was not understood. It gives no verdict on rules: otpspec check does.
    """
    with err.status("otpspec doctor") if err.is_terminal else _silence() as status:

        def progress(name: str) -> None:
            if status is not None:
                status.update(f"trying {name}")

        found = clinic.examine(
            profile,
            base_url=base_url,
            changes=changes or (),
            progress=progress,
            command=" ".join(same_target(base_url, changes)),
        )
    if as_json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(found), indent=1).decode() + "\n")
    else:
        for line in page(found):
            out.print(line, soft_wrap=True)
    raise typer.Exit(found.exit_code)


class _silence:  # noqa: N801 - used as a function is
    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        return None


# --- the page -----------------------------------------------------------------------------------


def page(found: Diagnosis, width: int | None = None) -> Iterator[Text]:
    """All of it, line by line."""
    width = width or min(out.width, 100)
    yield from _head(found, width)
    for step in found.steps:
        yield Text("")
        yield from _step(step, width)
    yield Text("")
    yield from _summary(found, width)


def _head(found: Diagnosis, width: int) -> Iterator[Text]:
    yield Text.assemble(("otpspec doctor ", "bold"), (one_line(found.profile), "bold"))
    yield from _lines("name", [found.name] if found.name != found.profile else [], width)
    for name, lines in found.found.items():
        yield from _lines(name, lines, width)


def _step(step: Step, width: int) -> Iterator[Text]:
    symbol, style = _SYMBOLS[step.mark]
    yield Text.assemble((f"{symbol} ", style), (one_line(step.name), "bold"))
    if step.mark == "skipped":
        yield from _lines("not tried", [step.says], width)
        return
    for exchange in step.exchanges:
        yield from _exchange(exchange, width)
    for message in step.messages:
        yield from _message(message, width)
    yield from _lines(_label(step), [step.says], width, style)
    if step.best and step.mark in ("wrong", "doubt") and not set(step.read) & set(step.expected):
        yield from _lines("expected", [_expected(step)], width)
    yield from _lines("note", step.notes, width)
    for suggestion in step.suggestions:
        yield from _suggestion(suggestion, width)


def _label(step: Step) -> str:
    if not step.messages:
        return "read as"
    return "code" if step.messages[0].code else "came"


def _expected(step: Step) -> str:
    best = " or ".join(step.best)
    return best if len(step.expected) <= len(step.best) else f"a refusal; {best} says it best"


def _exchange(exchange: Exchange, width: int) -> Iterator[Text]:
    headers = [f"{name}: {value}" for name, value in exchange.asked_headers.items()]
    asked = [f"{exchange.method} {exchange.target}", *headers]
    yield from _lines("asked", [*asked, *exchange.asked_body.splitlines()], width)
    if exchange.status is None:
        yield from _lines("answer", [f"none: {exchange.error}"], width, "red")
        return
    took = f", {exchange.took_s * 1000:.0f} ms" if exchange.took_s else ""
    answered = [f"{name}: {value}" for name, value in exchange.headers.items()]
    body = exchange.body.splitlines() or ["(empty)"]
    yield from _lines("answer", [f"HTTP {exchange.status}{took}", *answered, *body], width)
    if exchange.captured:
        kept = ", ".join(f"{name} = {value}" for name, value in exchange.captured.items())
        yield from _lines("kept", [kept], width)


def _message(message: Message, width: int) -> Iterator[Text]:
    if message.came:
        yield from _lines("to", [f"{message.contact} ({message.inbox})"], width)
        yield from _lines("text", message.text.splitlines(), width)


def _suggestion(suggestion: Suggestion, width: int) -> Iterator[Text]:
    if not suggestion.toml:
        yield from _lines("note", [suggestion.why], width)
        return
    how = f", {suggestion.how}" if suggestion.how else ""
    label = "write" if suggestion.sure else "perhaps"
    yield from _lines(label, [f"[{suggestion.place}]{how}"], width, "cyan")
    comma = "," if suggestion.place.endswith(".answers") else ""
    yield Text.assemble(" " * _INDENT, (one_line(suggestion.toml) + comma, "bold cyan"))
    if suggestion.why:
        yield from _lines("", [f"({suggestion.why})"], width, "dim")


def _lines(label: str, texts: list[str], width: int, style: str = "") -> Iterator[Text]:
    """A label, and texts that hang beside it, each wrapped."""
    begin = f"  {label}"
    for text in texts:
        indent = len(text) - len(text.lstrip())
        plain = Text(one_line(text).strip())
        for number, line in enumerate(plain.wrap(out, max(width - _INDENT - indent, 20))):
            line.rstrip()
            hang = " " * (indent + (2 if number and indent else 0))
            yield Text.assemble((f"{begin:<{_INDENT}}", "dim"), hang, (line.plain, style))
            begin = ""


# --- the end ------------------------------------------------------------------------------------


def _summary(found: Diagnosis, width: int) -> Iterator[Text]:
    yield Text("In short", "bold")
    yield from _operations(found, width)
    for place in found.unusable:
        yield from _lines("unusable", place.splitlines(), width, "bold red")
    for warning in found.warnings:
        yield from _lines("!", [f"{warning.place}: {warning.text}"], width, "yellow")
        if warning.suggestion is not None:
            yield from _suggestion(warning.suggestion, width)
    missing = [one for one in found.missing if not one.by_policy]
    for one in missing:
        yield from _lines("missing", [_cost(one.lacks, one.rules, one.core)], width)
    by_policy = [one for one in found.missing if one.by_policy]
    if by_policy:
        said = ", ".join(f"{_some(one.rules)} ({one.lacks})" for one in by_policy)
        yield from _lines("by policy", [f"not applicable: {said}"], width, "dim")
    if not found.complete:
        yield from _lines("", ["The visit was cut short: this is what was tried."], width, "red")
    yield from _lines("", ["No rule was judged: that is what otpspec check is for."], width, "dim")
    begin = "  next"
    for line in continued(found.next, width - _INDENT):
        yield Text.assemble((f"{begin:<{_INDENT}}", "dim"), (line, "bold"))
        begin = ""


def _operations(found: Diagnosis, width: int) -> Iterator[Text]:
    """Each operation with the worst of its marks."""
    worst: dict[str, Mark] = {}
    order: list[Mark] = ["skipped", "ok", "doubt", "wrong"]
    for step in found.steps:
        name = step.place.removeprefix("operations.").partition("[")[0]
        if name:
            worst[name] = max(worst.get(name, "skipped"), step.mark, key=order.index)
    line = Text("  ")
    for name, mark in worst.items():
        symbol, style = _SYMBOLS[mark]
        if line.cell_len + len(name) + 4 > width:
            yield line
            line = Text("  ")
        line.append(f"{symbol} {name}  ", style)
    yield line


def _cost(lacks: str, rules: list[str], core: list[str]) -> str:
    cost = "would be inconclusive" if lacks.endswith("understood") else "not applicable"
    text = f"{lacks}: {_some(rules)} {cost}"
    if core and cost == "not applicable":
        text += f"; of SafeKey's core, to be waived in [waive]: {_some(core)}"
    return text


def _some(rules: list[str]) -> str:
    if len(rules) >= len(RULES):
        return "every rule"
    if len(rules) <= _MOST_RULES:
        return ", ".join(rules)
    return f"{', '.join(rules[:_MOST_RULES])} and {len(rules) - _MOST_RULES} more"
