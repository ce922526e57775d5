"""A request as bytes with places: made once, and filled for each call by joining.

What a place makes of its value is seen by building the request with values that nothing escapes. A
value with any other character, or of a kind that was not foreseen, takes the general way.
"""

import re
import secrets
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any

from otpspec.profile.places import MISSING, Values
from otpspec.profile.requests import Request, Step

_plain = re.compile(r"[A-Za-z0-9_.~-]*").fullmatch  # no URL, form or JSON escapes any of these
_KINDS: dict[type, int] = {str: 0, int: 1, type(MISSING): 2}

Write = Callable[[Request], bytes]
"""A request as it goes over the wire, Content-Length being its last header, where it has one."""


class Prepared:
    """A step's request, ready to be filled."""

    def __init__(self, step: Step, write: Write, number: str) -> None:
        """`number` is what `write` puts where each request's own number belongs."""
        self._step = step
        self._write = write
        self._number = number
        self._names = tuple(sorted(step.names))
        self._values = _picker(self._names)
        self._layouts: dict[tuple[type, ...], _Layout | None] = {}

    def fill(self, values: Values, number: int) -> bytes | None:
        """The request's bytes; None where it must be built the general way.

        Raises KeyError with the name of a place that has no value.
        """
        found = self._values(values)
        kinds = tuple(map(type, found))
        try:
            layout = self._layouts[kinds]
        except KeyError:
            layout = self._layouts[kinds] = self._lay_out(kinds)
        return None if layout is None else layout.fill(found, number)

    def _lay_out(self, kinds: tuple[type, ...]) -> "_Layout | None":
        if not all(kind in _KINDS for kind in kinds):
            return None
        stem = 7_000_000_000_000_000 + secrets.randbelow(10**15)  # in no text of the profile
        marks: dict[str, Any] = {}
        for index, (name, kind) in enumerate(zip(self._names, kinds, strict=True)):
            marks[name] = {str: f"x{stem}x{index}x", int: stem * 100 + index}.get(kind, MISSING)
        data = self._write(self._step.build(marks)).decode("latin-1")
        spelled = [str(mark) for mark in marks.values()]
        return _Layout(data, [*spelled, self._number], kinds)


class _Layout:
    """The text of a request between its places."""

    __slots__ = ("_body", "_body_picks", "_head", "_head_picks", "_ints", "_used")

    def __init__(self, data: str, marks: Sequence[str], kinds: Sequence[type]) -> None:
        """`marks` stand in `data` where the values belong; the last one for the number."""
        head, _, body = data.partition("\r\n\r\n")
        sized = re.sub(r"\r\nContent-Length: \d+\Z", "", head)
        self._head, self._head_picks = _split(sized, marks)
        self._body, self._body_picks = _split(body, marks)
        self._head += "\r\nContent-Length: %d\r\n\r\n" if sized != head else "\r\n\r\n%.0s"
        present = [n for n, kind in enumerate(kinds) if kind is not type(MISSING)]
        self._used = None if len(present) == len(kinds) else _picker(present)
        self._ints = int in kinds

    def fill(self, values: tuple[Any, ...], number: int) -> bytes | None:
        if self._ints:
            values = tuple([str(v) if type(v) is int else v for v in values])
        joined = "".join(values if self._used is None else self._used(values))
        if not (joined.isascii() and joined.isalnum()) and not _plain(joined):
            return None
        values = (*values, number)
        body = self._body % self._body_picks(values)
        return (self._head % (*self._head_picks(values), len(body)) + body).encode("latin-1")


def _split(text: str, marks: Sequence[str]) -> tuple[str, Callable[[Any], tuple[Any, ...]]]:
    """The text as a format, and what picks its values."""
    pieces = re.split("|".join(f"({re.escape(mark)})" for mark in marks), text)
    picked = []
    for n in range(1, len(pieces), len(marks) + 1):
        picked.append(next(i for i in range(len(marks)) if pieces[n + i] is not None))
    texts = pieces[:: len(marks) + 1]
    return "%s".join(piece.replace("%", "%%") for piece in texts), _picker(picked)


def _picker(keys: Sequence[Any]) -> Callable[[Any], tuple[Any, ...]]:
    """What takes these keys out of something, always as a tuple."""
    if len(keys) > 1:
        return itemgetter(*keys)
    if keys:
        key = keys[0]
        return lambda source: (source[key],)
    return lambda source: ()
