"""Lines for a profile, as a person would write them: ready to be pasted."""

import json
import re
from collections.abc import Iterable
from typing import Any

from otpspec.profile import schema
from otpspec.profile.checks import outcomes_of

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def value(node: Any) -> str:
    """A value as TOML writes it, in one line."""
    if isinstance(node, bool):
        return "true" if node else "false"
    if isinstance(node, str):
        plain = "\\" in node or '"' in node
        if plain and "'" not in node and node.isprintable():
            return f"'{node}'"
        return json.dumps(node, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(node, list):
        return "[" + ", ".join(map(value, node)) + "]"
    if isinstance(node, dict):
        return table((key(name), value(item)) for name, item in node.items())
    return str(node)


def key(name: str) -> str:
    """A key, quoted where it must be."""
    return name if _BARE.fullmatch(name) else value(name)


def table(pairs: Iterable[tuple[str, str]]) -> str:
    """An inline table."""
    return "{ " + ", ".join(f"{name} = {text}" for name, text in pairs) + " }"


def pattern(answer: schema.Answer) -> str:
    """A pattern: { status = 400, json = { error = "wrong_code" }, outcomes = "wrong_otc" }"""
    pairs: list[tuple[str, str]] = []
    if answer.status is not None:
        pairs.append(("status", value(answer.status)))
    asked = ((name, getattr(answer, name)) for name in ("header", "json", "text", "regex"))
    pairs += [(name, value(found)) for name, found in asked if found]
    outcomes = [str(outcome) for outcome in outcomes_of(answer)]
    return table([*pairs, ("outcomes", value(outcomes if len(outcomes) > 1 else outcomes[0]))])


def capture(wanted: str | schema.Capture) -> str:
    """What is kept of an answer: "data.id", or { cookie = "sid" }."""
    if isinstance(wanted, str):
        return value(wanted)
    names = ("json", "header", "cookie", "field", "regex")
    return table((n, value(found)) for n in names if (found := getattr(wanted, n)) is not None)
