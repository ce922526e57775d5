"""What an answer says that a pattern could ask for: fields, phrases, headers, each with a rank."""

import re
from collections.abc import Collection, Iterator
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from otpspec.doctor.stable import changes, is_stable, phrases
from otpspec.profile import Raw, page, schema

_RANK = {
    "errorcode": 60, "code": 58, "error": 56, "reason": 54, "status": 52, "result": 52,
    "outcome": 52, "state": 50, "decision": 50, "authentication": 50, "type": 42, "title": 32,
    "detail": 26, "message": 24, "msg": 24, "description": 20,
}  # fmt: skip
_NUMBERS = frozenset(
    {"errorcode", "code", "status", "result", "errno", "rc", "resultcode", "value"}
)
_SAYS_LITTLE = frozenset(
    [
        "error",
        "errors",
        "fail",
        "failed",
        "failure",
        "false",
        "invalid",
        "ok",
        "no",
        "none",
        "bad_request",
        "badrequest",
    ]
)
_TELLING = re.compile(
    r"wrong|incorrect|invalid|expired|approved|locked|sent|success|correct|denied|declined|"
    r"cancel|blocked|used|gone|failed|accepted|refused",
    re.IGNORECASE,
)
_PLAIN = re.compile(r"[A-Za-z_]\w*")
_WORD = re.compile(r"[A-Za-z][\w.:/-]*")
_ELEMENT = re.compile(r"<([A-Za-z_][\w:.-]*)>([^<>]+)</\1>")
_CHOOSES = ("id", "code", "type", "name", "key", "field")
_TELLS = re.compile(r"x-.*(error|reason|result|code|status).*")
_DEEPEST = 6
_MOST = 300  # leaves of one body


class Fact(NamedTuple):
    """One condition of a pattern that an answer meets."""

    kind: str  # "json", "header", "text", "regex"
    key: str  # the expression, or the header's name
    value: Any
    rank: float  # the higher, the sooner a person would choose it


def facts(raw: Raw, varying: Collection[str] = ()) -> list[Fact]:
    """What a pattern could ask of an answer, best first.

    `varying`: values of this run (ids, codes, contacts), which no other answer has.
    """
    found = list(_of_headers(raw, varying))
    if isinstance(raw.document, dict | list):
        found += _of_json(raw, varying)
    elif _is_xml(raw):
        found += _of_xml(raw, varying)
    else:
        found += _of_text(raw, varying)
    return sorted(dict.fromkeys(found), key=lambda fact: -fact.rank)


def conditions(chosen: Collection[Fact]) -> dict[str, Any]:
    """Facts as keys of a pattern."""
    wanted: dict[str, Any] = {}
    for fact in chosen:
        if fact.kind in ("json", "header"):
            wanted.setdefault(fact.kind, {})[fact.key] = fact.value
        else:
            wanted[fact.kind] = fact.value
    return wanted


def pattern(status: int | None, chosen: Collection[Fact], outcomes: list[Any]) -> schema.Answer:
    """A pattern of a status and facts."""
    return schema.Answer(status=status, outcomes=outcomes, **conditions(chosen))


# --- JSON ---------------------------------------------------------------------------------------


def _of_json(raw: Raw, varying: Collection[str]) -> Iterator[Fact]:
    for number, (path, names, leaf) in enumerate(leaves(raw.document)):
        if number >= _MOST:
            return
        last = next((name for name in reversed(names) if name), "")
        depth = 2.0 * (len(names) - 1) + 3.0 * path.count("[")
        rank = _RANK.get(_flat(last), 34) - depth
        if any(map(changes, names)):
            continue
        if isinstance(leaf, bool):
            yield Fact("json", path, leaf, rank - 2)
        elif isinstance(leaf, int):
            if leaf != raw.status and abs(leaf) < 100_000:
                yield Fact("json", path, leaf, rank if _flat(last) in _NUMBERS else 8 - depth)
        elif isinstance(leaf, list):
            yield Fact("json", path, [], 6 - depth)
        elif isinstance(leaf, str):
            yield from _of_string(raw, path, last, leaf, rank, varying)


def _of_string(
    raw: Raw, path: str, last: str, leaf: str, rank: float, varying: Collection[str]
) -> Iterator[Fact]:
    if re.fullmatch(r"\d{1,5}", leaf):
        if _flat(last) in _NUMBERS and leaf != str(raw.status):
            yield Fact("json", path, leaf, rank)
        return
    prose = _WORD.fullmatch(leaf) is None
    if is_stable(leaf, varying) and not (prose and re.search(r"\d", leaf)):
        little = 15 if leaf.casefold() in _SAYS_LITTLE else 0
        yield Fact("json", path, leaf, rank + (-8 if prose else 6) - little)
        return
    for phrase in phrases(leaf, varying):
        if phrase in raw.seen:
            yield Fact("text", "", phrase, rank - 14)


