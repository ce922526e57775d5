"""No connection goes to an address that was not looked at, whatever way it is asked for."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpcore
import httpx
import pytest

from otpspec.errors import NotAllowedError, TargetError
from otpspec.guard import GuardedTransport, resolve
from otpspec.target import client

from .samples import read
from .scripted import Scripted, scripted

Done = Any
NOWHERE = "192.0.2.1"  # RFC 5737: an address for examples, which belongs to nobody


class Doors:
    """Which addresses were tried: every connect of this process, whoever asks for it."""

    def __init__(self) -> None:
        self.tried: list[Any] = []


@pytest.fixture
def doors(monkeypatch: pytest.MonkeyPatch) -> Doors:
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


@pytest.fixture
def server() -> Iterator[Scripted]:
    with scripted(lambda asked: (200, {})) as running:
        yield running


def names(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Let every name mean these addresses, one list for each time that one is asked for."""
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


def get(url: str, **options: Any) -> httpx.Response:
    """One request through the guarded transport."""

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=GuardedTransport(), **options) as http:
            return await http.get(url)

    return asyncio.run(ask())


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.8.9.10", "127.1", "::1", "::ffff:127.0.0.1", "localhost"]
)
def test_addresses_of_this_machine_are_allowed(host: str) -> None:
    for address, port in resolve(host, 8000):
        assert address.startswith(("127.", "::1", "::ffff:127."))
        assert port == 8000


@pytest.mark.parametrize(
    "host",
    [
        "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
        NOWHERE, "8.8.8.8", "255.255.255.255", "fe80::1%lo", "fd00::1", "2001:db8::1", "::",
        "::ffff:10.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::",
    ],
)  # fmt: skip
def test_every_other_address_is_refused(host: str) -> None:
    with pytest.raises(NotAllowedError):
        resolve(host, 8000)


def test_refusal_says_what_and_why_and_what_to_do() -> None:
    with pytest.raises(NotAllowedError) as raised:
        resolve(NOWHERE, 80)

    assert str(raised.value) == (
        "192.0.2.1 is not on this machine (192.0.2.1), and was not tried.\n"
        "otpspec tries codes by brute force, so it only connects to loopback addresses.\n"
        "Try: run it beside the target, or forward a local port to a target of your own."
    )


def test_name_without_an_address_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)

    with pytest.raises(TargetError) as raised:
        resolve("acs.invalid", 80)

    assert str(raised.value) == (
        "No address is known for 'acs.invalid' ([Errno -2] Name or service not known).\n"
        "Try: check target.base_url, --base-url."
    )


@pytest.mark.parametrize("host", ["a" * 64, "a..b", "\0"])
def test_name_that_cannot_be_one_is_reported(host: str) -> None:
    with pytest.raises(TargetError, match="No address is known"):
        resolve(host, 80)


@pytest.mark.parametrize(
    "addresses", [["8.8.8.8"], ["10.0.0.1"], ["127.0.0.1", "10.0.0.1"], ["::1", "2001:db8::1"]]
)
def test_a_name_with_an_address_elsewhere_is_refused_unconnected(
    addresses: list[str], monkeypatch: pytest.MonkeyPatch, doors: Doors
) -> None:
    asked = names(monkeypatch, addresses)

    with pytest.raises(NotAllowedError, match=r"^acs\.example is not on this machine"):
        get("http://acs.example/")

    assert asked == ["acs.example"]
    assert doors.tried == []


def test_a_name_cannot_mean_something_else_by_the_time_it_is_used(
    monkeypatch: pytest.MonkeyPatch, doors: Doors, server: Scripted
) -> None:
    names(monkeypatch, ["127.0.0.1"], [NOWHERE], [NOWHERE], [NOWHERE])
    port = server.url.rpartition(":")[2]

    answer = get(f"http://acs.example:{port}/")

    assert answer.status_code == 200
    assert {address[0] for address in doors.tried} == {"127.0.0.1"}


def test_a_name_is_looked_at_again_for_every_connection(
    monkeypatch: pytest.MonkeyPatch, doors: Doors, server: Scripted
) -> None:
    names(monkeypatch, ["127.0.0.1"], ["127.0.0.1"])
    port = server.url.rpartition(":")[2]
    get(f"http://acs.example:{port}/")
    names(monkeypatch, [NOWHERE])

    with pytest.raises(NotAllowedError):
        get(f"http://acs.example:{port}/")

    assert {address[0] for address in doors.tried} == {"127.0.0.1"}


