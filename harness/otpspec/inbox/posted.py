"""What stands in a request to an SMS gateway: whom a message is to, and its text."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from email import message_from_bytes, policy
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import msgspec

from otpspec.profile.answers import query

TO = [
    "to", "phone", "phonenumber", "recipient", "recipients", "msisdn", "number", "mobile",
    "destination", "tonumber",
]  # fmt: skip
TEXT = ["text", "body", "message", "content", "sms"]
"""Names of fields, in the order in which they are looked for; case, "_" and "-" do not matter."""

_SENDER = frozenset({"from", "sender", "source", "originator", "fromnumber"})
_DEPTH = 6
_JUNK = re.compile(r"[_\-\s]")


class Text(NamedTuple):
    """A message as a request holds it."""

    to: str
    text: str


def document(query_string: bytes, content_type: str, body: bytes) -> Any:
    """A request's fields: the body's (JSON, form or multipart), and the query's beside them.

    Raises ValueError where the body is of another kind.
    """
    fields = dict(_form(query_string))
    if not body.strip():
        return fields
    found = _body(content_type, body)
    return {**fields, **found} if isinstance(found, dict) else found


def _body(content_type: str, body: bytes) -> Any:
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        return dict(_multipart(content_type, body))
    if "json" in kind or body.lstrip()[:1] in (b"{", b"["):
        try:
            return msgspec.json.decode(body)
        except (ValueError, RecursionError) as error:
            raise ValueError("its body is not JSON") from error
    if kind in ("", "application/x-www-form-urlencoded"):
        return dict(_form(body))
    raise ValueError(f"its body is neither JSON nor a form, but {kind[:60]}")


def _form(raw: bytes) -> list[tuple[str, str]]:
    return parse_qsl(raw.decode("utf-8", "replace"), errors="replace", keep_blank_values=True)


def _multipart(content_type: str, body: bytes) -> Iterator[tuple[str, str]]:
    head = f"Content-Type: {content_type}\r\n\r\n".encode("latin-1", "replace")
    for part in message_from_bytes(head + body, policy=policy.compat32).walk():
        name = part.get_param("name", header="content-disposition")
        value = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(value, bytes):
            yield name, value.decode("utf-8", "replace")


class Finder:
    """Finds the messages in a request's fields, by JMESPath or by the usual names."""

    def __init__(self, to: str = "", text: str = "") -> None:
        """Raises ValueError where an expression cannot be read."""
        self._to: Callable[[Any], Any] | None = query(to) if to else None
        self._text: Callable[[Any], Any] | None = query(text) if text else None

    def find(self, fields: Any) -> list[Text]:
        """All messages in a request.

        Raises ValueError where there is none: what is missing, and what there is.
        """
        to = _words(self._to(fields)) if self._to else []
        text = _words(self._text(fields)) if self._text else []
        if self._to and self._text:
            if len(to) == len(text):  # expressions over a batch give a list each
                found = list(map(Text, to, text))
            else:
                found = [Text(one, "\n".join(text)) for one in to if text]
        elif (self._to and not to) or (self._text and not text):
            found = []
        else:
            names = ([] if self._to else TO, [] if self._text else TEXT)
            found = list(_search(fields, names, to, "\n".join(text)))
        if not found:
            raise ValueError(self._missing(fields, bool(to), bool(text)))
        return found

    def _missing(self, fields: Any, to: bool, text: bool) -> str:
        names = _names(fields)
        to = to or (not self._to and bool(names & set(TO)))
        text = text or (not self._text and bool(names & set(TEXT)))
        what = " and ".join(
            word for word, there in (("recipient", to), ("text", text)) if not there
        )
        listed = ", ".join(sorted(fields)[:12]) if isinstance(fields, Mapping) else ""
        return f"it has no {what or 'message'} (fields: {listed or 'none'})"


def _search(
    node: Any, names: tuple[list[str], list[str]], to: list[str], text: str, depth: int = 0
) -> Iterator[Text]:
    """Messages in a tree: a recipient and a text, of which one may stand further up."""
    if depth > _DEPTH:
        return
    if isinstance(node, list):
        for item in node:
            yield from _search(item, names, to, text, depth + 1)
    elif isinstance(node, dict):
        named = {_plain(name): value for name, value in reversed(node.items())}
        to = _first(named, names[0]) or to
        text = "\n".join(_first(named, names[1])) or text
        if to and text:
            yield from (Text(one, text) for one in to)
            return
        for name, value in node.items():
            if _plain(name) not in _SENDER:
                yield from _search(value, names, to, text, depth + 1)


def _first(named: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    return next((words for name in names if (words := _words(named.get(name), names))), [])


def _words(value: Any, names: Sequence[str] = ()) -> list[str]:
    """Texts and numbers, one or a list of them, or in tables under one of these names."""
    if isinstance(value, list):
        return [word for one in value if not isinstance(one, list) for word in _words(one, names)]
    if isinstance(value, dict):
        return _first({_plain(name): one for name, one in value.items()}, names)
    if isinstance(value, bool) or not isinstance(value, str | int):
        return []
    return [str(value)] if str(value).strip() else []


def _plain(name: str) -> str:
    return _JUNK.sub("", name).lower()


def _names(node: Any, depth: int = 0) -> set[str]:
    if depth > _DEPTH or not isinstance(node, dict | list):
        return set()
    items = node if isinstance(node, list) else list(node.values())
    own = {_plain(n) for n in node if _words(node[n])} if isinstance(node, dict) else set()
    return own.union(*(_names(item, depth + 1) for item in items))
