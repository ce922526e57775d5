"""Which addresses this run may connect to: every connection of the harness passes here.

otpspec is a brute-force tool. A connection goes only to an address that was looked at by
`resolve`, which gives the addresses themselves, so that a name cannot mean something else by the
time it is used. The httpx transport here has no other way to connect; proxies of the
environment are not used, and redirects are not followed.
"""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Iterable
from functools import cache
from typing import Any

import httpcore
import httpx

from otpspec.errors import NotAllowedError, TargetError

Address = tuple[str, int]
"""An IP address in text and a port."""


def resolve(host: str, port: int) -> list[Address]:
    """The addresses of a host, if this run may connect to every one of them.

    Raises NotAllowedError where one is not of this machine, TargetError where there is none.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise TargetError(
            f"No address is known for {host!r} ({error}).\nTry: check target.base_url, --base-url."
        ) from error
    addresses = list(dict.fromkeys((str(info[4][0]), port) for info in found))
    if outside := [address for address, _ in addresses if not _is_loopback(address)]:
        raise NotAllowedError(
            f"{host} is not on this machine ({', '.join(outside)}), and was not tried.\n"
            "otpspec tries codes by brute force, so it only connects to loopback addresses.\n"
            "Try: run it beside the target, or forward a local port to a target of your own."
        )
    return addresses


def _is_loopback(address: str) -> bool:
    ip = ipaddress.ip_address(address.partition("%")[0])
    mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
    return (mapped or ip).is_loopback


class _GuardedBackend(httpcore.AsyncNetworkBackend):
    """Connects by TCP to guarded addresses, and to nothing else."""

    def __init__(self) -> None:
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(timeout):  # its timer holds the clock, as every wait does
                addresses = await loop.run_in_executor(None, resolve, host, port)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(f"the name {host} was not resolved in time") from error
        for index, (address, number) in enumerate(addresses):
            try:
                return await self._network.connect_tcp(
                    address, number, timeout, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if index == len(addresses) - 1:
                    raise
        raise AssertionError("resolve gives at least one address")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@cache
def _tls() -> ssl.SSLContext:
    """One context for all clients: loading the authorities takes tens of milliseconds."""
    return httpx.create_ssl_context(trust_env=False)


class GuardedTransport(httpx.AsyncHTTPTransport):
    """httpx's transport, able to connect to guarded addresses only."""

    def __init__(self) -> None:
        super().__init__(verify=_tls(), trust_env=False)
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=_tls(), network_backend=_GuardedBackend()
        )
