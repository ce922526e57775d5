"""The general way to ask: several requests, cookies, redirects, headers that decide."""

from collections.abc import Generator, Mapping
from typing import Any

import httpx

from otpspec.load.asks import Ask, Asks
from otpspec.load.engine import Pool
from otpspec.load.wire import Answer
from otpspec.profile import Raw, Reading, Request


class Talk:
    """One operation, asked the general way; knows no connection."""

    __slots__ = ("_asks", "_exchange", "_request", "jar", "reading")

    def __init__(self, asks: Asks, ask: Ask, values: Mapping[str, Any], jar: Any) -> None:
        """`jar`: the payer's cookies, or None where there are none yet."""
        origins = asks._profile.origins
        self._asks = asks
        self._exchange: Generator[Request, Raw, Reading] = ask.operation.exchange(values, origins)
        self._request: Request
        self.jar = jar
        self.reading: Reading | None = None
        """What it came to, once it is over."""

    def begin(self) -> tuple[bytes, Pool]:
        """The first request. Raises KeyError, UnsayableError and TargetError."""
        return self._written(next(self._exchange))

    def heard(self, answer: Answer) -> tuple[bytes, Pool] | None:
        """Take in an answer; the next request, or None where it is over. Raises as `begin`."""
        cookies = self._keep(answer) if answer.cookies else {}
        raw = Raw(answer.status, answer.headers, answer.body, cookies)
        try:
            request = self._exchange.send(raw)
        except StopIteration as end:
            self.reading = end.value
            return None
        return self._written(request)

    def _written(self, request: Request) -> tuple[bytes, Pool]:
        self._request = request
        cookies = ""
        if self.jar is not None:
            built = httpx.Request(request.method, request.origin + request.target)
            self.jar.set_cookie_header(built)
            cookies = built.headers.get("cookie", "")
        return self._asks.written(request, cookies)

    def _keep(self, answer: Answer) -> dict[str, str]:
        """Put the cookies that an answer sets into the jar; those cookies."""
        if self.jar is None:
            self.jar = self._asks.jar()
        return keep(self.jar, self._asks.jar(), self._request, answer)


def keep(jar: Any, fresh: Any, request: Request, answer: Answer) -> dict[str, str]:
    """Put the cookies that an answer sets into a jar; those cookies, which `fresh` holds then."""
    response = httpx.Response(
        answer.status,
        headers=[("Set-Cookie", cookie) for cookie in answer.cookies],
        request=httpx.Request(request.method, request.origin + request.target),
    )
    jar.extract_cookies(response)
    fresh.extract_cookies(response)
    return {cookie.name: cookie.value or "" for cookie in fresh.jar}
