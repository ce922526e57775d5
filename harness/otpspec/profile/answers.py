"""From an answer's bytes to the set of outcomes that it may mean, and to what is kept of it."""

import re
from collections.abc import Callable, Mapping, Sequence
from email.utils import parsedate_to_datetime
from functools import cache, cached_property
from operator import attrgetter
from typing import Any, NamedTuple

import jmespath
import jmespath.exceptions
import msgspec

from otpspec.outcome import Outcome
from otpspec.profile import page, schema

_PATH = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
_CHARSET = re.compile(r"charset=\"?([\w.:-]+)", re.IGNORECASE)
_BOM = b"\xef\xbb\xbf"
_UNKNOWN = frozenset({Outcome.UNKNOWN})
_THROTTLED = frozenset({Outcome.THROTTLED})
_MALFORMED = frozenset({Outcome.MALFORMED})
_LONGEST_RETRY_S = 120.0
_TOO_LONG = (413, 414, 431)
_DONE = frozenset({Outcome.DONE})
_UNAVAILABLE = frozenset({Outcome.UNAVAILABLE})

_NO_HEADERS: Mapping[str, str] = {}
_MOST_KNOWN, _LONGEST_KNOWN = 1000, 1000  # answers that are remembered, and bytes of one

Headers = Mapping[str, str]
"""Header names in lower case."""


class Reading(NamedTuple):
    """What an answer means, and what was kept of it."""

    outcomes: frozenset[Outcome]
    captures: dict[str, Any]


class Raw:
    """An answer as it came; what is read of it is read once, and only where it is asked for."""

    def __init__(
        self, status: int, headers: Headers, body: bytes, cookies: Mapping[str, str] | None = None
    ) -> None:
        self.status = status
        self.headers = headers
        self.body = body
        self.cookies = cookies or {}  # those that the answer sets

    @cached_property
    def document(self) -> Any:
        """The body, where it is JSON; None where it is something else."""
        try:
            return decode(self.body)
        except ValueError:
            return None

    @cached_property
    def text(self) -> str:
        """The body as text, without a byte order mark."""
        named = _CHARSET.search(self.headers.get("content-type", ""))
        try:
            text = self.body.decode(named[1] if named else "utf-8", "replace")
        except (LookupError, UnicodeError):  # no charset, or none that takes what is not of it
            text = self.body.decode("utf-8", "replace")
        return text.removeprefix("\ufeff")

    @cached_property
    def seen(self) -> str:
        """The body as a reader sees it: of a page the text, with single spaces."""
        if page.is_html(self.headers.get("content-type", ""), self.text):
            return " ".join(page.readable(self.text).split())
        return " ".join(self.text.split())


@cache
def query(expression: str) -> Callable[[Any], Any]:
    """A JMESPath expression as a function; a plain path of names takes the short way.

    Raises ValueError where the expression cannot be read.
    """
    if _PATH.fullmatch(expression):
        names = expression.split(".")
        if len(names) == 1:
            return lambda node: node.get(expression) if isinstance(node, dict) else None

        def walk(node: Any) -> Any:
            for name in names:
                if not isinstance(node, dict):
                    return None
                node = node.get(name)
            return node

        return walk
    try:
        parsed = jmespath.compile(expression)
    except jmespath.exceptions.JMESPathError as error:
        raise ValueError(str(error).splitlines()[0]) from error

    def search(node: Any) -> Any:
        try:
            return parsed.search(node)
        except jmespath.exceptions.JMESPathError:
            return None  # an expression that does not fit this body finds nothing in it

    return search


def decode(body: bytes) -> Any:
    """A body of JSON. Raises ValueError where it is something else."""
    try:
        return msgspec.json.decode(body.removeprefix(_BOM))
    except (ValueError, RecursionError) as error:  # nested too deeply: nobody's honest answer
        raise ValueError("the answer is not JSON") from error


