"""HTTP as a run may speak it: guarded addresses, the profile's pace, an id on every request."""

import asyncio
import itertools
import secrets
from collections.abc import Sequence
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Protocol, runtime_checkable
from urllib.parse import urlsplit

import httpx

from otpspec.burst import Landed, Shot, fire
from otpspec.guard import Guard, GuardedTransport, Rules, tls_context
from otpspec.profile import Profile, Raw, Request

MAX_BODY = 1 << 20
"""Bytes of an answer that are read; no answer to a payer is longer."""

_HEADERS = (("Accept", "*/*"), ("Accept-Encoding", "gzip, deflate"), ("User-Agent", "otpspec"))
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.02, 1.0  # between two requests of a run that is too fast
_MOST_IN_VAIN = 3  # long waits in a row that did not help
_LONG_S = 4.0
_BURST_S = 2.0  # seconds in which refusals are of one burst
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def guard(profile: Profile) -> Guard:
    """Who says which addresses a run with this profile may connect to.

    Raises TargetError where the profile's certificates cannot be used.
    """
    target = profile.target
    files = {
        "ca": target.tls.ca,
        "certificate": target.tls.certificate,
        "key": target.tls.key,
    }
    given = {name: profile.folder / file for name, file in files.items() if file}
    tls = tls_context(**given) if given else None
    rules = Rules(target.private, target.ownership_token, target.ownership_path, tls)
    return Guard(rules, profile.origins)


class Jar(httpx.Cookies):
    """One payer's cookies."""

    def __init__(self, protocols: Sequence[str] = ("https",)) -> None:
        """`protocols`: over which of them cookies marked Secure are sent."""
        super().__init__(CookieJar(DefaultCookiePolicy(secure_protocols=protocols)))
        self._protocols = protocols

    def copy(self) -> "Jar":
        """Another jar that holds the same cookies."""
        other = Jar(self._protocols)
        for cookie in self.jar:
            other.jar.set_cookie(cookie)
        return other


@runtime_checkable
class Together(Protocol):
    """An app in this process that can be asked several things at once."""

    async def fire(self, shots: Sequence[Shot], *, timeout_s: float) -> list[Landed]:
        """Requests that the app begins to handle together."""


class Access:
    """What all the connections of a run share: the guard, the pace, the numbers of requests."""

    def __init__(self, profile: Profile, app: httpx.AsyncBaseTransport | None = None) -> None:
        """`app`: an app in this process; nothing of it goes over a socket.

        Raises OtpspecError where the profile's certificates cannot be used.
        """
        self.profile = profile
        self.app = app
        self.guard = guard(profile)
        self.run = secrets.token_hex(4)
        """What the ids of this run's requests have in common."""

        self._numbers = itertools.count(1)
        self._free_at = 0.0  # in the loop's time: when the next request may be sent
        self._slow_until = 0.0  # nor is it made slower again before
        self._apart_s = 1 / profile.max_rate.per_s if profile.max_rate else 0.0
        self._in_vain = 0  # how often in a row backing off has not helped
        self.alone = asyncio.Lock()
        """Held by a burst: two at once would take each other's connections at the target."""

    async def fire(self, shots: Sequence[Shot]) -> list[Landed]:
        """Release requests together, each on a connection of its own."""
        timeout_s = self.profile.timeout.total_seconds()
        if isinstance(self.app, Together):
            return await self.app.fire(shots, timeout_s=timeout_s)
        return await fire(self.guard, shots, timeout_s=timeout_s, max_body=MAX_BODY)

    def transport(self) -> httpx.AsyncBaseTransport:
        """Connections of one payer."""
        return self.app or GuardedTransport(self.guard)

    async def verify(self) -> None:
        """See that every origin of the profile may be connected to, before anything is sent."""
        if self.app is not None:
            return
        loop = asyncio.get_running_loop()
        for origin in sorted(self.profile.origins):
            url = urlsplit(origin)
            port = url.port or (443 if url.scheme == "https" else 80)
            await loop.run_in_executor(None, self.guard.addresses, url.hostname or "", port)

    def marked(self, request: Request) -> Request:
        """The request with an id of its own, to be found in the target's own logs."""
        header = self.profile.target.correlation_header
        if any(name.lower() == header.lower() for name, _ in request.headers):
            return request
        mark = (header, f"otpspec-{self.run}-{next(self._numbers)}")
        return request._replace(headers=(*request.headers, mark))

    def mark_of(self, request: Request) -> str:
        """The id of a request that was marked."""
        header = self.profile.target.correlation_header.lower()
        return next((value for name, value in request.headers if name.lower() == header), "")

    async def turn(self, count: int = 1) -> None:
        """Wait until the next request may be sent: at the profile's max_rate, or slower where the
        target has asked for it. `count`: so many go together, and count as so many."""
        if not self._apart_s:
            return
        loop = asyncio.get_running_loop()
        at = max(self._free_at, loop.time())
        self._free_at = at + count * self._apart_s
        if (left := at - loop.time()) > 0:
            await asyncio.sleep(left)

    def slow_down(self) -> None:
        """The target has said that there are too many requests: from now on, half as many.

        Many requests that are refused at once say it once.
        """
        now = asyncio.get_running_loop().time()
        if now >= self._slow_until:
            self._apart_s = min(max(2 * self._apart_s, _FIRST_PAUSE_S), _LONGEST_PAUSE_S)
            self._slow_until = now + _BURST_S

    @property
    def may_back_off(self) -> bool:
        """Whether to ask again, after a time of our own choice, what was throttled: as long as
        that helps. What is a lock by another name is not waited for again and again."""
        return self._in_vain < _MOST_IN_VAIN

    def backed_off(self, waited_s: float, *, helped: bool) -> None:
        """What was asked again after a time of our own choice was answered."""
        self._in_vain = 0 if helped else self._in_vain + (waited_s >= _LONG_S)
        if helped:  # the pace was too fast, then: it was no limit of that card's alone
            self.slow_down()

    def jar(self) -> Jar:
        """A payer's empty jar. As in browsers, cookies marked Secure also go to this machine's own
        servers, which speak plain text."""
        host = urlsplit(self.profile.origin).hostname
        return Jar(("https", "http") if host in _LOOPBACK else ("https",))


