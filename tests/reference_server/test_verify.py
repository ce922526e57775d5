"""Verify: what is judged, in which order, and what counts."""

import pytest

from .bank import CSC, Bank, wrong

NOT_CODES = [
    "",
    "12345",
    "1234567",
    "0" * 60_000,
    " 123456",
    "123456 ",
    "123456\n",
    "12 456",
    "+12345",
    "-12345",
    "1e0000",
    "12345a",
    "١٢٣٤٥٦",
    "\uff11\uff12\uff13\uff14\uff15\uff16",
    "12345²",
    None,
    True,
    False,
    0,
    123456,
    123456.0,
    [],
    ["123456"],
    {},
    {"otc": "123456"},
]


def test_right_code_is_approved() -> None:
    bank = Bank()
    pending = bank.start()

    said = bank.verify(pending)

    assert said.code == 200
    assert said.body == {"status": "approved", "transaction_id": pending.id}


def test_used_code_is_refused() -> None:
    bank = Bank()
    pending = bank.start()
    bank.verify(pending)

    assert bank.verify(pending).short == (409, "used")
    bank.time += 10_000
    assert bank.verify(pending).short == (409, "used")


def test_wrong_code_may_be_tried_again() -> None:
    bank = Bank()
    pending = bank.start()

    said = bank.fail(pending)

    assert (said.code, said.body) == (403, {"status": "wrong_otc", "tries_left": 2})
    assert bank.verify(pending).short == (200, "approved")


def test_last_wrong_code_locks_the_card() -> None:
    bank = Bank()
    pending = bank.start()

    left = [bank.fail(pending)["tries_left"] for _ in range(3)]

    assert left == [2, 1, 0]
    assert bank.verify(pending).short == (423, "locked")


def test_one_wrong_code_less_does_not_lock() -> None:
    bank = Bank()
    pending = bank.start()
    bank.fail(pending, times=2)

    assert bank.verify(pending).short == (200, "approved")


def test_count_spans_the_transactions_of_a_card() -> None:
    bank = Bank()
    card = bank.card()

    for _ in range(3):
        bank.fail(bank.start(card))

    assert bank.try_start(card).short == (423, "locked")


def test_success_clears_the_count() -> None:
    bank = Bank()
    first = bank.start()
    bank.fail(first, times=2)
    bank.verify(first)

    assert bank.fail(bank.start(first.card))["tries_left"] == 2


def test_lock_is_the_cards_alone() -> None:
    bank = Bank()
    other = bank.start()
    bank.lock(bank.card())

    assert bank.verify(other).short == (200, "approved")


def test_lock_does_not_end_by_itself() -> None:
    bank = Bank()
    card = bank.card()
    bank.lock(card)
    bank.time += 10 * 365 * 86400

    assert bank.try_start(card).short == (423, "locked")


def test_code_is_for_its_own_transaction_only() -> None:
    bank = Bank()
    first = bank.start()
    same_card, other_card = bank.start(first.card), bank.start()
    for other in (same_card, other_card):
        if other.otc != first.otc:
            assert bank.verify(other, first.otc).short == (403, "wrong_otc")
    assert bank.verify(first).short == (200, "approved")


def test_code_lives_until_its_validity_is_over_and_not_at_that_moment() -> None:
    bank = Bank()
    first = bank.start()
    second = bank.start(first.card)

    bank.time += 599.999
    assert bank.verify(first).short == (200, "approved")
    bank.time += 0.001
    assert bank.verify(second).short == (410, "expired")


def test_nothing_but_a_new_code_makes_a_code_live_longer() -> None:
    bank = Bank()
    pending = bank.start()
    bank.time += 599
    bank.fail(pending)
    bank.verify(pending, "malformed")
    bank.start(pending.card)
    bank.time += 1

    assert bank.verify(pending).short == (410, "expired")


@pytest.mark.parametrize("otc", NOT_CODES, ids=lambda otc: repr(otc)[:20])
def test_what_is_no_code_is_malformed_and_counts_nothing(otc: object) -> None:
    bank = Bank()
    pending = bank.start()
    path = f"/transactions/{pending.id}/verify"

    for _ in range(4):
        assert bank.ask("POST", path, {"otc": otc}).short == (422, "malformed")

    assert bank.fail(pending)["tries_left"] == 2


