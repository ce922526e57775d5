"""A request as bytes with places: made once, and filled for each call by joining.

What a place makes of its value is seen by building the request with values that nothing escapes. A
value with any other character, or of a kind that was not foreseen, takes the general way.
"""

import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any

from otpspec.profile.places import MISSING, Values
from otpspec.profile.requests import Request, Step

_plain = re.compile(r"[A-Za-z0-9_.~-]*").fullmatch  # no URL, form or JSON escapes any of these
_join = "".join
_MISSING = type(MISSING)

Write = Callable[[Request], bytes]
"""A request as it goes over the wire, Content-Length being its last header, where it has one."""


class Prepared:
    """A step's request, ready to be filled."""

    __slots__ = ("_given", "_last", "_layouts", "_names", "_number", "_step", "_write")

    def __init__(
        self, step: Step, write: Write, number: str, given: Mapping[str, Any] | None = None
    ) -> None:
        """`number` is what `write` puts where each request's own number belongs. `given`: values
        that are the same each time.
        """
        self._step = step
        self._write = write
        self._number = number
        self._given = given or {}
        self._names = tuple(sorted(step.names - self._given.keys()))
        self._layouts: dict[tuple[type, ...], _Layout | None] = {}
        self._last = _Layout.never(self._names)

    def fill(self, values: Values, number: int) -> bytes | None:
        """The request's bytes; None where it must be built the general way.

        Raises KeyError with the name of a place that has no value.
        """
        layout = self._last
        absent = layout.absent
        if absent is None or values[absent] is MISSING:  # as it was the last time, most likely
            head, body = layout.head(values), layout.body(values)
            try:
                joined = _join(body)
                length = layout.length + len(joined)
                joined += _join(head)
            except TypeError:
                pass
            else:
                if not (joined.isalnum() and joined.isascii()) and not _plain(joined):
                    return None
                return (layout.text % (*head, number, length, *body)).encode("latin-1")
        return self._other(values, number)

    def _other(self, values: Values, number: int) -> bytes | None:
        kinds = tuple([type(values[name]) for name in self._names])
        if kinds not in self._layouts:
            self._layouts[kinds] = self._lay_out(kinds)
        layout = self._layouts[kinds]
        if layout is None:
            return None
        if int not in kinds:
            self._last = layout
            return self.fill(values, number)
        texts = {n: str(v) if type(v) is int else v for n, v in values.items()}
        head, body = layout.head(texts), layout.body(texts)
        joined = _join(body)
        if not _plain(_join(head) + joined):
            return None
        length = layout.length + len(joined)
        return (layout.text % (*head, number, length, *body)).encode("latin-1")

    def _lay_out(self, kinds: tuple[type, ...]) -> "_Layout | None":
        absent = [n for n, kind in zip(self._names, kinds, strict=True) if kind is _MISSING]
        if len(absent) > 1 or not {*kinds} <= {str, int, _MISSING}:
            return None
        stem = 7_000_000_000_000_000 + secrets.randbelow(10**15)  # in no text of the profile
        marks: dict[str, Any] = {}
        for index, (name, kind) in enumerate(zip(self._names, kinds, strict=True)):
            marks[name] = {str: f"x{stem}x{index}x", int: stem * 100 + index}.get(kind, MISSING)
        request = self._step.build({**self._given, **marks})
        spelled = {str(mark): name for name, mark in marks.items() if mark is not MISSING}
        return _Layout(self._write(request).decode("latin-1"), spelled, self._number, absent)


class _Layout:
    """The text of a request between its places."""

    __slots__ = ("absent", "body", "head", "length", "text")

    def __init__(
        self, data: str, marks: Mapping[str, str], number: str, absent: Sequence[str]
    ) -> None:
        """`marks` stand in `data` where the values of the names belong that they are the marks of.

        `absent`: a place whose value is MISSING.
        """
        head, _, body = data.partition("\r\n\r\n")
        sized = re.sub(r"\r\nContent-Length: \d+\Z", "", head)
        before, _, after = sized.partition(number)  # the number comes after every other place
        text, self.head = _split(before, marks)
        rest, more = _split(after, marks)
        assert not more({}), "a place after the request's number"  # noqa: S101
        ends = "\r\nContent-Length: %d\r\n\r\n" if sized != head else "\r\n\r\n%.0s"
        body_text, self.body = _split(body, marks)
        self.text = text + "%d" + rest + ends + body_text
        self.length = len(body) - sum(body.count(mark) * len(mark) for mark in marks)
        """Of a body whose places are all empty."""

        self.absent = absent[0] if absent else None

    @classmethod
    def never(cls, names: Sequence[str]) -> "_Layout":
        """What fits nothing."""
        found = cls.__new__(cls)
        found.absent = None
        found.text, found.length = "", 0
        found.head = lambda values: (None,)
        found.body = lambda values: ()
        return found


def _split(text: str, marks: Mapping[str, str]) -> tuple[str, Callable[[Values], tuple[Any, ...]]]:
    """The text as a format, and what picks its values."""
    if not marks:
        return text.replace("%", "%%"), _picker([])
    pieces = re.split("(" + "|".join(map(re.escape, marks)) + ")", text)
    names = [marks[mark] for mark in pieces[1::2]]
    return "%s".join(piece.replace("%", "%%") for piece in pieces[::2]), _picker(names)


def _picker(keys: Sequence[str]) -> Callable[[Any], tuple[Any, ...]]:
    """What takes these keys out of something, always as a tuple."""
    if len(keys) > 1:
        return itemgetter(*keys)
    if keys:
        key = keys[0]
        return lambda source: (source[key],)
    return lambda source: ()
