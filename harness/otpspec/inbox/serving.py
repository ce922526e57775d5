"""A server of ours: where it listens, and the thread in which it runs."""

import asyncio
import contextlib
import errno
import os
import re
import socket
import threading
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from otpspec.errors import TargetError

BACKLOG = 2048
STOPPED_WITHIN = 2.0
"""Seconds after which a thread that does not end is left alone; it is a daemon."""

STARTED_WITHIN = 10.0
_LISTEN = re.compile(r"(?:\[(?P<six>[^\[\]\s]+)\]|(?P<host>[^\[\]\s:/]+)):(?P<port>[0-9]{1,5})")


class Listen(NamedTuple):
    """Where a server listens, as its user writes it."""

    host: str
    port: int  # 0: any that is free

    def __str__(self) -> str:
        """'127.0.0.1:1025', '[::1]:1025'."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_listen(text: str, *, like: str) -> Listen:
    """'host:port' in two parts. Raises ValueError with what to write, `like` being an example."""
    match = _LISTEN.fullmatch(text.strip())
    if match is None or int(match["port"]) > 65535:
        raise ValueError(
            f'{text!r} is no address to listen on; write "{like}", '
            'or "[::1]:PORT" for IPv6, with a port from 0 (any that is free) to 65535'
        )
    return Listen(match["six"] or match["host"], int(match["port"]))


def bind(listen: Listen) -> list[socket.socket]:
    """Listen on every address of the host ("localhost" has two), on one port.

    Raises TargetError where that cannot be done.
    """
    sockets: list[socket.socket] = []
    try:
        found = socket.getaddrinfo(
            listen.host, listen.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        addresses = list(dict.fromkeys((info[0], info[4]) for info in found))
        for family, address in addresses:
            port = sockets[0].getsockname()[1] if sockets else listen.port
            try:
                sockets.append(_bound(family, (address[0], port, *address[2:]), len(addresses) > 1))
            except OSError as error:
                missing = error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
                if not missing or (not sockets and (family, address) == addresses[-1]):
                    raise  # a machine without IPv6 has one address of "localhost" less
    except (OSError, UnicodeError) as error:
        for one in sockets:
            one.close()
        raise TargetError(_cannot(listen, error)) from error
    return sockets


def _bound(family: int, address: tuple[object, ...], only_six: bool) -> socket.socket:
    one = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name == "posix":  # elsewhere it would let two programs have the same port
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6 and only_six:
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        one.bind(address)
        one.listen(BACKLOG)
    except BaseException:
        one.close()
        raise
    return one


def _cannot(listen: Listen, error: Exception) -> str:
    code = getattr(error, "errno", None)
    if code == errno.EADDRINUSE:
        return (
            f"Another program listens on {listen}.\n"
            "Try: end it (an earlier run, perhaps), or give the inbox another port with "
            "inbox.listen, and the target the same."
        )
    if code == errno.EACCES:
        return (
            f"This user may not listen on {listen} ({os.strerror(errno.EACCES).lower()}).\n"
            "Try: a port above 1023 in inbox.listen, and in the target's settings."
        )
    return (
        f"The inbox cannot listen on {listen} ({error}).\n"
        "Try: check the host in inbox.listen; it must be an address of this machine."
    )


Serve = Callable[[list[socket.socket], Callable[[], None], asyncio.Event], Awaitable[None]]
"""Serves on sockets, calls its second argument once it does, and ends when the event is set."""


class Serving:
    """A server in a thread, with an event loop of its own: none of its work is the run's."""

    def __init__(self, name: str, listen: Listen, serve: Serve) -> None:
        self._name = name
        self._listen = listen
        self._serve = serve
        self._sockets: list[socket.socket] = []
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._up = threading.Event()
        self._error: BaseException | None = None

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens. Raises RuntimeError where it is not open."""
        if not self._sockets:
            raise RuntimeError("the inbox is not open")
        host, port = self._sockets[0].getsockname()[:2]
        return str(host), int(port)

    def open(self) -> None:
        """Listen, and begin to serve. Raises TargetError where the address cannot be had."""
        if self._thread is not None:
            return
        self._sockets = bind(self._listen)
        self._up.clear()
        self._error = None
        self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        self._thread.start()
        self._up.wait(STARTED_WITHIN)
        if self._error is not None or not self._up.is_set():
            why = self._error or "it did not start in time"
            self.close()
            raise TargetError(_cannot(self._listen, Exception(str(why))))

    def close(self) -> None:
        """End the thread and what it serves. May be repeated."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        if self._loop is not None and self._stop is not None:
            with contextlib.suppress(RuntimeError):  # its loop has ended by itself
                self._loop.call_soon_threadsafe(self._stop.set)
        thread.join(STOPPED_WITHIN)
        for one in self._sockets:
            one.close()
        self._sockets = []

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
        except Exception as error:
            self._error = error
        finally:
            self._up.set()

    async def _main(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        await self._serve(self._sockets, self._up.set, self._stop)
