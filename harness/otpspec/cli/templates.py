"""Profiles to start from, and how one is changed without losing its comments."""

import json
import re
import tomllib
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

from otpspec.errors import OtpspecError
from otpspec.profile.reader import did_you_mean

NAMES = (
    "json-api",
    "html-form",
    "safekey-reference",
    "django-allauth",
    "privacyidea",
    "twilio-verify",
)
"""What --from takes, the plainest first."""

_HEADER = re.compile(r"\[\[?\s*([\w.-]+)\s*\]\]?\s*(#.*)?")
_BARE = re.compile(r"[A-Za-z0-9_-]+")


def read(name: str) -> str:
    """A template's text. Raises OtpspecError with the name that was meant, or all of them."""
    if name not in NAMES:
        raise OtpspecError(f"There is no template {name}; {did_you_mean(name, NAMES)}")
    return _file(name).read_text("utf-8")


def about(name: str) -> str:
    """What a template is for: the first sentence of its first comment."""
    lines = read(name).splitlines()
    comment = " ".join(line[1:].strip() for line in lines[: lines.index("")])
    return re.split(r"(?<=\.)\s", comment)[0].removesuffix(".")


def _file(name: str) -> Traversable:
    """The profile of the reference server is shipped as a profile of its own."""
    package, folder = ("otpspec", "templates")
    if name == "safekey-reference":
        package, folder = ("otpspec.profile", "shipped")
    return resources.files(package) / folder / f"{name}.toml"


def toml(value: Any) -> str:
    """A value as TOML writes it, in one line. Raises ValueError for null."""
    if value is None:
        raise ValueError("null cannot stand in a profile: leave the key out")
    if isinstance(value, dict):
        pairs = [f"{key(name)} = {toml(one)}" for name, one in value.items()]
        return f"{{ {', '.join(pairs)} }}" if pairs else "{}"
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    return json.dumps(value, ensure_ascii=False)


def key(name: str) -> str:
    """A key as TOML writes it."""
    return name if _BARE.fullmatch(name) else json.dumps(name, ensure_ascii=False)


class Draft:
    """A profile's text, changed table by table and key by key."""

    def __init__(self, text: str) -> None:
        self._lines = text.splitlines()

    def __str__(self) -> str:
        return "\n".join(self._lines) + "\n"

    def set(self, table: str, name: str, value: str, note: str = "") -> None:
        """Give a key a value, as TOML writes it; without a note its comment stays."""
        begin, end = self._table(table)
        for at in range(begin + 1, end):
            if re.match(rf"{re.escape(name)}\s*=", self._lines[at]):
                after = self._value_ends(at)
                comment = _comment(self._lines[at]) if after == at + 1 else ""
                break
        else:
            at = after = end
            comment = ""
        comment = f"# {note}" if note else comment
        self._lines[at:after] = [f"{name} = {value} {comment}".rstrip()]

    def drop(self, table: str, name: str) -> None:
        """Take a key away, where the table has it."""
        begin, end = self._table(table)
        for at in range(begin + 1, end):
            if re.match(rf"{re.escape(name)}\s*=", self._lines[at]):
                del self._lines[at : self._value_ends(at)]
                return

    def insert(self, table: str, after: str, lines: list[str]) -> None:
        """Put lines behind a key of a table."""
        begin, end = self._table(table)
        found = [i for i in range(begin, end) if re.match(rf"{after}\s*=", self._lines[i])]
        at = self._value_ends(found[0])
        self._lines[at:at] = lines

    def replace(self, table: str, text: str) -> None:
        """Put a text in the place of a table and of those within it; comments above it stay."""
        begin, end = self._table(table)
        for at, name in self._headers():
            if at > begin and (name == table or name.startswith(f"{table}.")):
                end = max(end, self._content_ends(at))
        self._lines[begin:end] = text.splitlines()

    def uncomment(self, table: str, text: str) -> None:
        """Put a text in the place of a table that stands commented out."""
        begin = self._lines.index(f"# [{table}]")
        end = begin
        while end < len(self._lines) and self._lines[end].startswith("#"):
            end += 1
        self._lines[begin:end] = text.splitlines()

    def drop_comment(self, table: str) -> None:
        """Take away the comment that stands directly above a table."""
        begin, _ = self._table(table)
        first = begin
        while first > 0 and self._lines[first - 1].startswith("#"):
            first -= 1
        del self._lines[first:begin]

    def _headers(self) -> list[tuple[int, str]]:
        found = ((at, _HEADER.fullmatch(line)) for at, line in enumerate(self._lines))
        return [(at, match[1]) for at, match in found if match]

    def _table(self, table: str) -> tuple[int, int]:
        """Where a table begins, and where the last of its own keys ends."""
        begin = next(at for at, name in self._headers() if name == table)
        return begin, self._content_ends(begin)

    def _content_ends(self, begin: int) -> int:
        later = [at for at, _ in self._headers() if at > begin]
        end = later[0] if later else len(self._lines)
        while not self._lines[end - 1].strip() or self._lines[end - 1].startswith("#"):
            end -= 1
        return end

    def _value_ends(self, at: int) -> int:
        """The line behind a key's value, which may be a list over several lines."""
        for end in range(at + 1, len(self._lines) + 1):
            if _is_toml("\n".join(self._lines[at:end])):
                return end
        raise AssertionError("a template is TOML")


def _is_toml(text: str) -> bool:
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return False
    return True


def _comment(line: str) -> str:
    """The comment at the end of a line; a # within a text is none."""
    signs = (match.start() for match in re.finditer("#", line))
    return next((line[at:] for at in signs if _is_toml(line[:at])), "")
