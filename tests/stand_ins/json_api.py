"""A JSON API that answers with HTTP status codes, and with an error's name in the body.

`--names other` is the same bank behind other paths, other field names and other status codes, as
another team would have written it.
"""

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .bank import Bank, Payment, Refused
from .running import TestClock, options, serve

STATUS = {
    "unknown": 404,
    "over": 409,
    "expired": 410,
    "malformed": 422,
    "locked": 423,
    "wrong_code": 400,
    "wrong_csc": 400,
}
LARGEST = 100_000


class Outbox:
    """A test installation keeps its messages where a test can read them."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []

    def add(self, to: str, text: str) -> None:
        """Keep a message."""
        self.sent.append({"id": len(self.sent) + 1, "to": to, "text": text})

    def to(self, phone: str) -> list[dict[str, Any]]:
        """The messages to a phone."""
        return [message for message in self.sent if message["to"] == phone]


class Plain:
    """The API that the template json-api describes."""

    def __init__(self, bank: Bank, token: str) -> None:
        self.bank, self.token, self.outbox = bank, token, Outbox()

    def routes(self) -> list[Route]:
        """Where what is asked for."""
        return [
            Route("/cards", self.enroll, methods=["POST"]),
            Route("/payments", self.start, methods=["POST"]),
            Route("/payments/{id}/confirm", self.confirm, methods=["POST"]),
            Route("/payments/{id}/resend", self.resend, methods=["POST"]),
            Route("/support/cards/{id}/unlock", self.unlock, methods=["POST"]),
            Route("/test/messages", self.messages),
        ]

    async def enroll(self, request: Request) -> Response:
        asked = await body(request)
        card = self.bank.enroll(csc=str(asked.get("cvc", "")), phone=str(asked["phone"]))
        return answer({"id": card.id}, 201)

    async def start(self, request: Request) -> Response:
        asked = await body(request)
        try:
            payment = self.bank.start(
                str(asked["card"]),
                amount=str(asked["amount"]),
                currency=str(asked["currency"]),
                payee=str(asked["payee"]),
            )
        except Refused as refused:
            return failed(refused)
        self.send(payment)
        return answer({"id": payment.id, "sent_to": "*" * 6 + payment.card.phone[-4:]}, 201)

    async def confirm(self, request: Request) -> Response:
        try:
            asked = await body(request)
            self.bank.verify(request.path_params["id"], asked.get("code"), asked.get("cvc"))
        except Refused as refused:
            return failed(refused)
        return answer({"status": "approved"}, 200)

    async def resend(self, request: Request) -> Response:
        try:
            payment = self.bank.resend(request.path_params["id"])
        except Refused as refused:
            return failed(refused)
        self.send(payment)
        return answer({"status": "sent"}, 202)

    async def unlock(self, request: Request) -> Response:
        if request.headers.get("authorization") != f"Bearer {self.token}":
            return answer({"error": {"code": "unauthorized"}}, 401)
        self.bank.unlock(request.path_params["id"])
        return Response(status_code=204)

    async def messages(self, request: Request) -> Response:
        return answer({"messages": self.outbox.to(request.query_params["to"])}, 200)

    def send(self, payment: Payment) -> None:
        """The code goes out."""
        self.outbox.add(payment.card.phone, self.bank.message(payment))


class Other(Plain):
    """The same, by another team: HTTP 200 to everything, and a result in the body."""

    def routes(self) -> list[Route]:
        """Where what is asked for."""
        return [
            Route("/v2/clients", self.enroll, methods=["PUT"]),
            Route("/v2/orders", self.start, methods=["POST"]),
            Route("/v2/orders/check", self.confirm, methods=["POST"]),
            Route("/v2/_sms/{to}", self.messages),
        ]

    def allowed(self, request: Request) -> bool:
        """Every request must show a key."""
        return request.headers.get("x-api-key") == self.token

    async def enroll(self, request: Request) -> Response:
        asked = await body(request)
        if not self.allowed(request):
            return answer({"ok": False, "why": "KEY"}, 200)
        card = self.bank.enroll(csc=str(asked["secNo"]), phone=str(asked["mobile"]))
        return answer({"ok": True, "client": {"no": card.id}}, 200)

    async def start(self, request: Request) -> Response:
        order = (await body(request))["order"]
        if not self.allowed(request):
            return answer({"ok": False, "why": "KEY"}, 200)
        try:
            payment = self.bank.start(
                str(order["client"]), amount=str(order["sum"]), currency="EUR", payee="otpspec"
            )
        except Refused as refused:
            return self.no(refused)
        self.send(payment)
        return answer({"ok": True, "order": {"no": payment.id}}, 200)

    async def confirm(self, request: Request) -> Response:
        try:
            asked = await body(request)
            if not self.allowed(request):
                return answer({"ok": False, "why": "KEY"}, 200)
            self.bank.verify(str(asked.get("order")), asked.get("pin"), asked.get("secNo"))
        except Refused as refused:
            return self.no(refused)
        return answer({"ok": True, "paid": True}, 200)

    async def messages(self, request: Request) -> Response:
        sent = self.outbox.to(request.path_params["to"])
        return answer([{"n": message["id"], "body": message["text"]} for message in sent], 200)

    def no(self, refused: Refused) -> Response:
        """Used, expired and unknown are one to it."""
        gone = refused.word in ("over", "expired", "unknown")
        return answer({"ok": False, "why": "GONE" if gone else refused.word.upper()}, 200)


async def body(request: Request) -> dict[str, Any]:
    """The request's JSON object; anything else is malformed."""
    raw = await request.body()
    try:
        read = json.loads(raw) if len(raw) <= LARGEST else None
    except ValueError:
        read = None
    if not isinstance(read, dict):
        raise Refused("malformed")
    return read


def answer(content: Any, status: int) -> Response:
    """An answer that no cache keeps."""
    return JSONResponse(content, status, headers={"Cache-Control": "no-store"})


def failed(refused: Refused) -> Response:
    """An error by its name."""
    return answer({"error": {"code": refused.word}}, STATUS[refused.word])


def main() -> None:
    """Serve."""
    parser = options("json_api")
    parser.add_argument("--csc-from", type=float, help="the amount from which it asks for the 3CSC")
    parser.add_argument("--names", choices=["plain", "other"], default="plain")
    parser.add_argument("--digits", type=int, default=6)
    parser.add_argument("--max-wrong", type=int, default=3)
    parser.add_argument("--lock-for", type=float, default=float("inf"), help="seconds")
    given = parser.parse_args()
    clock = TestClock()
    bank = Bank(
        clock.now,
        validity=given.validity,
        max_wrong=given.max_wrong,
        digits=given.digits,
        csc_from=given.csc_from,
        lock_for=given.lock_for,
    )
    kind = {"plain": Plain, "other": Other}[given.names]
    serve("json_api", given.port, kind(bank, given.token).routes() + clock.routes())


if __name__ == "__main__":
    main()
