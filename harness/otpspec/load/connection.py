"""One kept-open HTTP connection on gevent, to an address that the guard has verified."""

import time
from typing import Any

from gevent import getcurrent, select, socket
from gevent.hub import get_hub
from gevent.ssl import SSLSocket

from otpspec.guard import Address, Guard
from otpspec.guard.origin import Origin
from otpspec.load.wire import Answer, NotHttpError, Parser

_IDLE = 0.5
"""Seconds after which a connection is looked at before use: the target may have closed it."""

_CHUNK = 65536


class NoAnswerError(Exception):
    """No answer came; the message says why. The request may have been carried out all the same."""


class Place:
    """Where a target is: verified before anything is sent, and asked of the guard ever after."""

    def __init__(self, origin: str, guard: Guard) -> None:
        """Raises NotAllowedError where it may not be connected to, TargetError without address."""
        if type(guard) is not Guard:  # one that says yes to everything would be a way around it
            raise TypeError(f"a place needs a Guard itself, not {type(guard).__name__}")
        guard.check(origin)
        where = Origin.parse(origin)
        self._guard = guard
        self._where = where
        self.origin = origin
        self.host = where.place
        self.server_name = where.host
        self.tls = guard.tls if where.scheme == "https" else None
        _ = self.addresses

    @property
    def addresses(self) -> list[Address]:
        """The addresses that may be connected to."""
        return self._guard.addresses(self._where.host, self._where.port)


class Connection:
    """Sends a request and waits for its answer, one at a time. Nothing is ever sent twice."""

    def __init__(self, place: Place, timeout: float) -> None:
        """`timeout`: seconds for a whole exchange, connecting included."""
        self._place = place
        self._hub = get_hub()
        self._timer = self._hub.loop.timer(timeout, repeat=timeout)
        self._socket: socket.socket | None = None
        self._readable: Any = None  # watches the socket; None for TLS, which may hold bytes back
        self._parser = Parser()
        self._used = 0.0

    def exchange(self, data: bytes) -> Answer:
        """Send a request's bytes; its whole answer. Raises NoAnswerError."""
        # As gevent.Timeout does it, without an object made for each exchange. `again`: a timer that
        # is stopped and started goes on with what was left of its time, down to nothing.
        # `update`: the loop's own time may be that of a while ago.
        self._timer.again(getcurrent().throw, TimeoutError, update=True)
        try:
            answer = self._exchange(data)
        except TimeoutError:
            self.close()
            raise NoAnswerError("no answer in time") from None
        except ConnectionRefusedError:
            raise NoAnswerError("connection refused") from None
        except (ConnectionResetError, BrokenPipeError):
            self.close()
            raise NoAnswerError("connection reset") from None
        except (OSError, NotHttpError) as error:
            self.close()
            raise NoAnswerError(str(error)) from error
        except BaseException:
            self.close()  # the run ends amid an exchange
            raise
        finally:
            self._timer.stop()
        if self._parser.reusable:
            self._used = time.monotonic()
        else:
            self.close()
        return answer

    def close(self) -> None:
        """Close the connection; the next exchange opens another."""
        if self._readable is not None:
            self._readable.close()
            self._readable = None
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _exchange(self, data: bytes) -> Answer:
        connected = self._ready()
        sent = connected.send(data)
        while sent < len(data):
            sent += connected.send(data[sent:])
        parser, readable, wait = self._parser, self._readable, self._hub.wait
        answer = None
        while answer is None:
            if readable is not None:
                wait(readable)  # an answer is never there yet: to ask first costs a system call
            answer = parser.take(connected.recv(_CHUNK))
        return answer

    def _ready(self) -> socket.socket:
        if self._socket is not None and time.monotonic() - self._used > _IDLE and self._is_stale():
            self.close()
        if self._socket is None:
            self._socket = connected = self._connect()
            if self._place.tls is None:
                self._readable = self._hub.loop.io(connected.fileno(), 1)
            self._parser = Parser()
        return self._socket

    def _is_stale(self) -> bool:
        """Whether an idle connection has something to read: its end, or what nobody asked for."""
        assert self._socket is not None  # noqa: S101 - for the type checker
        return bool(select.select([self._socket], [], [], 0)[0])

    def _connect(self) -> socket.socket:
        addresses = self._place.addresses
        for index, address in enumerate(addresses):
            try:
                connected = socket.create_connection(address)
                break
            except OSError:
                if index == len(addresses) - 1:
                    raise
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._place.tls is None:
            return connected
        try:
            # Its context may have been made before Locust patched the process, and would wait for
            # the network with all payers at once.
            return SSLSocket(
                connected, server_hostname=self._place.server_name, _context=self._place.tls
            )
        except BaseException:
            connected.close()
            raise