def test_missing_code_is_malformed() -> None:
    bank = Bank()
    pending = bank.start()

    assert bank.ask("POST", f"/transactions/{pending.id}/verify", {}).short == (422, "malformed")
    assert bank.ask("POST", f"/transactions/{pending.id}/verify").short == (422, "malformed")


def test_leading_zeros_count() -> None:
    bank = Bank()
    pending = next(each for each in iter(bank.start, None) if each.otc.startswith("0"))

    assert bank.verify(pending, pending.otc.lstrip("0") or "0").short == (422, "malformed")
    assert bank.verify(pending).short == (200, "approved")


def test_right_pair_is_approved() -> None:
    bank = Bank()

    assert bank.verify(bank.start_with_csc(), csc=CSC).short == (200, "approved")


@pytest.mark.parametrize("fields", [{"csc": "999"}, {"csc": ""}, {"csc": None}, {}])
def test_wrong_or_missing_csc_voids_the_transaction_and_counts(fields: dict[str, object]) -> None:
    bank = Bank()
    pending = bank.start_with_csc()

    said = bank.verify(pending, **fields)

    assert (said.code, said.body) == (403, {"status": "wrong_csc"})
    assert bank.verify(pending, csc=CSC).short == (409, "void")
    assert bank.fail(bank.start(pending.card))["tries_left"] == 1


def test_new_transaction_works_after_one_was_voided() -> None:
    bank = Bank()
    pending = bank.start_with_csc()
    bank.verify(pending, csc="999")

    again = bank.start_with_csc(pending.card)

    assert bank.verify(again, csc=CSC).short == (200, "approved")


def test_wrong_cscs_lock_the_card() -> None:
    bank = Bank()
    card = bank.card()

    for _ in range(3):
        assert bank.verify(bank.start_with_csc(card), csc="999").short == (403, "wrong_csc")

    assert bank.try_start(card).short == (423, "locked")


def test_wrong_code_counts_once_whatever_the_csc_and_does_not_void() -> None:
    bank = Bank()
    pending = bank.start_with_csc()

    for csc in ("999", CSC):
        assert bank.verify(pending, wrong(pending.otc), csc=csc).short == (403, "wrong_otc")

    assert bank.verify(pending, csc=CSC).short == (200, "approved")


@pytest.mark.parametrize("csc", ["12", "1234", "١٢٣", "12 ", 123, True, [], {}])
@pytest.mark.parametrize("amount", ["12.34", "100.00"])
def test_malformed_csc_is_refused_and_counts_nothing(csc: object, amount: str) -> None:
    bank = Bank()
    pending = bank.start(amount=amount)

    assert bank.verify(pending, csc=csc).short == (422, "malformed")
    assert bank.verify(pending, wrong(pending.otc), csc=csc).short == (422, "malformed")
    assert bank.verify(pending, csc=CSC).short == (200, "approved")


def test_csc_is_not_judged_where_it_is_not_asked_for() -> None:
    bank = Bank()

    assert bank.verify(bank.start(), csc="999").short == (200, "approved")


def test_word_of_the_client_is_ignored() -> None:
    bank = Bank()
    pending = bank.start()

    said = bank.verify(pending, wrong(pending.otc), verified=True, status="approved")

    assert said.short == (403, "wrong_otc")


def test_count_does_not_depend_on_headers() -> None:
    bank = Bank()
    pending = bank.start()
    body = {"otc": wrong(pending.otc)}

    for n in range(3):
        headers = {"X-Forwarded-For": f"10.0.0.{n}", "Cookie": f"session={n}"}
        bank.ask("POST", f"/transactions/{pending.id}/verify", body, headers=headers)

    assert bank.verify(pending).short == (423, "locked")


def test_locked_cards_answer_is_the_same_for_a_right_code_and_a_wrong_one() -> None:
    bank = Bank()
    pending = bank.start()
    bank.lock(pending.card)

    right, other = bank.verify(pending), bank.fail(pending)

    assert (right.code, right.body) == (other.code, other.body) == (423, {"status": "locked"})
    assert right.headers == other.headers
