"""A door before the reference server: who asks without a right signature is not let in."""

import hashlib
import hmac

from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.types import Message, Receive, Scope, Send

OPEN = ("/test/", "/health")
LATE_S = 30.0  # how old a signature may be, by the server's own clock


class Signed:
    """Lets through what is signed: method, target, time and body, with the key."""

    def __init__(self, app: Starlette, key: str) -> None:
        self._app = app
        self._key = key.encode()
        self._now = app.state.clock.now
        self.refused = 0
        self.passed = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Look at the signature, then pass the request on with its body."""
        if scope["type"] != "http" or scope["path"].startswith(OPEN) or scope["path"] == "/":
            await self._app(scope, receive, send)
            return
        body = await _whole(receive)
        if not self._is_signed(scope, body):
            self.refused += 1
            await JSONResponse({"status": "unsigned"}, 401)(scope, receive, send)
            return
        self.passed += 1

        async def again() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, again, send)

    def _is_signed(self, scope: Scope, body: bytes) -> bool:
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        stamp = headers.get("x-timestamp", "0")
        query = scope["query_string"].decode()
        target = scope["raw_path"].decode() + (f"?{query}" if query else "")
        signed = f"{scope['method']}\n{target}\n{stamp}\n".encode() + body
        right = hmac.new(self._key, signed, hashlib.sha256).hexdigest()
        given = headers.get("x-signature", "")
        return hmac.compare_digest(given, right) and abs(self._now() - int(stamp)) < LATE_S


async def _whole(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body
