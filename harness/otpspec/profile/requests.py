"""From values to the requests of an operation, and from their answers to what it came to.

Nothing here knows a socket: an operation's exchange is a generator that yields requests and is
sent their answers, so that every client can drive it.
"""

import re
import secrets
from collections.abc import Collection, Generator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import SplitResult, quote, urlencode, urljoin, urlsplit

import msgspec

from otpspec.outcome import SUCCESS, Outcome
from otpspec.profile import schema
from otpspec.profile.answers import Raw, Reader, Reading, retry_after
from otpspec.profile.places import (
    MISSING,
    Template,
    UnsayableError,
    Values,
    as_text,
    compile_tree,
    fill_tree,
    names_in,
)

_encode = msgspec.json.Encoder().encode
_quote = partial(quote, safe="")
_BREAKS = re.compile(r"[\r\n\0]+")
_MOST_TRIES = 8
_BACK_OFF_S = (0.5, 1.0, 2.0, 4.0, 8.0)
"""How long is waited, time after time, where a target that throttles does not say for how long."""

_FORM = "application/x-www-form-urlencoded"
_LONGEST_TARGET = 60_000  # httpx refuses URLs from 65,536 characters on


class Request(NamedTuple):
    """A request, ready to be sent by any client."""

    operation: str
    method: str
    target: str  # path and query, with the base URL's own path before it
    headers: tuple[tuple[str, str], ...]  # content-type and the profile's; host and length are not
    body: bytes
    origin: str = ""  # scheme, host and port
    after_s: float | None = None  # it was refused unread: seconds of target time to wait first
    guessed: bool = False  # whether that time is ours: the target has not said when to come back
    decisive: bool = False  # the one of its operation that is released together with others


def origin(parts: SplitResult) -> str:
    """Scheme, host and port of a URL, the same for each of its spellings."""
    host = (parts.hostname or "").lower()
    host = f"[{host}]" if ":" in host else host
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    port = "" if parts.port in (None, usual) else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"


class Base(NamedTuple):
    """Where requests go: an origin, and a path that stands before theirs."""

    origin: str
    path: str

    @classmethod
    def of(cls, url: str) -> "Base":
        """Read a base URL."""
        parts = urlsplit(url)
        return cls(origin(parts), parts.path.rstrip("/"))


class Step:
    """One request of the profile: built from values, its answer read."""

    def __init__(self, name: str, request: schema.Request, base: Base) -> None:
        if request.base_url is not None:
            base = Base.of(request.base_url)
        self.name = name
        self.origin = base.origin
        self.method = request.method
        self.follow = request.follow
        self.keeps = frozenset(request.capture)
        """The names of what it captures."""

        self.reads_json = all(isinstance(c, str) or c.json for c in request.capture.values())

        self._path = Template(base.path + request.path)
        self._query = compile_tree(request.query)
        self._headers = compile_tree(request.headers)
        self._json = compile_tree(request.json)
        self._form = None if request.form is None else compile_tree(request.form)
        self._parts = None if request.multipart is None else compile_tree(request.multipart)
        reader = Reader(request)
        self.read = reader.read
        self.read_bare = reader.read_bare
        self.needs_head = reader.needs_head
        self.captured = reader.captured
        tree = [self._path, self._query, self._headers, self._json, self._form, self._parts]
        self.names = frozenset(name for _, name in names_in(tree, ""))

    def build(
        self,
        values: Values,
        *,
        extra_body: Mapping[str, Any] | None = None,
        extra_headers: Mapping[str, str] | None = None,
        repeated: tuple[str, Sequence[Any]] | None = None,
    ) -> Request:
        """The request with its places filled.

        `extra_body` adds keys to the body that the profile's own does not have, and lists in JSON
        also in the place of those that it has; `extra_headers` headers, over the profile's.
        `repeated` is a place and several values: the key of the body that holds just the place is
        there once for each of them. Raises KeyError with the name of a place that has no value,
        UnsayableError where a value, or a repeated key, has no spelling in this kind of body.
        """
        target = self._path.text(values, _quote)
        if self._query:
            target += ("&" if "?" in target else "?") + urlencode(_pairs(self._query, values))
        if len(target) > _LONGEST_TARGET:
            raise UnsayableError(f"no client sends a URL of {len(target)} characters")
        headers = dict(_pairs(self._headers, values))
        kind, body = self._body(values, extra_body or {}, repeated)
        if kind:
            headers = _over({"Content-Type": kind}, headers)
        if extra_headers:
            headers = _over(headers, extra_headers)
        lines = tuple((name, _one_line(value)) for name, value in headers.items())
        return Request(self.name, self.method, target, lines, body, self.origin)

    def _body(
        self, values: Values, extra: Mapping[str, Any], repeated: tuple[str, Sequence[Any]] | None
    ) -> tuple[str, bytes]:
        """The kind of the body, and its bytes; both empty where there is none."""
        if self._form is not None or self._parts is not None:
            tree: dict[str, Any] = self._form or self._parts or {}
            again = _repeat(tree, *repeated) if repeated else {}
            pairs = _pairs(tree, values, without=again)
            pairs += [(key, text) for key, many in again.items() for text in map(as_text, many)]
            for key, value in extra.items():
                several = value if isinstance(value, list) else [value]
                pairs += [(key, as_text(one)) for one in several if key not in tree]
            return _multipart(pairs) if self._form is None else (_FORM, urlencode(pairs).encode())
        if repeated and not isinstance(self._json, dict):
            raise UnsayableError("there is no body whose key could be repeated")
        if self._json is None:
            return "", b""
        document = fill_tree(self._json, values)
        if extra and isinstance(document, dict):
            lists = {key: value for key, value in extra.items() if isinstance(value, list)}
            document = {**extra, **document, **lists}
        if not repeated:
            return "application/json", _encode(document)
        again = _repeat(self._json, *repeated)
        members = [(key, value) for key, value in document.items() if key not in again]
        members += [(key, value) for key, many in again.items() for value in many]
        inner = b",".join(_encode(key) + b":" + _encode(value) for key, value in members)
        return "application/json", b"{" + inner + b"}"


