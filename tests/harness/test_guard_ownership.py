"""A public target is tried only where a file at its own origin shows that the owner agrees."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress

import pytest

from otpspec.errors import NotAllowedError
from otpspec.guard import Guard, Rules, ownership, verification

from .doors import leads, names
from .scripted import Said, Scripted, scripted

TOKEN = "a-secret-of-the-profile-that-is-long-enough"
ORIGIN = "http://acs.example"
PATH = "/.well-known/otpspec-verification.txt"
LINE = verification(TOKEN, ORIGIN)
PUBLIC = "8.8.8.8"  # nothing is sent to it: every connect leads to this machine
ANOTHER = "9.9.9.9"

Site = Callable[[Said], Scripted]


@pytest.fixture
def site() -> Iterator[Site]:
    """Starts servers that always give one answer."""
    with ExitStack() as running:
        yield lambda said: running.enter_context(scripted(lambda asked: said))


def text(*lines: str) -> Said:
    """A file of lines."""
    return 200, "".join(f"{line}\n" for line in lines).encode()


@contextmanager
def trickle(data: bytes) -> Iterator[str]:
    """A server that sends byte by byte, and holds the connection open in the end."""
    ended = threading.Event()

    def serve() -> None:
        with suppress(OSError):
            client, _ = listening.accept()
            with client:
                for byte in data:
                    client.sendall(bytes([byte]))
                    ended.wait(0.05)
                ended.wait(20)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        ended.set()
        thread.join(5)


def ask(rules: Rules | None = None, origin: str = ORIGIN) -> list[tuple[str, int]]:
    """The addresses of the public host."""
    return Guard(rules or Rules(ownership_token=TOKEN), [origin]).addresses("acs.example", 80)


@pytest.mark.parametrize(
    "said",
    [
        text(LINE),
        (200, LINE.encode()),
        text("# others may be here", "", LINE, "google-site-verification: x"),
        (200, f"\r\n  {LINE}  \r\n".encode()),
    ],
)
def test_owner_that_agrees_is_believed(
    said: Said, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    names(monkeypatch, [PUBLIC])
    server = site(said)
    read = leads(monkeypatch, **{PUBLIC: server.url})

    assert ask() == [(PUBLIC, 80)]

    assert read == [(PUBLIC, 80)]
    assert server.targets() == [f"GET {PATH}"]
    assert ("Host", "acs.example") in server.asked[0].headers
    assert TOKEN not in str(server.asked)
    assert LINE not in str(server.asked)


CHANGED = LINE[:-1] + ("0" if LINE[-1] != "0" else "1")


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ((404, b""), "HTTP 404"),
        ((404, LINE.encode()), "HTTP 404"),
        ((206, LINE.encode()), "HTTP 206"),
        ((500, b""), "HTTP 500"),
        (text(), "the line is not in the file"),
        (text(CHANGED), "the line is not in the file"),
        (text(LINE.upper()), "the line is not in the file"),
        (text(f"<p>{LINE}</p>"), "the line is not in the file"),
        (text(f"{LINE} and more"), "the line is not in the file"),
        (text(verification(TOKEN, "http://other.example")), "the line is not in the file"),
        (text(verification(TOKEN, "https://acs.example")), "the line is not in the file"),
        (text(verification(TOKEN, f"{ORIGIN}:8080")), "the line is not in the file"),
        (text(verification(TOKEN + "x", ORIGIN)), "the line is not in the file"),
        (text(TOKEN), "the line is not in the file"),
        (text(LINE, "x" * 4096), "the file is longer than 4096 bytes"),
    ],
)
def test_what_proves_nothing_is_refused(
    said: Said, reason: str, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    names(monkeypatch, [PUBLIC])
    leads(monkeypatch, **{PUBLIC: site(said).url})

    with pytest.raises(NotAllowedError) as raised:
        ask()

    assert str(raised.value) == (
        "Nothing at http://acs.example shows that its owner agrees, so no code was tried there.\n"
        f"  8.8.8.8  {reason}\n"
        "Try: if it is yours, put this line into "
        "http://acs.example/.well-known/otpspec-verification.txt\n"
        f"  {LINE}"
    )


def test_redirect_to_the_file_is_not_followed(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    names(monkeypatch, [PUBLIC])
    right = site(text(LINE))
    server = site((302, b"", {"Location": right.url + PATH}))
    leads(monkeypatch, **{PUBLIC: server.url})

    with pytest.raises(NotAllowedError, match="HTTP 302: redirects are not followed"):
        ask()

    assert right.connections == 0


def test_body_without_an_end_is_read_no_further_than_it_must(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    names(monkeypatch, [PUBLIC])
    server = site((200, b"x" * 5_000, {"Content-Length": str(1 << 40)}))
    leads(monkeypatch, **{PUBLIC: server.url})

    with pytest.raises(NotAllowedError, match="the file is longer than 4096 bytes"):
        ask()


def test_file_that_comes_byte_by_byte_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ownership, "SECONDS", 0.5)
    names(monkeypatch, [PUBLIC])
    with trickle(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + b"x" * 100) as url:
        leads(monkeypatch, **{PUBLIC: url})
        began = time.monotonic()

        with pytest.raises(NotAllowedError, match="no answer in time"):
            ask()

    assert time.monotonic() - began < 2


def test_server_that_speaks_something_else_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    names(monkeypatch, [PUBLIC])
    with trickle(b"SSH-2\r\n") as url:
        leads(monkeypatch, **{PUBLIC: url})

        with pytest.raises(NotAllowedError, match="its answer is not HTTP"):
            ask()


def test_server_that_is_silent_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ownership, "SECONDS", 0.2)
    names(monkeypatch, [PUBLIC])
    with trickle(b"") as url:
        leads(monkeypatch, **{PUBLIC: url})

        with pytest.raises(NotAllowedError, match="no answer in time"):
            ask()


def test_only_addresses_that_prove_are_used(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    names(monkeypatch, [ANOTHER, PUBLIC, "1.1.1.1"])
    servers = {PUBLIC: site(text(LINE)).url, ANOTHER: site((404, b"")).url}
    read = leads(monkeypatch, **servers)

    assert ask() == [(PUBLIC, 80)]

    assert sorted(read) == [("1.1.1.1", 80), (PUBLIC, 80), (ANOTHER, 80)]


def test_refusal_names_every_address(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    names(monkeypatch, ["2606:4700::1111", PUBLIC])
    leads(monkeypatch, **{PUBLIC: site((404, b"")).url})

    with pytest.raises(NotAllowedError) as raised:
        ask()

    assert (
        "  2606:4700::1111  connection refused\n  8.8.8.8          HTTP 404\n"
    ) in str(raised.value)  # fmt: skip


def test_file_is_read_once_in_a_run_and_again_in_the_next(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    names(monkeypatch, [PUBLIC])
    server = site(text(LINE))
    leads(monkeypatch, **{PUBLIC: server.url})
    rules = Rules(ownership_token=TOKEN)

    guard = Guard(rules, [ORIGIN])
    for _ in range(3):
        guard.addresses("acs.example", 80)
    in_one_run = len(server.asked)
    Guard(rules, [ORIGIN]).addresses("acs.example", 80)

    assert in_one_run == 1
    assert len(server.asked) == 2


def test_each_public_origin_needs_a_file_of_its_own(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    names(monkeypatch, [PUBLIC])
    leads(monkeypatch, **{PUBLIC: site(text(LINE)).url})
    guard = Guard(Rules(ownership_token=TOKEN), [ORIGIN, "http://inbox.example", f"{ORIGIN}:81"])

    assert guard.addresses("acs.example", 80) == [(PUBLIC, 80)]
    for host, port in [("inbox.example", 80), ("acs.example", 81)]:
        with pytest.raises(NotAllowedError, match="the line is not in the file"):
            guard.addresses(host, port)


def test_path_of_the_file_may_be_another_of_the_owners(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    names(monkeypatch, [PUBLIC])
    server = site(text(LINE))
    leads(monkeypatch, **{PUBLIC: server.url})

    ask(Rules(ownership_token=TOKEN, ownership_path="/.well-known/qa/otp.txt"))

    assert server.targets() == ["GET /.well-known/qa/otp.txt"]
