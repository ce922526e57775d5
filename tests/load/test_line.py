"""The load client's connections, against servers that misbehave."""

import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import gevent
import pytest
from gevent.event import Event

from otpspec.errors import NotAllowedError, TargetError
from otpspec.guard import Guard, Rules, tls_context
from otpspec.load.engine import Engine
from otpspec.load.once import NoAnswerError
from otpspec.load.place import Place
from otpspec.load.wire import Answer

ASKED = b"POST /verify HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"

Serve = Callable[[socket.socket], None]


def place(origin: str, tls: ssl.SSLContext | None = None) -> Place:
    return Place(origin, Guard(Rules(tls=tls), [origin]))


class Asked:
    """A call that remembers what became of it."""

    def __init__(self, data: bytes = ASKED, *, full: bool = False) -> None:
        self.data = data
        self.due = self.sent = 0.0
        self.full = full
        self.status = 0
        self.body = b""
        self.answer: Answer | None = None
        self.why = ""
        self.over = Event()
        self.returned = 0.0

    def answered(self, status: int, body: bytes, answer: Answer | None, returned: float) -> None:
        self.status, self.body, self.answer, self.returned = status, body, answer, returned
        self.over.set()

    def failed(self, why: str, returned: float) -> None:
        self.why, self.returned = why, returned
        self.over.set()


class Client:
    """An engine with one target, asked one thing at a time or many at once."""

    def __init__(self, where: Place, *, timeout: float = 5.0, most: int = 1) -> None:
        self.faults: list[Exception] = []
        self.waits: list[float] = []
        self.engine = Engine(
            timeout=timeout,
            most=most,
            fail=self.faults.append,
            waited=lambda since, until: self.waits.append(until - since),
        )
        self.pool = self.engine.pool(where)

    def begin(self, data: bytes = ASKED, *, full: bool = False) -> Asked:
        call = Asked(data, full=full)
        call.due = time.monotonic()
        self.pool.submit(call)
        return call

    def exchange(self, data: bytes = ASKED, *, full: bool = False) -> Asked:
        call = self.begin(data, full=full)
        assert call.over.wait(20)
        assert not self.faults
        if call.why:
            raise NoAnswerError(call.why)
        return call


@pytest.fixture
def clients() -> Iterator[Callable[..., Client]]:
    made: list[Client] = []

    def make(origin: str, tls: ssl.SSLContext | None = None, **more: Any) -> Client:
        made.append(Client(place(origin, tls), **more))
        return made[-1]

    yield make
    for client in made:
        client.engine.close()


class Peer:
    """A server on a free port of loopback that treats each connection as it is told."""

    def __init__(
        self, treat: Serve, context: ssl.SSLContext | None = None, *, threads: bool = False
    ) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._treat = treat
        self._context = context
        self.connections = 0
        self.requests = 0
        self.at_once = self.most_at_once = 0
        self._threads = threads
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
                if self._threads:
                    threading.Thread(target=self._apart, args=(client,), daemon=True).start()
                    continue
                with suppress(OSError), client:
                    if self._context is not None:
                        client = self._context.wrap_socket(client, server_side=True)
                    self._treat(client)

    def _apart(self, client: socket.socket) -> None:
        with suppress(OSError), client:
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


def polite(peer: Peer, client: socket.socket) -> None:
    while peer.ask(client):
        client.sendall(OK)


def slowly(peer: Peer, client: socket.socket) -> None:
    while peer.ask(client):
        peer.at_once += 1
        peer.most_at_once = max(peer.most_at_once, peer.at_once)
        time.sleep(0.05)
        peer.at_once -= 1
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


Clients = Callable[..., Client]


def test_connection_is_kept_open(peers: list[Peer], clients: Clients) -> None:
    target = peer(peers, polite)
    client = clients(target.origin)

    answers = [client.exchange() for _ in range(20)]

    assert {answer.status for answer in answers} == {200}
    assert target.connections == 1


def test_connection_that_the_target_closed_meanwhile_is_not_used(
    peers: list[Peer], clients: Clients
) -> None:
    target = peer(peers, once)
    client = clients(target.origin)

    client.exchange()
    gevent.sleep(0.1)
    client.exchange()

    assert (target.connections, target.requests) == (2, 2)


def test_request_that_got_no_answer_is_not_sent_again(peers: list[Peer], clients: Clients) -> None:
    target = peer(peers, dropping)
    client = clients(target.origin)

    with pytest.raises(NoAnswerError, match=r"closed before the answer was whole|reset"):
        client.exchange()

    gevent.sleep(0.1)
    assert target.requests == 1


def test_what_nobody_asked_for_ends_the_connection(peers: list[Peer], clients: Clients) -> None:
    def chatty(peer: Peer, client: socket.socket) -> None:
        peer.ask(client)
        client.sendall(OK)
        time.sleep(0.05)
        client.sendall(OK.replace(b"200", b"403"))
        client.recv(1)

    target = peer(peers, chatty)
    client = clients(target.origin)

    first = client.exchange()
    gevent.sleep(0.15)
    second = client.exchange()

    assert (first.status, second.status) == (200, 200)
    assert target.connections == 2


@pytest.mark.parametrize("treat", [mute, trickling])
def test_whole_exchange_has_one_time_limit(
    peers: list[Peer], treat: Callable[[Peer, socket.socket], None], clients: Clients
) -> None:
    client = clients(peer(peers, treat).origin, timeout=0.3)
    began = time.monotonic()

    with pytest.raises(NoAnswerError, match="no answer in time"):
        client.exchange()

    assert 0.2 < time.monotonic() - began < 2.0


