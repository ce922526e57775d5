"""An SMS gateway that the harness runs: Twilio's Messages, or any webhook of JSON or form."""

import asyncio
import logging
import re
import secrets
import socket
from collections.abc import Callable
from email.utils import formatdate
from typing import Any

import uvicorn
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from otpspec.inbox import contacts
from otpspec.inbox.posted import Finder, Text, document
from otpspec.inbox.serving import BACKLOG, Serving, parse_listen
from otpspec.inbox.store import Store
from otpspec.profile import Message

LARGEST_REQUEST = 1 << 20
_TWILIO = re.compile(r"/2010-04-01/Accounts/(?P<account>[^/]+)/Messages(?:\.json)?")

logging.getLogger("uvicorn.error").addHandler(logging.NullHandler())  # not on a run's terminal


class SmsInbox:
    """Short messages, by the numbers to which a target sends them.

    `to` and `text` are JMESPath over what the target sends, where the usual names do not do.
    """

    def __init__(self, *, listen: str = "127.0.0.1:8026", to: str = "", text: str = "") -> None:
        """Raises ValueError where `listen` is no host and port, or an expression cannot be read."""
        where = parse_listen(listen, like="127.0.0.1:8026")
        self._serving = Serving("otpspec-sms", where, self._serve)
        self._finder = Finder(to, text)
        self._store = Store("message")

    @property
    def address(self) -> tuple[str, int]:
        """Host and port on which it listens."""
        return self._serving.address

    def open(self) -> None:
        """Begin to take messages. Raises TargetError where the address cannot be had."""
        self._serving.open()

    def close(self) -> None:
        """End the server; messages that have come can still be read."""
        self._serving.close()

    async def messages(self, contact: str) -> list[Message]:
        """All messages that are kept for a number, oldest first."""
        return self._store.messages(contact)

    def seen(self) -> str:
        """What has come so far."""
        return self._store.seen()

    # --- the server -----------------------------------------------------------------------------

    async def _serve(
        self, sockets: list[socket.socket], up: Callable[[], None], stop: asyncio.Event
    ) -> None:
        config = uvicorn.Config(
            self._app,
            backlog=BACKLOG,
            interface="asgi3",
            lifespan="off",
            ws="none",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            timeout_keep_alive=75,  # a target's pool must not find its connections closed
            timeout_graceful_shutdown=1,
        )
        server = _Server(config)
        serving = asyncio.ensure_future(server.serve(sockets))
        while not server.started and not serving.done():
            await asyncio.sleep(0.005)
        if server.started:
            up()
            await stop.wait()
        server.should_exit = True
        await serving

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _body(receive)
        if body is not None:
            status, answer = self._answer(scope, body)
            await JSONResponse(answer, status)(scope, receive, send)

    def _answer(self, scope: Scope, body: bytes) -> tuple[int, dict[str, Any]]:
        if len(body) > LARGEST_REQUEST:
            return self._refuse(413, f"it is longer than {LARGEST_REQUEST} bytes")
        method = scope["method"]
        if method not in ("POST", "PUT", "GET"):
            return self._refuse(405, f"it is a {method}; a message comes by POST, PUT or GET")
        headers = dict(scope["headers"])
        content_type = headers.get(b"content-type", b"").decode("latin-1")
        twilio = _TWILIO.fullmatch(scope["path"]) if method == "POST" else None
        try:
            fields = document(scope["query_string"], content_type, body)
            found = _of_twilio(fields) if twilio else self._finder.find(fields)
        except ValueError as error:
            return self._refuse(400, str(error))
        except RecursionError:
            return self._refuse(400, "it is nested too deeply")
        identity = [self._keep(message) for message in found][-1]
        if twilio:
            return 201, _as_twilio(twilio["account"], fields)
        return 200, {"status": "accepted", "id": identity}

    def _keep(self, message: Text) -> str:
        return self._store.add([contacts.key(message.to)], message.text, shown=[message.to])

    def _refuse(self, status: int, why: str) -> tuple[int, dict[str, Any]]:
        """Say what is missing to the target, and remember it for whoever waits for a message."""
        self._store.note(f"a request came that could not be read: {why}")
        advice = "see inbox.to and inbox.text of the profile"
        return status, {
            "status": status,
            "code": 21604 if "recipient" in why else 21619,  # Twilio's: no To, no Body
            "message": f"No message in this request: {why}; {advice}",
        }


class _Server(uvicorn.Server):
    """uvicorn, which ends at once: a client in the middle of a request does not hold it up."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for connection in list(self.server_state.connections):
            if connection.transport is not None:
                connection.transport.abort()
        await super().shutdown(sockets)


async def _body(receive: Receive) -> bytes | None:
    """A request's body, of which a little more than the largest allowed is kept; None where the
    client has gone away."""
    body, more = bytearray(), True
    while more:
        event = await receive()
        if event["type"] != "http.request":
            return None
        if len(body) <= LARGEST_REQUEST:
            body += event.get("body", b"")
        more = event.get("more_body", False)
    return bytes(body)


def _of_twilio(fields: Any) -> list[Text]:
    """Twilio's form; a message made of a template has variables for a text."""
    if not isinstance(fields, dict):
        raise ValueError("it has no recipient and text (fields: none)")
    text = fields.get("Body") or fields.get("ContentVariables")
    missing = [w for w, there in (("recipient", fields.get("To")), ("text", text)) if not there]
    if missing:
        listed = ", ".join(sorted(fields)[:12]) or "none"
        raise ValueError(f"it has no {' and '.join(missing)} (fields: {listed})")
    return [Text(str(fields["To"]), str(text))]


def _as_twilio(account: str, fields: dict[str, Any]) -> dict[str, Any]:
    """A message resource as Twilio answers it, whose client libraries read all of these."""
    sid = f"SM{secrets.token_hex(16)}"
    uri = f"/2010-04-01/Accounts/{account}/Messages/{sid}"
    return {
        "account_sid": account,
        "api_version": "2010-04-01",
        "body": fields.get("Body", ""),
        "date_created": formatdate().replace("-0000", "+0000"),
        "date_sent": None,
        "date_updated": formatdate().replace("-0000", "+0000"),
        "direction": "outbound-api",
        "error_code": None,
        "error_message": None,
        "from": fields.get("From"),
        "messaging_service_sid": fields.get("MessagingServiceSid"),
        "num_media": "0",
        "num_segments": "1",
        "price": None,
        "price_unit": "USD",
        "sid": sid,
        "status": "queued",
        "subresource_uris": {"media": f"{uri}/Media.json"},
        "to": fields["To"],
        "uri": f"{uri}.json",
    }
