"""HTTP/1.1 as bytes: a request to send, an answer as it comes in. Knows no socket."""

from contextlib import suppress
from typing import NamedTuple

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from otpspec.errors import TargetError
from otpspec.profile import Request

MAX_BODY = 1 << 20
"""Bytes of an answer that are read; no answer to a payer is longer."""

_CUT = "the connection was closed before the answer was whole"
_ENDLESS = f"the answer is longer than {MAX_BODY} bytes"


class NotHttpError(Exception):
    """What came back is not an HTTP/1 answer that can be read."""


def encode(request: Request, host: str) -> bytes:
    """A request's bytes, for a connection that is kept open.

    `host` is the value of the Host header. Raises TargetError where a header would break the line.
    """
    headers = request.headers
    head = f"{request.method} {request.target} HTTP/1.1\r\nHost: {host}\r\n"
    for name, value in headers:
        head += f"{name}: {value}\r\n"
    if head.count("\n") != len(headers) + 2:
        raise TargetError(f"A line break in a header of {request.operation}: see the profile.")
    if request.body or request.method not in ("GET", "DELETE"):
        head += f"Content-Length: {len(request.body)}\r\n"
    return (head + "\r\n").encode("latin-1", "replace") + request.body


class Answer(NamedTuple):
    """One whole answer."""

    status: int
    headers: dict[str, str]  # names in lower case
    body: bytes
    cookies: tuple[str, ...] = ()  # the values of its Set-Cookie headers


class Parser:
    """Reads the answers of one connection, one after the other. Parsed by llhttp.

    Headers cost a third of the time and are hardly ever asked for: an answer's bytes are kept until
    the next, and its headers are read from them in a second pass, see `headers`.
    """

    __slots__ = (
        *("_chunks", "_parser", "body", "feed", "first", "kept_alive"),
        *("status", "surplus", "whole"),
    )

    def __init__(self) -> None:
        self._parser = parser = HttpResponseParser(self)
        self.feed = parser.feed_data
        self.whole = False
        """Whether there is an answer; `begin` makes ready for the next."""

        self.status = 0
        self.body = b""
        self.first = b""  # the answer's first bytes, all of it as a rule
        self._chunks: list[bytes] = []  # what came after them
        self.surplus = self.kept_alive = False

    @property
    def reusable(self) -> bool:
        """After a whole answer: whether another request may follow on the same connection."""
        return self.kept_alive and not self.surplus

    def begin(self) -> None:
        """Make ready for the next answer."""
        self.whole = False
        self.body = self.first = b""
        if self._chunks:
            self._chunks.clear()

    def take(self, data: bytes) -> bool:
        """Take in what has come, b"" for the connection's end; whether the answer is whole.

        Raises NotHttpError.
        """
        if not self.first:
            self.first = data
        else:
            self._chunks.append(data)
        if not data:
            return self._ended()
        try:
            self.feed(data)
        except HttpParserUpgrade:
            raise NotHttpError("the target wants to speak another protocol") from None
        except HttpParserError as error:
            if isinstance(error.__context__, NotHttpError):
                raise error.__context__ from None
            if not self.whole:
                raise NotHttpError("what came back is not HTTP") from None
            self.surplus = True
        return self.whole

    def _ended(self) -> bool:
        """The connection's end: that of an answer, too, where nothing else tells it."""
        if not self.first or b"\r\n\r\n" not in self.first + b"".join(self._chunks):
            raise NotHttpError(_CUT)
        headers = self.headers()
        if "content-length" in headers or "transfer-encoding" in headers:
            raise NotHttpError(_CUT)
        self.status = self._parser.get_status_code()
        self.whole = self.surplus = True
        return True

    def sets_cookies(self) -> bool:
        """Whether the answer has a Set-Cookie header."""
        first = self.first
        if not self._chunks and b"ookie" not in first and b"OOKIE" not in first:
            return False  # as nearly always; what follows takes its time
        return bool(self.answer().cookies)

    def headers(self) -> dict[str, str]:
        """The answer's headers, names in lower case; repeated ones are joined."""
        return self.answer().headers

    def answer(self) -> Answer:
        """The whole answer, headers and all."""
        reader = _Headers()
        with suppress(HttpParserError):  # of what came after the answer, which was read before
            reader.parser.feed_data(self.first + b"".join(self._chunks))
        del reader.parser  # it knows its reader: a cycle, and garbage for the collector to find
        return Answer(self.status, reader.headers, self.body, tuple(reader.cookies))

    # --- llhttp calls these ---------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """Another answer begins."""
        if self.whole:
            self.surplus = True  # more has come than was asked for

    def on_body(self, data: bytes) -> None:
        """A part of the body, as a rule all of it."""
        if self.whole:
            return
        if self.body:
            data = self.body + data
        if len(data) > MAX_BODY:
            raise NotHttpError(_ENDLESS)
        self.body = data

    def on_message_complete(self) -> None:
        """The end of an answer; an interim one is none."""
        if self.whole:
            return
        status = self._parser.get_status_code()
        if status >= 200:
            self.status = status
            self.whole = True
            self.kept_alive = self._parser.should_keep_alive()  # not known any more afterwards


class _Headers:
    """Collects the headers of the first final answer."""

    def __init__(self) -> None:
        self.parser = HttpResponseParser(self)
        self.headers: dict[str, str] = {}
        self.cookies: list[str] = []
        self._done = False

    def on_message_begin(self) -> None:
        """An interim answer's headers are not the answer's."""
        if not self._done:
            self.headers, self.cookies = {}, []

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header."""
        if self._done:
            return
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        known = self.headers.get(key)
        self.headers[key] = text if known is None else f"{known}, {text}"
        if key == "set-cookie":
            self.cookies.append(text)

    def on_message_complete(self) -> None:
        """The end of an answer."""
        self._done = self._done or self.parser.get_status_code() >= 200
