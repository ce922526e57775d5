"""The load client's connection, against servers that misbehave."""

import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from otpspec.errors import NotAllowedError, TargetError
from otpspec.guard import Guard, Rules, tls_context
from otpspec.load import connection
from otpspec.load.connection import Connection, NoAnswerError, Place

ASKED = b"POST /verify HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"

Serve = Callable[[socket.socket], None]


class Peer:
    """A server on a free port of loopback that treats each connection as it is told."""

    def __init__(self, treat: Serve, context: ssl.SSLContext | None = None) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._treat = treat
        self._context = context
        self.connections = 0
        self.requests = 0
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def origin(self) -> str:
        scheme = "http" if self._context is None else "https"
        return f"{scheme}://localhost:{self._listener.getsockname()[1]}"

    def ask(self, client: socket.socket) -> bool:
        """Wait for a request; False where the client has hung up."""
        data = b""
        while b"\r\n\r\n" not in data:
            more = client.recv(65536)
            if not more:
                return False
            data += more
        self.requests += 1
        return True

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self.connections += 1
                with suppress(OSError), client:
                    if self._context is not None:
                        client = self._context.wrap_socket(client, server_side=True)
                    self._treat(client)

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def peers() -> Iterator[list[Peer]]:
    made: list[Peer] = []
    yield made
    for peer in made:
        peer.close()


def peer(peers: list[Peer], treat: Callable[[Peer, socket.socket], None], **more: object) -> Peer:
    made = Peer(lambda client: treat(made, client), **more)  # type: ignore[arg-type]
    peers.append(made)
    return made


def place(origin: str, tls: ssl.SSLContext | None = None) -> Place:
    """Where an origin is, for a profile that names it and nothing else."""
    return Place(origin, Guard(Rules(tls=tls), [origin]))


def polite(peer: Peer, client: socket.socket) -> None:
    while peer.ask(client):
        client.sendall(OK)


def once(peer: Peer, client: socket.socket) -> None:
    if peer.ask(client):
        client.sendall(OK)


def mute(peer: Peer, client: socket.socket) -> None:
    peer.ask(client)
    client.recv(1)


def dropping(peer: Peer, client: socket.socket) -> None:
    peer.ask(client)


def trickling(peer: Peer, client: socket.socket) -> None:
    peer.ask(client)
    client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(1000):
        client.sendall(b"x")
        time.sleep(0.02)


def test_connection_is_kept_open(peers: list[Peer]) -> None:
    target = peer(peers, polite)
    line = Connection(place(target.origin), timeout=5)

    answers = [line.exchange(ASKED) for _ in range(20)]
    line.close()

    assert {answer.status for answer in answers} == {200}
    assert target.connections == 1


def test_connection_that_the_target_closed_meanwhile_is_not_used(
    peers: list[Peer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "_IDLE", 0.0)
    target = peer(peers, once)
    line = Connection(place(target.origin), timeout=5)

    line.exchange(ASKED)
    time.sleep(0.1)
    line.exchange(ASKED)

    assert (target.connections, target.requests) == (2, 2)


def test_request_that_got_no_answer_is_not_sent_again(peers: list[Peer]) -> None:
    target = peer(peers, dropping)
    line = Connection(place(target.origin), timeout=5)

    with pytest.raises(NoAnswerError, match=r"closed before the answer was whole|reset"):
        line.exchange(ASKED)

    time.sleep(0.1)
    assert target.requests == 1


@pytest.mark.parametrize("treat", [mute, trickling])
def test_whole_exchange_has_one_time_limit(
    peers: list[Peer], treat: Callable[[Peer, socket.socket], None]
) -> None:
    line = Connection(place(peer(peers, treat).origin), timeout=0.3)
    began = time.monotonic()

    with pytest.raises(NoAnswerError, match="no answer in time"):
        line.exchange(ASKED)

    assert 0.2 < time.monotonic() - began < 2.0


def test_time_limit_of_one_exchange_does_not_reach_into_the_next(peers: list[Peer]) -> None:
    line = Connection(place(peer(peers, polite).origin), timeout=0.3)
    for _ in range(5):
        line.exchange(ASKED)
        time.sleep(0.1)

    assert line.exchange(ASKED).status == 200


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        origin = f"http://127.0.0.1:{gone.getsockname()[1]}"
    line = Connection(place(origin), timeout=5)

    with pytest.raises(NoAnswerError, match="connection refused"):
        line.exchange(ASKED)


def test_long_request_is_sent_whole(peers: list[Peer]) -> None:
    size = 8_000_000

    def swallow(peer: Peer, client: socket.socket) -> None:
        left = size
        while left > 0:
            left -= len(client.recv(65536))
        client.sendall(OK)

    line = Connection(place(peer(peers, swallow).origin), timeout=20)

    assert line.exchange(b"x" * size).status == 200


@pytest.mark.parametrize("origin", ["http://192.0.2.1:8080", "https://[2001:db8::1]"])
def test_address_of_another_machine_is_never_tried(origin: str) -> None:
    with pytest.raises(NotAllowedError):
        place(origin)


def test_origin_without_a_host_is_refused() -> None:
    with pytest.raises(TargetError, match="has no host"):
        place("http://")


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of localhost that signs itself, and its key, in one file."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs openssl, to make a certificate")
    folder = tmp_path_factory.mktemp("tls")
    words = (
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost"
    )
    names = ["-addext", "subjectAltName=DNS:localhost", "-keyout", "key.pem", "-out", "cert.pem"]
    subprocess.run([openssl, *words.split(), *names], cwd=folder, check=True, capture_output=True)
    both = folder / "both.pem"
    both.write_text((folder / "key.pem").read_text() + (folder / "cert.pem").read_text())
    return both


@pytest.fixture
def secure(peers: list[Peer], certificate: Path) -> Peer:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return peer(peers, polite, context=context)


def test_tls_with_a_trusted_certificate(secure: Peer, certificate: Path) -> None:
    line = Connection(place(secure.origin, tls_context(ca=certificate)), timeout=5)

    assert [line.exchange(ASKED).status for _ in range(3)] == [200] * 3
    assert secure.connections == 1


def test_tls_with_an_unknown_certificate_is_refused(
    secure: Peer, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))  # which nobody asks
    line = Connection(place(secure.origin), timeout=5)

    with pytest.raises(NoAnswerError, match=r"(?i)certificate"):
        line.exchange(ASKED)


def test_each_exchange_has_the_whole_time_out_to_itself() -> None:
    def treat(client: socket.socket) -> None:
        while peer.ask(client):
            time.sleep(0.02)
            client.sendall(OK)

    peer = Peer(treat)
    patient = Connection(place(peer.origin), timeout=0.3)

    answers = [patient.exchange(ASKED) for _ in range(40)]  # 0.8 s in all

    assert [answer.status for answer in answers] == [200] * 40
    assert peer.connections == 1
