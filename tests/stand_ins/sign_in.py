"""Signing in by an address and a code, as many products do it: no accounts, no transaction ids.

Any address may ask for a code; the next one takes its place. Three wrong ones end it, whatever
they look like. `--odd` and `--bug` are sound and unsound variations, several with commas between.
"""

import secrets
import time
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .running import TestClock, options, serve

TRIES = 3
ODD = {
    "session": "a cookie begins with the first answer, and is asked for by nothing",
    "origin": "a request with a cookie must say its origin, as a browser's does",
    "throttled": "more than 15 requests within a second are refused, and not told for how long",
    "throttled-by-word": "the same, in an answer with HTTP 400",
    "malformed": "what is not six digits is told, and counts nothing",
}
BUGS = {
    "any-address": "the code of any address is good for any other",
    "former-code": "the code before the newest is good, too",
    "no-end": "wrong codes are not counted",
    "told-and-counted": "what is not six digits is told, and counts all the same",
}


@dataclass
class Code:
    """The newest code of an address."""

    text: str
    sent: float
    wrong: int = 0
    former: str = ""


class SignIn:
    """The API."""

    def __init__(self, clock: TestClock, validity: float, does: set[str]) -> None:
        self._clock, self._validity, self._does = clock, validity, does
        self._codes: dict[str, Code] = {}
        self._sent: list[dict[str, Any]] = []
        self._asked: list[float] = []

    def routes(self) -> list[Route]:
        """Where what is asked for."""
        return [
            Route("/code", self.code, methods=["POST"]),
            Route("/sign-in", self.sign_in, methods=["POST"]),
            Route("/test/messages", self.messages),
        ]

    async def messages(self, request: Request) -> JSONResponse:
        """What was sent to an address."""
        to = request.query_params["to"]
        return JSONResponse([message for message in self._sent if message["to"] == to])

    async def code(self, request: Request) -> Response:
        """Send a code to an address."""
        if (refused := self._refused(request)) is not None:
            return refused
        email = str((await request.json())["email"])
        former = self._codes.get(email)
        code = Code(f"{secrets.randbelow(10**6):06}", self._clock.now())
        code.former = former.text if former else ""
        self._codes[email] = code
        text = f"{code.text} is your code."
        self._sent.append({"id": len(self._sent) + 1, "to": email, "text": text})
        answer = JSONResponse({"sent": True})
        if "session" in self._does or "origin" in self._does:
            answer.set_cookie("sid", secrets.token_hex(8))
        return answer

    async def sign_in(self, request: Request) -> Response:
        """Sign in by an address and its code."""
        if (refused := self._refused(request)) is not None:
            return refused
        body = await request.json()
        said, email = body.get("code"), str(body.get("email"))
        code = self._codes.get(email)
        right = [] if code is None else [code.text]
        if code is not None and "former-code" in self._does and code.former:
            right.append(code.former)
        if "any-address" in self._does:
            right += [other.text for other in self._codes.values()]
        malformed = not (isinstance(said, str) and said.isascii() and len(said) == 6)
        if malformed and "malformed" in self._does:
            return self._no(422, "not_a_code")
        if code is None or self._clock.now() - code.sent > self._validity:
            return self._no(400, "expired")
        if code.wrong >= TRIES and "no-end" not in self._does:
            return self._no(400, "too_many_tries")
        if said not in right:
            code.wrong += 1
            if malformed and "told-and-counted" in self._does:
                return self._no(422, "not_a_code")
            return self._no(400, "wrong_code")
        del self._codes[email]
        return JSONResponse({"token": secrets.token_hex(16)})

    def _refused(self, request: Request) -> Response | None:
        if "origin" in self._does and request.cookies and "origin" not in request.headers:
            return self._no(403, "missing origin")
        now = time.monotonic()
        self._asked = [at for at in self._asked if at > now - 1] + [now]
        if len(self._asked) > 15 and "throttled" in self._does:
            return self._no(429, "slow_down")
        if len(self._asked) > 15 and "throttled-by-word" in self._does:
            return self._no(400, "slow_down")
        return None

    def _no(self, status: int, why: str) -> JSONResponse:
        return JSONResponse({"error": why}, status)


if __name__ == "__main__":
    parser = options("sign_in")
    parser.add_argument("--does", default="", help="oddities and bugs, with commas between")
    given = parser.parse_args()
    does = set(filter(None, given.does.split(",")))
    if unknown := does - {*ODD, *BUGS}:
        parser.error(f"no such oddity or bug: {', '.join(sorted(unknown))}")
    clock = TestClock()
    api = SignIn(clock, given.validity, does)
    serve("sign_in", given.port, [*api.routes(), *clock.routes()])
