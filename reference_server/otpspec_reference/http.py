"""The HTTP face: JSON in and out, one route for each operation.

The endpoints are bare ASGI: no request and response objects are built for each call, since the
server is there to be loaded.
"""

import hmac
import json
from collections.abc import Awaitable, Callable

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from otpspec_reference.answers import Answer, Asked, Headers, Status
from otpspec_reference.rules import SafeKey

MAX_BODY = 64 * 1024

NO_STORE = {"Cache-Control": "no-store"}

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


class TooLargeError(Exception):
    """The body is over MAX_BODY: the rest of it was not read."""


class CutOffError(Exception):
    """The caller went away before the end of the body: nothing was asked."""


Ask = Callable[[str, Asked], Answer]
"""Takes the id in the path, "" where there is none, and what was sent."""

Perform = Callable[[Scope, Receive], Awaitable[Answer]]


class Endpoint:
    """A route's end: an ASGI app that performs, and sends the answer.

    A class, since Starlette wraps a function in its request and response objects.
    """

    def __init__(self, face: "Face", perform: Perform) -> None:
        self._face = face
        self._perform = perform

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        try:
            answer = await self._perform(scope, receive)
        except TooLargeError:
            answer = Answer(Status.MALFORMED, code=413)
        except CutOffError:
            return
        body = _encode({"status": answer.status, **answer.fields})
        headers = [*self._face.headers(answer), (b"content-length", b"%d" % len(body))]
        start = {"type": "http.response.start", "status": answer.http_code, "headers": headers}
        await send(start)
        await send({"type": "http.response.body", "body": body})


class Face:
    """What stands between HTTP and the rules."""

    def __init__(self, safekey: SafeKey, support_token: str) -> None:
        self.safekey = safekey
        self._support = b"Bearer " + support_token.encode()

    def routes(self) -> list[Route]:
        """All operations; those that are loaded most come first, since routes are tried in turn."""
        rules = self.safekey
        return [
            self.route("POST", "/transactions/{id}/verify", rules.verify),
            self.route("POST", "/transactions", lambda _, asked: rules.start(asked)),
            self.route("POST", "/transactions/{id}/resend", rules.resend),
            self.route("POST", "/transactions/{id}/cancel", rules.cancel),
            self.route("PATCH", "/transactions/{id}", rules.amend),
            self.route("POST", "/cards", lambda _, asked: rules.enrol(asked)),
            self.route("PUT", "/cards/{id}/contact", rules.change_contact),
            self.route("POST", "/support/cards/{id}/unlock", self.unlock),
        ]

    def route(self, method: str, path: str, ask: Ask) -> Route:
        """The route of one operation of the rules."""

        async def perform(scope: Scope, receive: Receive) -> Answer:
            return await self.perform(ask, scope, receive)

        return Route(path, Endpoint(self, perform), methods=[method])

    async def perform(self, ask: Ask, scope: Scope, receive: Receive) -> Answer:
        """Read the request, and ask the rules."""
        raw = await read_body(receive)
        asked = Asked(self.read(raw), tuple(scope["headers"]))
        return ask(scope["path_params"].get("id", ""), asked)

    def read(self, raw: bytes) -> dict[str, object] | None:
        """The JSON object in a body; an empty body is an empty object; else None."""
        return read_object(raw) if raw else {}

    def unlock(self, card_id: str, asked: Asked) -> Answer:
        """Unlock a card, for who has support's token."""
        if not self.is_support(asked):
            return Answer(Status.UNAUTHORISED)
        return self.safekey.unlock(card_id, asked)

    def is_support(self, asked: Asked) -> bool:
        """Whether support asks: who has its token."""
        return hmac.compare_digest(header(asked.headers, b"authorization"), self._support)

    def headers(self, answer: Answer) -> Headers:
        """No answer may be kept by a cache: each is a decision (ASVS 5.0 14.2.1)."""
        return (
            (b"content-type", b"application/json"),
            (b"cache-control", b"no-store"),
            *answer.headers,
        )


async def read_body(receive: Receive) -> bytes:
    """The whole body, if it is not too large."""
    body = b""
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise CutOffError
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > MAX_BODY:
            raise TooLargeError
    return body


def read_object(raw: bytes) -> dict[str, object] | None:
    """The JSON object that this is; None where it is something else, or says a key twice."""
    try:
        value = _decode(raw)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict):
        return None
    # Each pair has a colon. No more colons than keys: none was lost to a repeated one, and the
    # slow way round is for bodies with a colon elsewhere.
    return value if raw.count(b":") == len(value) or _keys_are_unique(raw) else None


def _keys_are_unique(raw: bytes) -> bool:
    def refuse_repeated(pairs: list[tuple[str, object]]) -> None:
        if len({key for key, _ in pairs}) < len(pairs):
            raise ValueError("repeated key")

    try:
        json.loads(raw, object_pairs_hook=refuse_repeated)
    except (ValueError, RecursionError):
        return False
    return True


def header(headers: Headers, name: bytes) -> bytes:
    """The value of a header; empty where it is absent."""
    for key, value in headers:
        if key == name:
            return value
    return b""


async def refuse_http(request: Request, error: Exception) -> Response:
    """What Starlette refuses itself (404, 405), in the words of the other answers."""
    if isinstance(error, HTTPException) and error.status_code == 405:
        return _response(Status.METHOD_NOT_ALLOWED, 405, dict(error.headers or {}))
    return _response(Status.NOT_FOUND, 404, {})


async def refuse_error(request: Request, error: Exception) -> Response:
    """A mistake of ours: closed, and without a word about it."""
    return _response(Status.ERROR, 500, {})


def _response(status: Status, code: int, headers: dict[str, str]) -> Response:
    body = _encode({"status": status})
    return Response(body, code, {**headers, **NO_STORE}, media_type="application/json")
