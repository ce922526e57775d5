"""Payers of the three strangers, by hand: what a browser or an app would send, with httpx alone."""

import re
import secrets
from base64 import b64encode
from html.parser import HTMLParser
from typing import Any

import httpx

from .stranger import SUPPORT_TOKEN, TEXTGATE_USER, Caught


class Duopay:
    """A card at the JSON API."""

    def __init__(self, url: str) -> None:
        self.http = httpx.Client(base_url=url, trust_env=False)
        self.phone = "+999" + "".join(secrets.choice("0123456789") for _ in range(10))
        card = {"pan": "9999" * 4, "cvv": "777", "mobile": self.phone, "password": "pw"}
        self.uid = self.call("register", card)["data"]["uid"]
        self.token = self.call("login", {"uid": self.uid, "password": "pw"})["data"]["token"]

    def call(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        """One call; its answer."""
        token = getattr(self, "token", "")
        answer = self.http.post(f"/api/v1/{name}", json=body, headers={"X-Session": token})
        assert answer.status_code == 200
        found: dict[str, Any] = answer.json()
        return found

    def order(self) -> tuple[int, str]:
        """Order; the answer's code, and the order's number."""
        said = self.call("orders", {"amount": "12.00", "currency": "EUR", "payee": "shop"})
        return said["code"], said["data"].get("order_no", "")

    def confirm(self, order: str, otc: Any, cvv: Any = "777") -> int:
        """Confirm; the answer's code."""
        body = {"order_no": order, "sms_code": otc, "cvv": cvv}
        return int(self.call("orders/confirm", body)["code"])

    def codes(self, phone: str = "") -> list[str]:
        """All codes that were sent to the card's phone."""
        answer = self.http.get("/_mails", params={"to": phone or self.phone}).json()
        return [found for m in answer["data"]["list"] for found in re.findall(r"\d{6}", m["body"])]

    def later(self, seconds: float) -> None:
        """Move the server's time."""
        self.http.post("/_ops/time", json={"shift": seconds})


class _Fields(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "input":
            named = dict(attrs)
            self.found[str(named.get("name"))] = named.get("value") or ""


class Browser:
    """A card, and one browser, at the ACS."""

    def __init__(self, url: str, caught: Caught) -> None:
        self.caught = caught
        self.http = httpx.Client(base_url=url, trust_env=False, follow_redirects=True)
        self.email = f"payer{secrets.token_hex(4)}@example.com"
        card = {"pan": "9999" * 4, "cvc": "777", "email": self.email, "phone": "+9995550000001"}
        answer = self.http.post("/enrol", data=card)
        self.ref = re.findall(r'id="ref">(\w+)', answer.text)[0]
        self.mails = 0
        self.page: str = ""

    def pay(self, amount: str = "40.00") -> str:
        """Begin a payment; its code, or "" where none is sent."""
        body = {"ref": self.ref, "amount": amount, "currency": "EUR", "merchant": "shop"}
        self.page = self.http.post("/pay", data=body).text
        return self.mail() if "Code sent" in self.page else ""

    def mail(self) -> str:
        """The code of the next mail."""
        self.mails += 1
        return str(re.findall(r"\b\d{6}\b", self.caught.next(self.email, self.mails))[-1])

    def send(self, path: str = "", **fields: str) -> str:
        """Post the form that is shown; the page that comes."""
        form = _Fields()
        form.feed(self.page)
        csrf = form.found.get("csrf", "")
        answer = self.http.post(f"/challenge{path}", data={"csrf": csrf, **fields})
        self.page = answer.text
        return self.page

    def unlock(self) -> int:
        """Have support unlock the card; the HTTP status."""
        headers = {"Authorization": f"Bearer {SUPPORT_TOKEN}"}
        return self.http.post(
            "/support/unlock", data={"ref": self.ref}, headers=headers
        ).status_code


class Textgate:
    """A shop that has one card confirmed."""

    def __init__(self, url: str, caught: Caught, pan: str, phone: str) -> None:
        self.caught, self.pan, self.phone = caught, pan, phone
        basic = b64encode(TEXTGATE_USER.encode()).decode()
        self.http = httpx.Client(
            base_url=url, trust_env=False, headers={"Authorization": f"Basic {basic}"}
        )
        self.sent = 0

    def begin(self) -> tuple[str, str]:
        """Have a code sent; the transaction, and the code."""
        body = {"card": self.pan, "amount": "12.00", "currency": "EUR", "merchant": "shop"}
        answer = self.http.post("/otp/send", data=body).text
        self.sent += 1
        text = self.caught.next(self.phone, self.sent)
        txn, code = re.search(r"<txn>(\w+)<", answer), re.search(r"[A-Z]{4}-[A-Z]{4}", text)
        assert txn
        assert code
        return txn[1], code[0]

    def check(self, txn: str, code: str) -> str:
        """Try a code; the word of the answer."""
        answer = self.http.post("/otp/check", data={"txn": txn, "code": code}).text
        return answer.strip().removeprefix("status=")
