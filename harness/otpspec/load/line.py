"""One kept-open connection on the hub's watchers: asks, hears, and never asks the same twice."""

import errno
import os
import socket as plain
import ssl
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from gevent import monkey

from otpspec.load.tls import Tls
from otpspec.load.wire import Answer, NotHttpError, Parser

if TYPE_CHECKING:
    from otpspec.load.engine import Pool

_socket: Any = monkey.get_original(
    "socket", "socket"
)  # Locust patches the process; this blocks not
_READ, _WRITE = 1, 2
_CHUNK = 4096
_now = time.monotonic


class Call(Protocol):
    """One request under way."""

    data: bytes
    due: float
    """When it should be sent, as `time.monotonic` shows it."""

    sent: float
    """When it was; set by the line."""

    full: bool
    """Whether the answer's headers are wanted."""

    def answered(self, status: int, body: bytes, answer: Answer | None, returned: float) -> None:
        """An answer came. `answer` holds its headers, where they are wanted or set cookies."""

    def failed(self, why: str, returned: float) -> None:
        """None came. The request may have been carried out all the same."""


class Line:
    """A connection that serves one call at a time."""

    __slots__ = (
        *("_addresses", "_parser", "_pool", "_reader", "_recv", "_rest", "_send", "_socket"),
        *("_end", "_tls", "_why", "_writer", "call", "since"),
    )

    def __init__(self, pool: "Pool", call: Call) -> None:
        """Connect, and then serve the call."""
        self._pool = pool
        self._parser = Parser()
        self._addresses = iter(pool.place.addresses)
        self._socket: Any = None
        self._reader: Any = None
        self._writer: Any = None
        self._tls: Tls | None = None
        self._send: Callable[[Any, bytes], int] = os.write
        self._recv: Callable[[Any, int], bytes] = os.read
        self._end: Any = None
        """What both are given first: the socket's descriptor, which is cheaper than the socket; or
        the TLS over it."""

        self._why = "it has no address"
        self._rest = b""  # of a request, what the socket has not taken yet
        self.call: Call | None = call
        self.since = _now()
        """When its call was begun: connecting is a part of it."""

    # --- connecting -----------------------------------------------------------------------------

    def connect(self) -> None:
        """Try the next of the target's addresses."""
        for address in self._addresses:
            try:
                family = plain.AF_INET6 if ":" in address[0] else plain.AF_INET
                self._socket = connecting = _socket(family, plain.SOCK_STREAM)
                connecting.setblocking(False)
                failed = connecting.connect_ex(address)
            except OSError as error:
                failed = error.errno or errno.EIO
            if failed in (0, errno.EINPROGRESS):
                descriptor = connecting.fileno()
                self._reader = self._pool.loop.io(descriptor, _READ)
                self._writer = self._pool.loop.io(descriptor, _WRITE)
                self._writer.start(self._guarded, self._connected)
                return
            self._why = _words(failed)
            self._shut()
        self.lost(self._why)

    def _connected(self) -> None:
        failed = self._socket.getsockopt(plain.SOL_SOCKET, plain.SO_ERROR)
        if failed:
            self._why = _words(failed)
            self._shut()
            self.connect()
            return
        self._writer.stop()
        self._socket.setsockopt(plain.IPPROTO_TCP, plain.TCP_NODELAY, 1)
        place = self._pool.place
        if place.tls is None:
            self._end = self._socket.fileno()
            self._ready()
        else:
            self._end = self._tls = Tls(self._socket, place.tls, place.server_name)
            self._send, self._recv = Tls.send, Tls.recv
            self._reader.start(self._guarded, self._shake)
            self._shake()

    def _shake(self) -> None:
        tls = self._tls
        assert tls is not None  # noqa: S101 - for the type checker
        try:
            done = tls.handshake()
        except OSError as error:
            self.lost(_said(error))
            return
        if tls.wants_write:
            self._writer.start(self._guarded, self._writable)
        if done:
            self._reader.stop()
            self._ready()

    def _ready(self) -> None:
        if self._tls is None:
            self._reader.start(self._readable)
        else:
            self._reader.start(self._guarded, self._drain)
        self._pool.connected(self)
        since = self.since
        self.begin()
        self.since = since

    # --- asking and hearing ---------------------------------------------------------------------

    def begin(self) -> None:
        """Send its call's request."""
        call = self.call
        if call is None or self._socket is None:
            return  # it was lost meanwhile, and its call was told
        self._parser.begin()
        data = call.data
        call.sent = self.since = _now()
        try:
            sent = self._send(self._end, data)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            self.lost(_said(error))
            return
        if sent < len(data):
            self._rest = data[sent:]
            self._writer.start(self._guarded, self._writable)
        elif self._tls is not None and self._tls.wants_write:
            self._writer.start(self._guarded, self._writable)

    def _writable(self) -> None:
        tls = self._tls
        try:
            if tls is not None:
                tls.flush()
            if self._rest:
                self._rest = self._rest[self._send(self._end, self._rest) :]
        except BlockingIOError:
            return
        except OSError as error:
            self.lost(_said(error))
            return
        if not self._rest and not (tls is not None and tls.wants_write):
            self._writer.stop()

    def _drain(self) -> None:
        """By TLS, more may have been decrypted than the socket tells of."""
        while self._socket is not None and self._readable():
            pass

    def _readable(self) -> bool:
        """Take in what has come; whether anything had."""
        try:
            try:
                data = self._recv(self._end, _CHUNK)
            except BlockingIOError:
                return False
            call, parser = self.call, self._parser
            if call is None:  # the target has closed it, or says what nobody asked for
                self._pool.drop(self)
            elif parser.take(data):
                returned = _now()
                self.call = None
                answer = parser.answer() if call.full or parser.sets_cookies() else None
                pool = self._pool
                if parser.kept_alive and not parser.surplus and not self._rest:
                    pool.release(self)
                else:
                    pool.drop(self)
                pool.heard((call, parser.status, parser.body, answer, returned))
        except (OSError, NotHttpError) as error:
            self.lost(_said(error))
            return False
        except Exception as error:  # the hub would only print it
            self._pool.fail(error)
            return False
        return True

    def _guarded(self, act: Callable[[], object]) -> None:
        """What goes wrong in the harness ends the run; the hub would only print it."""
        try:
            act()
        except Exception as error:
            self._pool.fail(error)

    # --- ending ---------------------------------------------------------------------------------

    def lost(self, why: str) -> None:
        """Give the connection up, and its call with it: it may have been carried out."""
        call, self.call = self.call, None
        self._pool.drop(self)
        if call is not None:
            call.failed(why, _now())

    def close(self) -> None:
        """Close the connection."""
        self._rest = b""
        self._shut()

    def _shut(self) -> None:
        for watcher in (self._reader, self._writer):
            if watcher is not None:
                watcher.stop()
                watcher.close()
        self._reader = self._writer = None
        if self._socket is not None:
            self._socket.close()
            self._socket = self._end = None


def _words(number: int) -> str:
    known = {errno.ECONNREFUSED: "connection refused", errno.EMFILE: "too many open files"}
    return known.get(number) or os.strerror(number).lower()


def _said(error: OSError | NotHttpError) -> str:
    if isinstance(error, NotHttpError):
        return str(error)
    if isinstance(error, ConnectionResetError | BrokenPipeError):
        return "connection reset"
    if isinstance(error, ssl.SSLError):
        return str(error.reason or error).lower().replace("_", " ")
    return (error.strerror or str(error)).lower()
