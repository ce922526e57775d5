"""An ACS challenge page: a hidden field, a session in a cookie, redirects, no script."""

import html
import secrets
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from .bank import Bank, Payment, Refused
from .running import Gateway, TestClock, options, serve

SAYS = {
    "unknown": "There is no payment to confirm.",
    "over": "There is no payment to confirm.",
    "expired": "Your code has expired. Please go back to the shop.",
    "locked": "Your card is locked. Please call us.",
    "malformed": "Please enter the six digits of your code.",
    "wrong_code": "This code is not right. Please try again.",
    "wrong_csc": "The security code of your card is not right. The payment was ended.",
}
SHOWN_AGAIN = ("malformed", "wrong_code")


@dataclass
class Session:
    """What the server knows of a browser."""

    csrf: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    payment: Payment | None = None
    notice: str = ""
    result: str = SAYS["unknown"]


class Acs:
    """The pages."""

    def __init__(self, bank: Bank, gateway: Gateway, token: str) -> None:
        self.bank, self.gateway, self.token = bank, gateway, token
        self.sessions: dict[str, Session] = {}

    def routes(self) -> list[Route]:
        """Where what is shown."""
        return [
            Route("/register", self.register, methods=["POST"]),
            Route("/checkout", self.checkout, methods=["POST"]),
            Route("/challenge", self.challenge, methods=["GET"]),
            Route("/challenge", self.confirm, methods=["POST"]),
            Route("/challenge/resend", self.resend, methods=["POST"]),
            Route("/result", self.result, methods=["GET"]),
            Route("/support/unlock", self.unlock, methods=["POST"]),
        ]

    async def register(self, request: Request) -> Response:
        form = await fields(request)
        card = self.bank.enroll(csc=form.get("cvc") or "", phone=form["phone"])
        return page(f'<p>Welcome. Your reference is <b id="ref">{card.id}</b></p>', 201)

    async def checkout(self, request: Request) -> Response:
        form = await fields(request)
        try:
            payment = self.bank.start(
                form.get("ref") or "",
                amount=form["amount"],
                currency=form["currency"],
                payee=form["shop"],
            )
        except Refused as refused:
            return page(f"<p>{SAYS[refused.word]}</p>", 200)
        key, session = secrets.token_urlsafe(16), Session(payment=payment)
        self.sessions[key] = session
        await self.send(payment)
        moved = RedirectResponse("/challenge", 303)
        moved.set_cookie("acs", key, httponly=True, samesite="lax")
        return moved

    async def challenge(self, request: Request) -> Response:
        session = self.session(request)
        if session.payment is None:
            return RedirectResponse("/result", 303)
        payment, notice = session.payment, session.notice
        session.notice = ""
        asks = '<input name="cvc" type="password" autocomplete="off">' if payment.asks_csc else ""
        return page(
            f'<p class="notice">{html.escape(notice)}</p>'
            f"<p>{payment.amount} {payment.currency} to {html.escape(payment.payee)}.</p>"
            f"<p>We have sent a code to the phone that ends in {payment.card.phone[-4:]}</p>"
            '<form method="post" action="/challenge">'
            f'<input type="hidden" name="csrf" value="{session.csrf}">'
            f'<input name="otp" autocomplete="one-time-code">{asks}<button>Pay</button></form>'
        )

    async def confirm(self, request: Request) -> Response:
        session, form = self.session(request), await fields(request)
        if form.get("csrf") != session.csrf or session.payment is None:
            return page(f"<p>{session.result}</p>", 403)
        session.csrf = secrets.token_urlsafe(16)
        try:
            self.bank.verify(session.payment.id, form.get("otp"), form.get("cvc"))
        except Refused as refused:
            return self.shown(session, refused)
        session.result = "Thank you. The payment is confirmed."
        return RedirectResponse("/result", 303)

    async def resend(self, request: Request) -> Response:
        session, form = self.session(request), await fields(request)
        if form.get("csrf") != session.csrf or session.payment is None:
            return page(f"<p>{session.result}</p>", 403)
        session.csrf = secrets.token_urlsafe(16)
        try:
            await self.send(self.bank.resend(session.payment.id))
        except Refused as refused:
            return self.shown(session, refused)
        session.notice = "We have sent another code."
        return RedirectResponse("/challenge", 303)

    def shown(self, session: Session, refused: Refused) -> Response:
        """The page again, or the end."""
        if refused.word in SHOWN_AGAIN:
            session.notice = SAYS[refused.word]
            return RedirectResponse("/challenge", 303)
        session.result = SAYS[refused.word]
        return RedirectResponse("/result", 303)

    async def result(self, request: Request) -> Response:
        session = self.session(request)
        hidden = f'<input type="hidden" name="csrf" value="{session.csrf}">'
        return page(
            f'<p>{session.result}</p><form method="post" action="/challenge">{hidden}</form>'
        )

    async def unlock(self, request: Request) -> Response:
        if request.headers.get("authorization") != f"Bearer {self.token}":
            return page("<p>Who are you?</p>", 401)
        self.bank.unlock((await fields(request))["ref"])
        return page("<p>The card works again.</p>")

    def session(self, request: Request) -> Session:
        """The browser's session, or one that knows nothing."""
        return self.sessions.get(request.cookies.get("acs", ""), Session())

    async def send(self, payment: Payment) -> None:
        """The code goes out."""
        await self.gateway.send({"to": payment.card.phone, "text": self.bank.message(payment)})


async def fields(request: Request) -> dict[str, str]:
    """What was posted; of several fields with one name, the last."""
    raw = await request.body()
    return dict(parse_qsl(raw.decode("utf-8", "replace"), keep_blank_values=True))


def page(inner: str, status: int = 200) -> Response:
    """A page that no cache keeps."""
    whole = f"<!doctype html><html><head><title>Bank</title></head><body>{inner}</body></html>"
    return HTMLResponse(whole, status, headers={"Cache-Control": "no-store"})


def main() -> None:
    """Serve."""
    given = options("html_form").parse_args()
    clock = TestClock()
    bank = Bank(clock.now, validity=given.validity, csc_from=100.0)
    acs = Acs(bank, Gateway(given.sms), given.token)
    serve("html_form", given.port, acs.routes() + clock.routes())


if __name__ == "__main__":
    main()