Leaf = tuple[str, tuple[str, ...], Any]
"""A value of a document: its JMESPath, the keys on the way, and itself."""


def leaves(node: Any, path: str = "", names: tuple[str, ...] = ()) -> Iterator[Leaf]:
    """Every value of a document."""
    if len(names) > _DEEPEST:
        return
    if isinstance(node, dict):
        for name, item in node.items():
            step = name if _PLAIN.fullmatch(name) else '"' + name.replace('"', '\\"') + '"'
            yield from leaves(item, f"{path}.{step}" if path else step, (*names, name))
    elif isinstance(node, list):
        yield from _of_list(node, path, names)
    elif path:
        yield path, names, node


def _of_list(items: list[Any], path: str, names: tuple[str, ...]) -> Iterator[Leaf]:
    if not items and path:
        yield path, names, []
    chosen_by = _chooser(items)
    for index, item in enumerate(items[:20]):
        if not chosen_by:
            yield from leaves(item, f"{path}[{index}]", names)
            continue
        here = f"{path}[?{chosen_by}=='{item[chosen_by]}']"
        for inner, more, leaf in leaves(item, "", names):
            if inner != chosen_by:
                yield f"{here}.{inner} | [0]", more, leaf


def _chooser(items: list[Any]) -> str:
    """The key by which the items of a list can be told: they may stand in another order."""
    if len(items) < 2 or not all(isinstance(item, dict) for item in items):
        return ""
    for name in _CHOOSES:
        found = [item.get(name) for item in items]
        words = all(isinstance(v, str) and _WORD.fullmatch(v) and is_stable(v, ()) for v in found)
        if words and len(set(found)) == len(found):
            return name
    return ""


def _flat(name: str) -> str:
    return re.sub(r"[_-]", "", name).lower()


# --- everything else ----------------------------------------------------------------------------


def _is_xml(raw: Raw) -> bool:
    start = raw.text.lstrip()[:200].lower()
    kind = raw.headers.get("content-type", "").lower()
    if "html" in kind or "<html" in start or "<!doctype html" in start:
        return False
    return "xml" in kind or start.startswith("<?xml") or _ELEMENT.search(raw.text) is not None


def _of_xml(raw: Raw, varying: Collection[str]) -> Iterator[Fact]:
    for element in _ELEMENT.finditer(raw.text):
        name, text = element[1].rpartition(":")[2], element[2]
        number = re.fullmatch(r"\d{1,5}", text.strip()) and _flat(name) in _NUMBERS
        if not changes(name) and (number or is_stable(text, varying)):
            yield Fact("regex", "", re.escape(element[0]).replace("\\ ", " "), _rank_of(name))


def _rank_of(name: str) -> float:
    return float(_RANK.get(_flat(name), 34))


def _of_text(raw: Raw, varying: Collection[str]) -> Iterator[Fact]:
    kind = raw.headers.get("content-type", "")
    shown = page.readable(raw.text) if page.is_html(kind, raw.text) else raw.text
    for number, line in enumerate(shown.splitlines()[:_MOST]):
        for phrase in phrases(line, varying):
            phrase = " ".join(phrase.split())
            if phrase in raw.seen and len(phrase) >= 2:
                telling = 14 if _TELLING.search(phrase) else 0
                word = 6 if re.fullmatch(r"[\w-]+\s*[=:]\s*[\w-]+", phrase) else 0
                length = max(0, len(phrase) - 40) / 4
                yield Fact("text", "", phrase, 30 + telling + word - length - number / 100)


def _of_headers(raw: Raw, varying: Collection[str]) -> Iterator[Fact]:
    for name, text in raw.headers.items():
        if name == "location":
            yield from _of_location(text, varying)
        elif _TELLS.fullmatch(name) and _WORD.fullmatch(text) and is_stable(text, varying):
            yield Fact("header", name, f"^{re.escape(text)}$", 28)


def _of_location(text: str, varying: Collection[str]) -> Iterator[Fact]:
    try:
        url = urlsplit(text)
    except ValueError:
        return
    for name, said in parse_qsl(url.query):
        if _WORD.fullmatch(said) and is_stable(said, varying) and not changes(name):
            yield Fact("header", "location", rf"[?&]{re.escape(name)}={re.escape(said)}(&|$)", 50)
    parts = url.path.rstrip("/").rsplit("/", 1)
    if parts[-1] and is_stable(parts[-1], varying):
        yield Fact(
            "header", "location", f"/{re.escape(parts[-1])}" + (r"\?" if url.query else "$"), 40
        )
