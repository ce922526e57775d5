"""Transactions: starting, sending again, amending, cancelling."""

import pytest

from .bank import CSC, Bank, Pending, wrong


def test_started_transaction_shows_where_its_code_went() -> None:
    bank = Bank()

    said = bank.start(bank.card(phone="+491701234321")).said

    assert said.short == (201, "pending")
    assert {key: said[key] for key in ("contact", "channel", "csc_required", "valid_for_s")} == {
        "contact": "*******4321",
        "channel": "phone",
        "csc_required": False,
        "valid_for_s": 600,
    }


def test_message_names_amount_payee_and_validity() -> None:
    bank = Bank()
    pending = bank.start(bank.card(phone="+491701234321"))

    (message,) = bank.messages()

    assert message == {
        "seq": 1,
        "to": "+491701234321",
        "channel": "phone",
        "text": f"SafeKey: {pending.otc} is your code for EUR 12.34 at Shop."
        " It is valid for 10 minutes.",
        "sent_at": bank.time,
    }


def test_code_goes_to_the_email_address_where_there_is_no_phone() -> None:
    bank = Bank()

    said = bank.start(bank.card(phone=None, email="alice@example.com")).said

    assert (said["contact"], said["channel"]) == ("a***@example.com", "email")
    assert [message["to"] for message in bank.messages()] == ["alice@example.com"]


def test_code_goes_to_the_phone_only_where_there_are_both() -> None:
    bank = Bank()

    bank.start(bank.card(phone="+491701234321", email="alice@example.com"))

    assert [message["channel"] for message in bank.messages()] == ["phone"]


def test_contact_in_the_request_is_ignored() -> None:
    bank = Bank()
    card = bank.card(phone="+491701234321")

    pending = bank.start(card, to="+492222222", phone=["+493333333"])
    bank.resend(pending, to="+492222222")

    assert {message["to"] for message in bank.messages()} == {"+491701234321"}


@pytest.mark.parametrize(
    ("amount", "asked_for"),
    [("0.01", False), ("99.99", False), ("100", True), ("100.00", True), ("5000.5", True)],
)
def test_csc_is_asked_for_from_a_hundred(amount: str, asked_for: bool) -> None:
    assert Bank().start(amount=amount).said["csc_required"] is asked_for


@pytest.mark.parametrize(
    "fields",
    [
        {"amount": 12.34},
        {"amount": "12,34"},
        {"amount": "-1"},
        {"amount": "1e3"},
        {"amount": "1.234"},
        {"amount": None},
        {"currency": "eur"},
        {"currency": None},
        {"merchant": ""},
        {"merchant": "  "},
        {"merchant": "Shop\r\nSafeKey: 000000 is your code"},
        {"merchant": "x" * 300},
        {"merchant": ["Shop"]},
        {"card_id": None},
        {"card_id": {}},
    ],
)
def test_malformed_start_is_refused_and_sends_nothing(fields: dict[str, object]) -> None:
    bank = Bank()

    said = bank.try_start(bank.card(), **fields)

    assert said.short == (422, "malformed")
    assert bank.messages() == []


def test_locked_card_starts_nothing_even_malformed() -> None:
    bank = Bank()
    card = bank.card()
    bank.lock(card)
    sent = len(bank.messages())

    assert bank.try_start(card).short == (423, "locked")
    assert bank.try_start(card, amount="x").short == (423, "locked")
    assert len(bank.messages()) == sent


def test_new_transaction_leaves_the_other_one_alive() -> None:
    bank = Bank()
    first = bank.start()
    second = bank.start(first.card)

    assert bank.verify(first).short == (200, "approved")
    assert bank.verify(second).short == (200, "approved")


def test_codes_and_ids_are_fresh() -> None:
    bank = Bank()
    card = bank.card()

    pending = [bank.start(card) for _ in range(200)]

    assert len({each.id for each in pending}) == 200
    assert len({each.otc for each in pending}) > 190
    assert {each.otc[0] for each in pending} == set("0123456789")


def test_resent_code_is_new_and_the_earlier_one_is_a_wrong_one() -> None:
    bank = Bank()
    pending = bank.start()
    earlier = pending.otc

    said = bank.resend(pending)

    assert said.short == (202, "sent")
    assert said["valid_for_s"] == 600
    assert said["contact"] == pending.said["contact"]
    if earlier != pending.otc:
        assert bank.verify(pending, earlier)["tries_left"] == 2
    assert bank.verify(pending).short == (200, "approved")


