"""A bank to test with: the real app, asked over HTTP in this process, and a clock of our own.

Every answer of a strict server is held against the server's own description of itself.
"""

import asyncio
import itertools
import re
from dataclasses import dataclass
from typing import Any

import httpx
from starlette.applications import Starlette

from otpspec_reference import Settings, create_app
from otpspec_reference.clock import Clock

TOKEN = "a-test-token"
HOOK = {"X-Test-Token": TOKEN}
SUPPORT = {"Authorization": f"Bearer {TOKEN}"}
CSC = "123"
PASSPHRASE = "correct horse"

_LOOP = asyncio.new_event_loop()


@dataclass(frozen=True)
class Said:
    """One answer."""

    code: int
    body: Any
    headers: httpx.Headers

    @property
    def status(self) -> str:
        return str(self.body["status"])

    @property
    def short(self) -> tuple[int, str]:
        return self.code, self.status

    def __getitem__(self, key: str) -> Any:
        return self.body[key]


@dataclass
class Pending:
    """A transaction that was started, and the code that was sent for it last."""

    id: str
    otc: str
    card: str
    said: Said


class Bank:
    """A server in this process, and the people who use it."""

    def __init__(self, **settings: Any) -> None:
        self.time = 1_800_000_000.0
        self.settings = Settings(test_hooks=True, test_token=TOKEN, **settings)
        self.app = create_app(self.settings, clock=Clock(real=lambda: self.time))
        self._client = client_of(self.app)
        self.description = self.ask("GET", "/openapi.json").body
        self._phones = itertools.count(1_000_000)

    # --- asking --------------------------------------------------------------------------

    def ask(self, method: str, path: str, json: object = None, **more: Any) -> Said:
        if json is not None:
            more["json"] = json
        said = answered(self._client, method, path, **more)
        if self.settings.mutant is None and path != "/openapi.json":
            check_described(self.description, method, path, said)
        return said

    def at_once(self, *asked: tuple[str, str, object], headers: Any = None) -> list[Said]:
        """Ask several things in the same moment, each over a connection of its own."""

        async def all_at_once() -> list[httpx.Response]:
            clients = [client_of(self.app, port) for port in range(1, len(asked) + 1)]
            return await asyncio.gather(
                *(
                    client.request(method, path, json=json, headers=headers)
                    for client, (method, path, json) in zip(clients, asked, strict=True)
                )
            )

        responses = _LOOP.run_until_complete(all_at_once())
        return [Said(r.status_code, r.json(), r.headers) for r in responses]

    def hook(self, method: str, path: str, json: object = None) -> Said:
        return self.ask(method, "/test" + path, json, headers=HOOK)

    def messages(self, after: int = 0) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.hook("GET", f"/outbox?after={after}")["messages"]
        return found

    def last_code(self) -> str:
        return code_in(self.app.state.outbox.messages()[-1].text)

    # --- what people do ------------------------------------------------------------------

    def enrol(self, **fields: object) -> Said:
        phone = f"+49{next(self._phones)}"
        card = {"pan": "4" * 16, "csc": CSC, "phone": phone, "passphrase": PASSPHRASE}
        return self.ask("POST", "/cards", {**card, **fields})

    def card(self, **fields: object) -> str:
        said = self.enrol(**fields)
        assert said.code == 201
        return str(said["card_id"])

    def try_start(self, card: str, **fields: object) -> Said:
        payment = {"card_id": card, "amount": "12.34", "currency": "EUR", "merchant": "Shop"}
        return self.ask("POST", "/transactions", {**payment, **fields})

    def start(self, card: str | None = None, **fields: object) -> Pending:
        card = card or self.card()
        said = self.try_start(card, **fields)
        assert said.code == 201, said
        return Pending(said["transaction_id"], self.last_code(), card, said)

    def start_with_csc(self, card: str | None = None) -> Pending:
        return self.start(card, amount="100.00")

    def verify(self, pending: Pending, otc: object = None, **fields: object) -> Said:
        """With the right code, unless another is given."""
        body = {"otc": pending.otc if otc is None else otc, **fields}
        return self.ask("POST", f"/transactions/{pending.id}/verify", body)

    def resend(self, pending: Pending, **fields: object) -> Said:
        said = self.ask("POST", f"/transactions/{pending.id}/resend", fields)
        if said.code == 202:
            pending.otc = self.last_code()
        return said

    def amend(self, pending: Pending, **fields: object) -> Said:
        said = self.ask("PATCH", f"/transactions/{pending.id}", fields)
        if said.code == 200:
            pending.otc = self.last_code()
        return said

    def cancel(self, pending: Pending) -> Said:
        return self.ask("POST", f"/transactions/{pending.id}/cancel")

    def change_contact(self, card: str, **fields: object) -> Said:
        return self.ask("PUT", f"/cards/{card}/contact", {"passphrase": PASSPHRASE, **fields})

    def unlock(self, card: str) -> Said:
        return self.ask("POST", f"/support/cards/{card}/unlock", headers=SUPPORT)

    # --- states to begin from ------------------------------------------------------------

    def fail(self, pending: Pending, times: int = 1) -> Said:
        for _ in range(times):
            said = self.verify(pending, wrong(pending.otc))
        return said

    def lock(self, card: str) -> None:
        self.fail(self.start(card), times=self.settings.max_wrong)


def wrong(otc: str) -> str:
    """A well-formed code that is not this one."""
    last = {"9": "0", "Z": "A"}.get(otc[-1], chr(ord(otc[-1]) + 1))
    return otc[:-1] + last


def code_in(text: str) -> str:
    """The code in a message."""
    match = re.search(r"(?:^|: )([0-9]{6,10}|[A-Z]{6,10})(?: |$)", text)
    assert match is not None, text
    return match[1]


def check_described(description: Any, method: str, path: str, said: Said) -> None:
    """Fail where a documented operation gave an answer that is not documented."""
    for template, operations in description["paths"].items():
        pattern = template.replace("{id}", "[^/]+")
        if method.lower() in operations and re.fullmatch(pattern, path.partition("?")[0]):
            responses = operations[method.lower()]["responses"]
            assert str(said.code) in responses, (method, template, said)
            assert said.headers["cache-control"] == "no-store"
            schemas = responses[str(said.code)]["content"]["application/json"]["schema"]
            assert any(_fits(schema, said.body) for schema in schemas["oneOf"]), (path, said)


def _fits(schema: Any, body: dict[str, object]) -> bool:
    word = schema["properties"]["status"]["const"]
    return bool(body["status"] == word and set(body) == set(schema["required"]))


def ask_app(app: Starlette, method: str, path: str, **more: Any) -> Said:
    """Ask an app that is no bank's."""
    return answered(client_of(app), method, path, **more)


def client_of(app: Starlette, port: int = 123) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=("127.0.0.1", port))
    return httpx.AsyncClient(transport=transport, base_url="http://bank")


def answered(client: httpx.AsyncClient, method: str, path: str, **more: Any) -> Said:
    response = _LOOP.run_until_complete(client.request(method, path, **more))
    client.cookies.clear()  # each request is a stranger's
    return Said(response.status_code, response.json(), response.headers)
