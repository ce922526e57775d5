"""The addresses that were verified in this run, by the rules that the profile declares."""

import socket
import ssl
import threading
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NoReturn, final

import httpx

from otpspec.errors import NotAllowedError, TargetError
from otpspec.guard.kinds import Kind, kind, unwrapped
from otpspec.guard.origin import Origin
from otpspec.guard.ownership import check_path, verification, why_unproved
from otpspec.guard.tls import default_context

Address = tuple[str, int]
"""An IP address in text and a port."""

RESOLVE_SECONDS = 10.0


@dataclass(frozen=True)
class Rules:
    """What the profile declares about where its target is."""

    private: bool = False
    ownership_token: str = field(default="", repr=False)  # secret; its hash lies at the origin
    ownership_path: str = "/.well-known/otpspec-verification.txt"
    tls: ssl.SSLContext | None = field(default=None, repr=False)  # None: the usual authorities


@final
class Guard:
    """Gives the addresses of a run's hosts, each verified once and then kept, to who connects.

    Nothing that is given or set from outside adds an address: only what this object has resolved
    and looked at itself. It may be asked from several threads; asking may take up to
    RESOLVE_SECONDS and, for a public host, as long again to read its file.
    """

    __slots__ = ("_locks", "_origins", "_refusals", "_rules", "_verified")

    def __init__(self, rules: Rules, origins: Collection[str]) -> None:
        """`origins`: all that the profile names; their paths do not matter.

        Raises TargetError where one is none.
        """
        named = dict.fromkeys(Origin.parse(origin) for origin in origins)
        self._rules = rules
        self._origins = {(origin.host, origin.port): origin for origin in named}
        if len(self._origins) < len(named):
            first, second = next(
                (self._origins[origin.host, origin.port], origin)
                for origin in named
                if self._origins[origin.host, origin.port] != origin
            )
            raise TargetError(
                f"The profile names both {second} and {first}, and one port speaks one of them.\n"
                "Try: check every base_url of the profile."
            )
        self._locks = {origin: threading.Lock() for origin in named}
        self._verified: dict[Origin, tuple[Address, ...]] = {}
        self._refusals: dict[Origin, str] = {}

    @property
    def tls(self) -> ssl.SSLContext:
        """What connections by TLS are made with."""
        return self._rules.tls or default_context()

    def check(self, url: str | httpx.URL) -> None:
        """Raises NotAllowedError where the profile does not name the origin of `url`."""
        try:
            origin = Origin.parse(url)
        except TargetError:
            self._unnamed(str(url))
        if origin not in self._locks:
            self._unnamed(str(origin))

    def addresses(self, host: str, port: int) -> list[Address]:
        """The verified addresses of a host, the same for the whole run.

        Raises NotAllowedError where this run may connect to none, which is final as well;
        TargetError where none is known, which may be tried again.
        """
        origin = self._named(host, port)
        with self._locks[origin]:
            if origin not in self._verified:
                if refusal := self._refusals.get(origin):
                    raise NotAllowedError(refusal)
                try:
                    self._verified[origin] = tuple(_verify(origin, self._rules, self.tls))
                except NotAllowedError as error:
                    self._refusals[origin] = str(error)
                    raise
            return list(self._verified[origin])

    def _named(self, host: str, port: int) -> Origin:
        if (found := self._origins.get((host, port))) is not None:
            return found
        try:  # a name as people write it: in capitals, or in their own script
            wire = httpx.URL(scheme="http", host=host).raw_host.decode("ascii")
        except httpx.InvalidURL:
            self._unnamed(f"{host!r}, port {port}")
        if (found := self._origins.get((wire, port))) is None:
            self._unnamed(f"{wire}, port {port}")
        return found

    def _unnamed(self, what: str) -> NoReturn:
        raise NotAllowedError(
            f"The profile does not name {what}, which was not tried.\n"
            f"It names {', '.join(map(str, self._locks)) or 'nothing'}.\n"
            "Try: if it belongs to the target, name it as a base_url in the profile."
        )


