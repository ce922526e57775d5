"""HTTP/1.1 as bytes: a request to send, an answer as it comes in. Knows no socket."""

from typing import NamedTuple

from geventhttpclient._parser import HTTPParseError, HTTPResponseParser

from otpspec.errors import TargetError
from otpspec.profile import Request

MAX_BODY = 1 << 20
"""Bytes of an answer that are read; no answer to a payer is longer."""

_CUT = "the connection was closed before the answer was whole"


class NotHttpError(Exception):
    """What came back is not an HTTP/1 answer that can be read."""


def encode(request: Request, host: str) -> bytes:
    """A request's bytes, for a connection that is kept open.

    `host` is the value of the Host header. Raises TargetError where a header would break the line.
    """
    head = f"{request.method} {request.target} HTTP/1.1\r\nHost: {host}\r\n"
    for name, value in request.headers:
        head += f"{name}: {value}\r\n"
    if head.count("\n") != len(request.headers) + 2:
        raise TargetError(f"A line break in a header of {request.operation}: see the profile.")
    if request.body or request.method not in ("GET", "DELETE"):
        head += f"Content-Length: {len(request.body)}\r\n"
    return (head + "\r\n").encode("latin-1", "replace") + request.body


class Answer(NamedTuple):
    """One whole answer."""

    status: int
    headers: dict[str, str]  # names in lower case
    body: bytes


class Parser(HTTPResponseParser):
    """Reads the answers of one connection, one after the other. Parsed by llhttp."""

    __slots__ = ("_body", "_headers", "_in_value", "_name", "_status", "_surplus", "_value")

    def __init__(self) -> None:
        super().__init__()
        self._headers: dict[str, str] = {}
        self._body = b""
        self._status = 0  # of the whole answer, once there is one
        self._name = self._value = ""
        self._in_value = self._surplus = False

    @property
    def reusable(self) -> bool:
        """After a whole answer: whether another request may follow on the same connection."""
        return not self._surplus and self.should_keep_alive()

    def take(self, data: bytes) -> Answer | None:
        """Take in what has come, b"" for the connection's end; the answer, once it is whole.

        Raises NotHttpError.
        """
        try:
            self.feed(data)
        except HTTPParseError as error:
            if not self._status:
                raise NotHttpError("what came back is not HTTP" if data else _CUT) from error
            self._surplus = True
        if self._status:
            answer = Answer(self._status, self._headers, self._body)
            self._status = 0
            return answer
        if not data:
            raise NotHttpError(_CUT)
        return None

    # --- llhttp calls these ---------------------------------------------------------------------

    def _on_status(self, message: str) -> None:
        pass

    def _on_message_begin(self) -> None:
        if self._status:
            raise HTTPParseError("more has come than was asked for")
        self._headers, self._body = {}, b""

    def _on_header_field(self, text: str) -> None:
        if self._in_value:
            self._keep_header()
        self._name += text

    def _on_header_value(self, text: str) -> None:
        self._value += text
        self._in_value = True

    def _on_headers_complete(self) -> bool:
        if self._name:
            self._keep_header()
        return False

    def _keep_header(self) -> None:
        name = self._name.lower()
        known = self._headers.get(name)
        self._headers[name] = self._value if known is None else f"{known}, {self._value}"
        self._name = self._value = ""
        self._in_value = False

    def _on_body(self, data: bytearray) -> None:
        self._body += data
        if len(self._body) > MAX_BODY:
            raise NotHttpError(f"the answer is longer than {MAX_BODY} bytes")

    def _on_message_complete(self) -> None:
        status = self.get_code()
        self._status = status if status >= 200 else 0  # an interim answer is none
