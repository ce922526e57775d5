"""A profile ready for use: builds requests and reads answers, and knows no socket."""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from otpspec.policy import Policy
from otpspec.profile import schema
from otpspec.profile.answers import Headers, Reader, Reading, decode, query
from otpspec.profile.places import MISSING, Template, Values, compile_tree, fill_tree

_encode = msgspec.json.Encoder().encode
_quote = partial(quote, safe="")
_BREAKS = re.compile(r"[\r\n\0]+")


class Request(NamedTuple):
    """A request, ready to be sent by any client."""

    operation: str
    method: str
    target: str  # path and query, with the base URL's own path before it
    headers: tuple[tuple[str, str], ...]  # content-type and the profile's; host and length are not
    body: bytes


class Operation:
    """One request of the profile: built from values, its answers read."""

    def __init__(self, name: str, request: schema.Request, prefix: str) -> None:
        self.name = name
        self.method = request.method
        self._path = Template(prefix + request.path)
        self._query = {key: Template(text) for key, text in request.query.items()}
        self._headers = {key: Template(text) for key, text in request.headers.items()}
        self._json = compile_tree(request.json)
        self._reader = Reader(request)
        self.read = self._reader.read
        self.captured = self._reader.captured

    def build(
        self,
        values: Values,
        *,
        extra_body: Mapping[str, Any] | None = None,
        extra_headers: Mapping[str, str] | None = None,
        repeated: tuple[str, Sequence[Any]] | None = None,
    ) -> Request:
        """The request with its places filled.

        `extra_body` adds keys to a JSON object, `extra_headers` headers, both over the profile's.
        `repeated` is a place and several values: the key of a JSON object that holds the place is
        there once for each of them. Raises KeyError with the name of a place that has no value,
        or that no key holds.
        """
        target = self._path.text(values, _quote)
        if self._query:
            target += ("&" if "?" in target else "?") + urlencode(_filled(self._query, values))
        headers = _filled(self._headers, values)
        body = b""
        if self._json is not None:
            document = fill_tree(self._json, values)
            if extra_body and isinstance(document, dict):
                document = {**document, **extra_body}
            body = _encode(document) if repeated is None else self._repeat(document, *repeated)
            headers = _over({"Content-Type": "application/json"}, headers)
        if extra_headers:
            headers = _over(headers, extra_headers)
        lines = tuple((name, _one_line(value)) for name, value in headers.items())
        return Request(self.name, self.method, target, lines, body)

    def _repeat(self, document: Any, place: str, values: Sequence[Any]) -> bytes:
        keys = [
            key
            for key, node in (self._json.items() if isinstance(self._json, dict) else ())
            if isinstance(node, Template) and node.names == (place,)
        ]
        if not keys:
            raise KeyError(place)
        pairs = [(key, value) for key, value in document.items() if key not in keys]
        pairs += [(key, value) for key in keys for value in values]
        return b"{" + b",".join(_encode(key) + b":" + _encode(value) for key, value in pairs) + b"}"


def _filled(templates: Mapping[str, Template], values: Values) -> dict[str, Any]:
    pairs = {key: template.fill(values) for key, template in templates.items()}
    return {key: value for key, value in pairs.items() if value is not MISSING}


def _over(headers: Mapping[str, Any], others: Mapping[str, Any]) -> dict[str, Any]:
    """Headers with others over them, whose names may be written in another case."""
    named = {name.lower() for name in others}
    return {k: v for k, v in headers.items() if k.lower() not in named} | dict(others)


def _one_line(value: object) -> str:
    """A header's value, from which no other header can begin (RFC 9110 5.5)."""
    return _BREAKS.sub(" ", str(value)).strip()


class Message(NamedTuple):
    """A message as an inbox holds it."""

    id: str
    text: str


class InboxFormat:
    """How the messages of an inbox's answer are read."""

    def __init__(self, inbox: schema.Inbox, prefix: str) -> None:
        self.poll = Operation("inbox", inbox.poll, prefix)
        self.wait = inbox.wait
        self.quiet = inbox.quiet
        self._messages = query(inbox.messages)
        self._id = query(inbox.id)
        self._text = query(inbox.text)
        self._code = re.compile(inbox.code)

    def messages(self, body: bytes) -> list[Message]:
        """The messages of an answer, oldest first as the target gives them.

        Raises ValueError where the answer has no list of messages, or one without its id.
        """
        found = self._messages(decode(body))
        if not isinstance(found, list):
            raise ValueError("no list of messages in the answer: see inbox.messages")
        if any(self._id(message) is None for message in found):
            raise ValueError("a message without an id: see inbox.id")
        return [Message(str(self._id(m)), str(self._text(m) or "")) for m in found]

    def code(self, message: Message) -> str | None:
        """The code in a message's text, or None."""
        match = self._code.search(message.text)
        return match[1] if match else None


class ClockFormat:
    """The requests by which the target's time is read and moved."""

    def __init__(self, clock: schema.Clock, prefix: str) -> None:
        self.kind = clock.kind
        make = {"read": clock.read, "advance": clock.advance}
        make |= {"lease": clock.lease, "release": clock.release}
        built = {k: Operation(f"clock {k}", r, prefix) for k, r in make.items() if r is not None}
        self.read = built.get("read")
        self.advance = built.get("advance")
        self.lease = built.get("lease")
        self.release = built.get("release")


class Profile:
    """What a TOML file says of a target.

    `operations` has only those that the target offers: start, verify, enroll, and where it has
    them resend, cancel, amend, unlock, change_contact.
    """

    def __init__(
        self, source: str, read: schema.Profile, policy: Policy, secrets: set[str]
    ) -> None:
        url = urlsplit(read.target.base_url)
        prefix = url.path.rstrip("/")
        self.source = source
        self.base_url = read.target.base_url.rstrip("/")
        self.origin = f"{url.scheme}://{url.netloc}"
        self.name = read.target.name or source
        self.timeout: timedelta = read.target.timeout
        self.policy = policy
        self.amounts = read.amounts
        self.unknown_card = {f"card.{key}": value for key, value in read.unknown_card.items()}
        self.waive = read.waive
        self.secrets = frozenset(secrets)
        """Values of the environment that went into requests: never to be written anywhere."""
        self.inbox = InboxFormat(read.inbox, prefix)
        self.clock = ClockFormat(read.clock, prefix)
        asked = msgspec.structs.asdict(read.operations)
        self.operations = {k: Operation(k, r, prefix) for k, r in asked.items() if r is not None}

    def build(self, operation: str, values: Values, **extra: Any) -> Request:
        """Build an operation's request; see Operation.build."""
        return self.operations[operation].build(values, **extra)

    def read(self, operation: str, status: int, headers: Headers, body: bytes) -> Reading:
        """Read an operation's answer; see Reader.read."""
        return self.operations[operation].read(status, headers, body)
