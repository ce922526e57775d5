"""Small HTTP servers: each takes connections in another way, and notes what came when."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Listening:
    """A server, and what it saw: when each request was whole, and its bytes."""

    port: int
    whole_s: list[float] = field(default_factory=list)
    requests: list[bytes] = field(default_factory=list)
    opened: int = 0


Serve = Callable[[Any, "Listening"], None]
"""Takes a connection and the notes."""

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nSet-Cookie: seen=1\r\n\r\nok"


def read(connection: Any, notes: Listening) -> bytes:
    """A whole request."""
    data = b""
    while b"\r\n\r\n" not in data or len(data) < _length(data):
        part = connection.recv(65536)
        if not part:
            return b""
        data += part
    notes.whole_s.append(time.monotonic())
    notes.requests.append(data)
    return data


def _length(data: bytes) -> int:
    head, _, _ = data.partition(b"\r\n\r\n")
    found = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return len(head) + 4 + (int(found[0].split(b":")[1]) if found else 0)


def answer_all(connection: Any, notes: Listening, pause_s: float = 0.02) -> None:
    """Wait for the whole request, think, and answer."""
    if read(connection, notes):
        time.sleep(pause_s)
        connection.sendall(OK)


def answer_at_head(connection: Any, notes: Listening) -> None:
    """Answer as soon as the head is there, as what needs no body does."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    notes.requests.append(data)
    connection.sendall(OK)
    connection.recv(65536)


def answer_in_turn() -> Serve:
    """One connection after the other: the next is read when this one's client has hung up."""
    turn = threading.Lock()

    def serve(connection: Any, notes: Listening) -> None:
        with turn:
            if read(connection, notes):
                connection.sendall(OK)
                connection.shutdown(socket.SHUT_WR)
                connection.recv(1)

    return serve


def hang_up(connection: Any, notes: Listening) -> None:
    """Wait for the whole request, and close."""
    read(connection, notes)


def mute(connection: Any, notes: Listening) -> None:
    """Wait for the whole request, and say nothing."""
    read(connection, notes)
    time.sleep(2)


@contextmanager
def listening(
    serve: Serve, *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1", port: int = 0
) -> Iterator[Listening]:
    """Serve, a thread for each connection, for as long as the block lasts."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, port), family=family, backlog=128) as listener:
        notes = Listening(listener.getsockname()[1])

        def one(connection: socket.socket) -> None:
            with connection:
                try:
                    wrapped = tls.wrap_socket(connection, server_side=True) if tls else connection
                    serve(wrapped, notes)
                except OSError:
                    pass

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                notes.opened += 1
                threading.Thread(target=one, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield notes
        listener.shutdown(socket.SHUT_RDWR)
