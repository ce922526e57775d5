"""Twilio Verify v2, as far as a code by SMS goes, written from its public documentation.

No answer here was seen from Twilio itself. What the documentation does not say, the stand-in
decides and says so beside it.

- Verifications: https://www.twilio.com/docs/verify/api/verification
- VerificationCheck: https://www.twilio.com/docs/verify/api/verification-check
- validity and repeated codes: https://www.twilio.com/docs/verify/api/rate-limits-and-timeouts
- errors 20404, 60200, 60202, 60203: https://www.twilio.com/docs/api/errors
"""

import base64
import hmac
import re
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .running import Gateway, TestClock, options, serve

ACCOUNT = "AC" + "0" * 31 + "1"
SERVICE = "VA" + "0" * 31 + "1"
SENDS, CHECKS = 5, 5


Handler = Callable[[Request], Awaitable[Response]]


class Failed(Exception):  # noqa: N818 - no error: an answer
    """An error as Twilio answers it."""

    def __init__(self, status: int, code: int, message: str) -> None:
        self.status, self.code, self.message = status, code, message
        super().__init__(message)


@dataclass
class Verification:
    """A phone that is being verified."""

    to: str
    created: float
    code: str = field(default_factory=lambda: f"{secrets.randbelow(10**6):06}")
    sid: str = field(default_factory=lambda: f"VE{secrets.token_hex(16)}")
    status: str = "pending"
    sends: int = 0
    wrong: int = 0

    @property
    def exhausted(self) -> bool:
        """Whether all its checks were wrong ones."""
        return self.status == "max_attempts_reached"


