"""What kind of place an IP address is: of this machine, of a private network, public, or no place.

The lists are written out, from IANA's registries of special-purpose addresses: what Python calls
private changes from release to release, and holds much that is in no network of anyone.
"""

from enum import Enum
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

_IP = IPv4Address | IPv6Address


class Kind(Enum):
    """Who may stand behind an address."""

    LOOPBACK = "of this machine"
    PRIVATE = "in a private network"
    PUBLIC = "public"
    NEVER = "no address of a target"


_NEVER = {
    ip_network(network): what
    for what, networks in {
        "a cloud's metadata service": "100.100.100.200/32 fd00:ec2::/32 fd20:ce::254/128"
        " fd00:42::42/128 169.254.169.254/32 192.0.0.192/32",
        "a link-local address": "169.254.0.0/16 fe80::/10",
        "an unspecified address": "0.0.0.0/8 ::/128",
        "a multicast address": "224.0.0.0/4 ff00::/8",
        "a broadcast address": "255.255.255.255/32",
        "an address for documentation": "192.0.2.0/24 198.51.100.0/24 203.0.113.0/24"
        " 2001:db8::/32 3fff::/20",
        "a reserved address": "192.0.0.0/24 192.88.99.0/24 198.18.0.0/15 240.0.0.0/4"
        " 2001::/23",  # Teredo too, whose embedded address is anybody's
    }.items()
    for network in networks.split()
}
"""Refused whatever the profile says; of several that hold an address, the first tells what it is.
In IPv6, whatever is in no list here and outside of 2000::/3 is reserved too."""

_PRIVATE = [
    ip_network(network)
    for network in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
]

_GLOBAL = IPv6Network("2000::/3")  # all that IANA has given out for unicast so far
_NAT64 = IPv6Network("64:ff9b::/96")  # the well-known prefix; others are only their network's


def unwrapped(text: str) -> _IP:
    """The address that a connection to `text` really goes to: ::ffff:10.0.0.1 is 10.0.0.1.

    A zone ("%eth0") is left out: only link-local addresses need one, and those are refused.
    """
    address = ip_address(text.partition("%")[0])
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def kind(address: _IP) -> tuple[Kind, str]:
    """The kind of an unwrapped address, and in words what it is: "a link-local address"."""
    if address.is_loopback:
        return Kind.LOOPBACK, Kind.LOOPBACK.value
    for network, what in _NEVER.items():
        if address in network:
            return Kind.NEVER, what
    if any(address in network for network in _PRIVATE):
        return Kind.PRIVATE, Kind.PRIVATE.value
    if isinstance(address, IPv6Address):
        return _sixth(address)
    return Kind.PUBLIC, Kind.PUBLIC.value


def _sixth(address: IPv6Address) -> tuple[Kind, str]:
    """Of IPv6, what is in no list: public if what is embedded in it is."""
    embedded = address.sixtofour
    if address in _NAT64:
        embedded = IPv4Address(int(address) & 0xFFFF_FFFF)
    if embedded is not None:
        # A gateway sends it on, to a network that is not ours: what is near here is not near there.
        found, what = kind(embedded)
        if found is not Kind.PUBLIC:
            what = what if found is Kind.NEVER else "a gateway's address"
            return Kind.NEVER, f"{what} ({embedded} within)"
    elif address not in _GLOBAL:
        return Kind.NEVER, "a reserved address"
    return Kind.PUBLIC, Kind.PUBLIC.value
