"""Which addresses are near, which are private, and which are never a target's."""

import pytest

from otpspec.errors import NotAllowedError
from otpspec.guard import Guard, Rules

PRIVATE = Rules(private=True)


def addresses(host: str, rules: Rules) -> list[tuple[str, int]]:
    place = f"[{host}]" if ":" in host else host
    return Guard(rules, [f"http://{place}:8000"]).addresses(host, 8000)


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("127.8.9.10", "127.8.9.10"),
        ("127.1", "127.0.0.1"),
        ("2130706433", "127.0.0.1"),
        ("::1", "::1"),
        ("::ffff:127.0.0.1", "127.0.0.1"),
    ],
)
def test_addresses_of_this_machine_need_no_declaring(host: str, address: str) -> None:
    assert addresses(host, Rules()) == [(address, 8000)]


@pytest.mark.parametrize(
    "host",
    [
        "10.0.0.0", "10.255.255.254", "172.16.0.1", "172.31.255.254", "192.168.0.1",
        "100.64.0.1", "100.127.255.254", "fc00::1", "fdff:ffff::1", "::ffff:10.0.0.1",
    ],
)  # fmt: skip
def test_addresses_of_private_networks_are_allowed_where_they_are_declared(host: str) -> None:
    assert addresses(host, PRIVATE) == [(host.removeprefix("::ffff:"), 8000)]

    with pytest.raises(NotAllowedError, match="in a private network"):
        addresses(host, Rules())


@pytest.mark.parametrize(
    "host",
    [
        "9.255.255.255", "11.0.0.1", "172.15.255.255", "172.32.0.1", "192.167.0.1", "192.169.0.1",
        "100.63.255.255", "100.128.0.1", "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8",
        "2002:808:808::1", "64:ff9b::8.8.8.8", "168.63.129.16",
    ],
)  # fmt: skip
def test_addresses_beside_private_networks_are_public(host: str) -> None:
    with pytest.raises(NotAllowedError, match="is public"):
        addresses(host, PRIVATE)


@pytest.mark.parametrize(
    ("host", "what"),
    [
        ("169.254.169.254", "a cloud's metadata service"),
        ("::ffff:169.254.169.254", "a cloud's metadata service"),
        ("2002:a9fe:a9fe::", "a cloud's metadata service (169.254.169.254 within)"),
        ("64:ff9b::a9fe:a9fe", "a cloud's metadata service (169.254.169.254 within)"),
        ("fd00:ec2::254", "a cloud's metadata service"),
        ("fd20:ce::254", "a cloud's metadata service"),
        ("100.100.100.200", "a cloud's metadata service"),
        ("192.0.0.192", "a cloud's metadata service"),
        ("169.254.0.1", "a link-local address"),
        ("fe80::1%lo", "a link-local address"),
        ("0.0.0.0", "an unspecified address"),
        ("0", "an unspecified address"),
        ("::", "an unspecified address"),
        ("224.0.0.1", "a multicast address"),
        ("ff02::1", "a multicast address"),
        ("255.255.255.255", "a broadcast address"),
        ("192.0.2.1", "an address for documentation"),
        ("198.51.100.1", "an address for documentation"),
        ("203.0.113.1", "an address for documentation"),
        ("2001:db8::1", "an address for documentation"),
        ("3fff::1", "an address for documentation"),
        ("198.18.0.1", "a reserved address"),
        ("240.0.0.1", "a reserved address"),
        ("192.88.99.1", "a reserved address"),
        ("2001:0:7f00:1::1", "a reserved address"),  # Teredo
        ("::127.0.0.1", "a reserved address"),
        ("::ffff:0:127.0.0.1", "a reserved address"),
        ("64:ff9b:1::7f00:1", "a reserved address"),
        ("fec0::1", "a reserved address"),
        ("4000::1", "a reserved address"),
        ("2002:7f00:1::", "a gateway's address (127.0.0.1 within)"),
        ("2002:a00:1::", "a gateway's address (10.0.0.1 within)"),
        ("64:ff9b::7f00:1", "a gateway's address (127.0.0.1 within)"),
    ],
)
def test_some_addresses_are_refused_whatever_the_profile_declares(host: str, what: str) -> None:
    everything = Rules(private=True, ownership_token="t" * 43)

    with pytest.raises(NotAllowedError) as raised:
        addresses(host, everything)

    assert f" is {what}, where no target can be, and was not tried.\n" in str(raised.value)
