"""Whether the owner of a public origin agrees: a line in a file that only the owner can put there.

The profile holds a secret token; the file holds a hash of it that is bound to the origin. So
whoever reads the file cannot write a profile with it, and a file that is copied to another origin
proves nothing there.
"""

import hmac
import re
import secrets
import socket
import ssl
import time
from hashlib import sha256
from http.client import HTTPException, HTTPResponse
from io import BufferedReader, RawIOBase
from typing import Any

from otpspec.errors import NotAllowedError
from otpspec.guard.origin import Origin

SECONDS = 10.0
"""How long the whole reading of a file may take, connecting included."""

SHORTEST_TOKEN = 32
LONGEST_FILE = 4096

_PATH = re.compile(r"/\.well-known(/[A-Za-z0-9_-][A-Za-z0-9._-]*)+")


def new_token() -> str:
    """A token that nobody can guess, for a new profile."""
    return secrets.token_urlsafe(32)


def verification(token: str, origin: str) -> str:
    """The line that must be in the file at `origin` ("https://acs.example.com").

    Raises NotAllowedError where the token is so short that the file would tell it to who tries.
    """
    if len(token) < SHORTEST_TOKEN:
        raise NotAllowedError(
            f"The ownership_token has {len(token)} characters, and needs {SHORTEST_TOKEN}: "
            "its hash is public.\n"
            "Try: otpspec init makes one."
        )
    named = str(Origin.parse(origin)).encode()
    return f"otpspec-verification={hmac.new(token.encode(), named, sha256).hexdigest()}"


def check_path(path: str) -> None:
    """Raises NotAllowedError where others than the owner may be able to write at `path`.

    On many origins strangers keep files, or are answered with what they ask for. RFC 8615 keeps
    /.well-known/ for the owner.
    """
    if not _PATH.fullmatch(path):
        raise NotAllowedError(
            f"target.ownership_path {path!r} is no plain path under /.well-known/, where only the "
            "owner of an origin writes.\n"
            'Try: ownership_path = "/.well-known/otpspec-verification.txt"'
        )


def why_unproved(
    address: tuple[str, int], origin: Origin, *, path: str, line: str, tls: ssl.SSLContext | None
) -> str:
    """Read the file at an address itself; "" if the line is in it, else why this proves nothing."""
    try:
        status, body = _read(address, origin, path=path, tls=tls)
    except ssl.SSLCertVerificationError as error:
        return f"its certificate is not accepted ({error.verify_message})"
    except TimeoutError:
        return "no answer in time"
    except ConnectionRefusedError:
        return "connection refused"
    except OSError as error:
        return error.strerror or type(error).__name__
    except HTTPException:
        return "its answer is not HTTP"
    if 300 <= status < 400:
        return f"HTTP {status}: redirects are not followed"
    if status != 200:
        return f"HTTP {status}"
    if len(body) > LONGEST_FILE:
        return f"the file is longer than {LONGEST_FILE} bytes"
    lines = [found.strip() for found in body.splitlines()]
    if not any([hmac.compare_digest(found, line.encode()) for found in lines]):  # noqa: C419 - all
        return "the line is not in the file"
    return ""


def _read(
    address: tuple[str, int], origin: Origin, *, path: str, tls: ssl.SSLContext | None
) -> tuple[int, bytes]:
    """Status, and of the body a byte more than is allowed at most."""
    ends = time.monotonic() + SECONDS
    asked = (
        f"GET {path} HTTP/1.1\r\nHost: {origin.place}\r\nUser-Agent: otpspec\r\n"
        "Accept: text/plain, */*;q=0.1\r\nAccept-Encoding: identity\r\nConnection: close\r\n\r\n"
    )
    connected = _connect(address)
    try:
        if tls is not None:
            if tls.verify_mode is not ssl.CERT_REQUIRED or not tls.check_hostname:
                raise ssl.SSLError(0, "certificates would not be verified")
            connected.settimeout(_left(ends))
            connected = tls.wrap_socket(connected, server_hostname=origin.host)
        connected.settimeout(_left(ends))
        connected.sendall(asked.encode("ascii"))
        answer = HTTPResponse(_Timed(connected, ends), method="GET")  # type: ignore[arg-type]
        answer.begin()
        return answer.status, answer.read(LONGEST_FILE + 1)
    finally:
        connected.close()


def _connect(address: tuple[str, int]) -> socket.socket:
    """A connection to an address, never to a name."""
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    connected = socket.socket(family, socket.SOCK_STREAM)
    try:
        connected.settimeout(SECONDS)
        connected.connect(address)
    except BaseException:
        connected.close()
        raise
    return connected


def _left(ends: float) -> float:
    left = ends - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


class _Timed(RawIOBase):
    """What comes from a socket, until a moment: byte by byte would not go on for ever."""

    def __init__(self, connected: socket.socket, ends: float) -> None:
        self._connected = connected
        self._ends = ends

    def makefile(self, mode: str) -> BufferedReader:
        """As a socket would give itself to HTTPResponse."""
        return BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._connected.settimeout(_left(self._ends))
        return self._connected.recv_into(buffer)
