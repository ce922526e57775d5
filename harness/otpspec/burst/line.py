"""One connection with one request on it: all of it is sent but the last byte, then that."""

import asyncio
import socket
import ssl
from collections.abc import Sequence

import h11
import httpx

from otpspec.guard import Address

_CHUNK = 65536


class LineError(Exception):
    """No answer came on this connection; the message says why."""


class Line:
    """A freshly opened connection, by TCP or TLS, and the one HTTP/1.1 request that it is for."""

    def __init__(
        self, request: httpx.Request, tls: ssl.SSLContext | None, *, hold_head: bool = False
    ) -> None:
        """`tls`: by which context the connection is made; None: plain text. `hold_head`: whether
        the last byte of the head is held back, and the body with it: some targets do not wait for
        a body that they need not read."""
        self._http = h11.Connection(h11.CLIENT)
        self._bytes = _encoded(self._http, request)
        self._held = 1 + len(request.content) if hold_head else 1
        self._last = b""  # what goes over the wire to release it
        self._host = request.url.host
        self._tls = tls
        self._socket: socket.socket | None = None
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._secure: ssl.SSLObject | None = None
        self._plain = b""  # received before it was asked for
        self._closed = False
        self._max_body = 0

    def fileno(self) -> int:
        """Of its socket."""
        assert self._socket is not None  # noqa: S101 - it was opened
        return self._socket.fileno()

    async def open(self, addresses: Sequence[Address], first: int = 0) -> None:
        """Connect, to the address of that number or, where that fails, to one after it.

        Raises OSError (ssl.SSLError included), LineError.
        """
        loop = asyncio.get_running_loop()
        for attempt in range(len(addresses)):
            host, port = addresses[(first + attempt) % len(addresses)]
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            self._socket = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
            self._socket.setblocking(False)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                await loop.sock_connect(self._socket, (host, port))
                break
            except OSError:
                self._socket.close()
                if attempt == len(addresses) - 1:
                    raise
        if self._tls is not None:
            self._secure = self._tls.wrap_bio(self._in, self._out, server_hostname=self._host)
            await self._handshake(self._secure)

    async def _handshake(self, secure: ssl.SSLObject) -> None:
        while True:
            try:
                secure.do_handshake()
            except ssl.SSLWantReadError:
                await self._flush()
                await self._fill()
                if self._closed:
                    raise LineError("the connection was closed in the TLS handshake") from None
            else:
                await self._flush()
                return

    async def load(self) -> None:
        """Send everything but what is held back, and make that ready. Raises OSError.

        Under TLS it is encrypted now, so that to release it is one plain send.
        """
        head, last = self._bytes[: -self._held], self._bytes[-self._held :]
        assert self._socket is not None  # noqa: S101 - it was opened
        if self._secure is None:
            await asyncio.get_running_loop().sock_sendall(self._socket, head)
            self._last = last
            return
        self._secure.write(head)
        await self._flush()
        self._secure.write(last)
        self._last = self._out.read()

    def peek(self) -> bool:
        """Whether something of an answer, or the connection's end, is there already.

        Not every byte under TLS is of an answer: session tickets come by themselves.
        """
        assert self._socket is not None  # noqa: S101 - it was opened
        try:
            data = self._socket.recv(_CHUNK)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        self._take(data)
        self._plain += self._decrypted()
        return bool(self._plain) or self._closed

    def has_answer(self) -> bool:
        """Of a connection with something to read: whether that is of an answer, or its end."""
        return self._secure is None or self.peek()

    def release(self) -> None:
        """Send what was held back. Raises OSError."""
        assert self._socket is not None  # noqa: S101 - it was opened
        if self._socket.send(self._last) != len(self._last):
            raise BlockingIOError("what was held back could not be sent at once")

    async def answer(self, max_body: int) -> httpx.Response:
        """Read the answer to its end. Raises OSError, LineError."""
        self._max_body = max_body
        head: h11.Response | None = None
        body = b""
        while True:
            event = self._event()
            if event is h11.NEED_DATA:
                await self._feed()
            elif isinstance(event, h11.Response):
                head = event
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) > max_body:
                    raise LineError(f"the answer is longer than {max_body} bytes")
            elif isinstance(event, h11.EndOfMessage):
                assert head is not None  # noqa: S101 - h11 keeps the order
                headers = [(bytes(name), bytes(value)) for name, value in head.headers]
                return httpx.Response(head.status_code, headers=headers, content=body)
            elif isinstance(event, h11.ConnectionClosed):
                raise LineError("the connection was closed before an answer came")

    def _event(self) -> object:
        try:
            return self._http.next_event()
        except h11.RemoteProtocolError as error:
            cut = "the connection was closed before the answer was whole"
            raise LineError(cut if self._closed else "what came back is not HTTP/1.1") from error

    async def _feed(self) -> None:
        """Give the parser what has come; wait where nothing has."""
        data, self._plain = self._plain, b""
        while not data and not self._closed:
            await self._fill()
            data = self._decrypted()
        self._http.receive_data(data)

    def close(self) -> None:
        """Close the connection."""
        if self._socket is not None:
            self._socket.close()

    async def _flush(self) -> None:
        assert self._socket is not None  # noqa: S101 - it was opened
        if data := self._out.read():
            await asyncio.get_running_loop().sock_sendall(self._socket, data)

    async def _fill(self) -> None:
        assert self._socket is not None  # noqa: S101 - it was opened
        self._take(await asyncio.get_running_loop().sock_recv(self._socket, _CHUNK))

    def _take(self, data: bytes) -> None:
        if not data:
            self._closed = True
            self._in.write_eof()
        else:
            self._in.write(data)

    def _decrypted(self) -> bytes:
        """What has come in so far, in plain text."""
        if self._secure is None:
            return self._in.read()
        found = b""
        try:
            while data := self._secure.read(_CHUNK):
                found += data
            self._closed = True  # the end as TLS says it
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLEOFError:
            self._closed = True
        return found


def _encoded(http: h11.Connection, request: httpx.Request) -> bytes:
    """The request's bytes; the parser is told, since it decides how the answer is to be read."""
    head = h11.Request(
        method=request.method.encode("ascii"),
        target=request.url.raw_path,
        headers=list(request.headers.raw),
    )
    data = http.send(head) or b""
    if request.content:
        data += http.send(h11.Data(data=request.content)) or b""
    return data + (http.send(h11.EndOfMessage()) or b"")
