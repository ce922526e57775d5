"""A name is resolved once, and only names that the profile names."""

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from otpspec.errors import NotAllowedError, TargetError
from otpspec.guard import Guard, Rules, verified

from .doors import names

ORIGIN = "http://acs.example"


def refusal(rules: Rules, host: str = "acs.example") -> str:
    """Why a host is refused."""
    with pytest.raises(NotAllowedError) as raised:
        Guard(rules, [f"http://{host}"]).addresses(host, 80)
    return str(raised.value)


@pytest.mark.parametrize(
    ("host", "port"),
    [("other.example", 80), ("acs.example", 8080), ("127.0.0.1", 80), ("acs.example.", 80)],
)
def test_host_or_port_that_the_profile_does_not_name_is_not_even_resolved(
    host: str, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = names(monkeypatch, ["127.0.0.1"])

    with pytest.raises(NotAllowedError) as raised:
        Guard(Rules(), [ORIGIN, "https://inbox.example:8443"]).addresses(host, port)

    assert str(raised.value) == (
        f"The profile does not name {host}, port {port}, which was not tried.\n"
        "It names http://acs.example, https://inbox.example:8443.\n"
        "Try: if it belongs to the target, name it as a base_url in the profile."
    )
    assert asked == []


@pytest.mark.parametrize("host", ["ACS.example", "acs.example"])
def test_capitals_make_no_other_name(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    names(monkeypatch, ["127.0.0.1"])

    assert Guard(Rules(), ["http://Acs.Example/path"]).addresses(host, 80) == [("127.0.0.1", 80)]


def test_name_in_another_script_is_the_one_that_goes_over_the_wire(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = names(monkeypatch, ["127.0.0.1"])
    guard = Guard(Rules(), ["http://bücher.example"])

    assert guard.addresses("bücher.example", 80) == guard.addresses("xn--bcher-kva.example", 80)
    assert asked == ["xn--bcher-kva.example"]


def test_a_name_keeps_its_first_meaning_for_the_whole_run(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = names(monkeypatch, ["127.0.0.1"], ["127.0.0.2"], ["8.8.8.8"])
    guard = Guard(Rules(), [ORIGIN])

    found = [guard.addresses("acs.example", 80) for _ in range(3)]

    assert found == [[("127.0.0.1", 80)]] * 3
    assert asked == ["acs.example"]


def test_another_run_asks_again(monkeypatch: pytest.MonkeyPatch) -> None:
    names(monkeypatch, ["127.0.0.1"], ["8.8.8.8"])
    Guard(Rules(), [ORIGIN]).addresses("acs.example", 80)

    assert "is public" in refusal(Rules())


def test_a_refusal_is_final_for_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = names(monkeypatch, ["8.8.8.8"], ["127.0.0.1"])
    guard = Guard(Rules(), [ORIGIN])

    for _ in range(2):
        with pytest.raises(NotAllowedError, match="is public"):
            guard.addresses("acs.example", 80)

    assert asked == ["acs.example"]


def test_many_threads_make_one_question(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = names(monkeypatch, ["127.0.0.1"], ["8.8.8.8"])
    guard = Guard(Rules(), [ORIGIN])
    together = threading.Barrier(16)

    def ask(_: int) -> list[Any]:
        together.wait(5)
        return guard.addresses("acs.example", 80)

    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(ask, range(16)))

    assert found == [[("127.0.0.1", 80)]] * 16
    assert asked == ["acs.example"]


def test_what_a_caller_does_with_its_list_adds_no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    names(monkeypatch, ["127.0.0.1"])
    guard = Guard(Rules(), [ORIGIN])

    guard.addresses("acs.example", 80).append(("8.8.8.8", 80))

    assert guard.addresses("acs.example", 80) == [("127.0.0.1", 80)]
    with pytest.raises(AttributeError):
        guard.addresses = lambda host, port: [("8.8.8.8", 80)]  # type: ignore[method-assign]


def test_private_network_is_refused_undeclared(monkeypatch: pytest.MonkeyPatch) -> None:
    names(monkeypatch, ["10.0.0.1", "10.0.0.2"])

    assert refusal(Rules()) == (
        "acs.example (10.0.0.1, 10.0.0.2) is in a private network, and was not tried.\n"
        "otpspec tries codes by brute force, so it leaves this machine only where the profile "
        "declares it.\n"
        "Try: private = true in [target], if network and target are yours."
    )


def test_private_and_loopback_addresses_go_together(monkeypatch: pytest.MonkeyPatch) -> None:
    names(monkeypatch, ["10.0.0.1", "127.0.0.1", "::1", "::ffff:10.0.0.1"])

    found = Guard(Rules(private=True), [ORIGIN]).addresses("acs.example", 80)

    assert found == [("10.0.0.1", 80), ("127.0.0.1", 80), ("::1", 80)]
    assert "in a private network" in refusal(Rules())


@pytest.mark.parametrize(
    "addresses",
    [["127.0.0.1", "8.8.8.8"], ["8.8.8.8", "10.0.0.1"], ["::1", "2606:4700::1111"]],
)
def test_addresses_near_and_public_at_once_are_refused(
    addresses: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    names(monkeypatch, addresses)

    assert refusal(Rules(private=True, ownership_token="t" * 43)) == (
        f"acs.example has addresses near and public ({', '.join(addresses)}), as a name has that "
        "is turned against a network, and was not tried.\n"
        "Try: name the address itself, or a host that has only one kind."
    )


def test_one_address_that_no_target_can_have_spoils_all(monkeypatch: pytest.MonkeyPatch) -> None:
    names(monkeypatch, ["127.0.0.1", "169.254.169.254"])

    assert refusal(Rules(private=True)) == (
        "acs.example (169.254.169.254) is a cloud's metadata service, where no target can be, "
        "and was not tried.\n"
        "Try: check the host in the profile and in --base-url."
    )


def test_public_address_without_a_token_is_refused_unconnected() -> None:
    assert refusal(Rules(), "8.8.8.8") == (
        "8.8.8.8 is public, and was not tried.\n"
        "otpspec tries codes by brute force, so the owner of a public target must show that this "
        "is agreed.\n"
        "Try: ownership_token in [target]; otpspec init makes one."
    )


def test_name_without_an_address_is_reported_and_may_be_asked_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unknown(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(-2, "Name or service not known")

    guard = Guard(Rules(), [ORIGIN])
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(socket, "getaddrinfo", unknown)
        with pytest.raises(TargetError) as raised:
            guard.addresses("acs.example", 80)
    names(monkeypatch, ["127.0.0.1"])

    assert str(raised.value) == (
        "No address is known for 'acs.example' ([Errno -2] Name or service not known).\n"
        "Try: check the host in the profile and in --base-url."
    )
    assert guard.addresses("acs.example", 80) == [("127.0.0.1", 80)]


@pytest.mark.parametrize("host", ["a" * 64, "a..b"])
def test_name_that_cannot_be_one_is_reported(host: str) -> None:
    with pytest.raises(TargetError, match="No address is known"):
        Guard(Rules(), [f"http://{host}"]).addresses(host, 80)


def test_resolver_that_is_silent_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    free = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: free.wait(20))
    monkeypatch.setattr(verified, "RESOLVE_SECONDS", 0.1)
    began = time.monotonic()

    with pytest.raises(TargetError, match=r"acs\.example' \(no answer in 0\.1 s\)"):
        Guard(Rules(), [ORIGIN]).addresses("acs.example", 80)

    free.set()
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("origin", "message"),
    [
        ("http://", "'http://' has no host."),
        ("ftp://acs.example", "'ftp://acs.example' begins with neither http:// nor https://."),
        ("acs.example", "'acs.example' begins with neither http:// nor https://."),
        ("http://acs.example:70000", "'http://acs.example:70000' has no port that there is."),
        ("http://\0", r"'http://\x00' is no URL (Invalid non-printable ASCII character in URL, "
         r"'\x00' at position 7.)."),
    ],
)  # fmt: skip
def test_origin_that_is_none_is_reported(origin: str, message: str) -> None:
    with pytest.raises(TargetError) as raised:
        Guard(Rules(), [origin])

    assert str(raised.value) == (
        f"{message}\nTry: check target.base_url, --base-url, and every base_url of the profile."
    )


def test_port_that_is_named_with_two_schemes_is_reported() -> None:
    with pytest.raises(TargetError) as raised:
        Guard(Rules(), ["http://acs.example:8443/a", "https://acs.example:8443"])

    assert str(raised.value) == (
        "The profile names both http://acs.example:8443 and https://acs.example:8443, and one "
        "port speaks one of them.\n"
        "Try: check every base_url of the profile."
    )
