"""The test hooks: off unless asked for, closed without the token, and the clock has one driver."""

import time

import pytest

from otpspec_reference import Settings, create_app

from .bank import Bank, Said, ask_app

ALL = [
    ("GET", "/test/outbox"),
    ("GET", "/test/clock"),
    ("POST", "/test/clock/lease"),
    ("DELETE", "/test/clock/lease/x"),
    ("POST", "/test/clock/advance"),
    ("POST", "/test/clock/rate"),
    ("POST", "/test/reset"),
]


def lease(bank: Bank) -> str:
    said = bank.hook("POST", "/clock/lease", {})
    assert said.short == (201, "granted")
    return str(said["lease"])


def advance(bank: Bank, holder: object, seconds: object) -> Said:
    return bank.hook("POST", "/clock/advance", {"seconds": seconds, "lease": holder})


@pytest.mark.parametrize(("method", "path"), ALL)
def test_hooks_that_are_off_are_not_there(method: str, path: str) -> None:
    app = create_app(Settings())

    assert ask_app(app, method, path, headers={"X-Test-Token": "any"}).short == (404, "not_found")


def test_server_without_hooks_keeps_no_message() -> None:
    app = create_app(Settings())
    card = {"pan": "4" * 16, "csc": "123", "phone": "+491701234321", "passphrase": "x"}
    payment = {"amount": "1.00", "currency": "EUR", "merchant": "Shop"}
    card_id = ask_app(app, "POST", "/cards", json=card)["card_id"]

    assert ask_app(app, "POST", "/transactions", json={"card_id": card_id, **payment}).code == 201

    assert app.state.outbox.messages() == []


@pytest.mark.parametrize(("method", "path"), ALL)
@pytest.mark.parametrize("headers", [{}, {"X-Test-Token": "guess"}, {"X-Test-Token": ""}])
def test_hooks_need_the_token(method: str, path: str, headers: dict[str, str]) -> None:
    assert Bank().ask(method, path, headers=headers).short == (401, "unauthorised")


def test_outbox_is_read_by_address_and_number() -> None:
    bank = Bank()
    first, second = bank.card(phone="+491111111"), bank.card(phone="+492222222")
    for card in (first, second, first):
        bank.start(card)

    def seqs(query: str) -> list[int]:
        return [each["seq"] for each in bank.hook("GET", "/outbox" + query)["messages"]]

    assert seqs("") == [1, 2, 3]
    assert seqs("?to=%2B491111111") == [1, 3]
    assert seqs("?to=+491111111") == [1, 3]
    assert seqs("?to=%2B491111111&after=1") == [3]
    assert seqs("?after=3") == []
    assert seqs("?to=nobody") == []


@pytest.mark.parametrize("after", ["x", "-1", "1.5", "", "9" * 30])
def test_outbox_refuses_a_number_that_is_none(after: str) -> None:
    assert Bank().hook("GET", f"/outbox?after={after}").short == (422, "malformed")


def test_clock_is_read() -> None:
    bank = Bank()

    assert bank.hook("GET", "/clock").body == {
        "status": "ok",
        "now": bank.time,
        "rate": 1.0,
        "jumps": 0,
    }


def test_holder_of_the_lease_moves_the_clock() -> None:
    bank = Bank()
    holder = lease(bank)
    pending = bank.start()

    said = advance(bank, holder, 600)

    assert said.body == {"status": "ok", "now": bank.time + 600, "rate": 1.0, "jumps": 1}
    assert bank.verify(pending).short == (410, "expired")


def test_clock_runs_at_another_rate() -> None:
    bank = Bank()
    holder = lease(bank)
    pending = bank.start()

    said = bank.hook("POST", "/clock/rate", {"rate": 60, "lease": holder})
    bank.time += 10

    assert said["rate"] == 60.0
    assert bank.verify(pending).short == (410, "expired")


@pytest.mark.parametrize("holder", [None, "guess", "", 7, ["x"]])
def test_clock_is_not_moved_without_the_lease(holder: object) -> None:
    bank = Bank()
    lease(bank)

    assert advance(bank, holder, 600).short == (409, "leased")
    rate = {"rate": 60, "lease": holder}
    assert bank.hook("POST", "/clock/rate", rate).short == (409, "leased")
    assert bank.hook("DELETE", "/clock/lease/guess").short == (409, "leased")
    assert bank.hook("GET", "/clock")["now"] == bank.time


@pytest.mark.parametrize("seconds", [-1, "600", None, True, 1e10, [600]])
def test_jump_that_is_none_is_malformed(seconds: object) -> None:
    bank = Bank()

    assert advance(bank, lease(bank), seconds).short == (422, "malformed")


@pytest.mark.parametrize("rate", [0, -1, "2", None, True, 1e7])
def test_rate_that_is_none_is_malformed(rate: object) -> None:
    bank = Bank()

    said = bank.hook("POST", "/clock/rate", {"rate": rate, "lease": lease(bank)})

    assert said.short == (422, "malformed")


def test_lease_is_held_by_one_until_it_is_given_back() -> None:
    bank = Bank()
    holder = lease(bank)

    assert bank.hook("POST", "/clock/lease", {}).short == (409, "leased")
    assert bank.hook("DELETE", f"/clock/lease/{holder}").short == (200, "ok")
    assert lease(bank) != holder
    assert advance(bank, holder, 1).short == (409, "leased")


def test_lease_that_nobody_uses_is_free_after_half_a_minute(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: real)
    bank = Bank()
    holder = lease(bank)

    real += 29
    assert advance(bank, holder, 0).short == (200, "ok")
    real += 29
    assert bank.hook("POST", "/clock/lease", {}).short == (409, "leased")
    real += 1
    assert lease(bank) != holder


@pytest.mark.parametrize("path", ["/clock/lease", "/clock/advance", "/clock/rate", "/reset"])
def test_broken_body_of_a_hook_is_malformed(path: str) -> None:
    said = Bank().ask(
        "POST", "/test" + path, content=b"[", headers={"X-Test-Token": "a-test-token"}
    )

    assert said.short == (422, "malformed")


def test_reset_forgets_cards_transactions_messages_and_jumps() -> None:
    bank = Bank()
    holder = lease(bank)
    pending = bank.start()
    advance(bank, holder, 1000)

    said = bank.hook("POST", "/reset", {})

    assert said.body == {"status": "ok", "now": bank.time, "rate": 1.0, "jumps": 2}
    assert bank.verify(pending).short == (404, "unknown_transaction")
    assert bank.try_start(pending.card).short == (404, "unknown_card")
    assert bank.messages() == []


def test_reset_goes_on_with_the_message_numbers_and_leaves_the_lease_to_its_holder() -> None:
    bank = Bank()
    holder = lease(bank)
    bank.start()
    bank.hook("POST", "/reset", {})
    bank.start()

    assert [message["seq"] for message in bank.messages()] == [2]
    assert advance(bank, holder, 1).short == (200, "ok")