def test_the_next_address_of_a_name_is_tried_where_one_refuses(
    monkeypatch: pytest.MonkeyPatch, server: Scripted
) -> None:
    names(monkeypatch, ["::1", "127.0.0.1"])  # the server listens on 127.0.0.1 only
    port = server.url.rpartition(":")[2]

    assert get(f"http://acs.example:{port}/").status_code == 200


def test_proxies_of_the_environment_are_not_used(
    monkeypatch: pytest.MonkeyPatch, server: Scripted
) -> None:
    with scripted(lambda asked: (200, {"proxy": True})) as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)

        answer = get(server.url)

        assert answer.json() == {}
        assert proxy.asked == []


def test_profiles_client_uses_no_proxy_and_follows_no_redirect(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with scripted(lambda asked: (200, {})) as elsewhere:
        away = {"Location": elsewhere.url + "/stolen"}
        with scripted(lambda asked: (302, {}, away)) as server:
            monkeypatch.setenv("ALL_PROXY", elsewhere.url)
            profile = read(tmp_path, ("http://127.0.0.1:8000", server.url))

            async def ask() -> httpx.Response:
                async with client(profile) as http:
                    return await http.post("/cards")

            answer = asyncio.run(ask())

            assert answer.status_code == 302
            assert server.targets() == ["POST /cards"]
            assert elsewhere.asked == []


def test_a_redirect_that_is_followed_is_guarded_too(doors: Doors) -> None:
    with (
        scripted(lambda asked: (302, {}, {"Location": f"http://{NOWHERE}/"})) as server,
        pytest.raises(NotAllowedError),
    ):
        get(server.url, follow_redirects=True)

    assert NOWHERE not in {address[0] for address in doors.tried}


def test_httpx_connects_through_the_guard_and_nothing_else() -> None:
    """Fails where an httpx or httpcore keeps its pool or its backend elsewhere."""
    ours, plain = GuardedTransport(), httpx.AsyncHTTPTransport(trust_env=False)

    assert set(vars(ours)) == set(vars(plain)) == {"_pool"}
    assert type(ours._pool) is httpcore.AsyncConnectionPool
    assert type(ours._pool._network_backend).__module__ == "otpspec.guard"
    assert type(plain._pool._network_backend).__module__ != "otpspec.guard"
    assert ours._pool._uds is None
    assert ours._pool._proxy is None


def test_guard_connects_to_no_unix_socket(tmp_path: Path) -> None:
    path = str(tmp_path / "socket")

    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen()
        with pytest.raises(NotImplementedError):
            asyncio.run(GuardedTransport()._pool._network_backend.connect_unix_socket(path))


def test_name_that_takes_long_to_resolve_ends_with_the_time_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    free = threading.Event()

    def slow(*_: Any, **__: Any) -> Any:
        free.wait(5)
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", slow)

    async def ask() -> None:
        try:
            async with httpx.AsyncClient(transport=GuardedTransport(), timeout=0.1) as http:
                await http.get("http://acs.example/")
        finally:
            free.set()

    with pytest.raises(httpx.ConnectTimeout):
        asyncio.run(ask())


def test_check_of_a_public_target_ends_with_2_and_connects_to_nothing(
    otpspec: Callable[..., Done], tmp_path: Path
) -> None:
    # The command's own process tells of every connect and every datagram that it tries.
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\n"
        "def tell(event, arguments):\n"
        "    if event in ('socket.connect', 'socket.sendto', 'socket.sendmsg'):\n"
        "        print('SOCKET', event, arguments[1:], file=sys.stderr)\n"
        "sys.addaudithook(tell)\n"
    )

    done = otpspec(
        "check", "safekey-reference", "--base-url", f"http://{NOWHERE}", PYTHONPATH=str(tmp_path)
    )
    near = otpspec(
        "check", "safekey-reference", "--base-url", "http://127.0.0.1:9", PYTHONPATH=str(tmp_path)
    )

    assert done.code == 2
    assert done.err == (
        "192.0.2.1 is not on this machine (192.0.2.1), and was not tried.\n"
        "otpspec tries codes by brute force, so it only connects to loopback addresses.\n"
        "Try: run it beside the target, or forward a local port to a target of your own.\n"
    )
    assert "SOCKET socket.connect (('127.0.0.1', 9),)" in near.err  # the hook does tell