class Pattern:
    """One pattern of the profile, ready to be matched."""

    __slots__ = ("_headers", "_regex", "_text", "json", "outcomes", "statuses")

    def __init__(self, answer: schema.Answer) -> None:
        outcomes = answer.outcomes if isinstance(answer.outcomes, list) else [answer.outcomes]
        self.outcomes = frozenset(outcomes)
        statuses = answer.status if isinstance(answer.status, list) else [answer.status]
        self.statuses = frozenset(status for status in statuses if status is not None)
        self._headers = [(name.lower(), re.compile(rx)) for name, rx in answer.header.items()]
        self.json = [(query(expression), value) for expression, value in answer.json.items()]
        self._text = None if answer.text is None else " ".join(answer.text.split())
        self._regex = None if answer.regex is None else re.compile(answer.regex)

    @property
    def needs_head(self) -> bool:
        """Whether it looks at headers; a body's text depends on them, too."""
        return bool(self._headers) or self._text is not None or self._regex is not None

    def matches(self, raw: Raw) -> bool:
        """Whether an answer is of this pattern."""
        headers = raw.headers
        return (
            (not self.statuses or raw.status in self.statuses)
            and all(_same(find(raw.document), value) for find, value in self.json)
            and all(name in headers and rx.search(headers[name]) for name, rx in self._headers)
            and (self._text is None or self._text in raw.seen)
            and (self._regex is None or self._regex.search(raw.text) is not None)
        )


def _same(found: Any, wanted: Any) -> bool:
    """Equal as JSON is: true is not 1."""
    if isinstance(found, list) and isinstance(wanted, list):
        return len(found) == len(wanted) and all(map(_same, found, wanted))
    if isinstance(found, dict) and isinstance(wanted, dict):
        return found.keys() == wanted.keys() and all(_same(found[k], wanted[k]) for k in wanted)
    return found == wanted and isinstance(found, bool) == isinstance(wanted, bool)


def capture(wanted: str | schema.Capture) -> Callable[[Raw], Any]:
    """What is kept of an answer, as a function; None where the answer does not hold it.

    Raises ValueError where an expression cannot be read.
    """
    if isinstance(wanted, str):
        find = query(wanted)
        return lambda raw: find(raw.document)
    source = _source(wanted)
    if wanted.regex is None:
        return source
    pattern = re.compile(wanted.regex)

    def narrowed(raw: Raw) -> str | None:
        value = source(raw)
        match = None if value is None else pattern.search(str(value))
        return match[1] if match else None

    return narrowed


def _source(wanted: schema.Capture) -> Callable[[Raw], Any]:
    """Where a capture is taken from."""
    if wanted.json is not None:
        find = query(wanted.json)
        return lambda raw: find(raw.document)
    if (header := wanted.header) is not None:
        return lambda raw: raw.headers.get(header.lower())
    if (cookie := wanted.cookie) is not None:
        return lambda raw: raw.cookies.get(cookie)
    if (name := wanted.field) is not None:
        return lambda raw: page.field(raw.text, name)
    return lambda raw: raw.text


def retry_after(raw: Raw) -> float | None:
    """Seconds after which an answer wants its request again (RFC 9110 10.2.3); None: it does not
    say, or it is too long to be waited for."""
    text = raw.headers.get("retry-after", "")
    try:
        seconds = float(text)
    except ValueError:
        try:
            until = parsedate_to_datetime(text)
            sent = parsedate_to_datetime(raw.headers["date"])
        except (ValueError, KeyError):
            return None
        seconds = until.timestamp() - sent.timestamp()
    return max(0.0, seconds) if seconds <= _LONGEST_RETRY_S else None  # nor for what is no number


class _Fields(NamedTuple):
    """What is asked of a body whose patterns and captures look at names on top only: nothing else
    of it is decoded."""

    decode: Callable[[bytes], Any]
    asked: Callable[[Any], tuple[Any, ...]]  # what patterns look at
    kept: Callable[[Any], tuple[Any, ...]]
    names: tuple[str, ...]  # what is kept is called so

    @classmethod
    def of(cls, request: schema.Request) -> "_Fields | None":
        asked = list(dict.fromkeys(name for answer in request.answers for name in answer.json))
        kept = list(request.capture.values())
        paths = [path for path in (*asked, *kept) if isinstance(path, str)]
        if len(paths) < len(asked) + len(kept) or not all(map(str.isidentifier, paths)):
            return None
        known = {path: f"f{n}" for n, path in enumerate(dict.fromkeys(paths))}
        document = msgspec.defstruct(
            "Body", [(f, Any, None) for f in known.values()], rename=_spelled(known), gc=False
        )
        decoder = msgspec.json.Decoder(document)
        return cls(decoder.decode, _picked(known, asked), _picked(known, kept), (*request.capture,))


def _spelled(known: Mapping[str, str]) -> Callable[[str], str]:
    spelling = {field: path for path, field in known.items()}
    return lambda field: spelling[field]


