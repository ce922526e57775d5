"""httpx's transport, with no way to connect but to addresses that the guard gives."""

import asyncio
import ssl
from collections.abc import Iterable
from typing import Any

import httpcore
import httpx

from otpspec.guard.verified import Guard

_IDLE = 1.0
"""Seconds after which an idle connection is not used again: servers close theirs after two or five,
and a request that is sent at that moment may or may not have been carried out."""


class _GuardedBackend(httpcore.AsyncNetworkBackend):
    """Connects by TCP to verified addresses, and to nothing else."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
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
                addresses = await loop.run_in_executor(None, self._guard.addresses, host, port)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(f"the name {host} was not verified in time") from error
        for index, (address, number) in enumerate(addresses):
            try:
                return await self._network.connect_tcp(
                    address, number, timeout, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if index == len(addresses) - 1:
                    raise
        raise AssertionError("the guard gives at least one address")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class GuardedTransport(httpx.AsyncHTTPTransport):
    """httpx's transport for what the guard lets through: named origins, verified addresses."""

    def __init__(self, guard: Guard, tls: ssl.SSLContext | None = None) -> None:
        """`tls`: by default what the guard itself reads tokens with."""
        if type(guard) is not Guard:  # one that says yes to everything would be a way around it
            raise TypeError(f"a transport needs a Guard itself, not {type(guard).__name__}")
        context = guard.tls if tls is None else tls
        super().__init__(verify=context, trust_env=False)
        self._guard = guard
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=context,
            network_backend=_GuardedBackend(guard),
            keepalive_expiry=_IDLE,
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Raises NotAllowedError where the profile does not name where the request goes."""
        self._guard.check(request.url)
        try:
            return await super().handle_async_request(request)
        except ssl.SSLError as error:
            # In TLS 1.3 a server tells after the handshake that it wants a certificate of ours;
            # anyio and httpcore let that through as it is.
            raise httpx.ReadError(f"TLS: {error.reason or error}", request=request) from error
