"""A proxy that holds each request until it is whole, as nginx does; and one that lets one at a
time through to the target."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

from .targets import Listening, listening, read


@dataclass(frozen=True)
class Proxy:
    """What listens in the target's place."""

    url: str
    token: str = ""


@contextmanager
def buffering(port: int, *, in_turn: bool) -> Iterator[Proxy]:
    """Before the target on this port."""
    turn = threading.Lock() if in_turn else nullcontext()

    def serve(connection: socket.socket, notes: Listening) -> None:
        whole = read(connection, notes)
        if not whole:
            return
        with turn, socket.create_connection(("127.0.0.1", port)) as target:
            target.sendall(whole.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))
            answer = b""
            while part := target.recv(65536):
                answer += part
        connection.sendall(answer.replace(b"\r\n", b"\r\nVia: 1.1 front\r\n", 1))

    with listening(serve) as proxy:
        yield Proxy(f"http://127.0.0.1:{proxy.port}")
