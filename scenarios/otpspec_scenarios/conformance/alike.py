"""Whether two answers look alike to whoever must not tell them apart."""

import json
import re
from collections.abc import Awaitable, Callable
from typing import Any

from otpspec import Answer

_OF_THE_MOMENT = ("date", "content-length", "etag", "set-cookie", "age")


def differences(one: Answer, other: Answer, *, again: Answer | None = None) -> list[str]:
    """What tells two answers apart: status, headers, the fields of the body, fixed values.

    Values differ from answer to answer by nature (ids, times). With `again`, a second answer to
    the same question as `one`, those that are the same in both are fixed, and are compared.
    """
    found = []
    if one.status != other.status:
        found.append(f"HTTP {one.status} against HTTP {other.status}")
    names, others = _headers(one), _headers(other)
    if names != others and (again is None or _headers(again) == names):
        found.append(f"other headers: {', '.join(sorted(names ^ others))}")
    mine, theirs = _fields(one), _fields(other)
    if mine.keys() != theirs.keys() and (again is None or _fields(again).keys() == mine.keys()):
        found.append(f"other fields: {', '.join(sorted(mine.keys() ^ theirs.keys()))}")
    if again is not None:
        fixed = [key for key, value in _fields(again).items() if mine.get(key) == value]
        found += [f"another {key}" for key in fixed if key in theirs and theirs[key] != mine[key]]
    elif "status" in mine and "status" in theirs and mine["status"] != theirs["status"]:
        found.append("another status in the body")
    return found


async def persistent(compare: Callable[[], Awaitable[list[str]]], rounds: int = 6) -> list[str]:
    """The differences that are there each time: what comes and goes by chance tells nobody."""
    found = await compare()
    for _ in range(rounds - 1):
        if not found:
            break
        now = await compare()
        found = [difference for difference in found if difference in now]
    return found


def _headers(answer: Answer) -> set[str]:
    return set(answer.headers) - set(_OF_THE_MOMENT)


def stands_in(secret: str, text: str) -> bool:
    """Whether a secret stands in a text by itself, not as part of a longer number or word."""
    return bool(re.search(rf"(?<![0-9A-Za-z]){re.escape(secret)}(?![0-9A-Za-z])", text))


def _fields(answer: Answer) -> dict[str, Any]:
    """Every value of a JSON body by its path; another body as one value."""
    try:
        document = json.loads(answer.body) if answer.body else None
    except ValueError:
        document = answer.seen
    flat: dict[str, Any] = {}

    def walk(node: Any, path: str) -> None:
        if isinstance(node, dict):
            for key, value in node.items():
                walk(value, f"{path}.{key}" if path else key)
        else:
            flat[path] = node

    walk(document, "")
    return flat