def _picked(known: Mapping[str, str], paths: Sequence[Any]) -> Callable[[Any], tuple[Any, ...]]:
    """What takes these fields out of a body, always as a tuple."""
    fields = [known[path] for path in paths]
    if len(fields) > 1:
        return attrgetter(*fields)
    if not fields:
        return lambda body: ()
    one = attrgetter(fields[0])
    return lambda body: (one(body),)


class Reader:
    """Reads the answers of one request."""

    def __init__(self, request: schema.Request) -> None:
        self._patterns = [Pattern(answer) for answer in request.answers]
        self._captures = [(name, capture(source)) for name, source in request.capture.items()]
        self._fields = _Fields.of(request)
        self.needs_head = any(p.needs_head for p in self._patterns) or any(
            isinstance(wanted, schema.Capture) and wanted.json is None
            for wanted in request.capture.values()
        )
        """Whether an answer's headers may decide what it means, or what is kept of it."""

        self._asked = list(dict.fromkeys(find for p in self._patterns for find, _ in p.json))
        self._known: dict[tuple[int, Any], tuple[Reading, bool]] = {}

    def read(self, raw: Raw) -> Reading:
        """What an answer means: the first pattern that matches it says so.

        Where none does: a 429 is throttling and a 5xx a failure of the target, which judge nothing;
        413, 414 and 431 refuse a request unread for its length (RFC 9110 15.5, RFC 6585 5), and
        anything else is unknown, which judges nothing either.
        """
        outcomes, kept = self._meaning(raw)
        return Reading(outcomes, self.captured(raw) if kept else {})

    def _meaning(self, raw: Raw) -> tuple[frozenset[Outcome], bool]:
        """What an answer means, and whether anything is kept of it."""
        for pattern in self._patterns:
            if pattern.matches(raw):
                return pattern.outcomes, True
        if not self._patterns and raw.status < 400:
            return _DONE, True
        if raw.status == 429:
            return _THROTTLED, False
        if raw.status in _TOO_LONG:
            return _MALFORMED, False
        return (_UNAVAILABLE if raw.status >= 500 else _UNKNOWN), False

    def read_bare(self, status: int, body: bytes) -> Reading:
        """As `read`, for an answer whose headers are not needed.

        What was read before is not read again: of equal answers, and of those that differ only in
        what no pattern looks at.
        """
        if not self._captures:
            known = self._known.get((status, body)) or self._learn(status, body, body)
            return known[0]
        fields = self._fields
        if fields is None:
            return self._read_captures(status, body)
        try:
            document = fields.decode(body)
        except (ValueError, RecursionError):  # no JSON, or none with names on top
            return self.read(Raw(status, _NO_HEADERS, body))
        values = fields.asked(document)
        for value in values:
            if value is not None and type(value) is not str:  # true is not 1, and lists have no key
                return self.read(Raw(status, _NO_HEADERS, body))
        bare, kept = self._known.get((status, values)) or self._learn(status, values, body)
        if not kept:
            return bare
        found = dict(zip(fields.names, fields.kept(document), strict=True))
        if None in found.values():
            found = {name: value for name, value in found.items() if value is not None}
        return Reading(bare.outcomes, found)

    def _read_captures(self, status: int, body: bytes) -> Reading:
        """Where something deeper than a name on top is asked of the body."""
        try:
            document = decode(body)
        except ValueError:
            document = None
        values = tuple([find(document) for find in self._asked])
        if any(value is not None and type(value) is not str for value in values):
            return self.read(Raw(status, _NO_HEADERS, body))
        bare, kept = self._known.get((status, values)) or self._learn(status, values, body)
        if not kept:
            return bare
        return Reading(bare.outcomes, self.captured(Raw(status, _NO_HEADERS, body)))

    def _learn(self, status: int, key: Any, body: bytes) -> tuple[Reading, bool]:
        outcomes, kept = self._meaning(Raw(status, _NO_HEADERS, body))
        meaning = Reading(outcomes, {}), kept
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        if len(body) <= _LONGEST_KNOWN:
            self._known[status, key] = meaning
        return meaning

    def captured(self, raw: Raw) -> dict[str, Any]:
        """What is kept of an answer, without what it does not hold."""
        found = {name: find(raw) for name, find in self._captures}
        return {name: value for name, value in found.items() if value is not None}