class Operation:
    """What can be asked of a target: one request, or a short list of them."""

    def __init__(
        self, name: str, requests: schema.Request | list[schema.Request], base: Base
    ) -> None:
        listed = requests if isinstance(requests, list) else [requests]
        self.name = name
        self.about = "card" if name in ("enroll", "unlock", "change_contact") else "challenge"
        """What its captures belong to, the first word of their places."""

        self.steps = [Step(name, request, base) for request in listed]
        codes = (step for step in self.steps if "otc" in step.names)
        self.decisive = next(codes, self.steps[-1])
        """The request that carries the codes, or is the last: what is added, is added to it."""

    def build(self, values: Values, **extra: Any) -> Request:
        """The decisive request; see Step.build."""
        return self.decisive.build(values, **extra)

    def exchange(
        self, values: Values, origins: Collection[str], *, patient: bool = False, **extra: Any
    ) -> Generator[Request, Raw, Reading]:
        """Ask: yields each request, is sent its answer, and returns what it came to.

        Redirects are followed as declared, to `origins` only. Nothing is asked for again, but where
        the caller is `patient` what the target has refused unread, with the time when to come back.
        Raises as Step.build does.
        """
        captures: dict[str, Any] = {}
        for step in self.steps:
            known = {f"{self.about}.{key}": value for key, value in captures.items()}
            decisive = step is self.decisive
            request = step.build({**values, **known}, **(extra if decisive else {}))
            request = request._replace(decisive=decisive)
            outcomes, captured = yield from _asked(step, request, origins, patient=patient)
            captures |= captured
            if not outcomes <= SUCCESS:
                break
        return Reading(outcomes, captures)


def _asked(
    step: Step, request: Request, origins: Collection[str], *, patient: bool
) -> Generator[Request, Raw, Reading]:
    """What a request came to, after the redirects that the profile wants to be followed."""
    raw = yield from _patiently(step, request, patient=patient)
    cookies = dict(raw.cookies)
    for _ in range(step.follow):
        request_to = redirected(request, raw)
        if request_to is None or request_to.origin not in origins:
            break
        request = request_to
        raw = yield from _patiently(step, request, patient=patient)
        cookies |= raw.cookies
    return step.read(Raw(raw.status, raw.headers, raw.body, cookies))


def _patiently(step: Step, request: Request, *, patient: bool) -> Generator[Request, Raw, Raw]:
    """A request's answer; where it was refused unread it is sent again when its time has come.

    It alone, and not the one that led to it: that was carried out.
    """
    back_off = iter(_BACK_OFF_S)
    for _ in range(_MOST_TRIES):
        raw = yield request
        if not patient or step.read(raw).outcomes != {Outcome.THROTTLED}:
            break
        says = "retry-after" in raw.headers
        wait = retry_after(raw) if says else next(back_off, None)
        if wait is None:
            break
        request = request._replace(after_s=wait, guessed=not says)
    return raw


def redirected(request: Request, raw: Raw) -> Request | None:
    """Where an answer leads (RFC 9110 15.4), or None where it leads nowhere."""
    location = raw.headers.get("location")
    if raw.status not in (301, 302, 303, 307, 308) or not location:
        return None
    try:
        url = urlsplit(urljoin(request.origin + request.target, location))
        origin(url)  # a port that is none
    except ValueError:
        return None
    target = (url.path or "/") + (f"?{url.query}" if url.query else "")
    moved = request._replace(origin=origin(url), target=target, after_s=None, guessed=False)
    if raw.status in (307, 308):
        return moved
    headers = tuple(pair for pair in moved.headers if pair[0].lower() != "content-type")
    return moved._replace(method="GET", body=b"", headers=headers)


def _pairs(
    tree: Mapping[str, Any], values: Values, without: Collection[str] = ()
) -> list[tuple[str, str]]:
    """Names and texts of a form, a query or headers; lists are a name several times."""
    pairs = []
    for key, node in tree.items():
        if key in without:
            continue
        filled = fill_tree(node, values)
        several = filled if isinstance(node, list) else [filled]
        pairs += [(key, as_text(value)) for value in several if value is not MISSING]
    return pairs


def _repeat(tree: Any, place: str, values: Sequence[Any]) -> dict[str, Sequence[Any]]:
    keys = [k for k, node in tree.items() if isinstance(node, Template) and node.whole == place]
    if not keys:
        raise UnsayableError(f"no key of the body is just the place {{{place}}}")
    return dict.fromkeys(keys, values)


def _multipart(pairs: list[tuple[str, str]]) -> tuple[str, bytes]:
    """Fields as multipart/form-data (RFC 7578)."""
    boundary = secrets.token_hex(16)
    body = b""
    for name, value in pairs:
        quoted = name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{quoted}"\r\n\r\n'
        body += head.encode() + value.encode() + b"\r\n"
    return f"multipart/form-data; boundary={boundary}", body + f"--{boundary}--\r\n".encode()


def _over(headers: Mapping[str, Any], others: Mapping[str, Any]) -> dict[str, Any]:
    """Headers with others over them, whose names may be written in another case."""
    named = {name.lower() for name in others}
    return {k: v for k, v in headers.items() if k.lower() not in named} | dict(others)


def _one_line(value: object) -> str:
    """A header's value, from which no other header can begin (RFC 9110 5.5)."""
    return _BREAKS.sub(" ", str(value)).strip()