class Verify:
    """One Verify service."""

    def __init__(
        self, now: Callable[[], float], validity: float, gateway: Gateway, token: str
    ) -> None:
        self.now, self.validity, self.gateway = now, validity, gateway
        self.basic = base64.b64encode(f"{ACCOUNT}:{token}".encode()).decode()
        self.by_sid: dict[str, Verification] = {}
        self.by_phone: dict[str, Verification] = {}  # the latest of each

    def routes(self) -> list[Route]:
        """Where what is asked for."""
        service = f"/v2/Services/{SERVICE}"
        return [
            Route(service, self.guarded(self.fetch_service)),
            Route(f"{service}/Verifications", self.guarded(self.create), methods=["POST"]),
            Route(f"{service}/Verifications/{{sid}}", self.guarded(self.fetch), methods=["GET"]),
            Route(f"{service}/Verifications/{{sid}}", self.guarded(self.update), methods=["POST"]),
            Route(f"{service}/VerificationCheck", self.guarded(self.check), methods=["POST"]),
        ]

    def guarded(self, act: Handler) -> Handler:
        """HTTP Basic; errors in Twilio's form."""

        async def handle(request: Request) -> Response:
            try:
                if request.headers.get("authorization") != f"Basic {self.basic}":
                    raise Failed(401, 20003, "Authenticate")
                return await act(request)
            except Failed as failed:
                more = f"https://www.twilio.com/docs/errors/{failed.code}"
                told = {"code": failed.code, "message": failed.message, "more_info": more}
                return JSONResponse({**told, "status": failed.status}, failed.status)

        return handle

    async def fetch_service(self, request: Request) -> Response:
        return JSONResponse({"sid": SERVICE, "account_sid": ACCOUNT, "friendly_name": "Shop"})

    async def create(self, request: Request) -> Response:
        """Start a verification; while one is open: send its code again."""
        form = await fields(request)
        to = form.get("To", "")
        if not re.fullmatch(r"\+[1-9]\d{6,14}", to):
            raise Failed(400, 60200, "Invalid parameter: To")
        if form.get("Channel") != "sms":
            raise Failed(400, 60200, "Invalid parameter: Channel")
        open_now = self.by_phone.get(to)
        if open_now is None or open_now.status in ("approved", "canceled") or self.old(open_now):
            open_now = Verification(to, self.now())
            self.by_sid[open_now.sid] = self.by_phone[to] = open_now
        if open_now.exhausted:
            # "you will need to wait until the current verification expires (10 minutes)"
            raise Failed(429, 60202, "Max check attempts reached")
        if open_now.sends >= SENDS:
            raise Failed(429, 60203, "Max send attempts reached")
        open_now.sends += 1
        text = f"Your Shop verification code is: {open_now.code}"
        path = f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
        await self.gateway.send({"To": to, "From": "+15005550006", "Body": text}, path)
        return JSONResponse(self.shown(open_now), 201)

    async def fetch(self, request: Request) -> Response:
        return JSONResponse(self.shown(self.found(request.path_params["sid"])))

    async def update(self, request: Request) -> Response:
        status = (await fields(request)).get("Status", "")
        verification = self.found(request.path_params["sid"])  # nothing is awaited from here on
        if status not in ("canceled", "approved"):
            raise Failed(400, 60200, "Invalid parameter: Status")
        verification.status = status
        return JSONResponse(self.shown(verification))

    async def check(self, request: Request) -> Response:
        """Check a code."""
        form = await fields(request)
        verification = self.known(form)
        if verification.exhausted:
            # The pages contradict each other: that of error 60202 says 429, VerificationCheck's
            # says 404. Here it is 429 while the code would have lived, and 404 from then on.
            raise Failed(429, 60202, "Max check attempts reached")
        if verification.status != "pending":
            raise not_found("VerificationCheck")
        code = form.get("Code", "")
        if not re.fullmatch(r"[0-9]{4,10}", code):  # that it does not count is ours: not documented
            raise Failed(400, 60200, "Invalid parameter: Code")
        if hmac.compare_digest(code, verification.code):
            verification.status = "approved"
            return JSONResponse(self.shown(verification))
        verification.wrong += 1
        told = JSONResponse(self.shown(verification))
        if verification.wrong >= CHECKS:
            verification.status = "max_attempts_reached"
        return told

    def known(self, form: dict[str, str]) -> Verification:
        """The verification that is checked, by its SID or by its phone."""
        if sid := form.get("VerificationSid"):
            found = self.by_sid.get(sid)
        elif "To" in form:
            found = self.by_phone.get(form["To"])
        else:
            raise Failed(400, 60200, "Invalid parameter: To")
        if found is None or self.old(found):
            raise not_found("VerificationCheck")
        return found

    def found(self, sid: str) -> Verification:
        """A verification whose SID is not deleted: "expired, approved, or max attempts"."""
        found = self.by_sid.get(sid)
        if found is None or self.old(found) or found.status != "pending":
            raise not_found(f"Verifications/{sid}")
        return found

    def old(self, verification: Verification) -> bool:
        """Whether its validity has ended."""
        return self.now() >= verification.created + self.validity

    def shown(self, verification: Verification) -> dict[str, object]:
        """The resource as its page describes it."""
        attempts = [
            {"channel": "SMS", "attempt_sid": f"VL{n:032}"} for n in range(verification.sends)
        ]
        return {
            "sid": verification.sid,
            "service_sid": SERVICE,
            "account_sid": ACCOUNT,
            "to": verification.to,
            "channel": "sms",
            "status": verification.status,
            "valid": verification.status == "approved",
            "amount": None,
            "payee": None,
            "send_code_attempts": attempts,
        }


def not_found(what: str) -> Failed:
    """A resource that is not there, or no more."""
    path = f"/Services/{SERVICE}/{what}"
    return Failed(404, 20404, f"The requested resource {path} was not found")


async def fields(request: Request) -> dict[str, str]:
    """A form's fields. Of several with one name the last counts: not documented."""
    return dict(
        parse_qsl((await request.body()).decode("utf-8", "replace"), keep_blank_values=True)
    )


def main() -> None:
    """Serve."""
    given = options("twilio_verify").parse_args()
    clock = TestClock()
    verify = Verify(clock.now, given.validity, Gateway(given.sms), given.token)
    serve("twilio_verify", given.port, verify.routes() + clock.routes())


if __name__ == "__main__":
    main()