def test_each_exchange_has_the_whole_time_out_to_itself(
    peers: list[Peer], clients: Clients
) -> None:
    def slow(peer: Peer, client: socket.socket) -> None:
        while peer.ask(client):
            time.sleep(0.02)
            client.sendall(OK)

    target = peer(peers, slow)
    client = clients(target.origin, timeout=0.3)

    answers = [client.exchange() for _ in range(40)]  # 0.8 s in all

    assert [answer.status for answer in answers] == [200] * 40
    assert target.connections == 1


def test_nobody_listens(clients: Clients, unused_port: int) -> None:
    client = clients(f"http://127.0.0.1:{unused_port}")

    with pytest.raises(NoAnswerError, match="connection refused"):
        client.exchange()


def test_next_address_is_tried_where_nobody_listens(peers: list[Peer], clients: Clients) -> None:
    target = peer(peers, polite)  # localhost is ::1, too, where the peer does not listen
    client = clients(target.origin)

    assert client.exchange().status == 200


def test_long_request_is_sent_whole(peers: list[Peer], clients: Clients) -> None:
    size = 8_000_000

    def swallow(peer: Peer, client: socket.socket) -> None:
        left = size
        while left > 0:
            left -= len(client.recv(65536))
        client.sendall(OK)

    client = clients(peer(peers, swallow).origin, timeout=20)

    assert client.exchange(b"x" * size).status == 200


def test_chunked_answer_is_read_whole(peers: list[Peer], clients: Clients) -> None:
    def chunked(peer: Peer, client: socket.socket) -> None:
        while peer.ask(client):
            client.sendall(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{"a')
            time.sleep(0.02)
            client.sendall(b'\r\n4\r\n":1}\r\n0\r\n\r\n')

    target = peer(peers, chunked)
    client = clients(target.origin)

    assert [client.exchange().body for _ in range(2)] == [b'{"a":1}'] * 2
    assert target.connections == 1


def test_cookies_are_seen_though_headers_were_not_asked_for(
    peers: list[Peer], clients: Clients
) -> None:
    def baker(peer: Peer, client: socket.socket) -> None:
        while peer.ask(client):
            client.sendall(OK.replace(b"\r\n", b"\r\nSet-Cookie: sid=1; Path=/\r\n", 1))

    answer = clients(peer(peers, baker).origin).exchange().answer

    assert answer is not None
    assert answer.cookies == ("sid=1; Path=/",)


def test_headers_are_read_where_they_are_asked_for(peers: list[Peer], clients: Clients) -> None:
    client = clients(peer(peers, polite).origin)

    full, bare = client.exchange(full=True).answer, client.exchange().answer

    assert full == Answer(200, {"content-length": "2"}, b"{}")
    assert bare is None


def test_connections_are_bounded_and_the_rest_waits_its_turn(
    peers: list[Peer], clients: Clients
) -> None:
    target = peer(peers, slowly, threads=True)
    client = clients(target.origin, most=3)

    calls = [client.begin() for _ in range(12)]
    for call in calls:
        assert call.over.wait(10)

    assert {call.status for call in calls} == {200}
    assert target.connections == 3
    assert target.most_at_once == 3
    assert len(client.waits) == 9
    order = [call.sent for call in calls[3:]]
    assert order == sorted(order)


def test_no_request_is_sent_before_the_answer_to_the_one_before(
    peers: list[Peer], clients: Clients
) -> None:
    pipelined: list[int] = []

    def watchful(peer: Peer, client: socket.socket) -> None:
        while peer.ask(client):
            time.sleep(0.02)
            client.setblocking(False)
            with suppress(BlockingIOError):
                pipelined.append(len(client.recv(65536)))
            client.setblocking(True)
            client.sendall(OK)

    client = clients(peer(peers, watchful).origin, most=1)
    calls = [client.begin() for _ in range(5)]
    for call in calls:
        assert call.over.wait(10)

    assert pipelined == []


def test_a_lost_connection_is_replaced_for_those_who_wait(
    peers: list[Peer], clients: Clients
) -> None:
    target = peer(peers, dropping)
    client = clients(target.origin, most=1)

    calls = [client.begin() for _ in range(4)]
    for call in calls:
        assert call.over.wait(10)

    assert [bool(call.why) for call in calls] == [True] * 4
    assert target.requests == 4


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


def test_tls_with_a_trusted_certificate(secure: Peer, certificate: Path, clients: Clients) -> None:
    client = clients(secure.origin, tls_context(ca=certificate))

    assert [client.exchange().status for _ in range(3)] == [200] * 3
    assert secure.connections == 1


def test_tls_with_an_unknown_certificate_is_refused(secure: Peer, clients: Clients) -> None:
    with pytest.raises(NoAnswerError, match=r"(?i)certificate"):
        clients(secure.origin).exchange()


def test_long_request_and_answer_pass_through_tls(
    peers: list[Peer], certificate: Path, clients: Clients
) -> None:
    size = 900_000

    def echo(peer: Peer, client: socket.socket) -> None:
        left = size
        while left > 0:
            left -= len(client.recv(65536))
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n".encode()
        client.sendall(head + b"y" * size)
        client.recv(1)

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    target = peer(peers, echo, context=context)
    client = clients(target.origin, tls_context(ca=certificate), timeout=20)

    assert client.exchange(b"x" * size).body == b"y" * size


def test_server_that_speaks_no_tls_is_no_answer(peers: list[Peer], clients: Clients) -> None:
    target = peer(peers, polite)
    client = clients(target.origin.replace("http:", "https:"), timeout=1)

    with pytest.raises(NoAnswerError):
        client.exchange()