class Wire:
    """One payer's connections: a pool that many share is searched at every request."""

    def __init__(self, access: Access) -> None:
        self.access = access
        self._timeout = access.profile.timeout.total_seconds()
        self._transport = access.transport()

    async def send(
        self,
        request: Request,
        jar: Jar | None = None,
        *,
        at_once: bool = False,
        longest: int = MAX_BODY,
    ) -> Raw:
        """Send a request and read its answer, of at most `longest` bytes.

        Raises httpx.HTTPError where no answer came. `at_once`: the caller has waited for its turn.
        """
        if not at_once and request.origin == self.access.profile.origin:
            await self.access.turn()
        jar = Jar() if jar is None else jar
        built = self.built(request, jar)
        try:
            async with asyncio.timeout(self._timeout):  # its timer holds the clock
                response = await self._transport.handle_async_request(built)
                try:
                    body = await _read(response, longest)
                finally:
                    await response.aclose()
        except TimeoutError as error:
            raise httpx.ReadTimeout("no answer in time", request=built) from error
        return taken(response, built, body, jar)

    def built(self, request: Request, jar: Jar) -> httpx.Request:
        """The request as it goes over the wire, with an id of its own and the payer's cookies."""
        request = self.access.marked(request)
        given = {name.lower() for name, _ in request.headers}
        headers = [pair for pair in _HEADERS if pair[0].lower() not in given]
        encoded = [(k.encode("latin-1"), v.encode()) for k, v in (*headers, *request.headers)]
        built = httpx.Request(
            request.method,
            request.origin + request.target,
            headers=encoded,
            content=request.body or None,
            extensions={"timeout": httpx.Timeout(self._timeout).as_dict()},
        )
        if jar.jar:
            jar.set_cookie_header(built)
        return built

    async def aclose(self) -> None:
        """Close the connections."""
        if self._transport is not self.access.app:
            await self._transport.aclose()


def taken(response: httpx.Response, request: httpx.Request, body: bytes, jar: Jar) -> Raw:
    """An answer as profiles read it; its cookies go into the jar."""
    response.request = request
    given: dict[str, str] = {}
    if "set-cookie" in response.headers:
        jar.extract_cookies(response)
        fresh = Jar()
        fresh.extract_cookies(response)
        given = {cookie.name: cookie.value or "" for cookie in fresh.jar}
    return Raw(response.status_code, dict(response.headers), body, given)


async def _read(response: httpx.Response, longest: int) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > longest:
            raise httpx.ReadError(f"the answer is longer than {longest} bytes")
    return bytes(body)


def describe(error: httpx.HTTPError) -> str:
    """Why no answer came, in a few words."""
    if isinstance(error, httpx.TimeoutException):
        return "no answer in time"
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ConnectionRefusedError):
            return "connection refused"
        if isinstance(cause, ConnectionResetError):
            return "connection reset"
        cause = cause.__cause__ or cause.__context__
    return str(error) or type(error).__name__