def _verify(origin: Origin, rules: Rules, tls: ssl.SSLContext) -> list[Address]:
    """The addresses of an origin that this run may connect to; at least one."""
    host = origin.host
    ips = list(dict.fromkeys(map(unwrapped, _resolve(origin))))
    kinds = {ip: kind(ip) for ip in ips}
    for ip, (found, what) in kinds.items():
        if found is Kind.NEVER:
            raise NotAllowedError(
                f"{_called(host, str(ip))} is {what}, where no target can be, and was not tried.\n"
                "Try: check the host in the profile and in --base-url."
            )
    public = [str(ip) for ip, (found, _) in kinds.items() if found is Kind.PUBLIC]
    if public and len(public) < len(ips):
        raise NotAllowedError(
            f"{host} has addresses near and public ({', '.join(map(str, ips))}), as a name has "
            "that is turned against a network, and was not tried.\n"
            "Try: name the address itself, or a host that has only one kind."
        )
    private = [str(ip) for ip, (found, _) in kinds.items() if found is Kind.PRIVATE]
    if private and not rules.private:
        raise NotAllowedError(
            f"{_called(host, ', '.join(private))} is in a private network, and was not tried.\n"
            "otpspec tries codes by brute force, so it leaves this machine only where the profile "
            "declares it.\n"
            "Try: private = true in [target], if network and target are yours."
        )
    if public:
        return _proved(origin, public, rules, tls)
    return [(str(ip), origin.port) for ip in ips]


def _proved(origin: Origin, public: list[str], rules: Rules, tls: ssl.SSLContext) -> list[Address]:
    """Those of an origin's public addresses that answer with the owner's line."""
    if not rules.ownership_token:
        raise NotAllowedError(
            f"{_called(origin.host, ', '.join(public))} is public, and was not tried.\n"
            "otpspec tries codes by brute force, so the owner of a public target must show that "
            "this is agreed.\n"
            "Try: ownership_token in [target]; otpspec init makes one."
        )
    line = verification(rules.ownership_token, str(origin))
    check_path(rules.ownership_path)
    why = partial(
        why_unproved,
        origin=origin,
        path=rules.ownership_path,
        line=line,
        tls=tls if origin.scheme == "https" else None,
    )
    addresses = [(ip, origin.port) for ip in public]
    with ThreadPoolExecutor(max_workers=8) as pool:  # one that is dead must not cost all the time
        reasons = dict(zip(addresses, pool.map(why, addresses), strict=True))
    if proved := [address for address in addresses if not reasons[address]]:
        return proved
    width = max(map(len, public))
    found = "\n".join(f"  {ip:<{width}}  {reason}" for (ip, _), reason in reasons.items())
    raise NotAllowedError(
        f"Nothing at {origin} shows that its owner agrees, so no code was tried there.\n"
        f"{found}\n"
        f"Try: if it is yours, put this line into {origin}{rules.ownership_path}\n"
        f"  {line}"
    )


def _called(host: str, address: str) -> str:
    return host if host == address else f"{host} ({address})"


def _resolve(origin: Origin) -> list[str]:
    """What the resolver says, in its order. Raises TargetError where it says nothing."""
    said: list[Any] = []

    def ask() -> None:
        try:
            said.append(socket.getaddrinfo(origin.host, origin.port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            said.append(error)

    # Nothing can interrupt a resolver. The class is looked up now: in a load process gevent has put
    # another in its place, and to wait for one of the former class there would be to wait in vain.
    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(RESOLVE_SECONDS)
    answer = said[0] if said else TimeoutError(f"no answer in {RESOLVE_SECONDS:g} s")
    if isinstance(answer, Exception):
        raise TargetError(
            f"No address is known for {origin.host!r} ({answer}).\n"
            "Try: check the host in the profile and in --base-url."
        ) from answer
    return [str(info[4][0]) for info in answer]
