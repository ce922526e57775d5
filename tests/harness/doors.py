"""Names that mean what a test says, and a watch on every address that is tried.

The resolver is the one thing here that cannot be real: no name of a test may be somebody's.
test_guard_for_real.py does without it, in a network of its own.
"""

import socket
from typing import Any

import pytest

from otpspec.guard import ownership


class Doors:
    """Which addresses were tried: every connect of this process, whoever asks for it."""

    def __init__(self) -> None:
        self.tried: list[Any] = []

    @property
    def hosts(self) -> set[str]:
        """The addresses without their ports."""
        return {address[0] for address in self.tried}


def watched(monkeypatch: pytest.MonkeyPatch) -> Doors:
    """Watches `connect` of every socket; one that is not of this machine is never made."""
    found = Doors()

    class Watched(socket.socket):
        def connect(self, address: Any) -> None:
            found.tried.append(address)
            if isinstance(address, tuple) and not address[0].startswith(("127.", "::1")):
                raise ConnectionRefusedError("a test must not leave this machine")
            super().connect(address)

        def connect_ex(self, address: Any) -> int:
            self.connect(address)
            return 0

    monkeypatch.setattr(socket, "socket", Watched)
    return found


def names(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Let every name mean these addresses, one list for each time that one is asked for.

    What was asked for.
    """
    asked: list[str] = []
    real = socket.getaddrinfo

    def getaddrinfo(host: Any, port: Any, *_: Any, **__: Any) -> list[Any]:
        text = host.decode() if isinstance(host, bytes) else str(host)
        if text[0].isdigit() or ":" in text:  # an address stays what it is
            return real(host, port, *_, **__)
        addresses = answers[min(len(asked), len(answers) - 1)]
        asked.append(text)
        return [
            (
                socket.AF_INET6 if ":" in address else socket.AF_INET,
                socket.SOCK_STREAM,
                6,
                "",
                (address, int(port), 0, 0) if ":" in address else (address, int(port)),
            )
            for address in addresses
        ]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


def leads(monkeypatch: pytest.MonkeyPatch, **servers: str) -> list[tuple[str, int]]:
    """Let the reading of an owner's file reach these servers: leads(m, **{"8.8.8.8": url}).

    The addresses that were read from. Everything else of the reading is real.
    """
    read: list[tuple[str, int]] = []
    real = ownership._connect

    def connect(address: tuple[str, int]) -> socket.socket:
        read.append(address)
        if address[0] not in servers:
            raise ConnectionRefusedError
        return real(("127.0.0.1", int(servers[address[0]].rpartition(":")[2])))

    monkeypatch.setattr(ownership, "_connect", connect)
    return read
