"""No request leaves by another way than the guard's, whatever way it is asked for."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpcore
import httpx
import pytest

from otpspec.errors import NotAllowedError
from otpspec.exchange import Access, Wire
from otpspec.guard import Guard, GuardedTransport, Rules
from otpspec.load.once import exchange
from otpspec.load.place import Place
from otpspec.profile import Raw, Request

from .doors import Doors, names, watched
from .samples import read
from .scripted import Scripted, scripted

Done = Any
NOWHERE = "192.0.2.1"  # RFC 5737: an address for examples, which belongs to nobody


@pytest.fixture
def doors(monkeypatch: pytest.MonkeyPatch) -> Doors:
    return watched(monkeypatch)


@pytest.fixture
def server() -> Iterator[Scripted]:
    with scripted(lambda asked: (200, {})) as running:
        yield running


def port_of(server: Scripted) -> int:
    return int(server.url.rpartition(":")[2])


def get(url: str, *origins: str, private: bool = False, **options: Any) -> httpx.Response:
    """One request through the guarded transport of a profile that names these origins."""

    async def ask() -> httpx.Response:
        transport = GuardedTransport(Guard(Rules(private=private), origins or [url]))
        async with httpx.AsyncClient(transport=transport, **options) as http:
            return await http.get(url)

    return asyncio.run(ask())


@pytest.mark.parametrize(
    "addresses", [["8.8.8.8"], ["10.0.0.1"], ["127.0.0.1", "10.0.0.1"], ["169.254.169.254"]]
)
def test_a_name_with_an_address_elsewhere_is_refused_unconnected(
    addresses: list[str], monkeypatch: pytest.MonkeyPatch, doors: Doors
) -> None:
    asked = names(monkeypatch, addresses)

    with pytest.raises(NotAllowedError, match=r"^acs\.example"):
        get("http://acs.example/")

    assert asked == ["acs.example"]
    assert doors.tried == []


def test_declared_private_address_is_what_is_connected_to(
    monkeypatch: pytest.MonkeyPatch, doors: Doors
) -> None:
    names(monkeypatch, ["10.1.2.3"], ["8.8.8.8"])

    with pytest.raises(httpx.ConnectError):  # the watch lets nothing out
        get("http://acs.example/", private=True)

    assert doors.tried == [("10.1.2.3", 80)]


def test_a_name_cannot_mean_something_else_by_the_time_it_is_used(
    monkeypatch: pytest.MonkeyPatch, doors: Doors, server: Scripted
) -> None:
    names(monkeypatch, ["127.0.0.1"], [NOWHERE], [NOWHERE], [NOWHERE])
    origin = f"http://acs.example:{port_of(server)}"

    async def ask() -> list[int]:
        guard = Guard(Rules(), [origin])
        found = []
        for _ in range(3):  # each on a connection of its own
            async with httpx.AsyncClient(transport=GuardedTransport(guard)) as http:
                found.append((await http.get(origin)).status_code)
        return found

    assert asyncio.run(ask()) == [200, 200, 200]
    assert doors.hosts == {"127.0.0.1"}


def test_the_next_address_of_a_name_is_tried_where_one_refuses(
    monkeypatch: pytest.MonkeyPatch, server: Scripted
) -> None:
    names(monkeypatch, ["::1", "127.0.0.1"])  # the server listens on 127.0.0.1 only

    assert get(f"http://acs.example:{port_of(server)}/").status_code == 200


def test_origin_that_the_profile_does_not_name_is_refused(doors: Doors, server: Scripted) -> None:
    with pytest.raises(NotAllowedError, match=r"^The profile does not name http://127\.0\.0\.1:"):
        get(server.url, "http://127.0.0.1:1")

    assert doors.tried == []
    assert server.connections == 0


def test_scheme_that_the_profile_does_not_name_is_refused(doors: Doors, server: Scripted) -> None:
    secure = server.url.replace("http:", "https:")

    with pytest.raises(NotAllowedError) as raised:
        get(server.url, secure)

    assert str(raised.value).startswith(f"The profile does not name {server.url}, ")
    assert doors.tried == []


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
def test_proxies_of_the_environment_are_not_used(
    name: str, monkeypatch: pytest.MonkeyPatch, server: Scripted
) -> None:
    with scripted(lambda asked: (200, {"proxy": True})) as proxy:
        monkeypatch.setenv(name, proxy.url)
        monkeypatch.delenv("NO_PROXY", raising=False)

        answer = get(server.url)

        assert answer.json() == {}
        assert proxy.asked == []


def test_wire_uses_no_proxy_and_follows_no_redirect(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with scripted(lambda asked: (200, {})) as elsewhere:
        away = {"Location": elsewhere.url + "/stolen"}
        with scripted(lambda asked: (302, {}, away)) as server:
            monkeypatch.setenv("ALL_PROXY", elsewhere.url)
            profile = read(tmp_path, ("http://127.0.0.1:8000", server.url))

            async def ask() -> Raw:
                wire = Wire(Access(profile))
                try:
                    return await wire.send(Request("", "POST", "/cards", (), b"", profile.origin))
                finally:
                    await wire.aclose()

            answer = asyncio.run(ask())

            assert answer.status == 302
            assert server.targets() == ["POST /cards"]
            assert elsewhere.asked == []


@pytest.mark.parametrize("away", [f"http://{NOWHERE}/", "http://169.254.169.254/latest/meta-data/"])
def test_a_redirect_that_is_followed_is_guarded_too(away: str, doors: Doors) -> None:
    with (
        scripted(lambda asked: (302, {}, {"Location": away})) as server,
        pytest.raises(NotAllowedError, match=r"^The profile does not name"),
    ):
        get(server.url, follow_redirects=True)

    assert doors.hosts == {"127.0.0.1"}


def test_a_redirect_to_another_port_of_this_machine_is_guarded_too(server: Scripted) -> None:
    away = {"Location": server.url + "/admin"}
    with (
        scripted(lambda asked: (302, {}, away)) as first,
        pytest.raises(NotAllowedError, match=r"^The profile does not name"),
    ):
        get(first.url, follow_redirects=True)

    assert server.connections == 0


def test_a_redirect_to_another_named_origin_may_be_followed(server: Scripted) -> None:
    with scripted(lambda asked: (302, {}, {"Location": server.url})) as first:
        answer = get(first.url, first.url, server.url, follow_redirects=True)

    assert answer.status_code == 200
    assert server.targets() == ["GET /"]


def test_transport_and_load_need_the_guard_itself() -> None:
    class Yes:
        tls = None

        def addresses(self, host: str, port: int) -> list[tuple[str, int]]:
            return [("8.8.8.8", 80)]

        def check(self, url: object) -> None:
            pass

    class Heir(Guard):  # type: ignore[misc] # it is final
        def addresses(self, host: str, port: int) -> list[tuple[str, int]]:
            return [("8.8.8.8", 80)]

    for other in (Yes(), Heir(Rules(), ["http://acs.example"])):
        with pytest.raises(TypeError, match="needs a Guard itself"):
            GuardedTransport(other)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="needs a Guard itself"):
            Place("http://acs.example", other)  # type: ignore[arg-type]


def test_httpx_connects_through_the_guard_and_nothing_else() -> None:
    """Fails where an httpx or httpcore keeps its pool or its backend elsewhere."""
    ours = GuardedTransport(Guard(Rules(), []))
    plain = httpx.AsyncHTTPTransport(trust_env=False)

    assert set(vars(ours)) - {"_guard"} == set(vars(plain)) == {"_pool"}
    assert type(ours._pool) is httpcore.AsyncConnectionPool
    assert type(ours._pool._network_backend).__module__ == "otpspec.guard.transport"
    assert not type(plain._pool._network_backend).__module__.startswith("otpspec")
    assert ours._pool._uds is None
    assert ours._pool._proxy is None


def test_guard_connects_to_no_unix_socket(tmp_path: Path) -> None:
    path = str(tmp_path / "socket")
    transport = GuardedTransport(Guard(Rules(), []))

    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen()
        with pytest.raises(NotImplementedError):
            asyncio.run(transport._pool._network_backend.connect_unix_socket(path))


def test_name_that_takes_long_to_resolve_ends_with_the_time_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    free = threading.Event()

    def slow(*_: Any, **__: Any) -> Any:
        free.wait(5)
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", slow)

    async def ask() -> None:
        transport = GuardedTransport(Guard(Rules(), ["http://acs.example"]))
        try:
            async with httpx.AsyncClient(transport=transport, timeout=0.1) as http:
                await http.get("http://acs.example/")
        finally:
            free.set()

    with pytest.raises(httpx.ConnectTimeout):
        asyncio.run(ask())


def test_load_connects_to_what_the_guard_pinned(
    monkeypatch: pytest.MonkeyPatch, server: Scripted
) -> None:
    asked = names(monkeypatch, ["127.0.0.1"], [NOWHERE])
    origin = f"http://acs.example:{port_of(server)}"
    guard = Guard(Rules(), [origin])

    for _ in range(2):
        data = b"GET / HTTP/1.1\r\nHost: acs.example\r\n\r\n"
        assert exchange(Place(origin, guard), data, timeout=5).status == 200

    assert asked == ["acs.example"]
    with pytest.raises(NotAllowedError, match=r"^The profile does not name http://127"):
        Place(server.url, guard)
    with pytest.raises(AttributeError):
        Place(origin, guard).addresses = [(NOWHERE, 80)]  # type: ignore[misc]


def test_check_of_an_address_elsewhere_ends_with_2_and_connects_to_nothing(
    otpspec: Callable[..., Done], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The command's own process tells of every connect and every datagram that it tries.
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\n"
        "def tell(event, arguments):\n"
        "    if event in ('socket.connect', 'socket.sendto', 'socket.sendmsg'):\n"
        "        print('SOCKET', event, arguments[1:], file=sys.stderr)\n"
        "sys.addaudithook(tell)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=":")

    done = otpspec("check", "safekey-reference", "--base-url", f"http://{NOWHERE}")
    near = otpspec("check", "safekey-reference", "--base-url", "http://127.0.0.1:9")

    assert done.code == 2
    assert done.err == (
        "192.0.2.1 is an address for documentation, where no target can be, and was not tried.\n"
        "Try: check the host in the profile and in --base-url.\n"
    )
    assert "SOCKET socket.connect (('127.0.0.1', 9),)" in near.err  # the hook does tell
