"""From TOML to typed values, with every mistake of the file reported at once."""

import difflib
import re
import types
from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec

from otpspec.errors import Problem

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)")
_UNIT = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}
_LONGEST = timedelta(days=3660)  # what is added to a date must be a date
_NAMES = {bool: "true or false", int: "a whole number", str: "text", float: "a number"}


class Bad:
    """Stands for a value that could not be read; its problem is in the list."""


BAD = Bad()


class Findings:
    """What reading a file comes to: its mistakes, and each table that is whole, by its place."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.tables: dict[str, msgspec.Struct] = {}
        self.broken: set[str] = set()  # places of tables that are not whole

    def add(self, place: str, text: str) -> None:
        """Note a mistake."""
        self.problems.append(Problem(place, text))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """'did you mean base_url?', or the known words where none is near."""
    known = list(known)
    if not known:
        return "there is none"
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f"did you mean {near[0]}?" if near else "known: " + ", ".join(known)


def parse_duration(text: str) -> timedelta:
    """Read a text with a unit: "10m", "300s", "1.5s", "250ms", "2h".

    Raises ValueError with what to write instead.
    """
    match = _DURATION.fullmatch(text.strip())
    if match:
        if float(match[1]) > _LONGEST / _UNIT[match[2]]:
            raise ValueError(f'"{text}" is too long; at most "{_LONGEST.days}d"')
        return float(match[1]) * _UNIT[match[2]]
    if re.fullmatch(r"\d+(\.\d+)?", text.strip()):
        raise ValueError(_without_unit(text.strip()))
    raise ValueError(f'"{text}" is not a duration; write a number and a unit, like "10m" or "30s"')


def _without_unit(number: str) -> str:
    seconds = float(number)
    minutes = f' or "{seconds / 60:g}m"' if seconds >= 60 and seconds % 60 == 0 else ""
    return f'{number} has no unit; write "{number}s"{minutes}'


def decode(kind: Any, value: Any, place: str, found: Findings) -> Any:
    """`value` as a `kind`; each mistake is added to what is `found`, and the value is then BAD."""
    members = _members(kind)
    tables = [member for member in members if _is_table(member)]
    lists = [member for member in members if get_origin(member) is list]
    dicts = [member for member in members if get_origin(member) is dict]
    if isinstance(value, dict) and tables:
        table = tables[0] if len(tables) == 1 else _of_its_kind(tables, value, place, found)
        return BAD if table is None else _table(table, value, place, found)
    if isinstance(value, list) and lists:
        (item,) = get_args(lists[0])
        return [decode(item, v, f"{place}[{i}]", found) for i, v in enumerate(value)]
    if timedelta in members:
        return _duration(value, place, found)
    if tables and all(member in tables or member in lists for member in members):
        found.add(place, f"expected a table, got {value!r}")
        return BAD
    if isinstance(value, dict) and dicts:
        _, item = get_args(dicts[0])
        return {k: decode(item, v, f"{place}.{k}", found) for k, v in value.items()}
    return _leaf(kind, value, place, found)


def _members(kind: Any) -> tuple[Any, ...]:
    """What a value may be; that a key may be left out is said by its default."""
    several = get_args(kind) if get_origin(kind) in (Union, types.UnionType) else (kind,)
    return tuple(member for member in several if member is not types.NoneType)


def _is_table(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _of_its_kind(
    tables: list[type[msgspec.Struct]], value: dict[str, Any], place: str, found: Findings
) -> type[msgspec.Struct] | None:
    """The table that `kind` names."""
    kinds = dict(zip(_kinds(tables), tables, strict=True))
    kind = value.get("kind")
    if kind is None:
        found.add(f"{place}.kind", f"missing; it is one of {', '.join(kinds)}")
    elif kind not in kinds:
        found.add(f"{place}.kind", f'"{kind}" is not known; {did_you_mean(str(kind), kinds)}')
    return kinds.get(str(kind))


def _duration(value: Any, place: str, found: Findings) -> Any:
    try:
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            raise ValueError('expected a duration like "10m" or "30s"')
        return parse_duration(str(value))
    except ValueError as error:
        found.add(place, str(error))
        return BAD


def _table(kind: type[msgspec.Struct], value: dict[str, Any], place: str, found: Findings) -> Any:
    hints = get_type_hints(kind)
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    prefix = f"{place}." if place else ""
    read: dict[str, Any] = {}
    before = len(found.problems)
    for key, item in value.items():
        if key == kind.__struct_config__.tag_field:
            continue
        if key not in fields:
            hint = did_you_mean(key, fields)
            found.add(prefix + key, f"unknown key; {hint}")
        else:
            read[fields[key].name] = decode(hints[fields[key].name], item, prefix + key, found)
    for key, field in fields.items():
        # A misspelled key has been reported already: that its right name is missing is no news.
        misspelled = any(difflib.get_close_matches(k, [key]) for k in value if k not in fields)
        if field.required and key not in value and not misspelled:
            found.add(prefix + key, _missing(hints[field.name], kind.__struct_config__.tag))
    if len(found.problems) > before:
        found.broken.add(place.partition("[")[0])
        return BAD
    table = found.tables[place] = kind(**read)
    return table


def _missing(kind: Any, of: object) -> str:
    """What to write for a key that is missing; `of`: the kind of its table, where it has one."""
    tables = [member for member in _members(kind) if _is_table(member)]
    if of is not None:
        what = "request" if tables else _in_words(kind).removeprefix("a ")
        return f'missing; kind = "{of}" needs this {what}'
    if len(tables) > 1:
        return f"missing; it is a table whose kind is one of {', '.join(_kinds(tables))}"
    if tables:
        fields = msgspec.structs.fields(tables[0])
        needed = [field.encode_name for field in fields if field.required]
        return f"missing; it is a table with {', '.join(needed)}"
    return f"missing; it is {_in_words(kind)}"


def _kinds(tables: list[type[msgspec.Struct]]) -> list[str]:
    return [str(table.__struct_config__.tag) for table in tables]


def _leaf(kind: Any, value: Any, place: str, found: Findings) -> Any:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError:
        found.add(place, _explain(kind, value))
        return BAD


def _explain(kind: Any, value: Any) -> str:
    words = _words(kind)
    unknown = [v for v in (value if isinstance(value, list) else [value]) if v not in words]
    if words and unknown and isinstance(unknown[0], str):
        return f'"{unknown[0]}" is not known; {did_you_mean(unknown[0], words)}'
    return f"expected {_in_words(kind)}, got {value!r}"


def _in_words(kind: Any) -> str:
    """'a whole number', 'one of GET, POST': what a value must be."""
    if words := _words(kind):
        return "one of " + ", ".join(words)
    members = _members(kind)
    words = [_NAMES[member] for member in members if member in _NAMES]
    if not words and any(get_origin(member) is list for member in members):
        words.append("a list")
    if any(_is_table(member) or get_origin(member) is dict for member in members):
        words.append("a table")
    return " or ".join(words)


def _words(kind: Any) -> list[str]:
    """The words that a Literal or an Enum (or a union with one) knows."""
    if isinstance(kind, type) and hasattr(kind, "__members__"):
        return [str(member) for member in kind.__members__.values()]
    words: list[str] = []
    for member in get_args(kind):
        words += [member] if isinstance(member, str) else _words(member)
    return list(dict.fromkeys(words))
