"""Scheme, host and port: what the profile names, and what a token is bound to."""

from typing import NamedTuple

import httpx

from otpspec.errors import TargetError

_PORTS = {"http": 80, "https": 443}


class Origin(NamedTuple):
    """Where requests go. The host is as it goes over the wire: in lower case, IDNA encoded."""

    scheme: str
    host: str
    port: int

    @classmethod
    def parse(cls, url: str | httpx.URL) -> "Origin":
        """The origin of a URL. Raises TargetError where it has none of http or https."""
        try:
            parsed = httpx.URL(url)
        except httpx.InvalidURL as error:
            raise TargetError(f"{str(url)!r} is no URL ({error}).\n{_TRY}") from error
        if parsed.scheme not in _PORTS:
            raise TargetError(f"{str(url)!r} begins with neither http:// nor https://.\n{_TRY}")
        if not parsed.raw_host:
            raise TargetError(f"{str(url)!r} has no host.\n{_TRY}")
        port = _PORTS[parsed.scheme] if parsed.port is None else parsed.port
        if not 0 < port < 65536:
            raise TargetError(f"{str(url)!r} has no port that there is.\n{_TRY}")
        return cls(parsed.scheme, parsed.raw_host.decode("ascii"), port)

    @property
    def place(self) -> str:
        """Host and port, as in the Host header: "acs.example.com:8443", "[::1]"."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    def __str__(self) -> str:
        """'https://acs.example.com:8443'."""
        return f"{self.scheme}://{self.place}"


_TRY = "Try: check target.base_url, --base-url, and every base_url of the profile."