def test_resent_code_has_a_validity_of_its_own() -> None:
    bank = Bank()
    pending = bank.start()
    bank.time += 599
    bank.resend(pending)
    bank.time += 599

    assert bank.verify(pending).short == (200, "approved")


def test_resend_does_not_clear_the_count() -> None:
    bank = Bank()
    pending = bank.start()
    bank.fail(pending, times=2)

    bank.resend(pending)

    assert bank.fail(pending)["tries_left"] == 0


def test_amendment_kills_the_code_and_sends_a_new_one_for_the_new_payment() -> None:
    bank = Bank()
    pending = bank.start()
    earlier = pending.otc

    said = bank.amend(pending, amount="250.00", merchant="Other")

    assert said.short == (200, "amended")
    assert said["csc_required"] is True
    assert "EUR 250.00 at Other" in bank.messages()[-1]["text"]
    if earlier != pending.otc:
        assert bank.verify(pending, earlier, csc=CSC).short == (403, "wrong_otc")
    assert bank.verify(pending, csc=CSC).short == (200, "approved")


def test_amendment_may_leave_one_of_the_two() -> None:
    bank = Bank()
    pending = bank.start()

    bank.amend(pending, merchant="Other", amount=None)

    assert "EUR 12.34 at Other" in bank.messages()[-1]["text"]


@pytest.mark.parametrize("fields", [{}, {"amount": 5}, {"amount": "5", "merchant": ""}])
def test_malformed_amendment_leaves_the_code_alive(fields: dict[str, object]) -> None:
    bank = Bank()
    pending = bank.start()

    assert bank.amend(pending, **fields).short == (422, "malformed")
    assert bank.verify(pending).short == (200, "approved")


def test_cancelled_transaction_is_void() -> None:
    bank = Bank()
    pending = bank.start()

    assert bank.cancel(pending).short == (200, "cancelled")
    assert bank.verify(pending).short == (409, "void")
    assert bank.cancel(pending).short == (409, "void")


def dead(bank: Bank, how: str) -> Pending:
    """A transaction that died so."""
    pending = bank.start_with_csc()
    if how == "used":
        bank.verify(pending, csc=CSC)
    elif how == "void":
        bank.cancel(pending)
    elif how == "expired":
        bank.time += 600
    elif how == "locked":
        bank.fail(pending, times=3)
    return pending


@pytest.mark.parametrize(
    ("how", "code"), [("used", 409), ("void", 409), ("expired", 410), ("locked", 423)]
)
def test_dead_or_locked_transaction_answers_so_whatever_is_asked(how: str, code: int) -> None:
    bank = Bank()
    pending = dead(bank, how)
    sent = len(bank.messages())
    path = f"/transactions/{pending.id}"

    answers = [
        bank.verify(pending, csc=CSC),
        bank.verify(pending, wrong(pending.otc)),
        bank.verify(pending, 7),
        bank.ask("POST", path + "/verify", content=b"{"),
        bank.resend(pending),
        bank.ask("POST", path + "/resend", content=b"{"),
        bank.amend(pending, amount="1.00"),
        bank.amend(pending, amount=7),
        bank.cancel(pending),
        bank.ask("POST", path + "/cancel", content=b"{"),
    ]

    assert {said.short for said in answers} == {(code, how)}
    assert len(bank.messages()) == sent


@pytest.mark.parametrize("how", ["used", "void", "expired"])
def test_what_is_sent_to_a_dead_transaction_counts_nothing(how: str) -> None:
    bank = Bank()
    pending = dead(bank, how)

    bank.fail(pending, times=5)

    assert bank.fail(bank.start(pending.card))["tries_left"] == 2


def test_unknown_transaction_is_told_whatever_is_asked() -> None:
    bank = Bank()
    nothing = Pending("no-such-id", "123456", "", bank.enrol())

    answers = [
        bank.verify(nothing),
        bank.verify(nothing, 7),
        bank.resend(nothing),
        bank.amend(nothing, amount="1.00"),
        bank.cancel(nothing),
    ]

    assert {said.short for said in answers} == {(404, "unknown_transaction")}
