"""Cards: enrolling, changing the contact, support."""

import pytest

from .bank import CSC, PASSPHRASE, SUPPORT, Bank


def test_enrolled_card_shows_only_the_ends_of_its_contacts() -> None:
    said = Bank().enrol(phone="+491701234321", email="alice@example.com")

    assert said.short == (201, "enrolled")
    assert said["phone"] == "*******4321"
    assert said["email"] == "a***@example.com"


def test_same_number_enrolled_again_is_another_card() -> None:
    bank = Bank()

    first, second = bank.card(pan="4" * 16), bank.card(pan="4" * 16)

    assert first != second


@pytest.mark.parametrize("contact", [{"phone": None, "email": "a@b.c"}, {"email": None}])
def test_one_contact_is_enough(contact: dict[str, object]) -> None:
    assert Bank().enrol(**contact).short == (201, "enrolled")


@pytest.mark.parametrize(
    "fields",
    [
        {"pan": "4" * 11},
        {"pan": "4" * 20},
        {"pan": 4444444444444444},
        {"pan": "٤" * 16},
        {"csc": "12"},
        {"csc": "1234"},
        {"csc": 123},
        {"csc": None},
        {"phone": "0170 1234321"},
        {"phone": "+49170123\r\n4321"},
        {"phone": None},
        {"phone": ["+491701234321"]},
        {"email": "no at sign"},
        {"email": "a@b@c"},
        {"email": "a@" + "b" * 300},
        {"email": 7},
        {"passphrase": ""},
        {"passphrase": None},
        {"passphrase": True},
    ],
)
def test_card_with_a_malformed_field_is_refused(fields: dict[str, object]) -> None:
    assert Bank().enrol(**fields).short == (422, "malformed")


def test_unknown_fields_are_ignored() -> None:
    assert Bank().enrol(unknown_ok=True).short == (201, "enrolled")


def test_changed_contact_gets_the_next_code_and_the_old_one_gets_none() -> None:
    bank = Bank()
    card = bank.card(phone="+491111111")

    said = bank.change_contact(card, phone="+492222222")
    bank.start(card)

    assert said.short == (200, "changed")
    assert said["phone"] == "*******2222"
    assert [message["to"] for message in bank.messages()] == ["+492222222"]


def test_contact_that_is_not_given_stays() -> None:
    bank = Bank()
    card = bank.card(phone="+491111111", email="old@example.com")

    said = bank.change_contact(card, email="new@example.com")

    assert (said["phone"], said["email"]) == ("*******1111", "n***@example.com")


def test_change_of_contact_voids_what_is_pending() -> None:
    bank = Bank()
    pending = bank.start()

    bank.change_contact(pending.card, phone="+492222222")

    assert bank.verify(pending).short == (409, "void")


def test_change_of_contact_leaves_used_and_expired_transactions_as_they_were() -> None:
    bank = Bank()
    expired = bank.start()
    bank.time += 600
    used = bank.start(expired.card)
    bank.verify(used)

    bank.change_contact(expired.card, phone="+492222222")

    assert bank.verify(expired).short == (410, "expired")
    assert bank.verify(used).short == (409, "used")


@pytest.mark.parametrize("proof", [{}, {"passphrase": None}, {"passphrase": "guess"}])
def test_change_of_contact_without_proof_is_refused_and_counts(proof: dict[str, object]) -> None:
    bank = Bank()
    pending = bank.start()
    change = {"phone": "+492222222", **proof}

    said = bank.ask("PUT", f"/cards/{pending.card}/contact", change)

    assert said.short == (403, "proof_refused")
    assert bank.fail(pending)["tries_left"] == 1
    assert bank.start(pending.card).said["contact"] != "*******2222"


def test_wrong_proofs_lock_the_card() -> None:
    bank = Bank()
    pending = bank.start()

    said = [
        bank.change_contact(pending.card, phone="+492222222", passphrase="guess").status
        for _ in range(4)
    ]

    assert said == ["proof_refused"] * 3 + ["locked"]
    assert bank.verify(pending).short == (423, "locked")


def test_locked_card_keeps_its_contact_even_with_proof() -> None:
    bank = Bank()
    card = bank.card()
    bank.lock(card)

    assert bank.change_contact(card, phone="+492222222").short == (423, "locked")


@pytest.mark.parametrize("fields", [{}, {"phone": "x"}, {"phone": "+492222222", "email": "x"}])
def test_malformed_contact_is_refused_before_the_proof_is_judged(fields: dict[str, object]) -> None:
    bank = Bank()
    pending = bank.start()

    said = bank.change_contact(pending.card, **{"passphrase": "guess", **fields})

    assert said.short == (422, "malformed")
    assert bank.fail(pending)["tries_left"] == 2


def test_unlocked_card_works_and_its_earlier_transactions_are_void() -> None:
    bank = Bank()
    pending = bank.start()
    bank.lock(pending.card)

    said = bank.unlock(pending.card)

    assert said.short == (200, "unlocked")
    assert bank.verify(pending).short == (409, "void")
    assert bank.verify(bank.start(pending.card)).short == (200, "approved")


def test_unlocking_clears_the_count() -> None:
    bank = Bank()
    card = bank.card()
    bank.lock(card)

    bank.unlock(card)

    assert bank.fail(bank.start(card))["tries_left"] == 2


def test_unlocking_an_open_card_voids_its_earlier_transactions_too() -> None:
    bank = Bank()
    expired = bank.start()
    bank.time += 600
    pending = bank.start(expired.card)

    bank.unlock(pending.card)

    assert bank.verify(pending).short == (409, "void")
    assert bank.verify(expired).short == (409, "void")


def test_unlocking_leaves_used_transactions_used() -> None:
    bank = Bank()
    pending = bank.start()
    bank.verify(pending)

    bank.unlock(pending.card)

    assert bank.verify(pending).short == (409, "used")


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer guess"}, {"Authorization": ""}])
def test_support_needs_its_token(headers: dict[str, str]) -> None:
    bank = Bank()
    card = bank.card()
    bank.lock(card)

    said = bank.ask("POST", f"/support/cards/{card}/unlock", headers=headers)

    assert said.short == (401, "unauthorised")
    assert bank.try_start(card).short == (423, "locked")


def test_support_may_have_a_token_of_its_own() -> None:
    bank = Bank(support_token="for-support")
    card = bank.card()
    path = f"/support/cards/{card}/unlock"

    assert bank.ask("POST", path, headers=SUPPORT).short == (401, "unauthorised")
    own = {"Authorization": "Bearer for-support"}
    assert bank.ask("POST", path, headers=own).short == (200, "unlocked")


def test_unknown_card_is_told() -> None:
    bank = Bank()

    assert bank.try_start("nobody").short == (404, "unknown_card")
    assert bank.change_contact("nobody", phone="+492222222").short == (404, "unknown_card")
    assert bank.unlock("nobody").short == (404, "unknown_card")


def test_no_secret_of_a_card_is_kept_in_the_clear() -> None:
    bank = Bank()
    pending = bank.start_with_csc()

    card = bank.app.state.safekey.store.cards[pending.card]
    kept = repr(card) + repr(bank.app.state.safekey.store.transactions[pending.id])

    for secret in (CSC + "'", PASSPHRASE, pending.otc, "4" * 16):
        assert secret not in kept
