"""The description is true: what it says is answered, and what is answered it says.

That nothing undocumented is answered is checked by `Bank`, for every answer of every test.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from otpspec_reference import Settings, create_app
from otpspec_reference.settings import Alphabet, CscPolicy, StartLimit

from .bank import CSC, HOOK, SUPPORT, TOKEN, Bank, Said, ask_app

Answer = tuple[str, str, int, str]
"""Method, path, code and status."""

TOO_LARGE = b" " * 70_000


def documented(description: Any) -> set[Answer]:
    return {
        (method, path, int(code), schema["properties"]["status"]["const"])
        for path, operations in description["paths"].items()
        if path != "/openapi.json"
        for method, operation in operations.items()
        for code, response in operation["responses"].items()
        for schema in response["content"]["application/json"]["schema"]["oneOf"]
    }


def cards(bank: Bank) -> Iterator[tuple[str, str, Said]]:
    yield "post", "/cards", bank.enrol()
    yield "post", "/cards", bank.enrol(pan=None)
    yield "post", "/cards", bank.ask("POST", "/cards", content=TOO_LARGE)

    locked, card = bank.card(), bank.card()
    bank.lock(locked)
    path = "/cards/{id}/contact"
    yield "put", path, bank.change_contact(card, phone="+492222222")
    yield "put", path, bank.change_contact(card, phone="+492222222", passphrase="guess")
    yield "put", path, bank.change_contact(card)
    yield "put", path, bank.change_contact(locked, phone="+492222222")
    yield "put", path, bank.change_contact("nobody", phone="+492222222")
    yield "put", path, bank.ask("PUT", f"/cards/{card}/contact", content=TOO_LARGE)

    path, unlock = "/support/cards/{id}/unlock", f"/support/cards/{card}/unlock"
    yield "post", path, bank.unlock(card)
    yield "post", path, bank.unlock("nobody")
    yield "post", path, bank.ask("POST", unlock)
    yield "post", path, bank.ask("POST", unlock, content=b"{", headers=SUPPORT)
    yield "post", path, bank.ask("POST", unlock, content=TOO_LARGE, headers=SUPPORT)


def starts(bank: Bank) -> Iterator[tuple[str, str, Said]]:
    locked, card = bank.card(), bank.card()
    bank.lock(locked)
    yield "post", "/transactions", bank.try_start(card)
    yield "post", "/transactions", bank.try_start(card)
    yield "post", "/transactions", bank.try_start(card)
    yield "post", "/transactions", bank.try_start(locked)
    yield "post", "/transactions", bank.try_start("nobody")
    yield "post", "/transactions", bank.try_start(card, amount=None)
    yield "post", "/transactions", bank.ask("POST", "/transactions", content=TOO_LARGE)


def steps(bank: Bank) -> Iterator[tuple[str, str, Said]]:
    """Each operation on a transaction, in each state that one can be in."""
    step = {
        ("post", "/transactions/{id}/verify"): {"otc": "123456"},
        ("post", "/transactions/{id}/resend"): {},
        ("post", "/transactions/{id}/cancel"): {},
        ("patch", "/transactions/{id}"): {"amount": "1.00"},
    }
    expired = bank.start().id
    bank.time += 600
    locked, used, void = bank.start(), bank.start(), bank.start()
    bank.lock(locked.card)
    bank.verify(used)
    bank.cancel(void)
    for (method, path), body in step.items():
        for each in (expired, locked.id, used.id, void.id, "nothing"):
            yield method, path, bank.ask(method.upper(), path.replace("{id}", each), body)
        for raw in (b"{", TOO_LARGE):
            live = path.replace("{id}", bank.start().id)
            yield method, path, bank.ask(method.upper(), live, content=raw)

    pending, with_csc = bank.start(), bank.start_with_csc()
    yield "post", "/transactions/{id}/verify", bank.fail(pending)
    yield "post", "/transactions/{id}/verify", bank.verify(pending)
    yield "post", "/transactions/{id}/verify", bank.verify(with_csc, csc="999")
    resent, amended = bank.start(), bank.start()
    for _ in range(2):
        yield "post", "/transactions/{id}/resend", bank.resend(resent)
        yield "patch", "/transactions/{id}", bank.amend(amended, amount="2.00")
    yield "post", "/transactions/{id}/cancel", bank.cancel(bank.start())


def hooks(bank: Bank) -> Iterator[tuple[str, str, Said]]:
    yield "get", "/health", bank.ask("GET", "/health")
    yield "get", "/test/outbox", bank.hook("GET", "/outbox")
    yield "get", "/test/outbox", bank.hook("GET", "/outbox?after=x")
    yield "get", "/test/clock", bank.hook("GET", "/clock")
    granted = bank.hook("POST", "/clock/lease", {})
    yield "post", "/test/clock/lease", granted
    yield "post", "/test/clock/lease", bank.hook("POST", "/clock/lease", {})
    lease = granted["lease"]
    for path, body in {"advance": {"seconds": 1}, "rate": {"rate": 2}}.items():
        for fields in ({**body, "lease": lease}, body, {}):
            yield "post", f"/test/clock/{path}", bank.hook("POST", f"/clock/{path}", fields)
    for _ in range(2):
        said = bank.hook("DELETE", f"/clock/lease/{lease}")
        yield "delete", "/test/clock/lease/{id}", said
    yield "post", "/test/reset", bank.hook("POST", "/reset", {})
    for path in ("/test/clock/lease", "/test/clock/advance", "/test/clock/rate", "/test/reset"):
        yield "post", path, bank.ask("POST", path, content=b"{", headers=HOOK)
        yield "post", path, bank.ask("POST", path, content=TOO_LARGE, headers=HOOK)
    for path, operations in bank.description["paths"].items():
        for method in operations if path.startswith("/test") else ():
            yield method, path, bank.ask(method.upper(), path)


def test_every_documented_answer_is_given_and_no_other() -> None:
    bank = Bank(max_starts=StartLimit(2, timedelta(minutes=1)), max_resends=1)

    given = [*cards(bank), *starts(bank), *steps(bank), *hooks(bank)]

    seen = {(method, path, said.code, said.status) for method, path, said in given}
    assert seen == documented(bank.description)


def words(bank: Bank, path: str) -> set[str]:
    return {status for _, where, _, status in documented(bank.description) if where == path}


def test_words_that_a_policy_does_not_use_are_not_documented() -> None:
    verify = "/transactions/{id}/verify"

    assert "throttled" not in words(Bank(), "/transactions")
    assert "throttled" not in words(Bank(), "/transactions/{id}/resend")
    assert "wrong_csc" not in words(Bank(csc=CscPolicy.NEVER), verify)
    assert "refused" in words(Bank(merge_failures=True), verify)
    assert not {"wrong_otc", "wrong_csc"} & words(Bank(merge_failures=True), verify)
    assert "unknown_card" not in words(Bank(hide_unknown_cards=True), "/transactions")


@pytest.mark.parametrize(
    ("settings", "pattern"),
    [
        ({}, "^[0-9]{6}$"),
        ({"digits": 8}, "^[0-9]{8}$"),
        ({"alphabet": Alphabet.LETTERS}, "^[A-Z]{6}$"),
    ],
)
def test_code_is_described_as_the_policy_has_it(settings: dict[str, Any], pattern: str) -> None:
    verify = Bank(**settings).description["paths"]["/transactions/{id}/verify"]["post"]

    body = verify["requestBody"]["content"]["application/json"]["schema"]

    assert body["required"] == ["otc"]
    assert body["properties"]["otc"]["pattern"] == pattern


def test_hooks_that_are_off_are_not_documented() -> None:
    paths = ask_app(create_app(Settings()), "GET", "/openapi.json")["paths"]

    assert not [path for path in paths if path.startswith("/test")]


def test_tokens_are_not_in_the_description() -> None:
    assert TOKEN not in str(Bank().description)
    assert CSC not in str(Bank().description["paths"]["/transactions"])
