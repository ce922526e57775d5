"""The switches of the policy: each does what it says."""

from datetime import timedelta

import pytest

from otpspec_reference.settings import Alphabet, CscPolicy, Deliver, Resend, StartLimit

from .bank import CSC, Bank, wrong


@pytest.mark.parametrize(
    ("seconds", "spelled"),
    [(1, "1 second"), (8, "8 seconds"), (60, "1 minute"), (90, "90 seconds"), (1200, "20 minutes")],
)
def test_validity_is_kept_and_told(seconds: int, spelled: str) -> None:
    bank = Bank(validity=timedelta(seconds=seconds))
    first = bank.start()
    second = bank.start()

    assert first.said["valid_for_s"] == seconds
    assert bank.messages()[-1]["text"].endswith(f"It is valid for {spelled}.")
    bank.time += seconds - 0.001
    assert bank.verify(first).short == (200, "approved")
    bank.time += 0.001
    assert bank.verify(second).short == (410, "expired")


@pytest.mark.parametrize("limit", [1, 5])
def test_max_wrong_is_the_failure_that_locks(limit: int) -> None:
    bank = Bank(max_wrong=limit)
    pending = bank.start()

    left = [bank.fail(pending)["tries_left"] for _ in range(limit)]

    assert left == list(range(limit - 1, -1, -1))
    assert bank.verify(pending).short == (423, "locked")


def test_codes_may_be_longer() -> None:
    bank = Bank(digits=8)
    pending = bank.start()

    assert len(pending.otc) == 8
    assert bank.verify(pending, pending.otc[:6]).short == (422, "malformed")
    assert bank.verify(pending).short == (200, "approved")


def test_codes_may_be_letters() -> None:
    bank = Bank(alphabet=Alphabet.LETTERS)
    pending = bank.start()

    assert pending.otc.isalpha()
    assert bank.verify(pending, pending.otc.lower()).short == (422, "malformed")
    assert bank.verify(pending, "123456").short == (422, "malformed")
    assert bank.verify(pending, wrong(pending.otc)).short == (403, "wrong_otc")
    assert bank.verify(pending).short == (200, "approved")


@pytest.mark.parametrize(("policy", "asked"), [(CscPolicy.NEVER, False), (CscPolicy.ALWAYS, True)])
def test_csc_may_be_asked_for_never_or_always(policy: CscPolicy, asked: bool) -> None:
    bank = Bank(csc=policy)

    for amount in ("0.01", "500.00"):
        pending = bank.start(amount=amount)
        assert pending.said["csc_required"] is asked
        assert bank.verify(pending, csc=CSC).short == (200, "approved")


def test_code_may_go_to_both_contacts() -> None:
    bank = Bank(deliver=Deliver.BOTH)
    card = bank.card(phone="+491701234321", email="alice@example.com")

    pending = bank.start(card)

    assert pending.said["channel"] == "phone"
    assert [message["channel"] for message in bank.messages()] == ["phone", "email"]
    assert len({message["text"] for message in bank.messages()}) == 1


def test_reused_code_is_the_same_and_lives_no_longer() -> None:
    bank = Bank(resend=Resend.REUSE)
    pending = bank.start()
    first = pending.otc
    bank.time += 179.5

    said = bank.resend(pending)

    assert pending.otc == first
    assert said["valid_for_s"] == 420
    assert bank.messages()[-1]["text"].endswith("It is valid for 7 minutes.")
    bank.time += 420.5
    assert bank.verify(pending).short == (410, "expired")


def test_reuse_does_not_reach_over_an_amendment() -> None:
    bank = Bank(resend=Resend.REUSE)
    pending = bank.start()
    first = pending.otc
    bank.amend(pending, amount="50.00")
    amended = pending.otc
    bank.resend(pending)

    assert pending.otc == amended
    if first != amended:
        assert bank.verify(pending, first).short == (403, "wrong_otc")
    assert bank.verify(pending).short == (200, "approved")


def test_reused_code_is_forgotten_when_the_transaction_is_over() -> None:
    bank = Bank(resend=Resend.REUSE)
    pending = bank.start()
    bank.verify(pending)

    assert bank.app.state.safekey.store.transactions[pending.id].code is None


def test_lock_may_last_a_time_and_leaves_the_earlier_codes_dead() -> None:
    bank = Bank(lock_for=timedelta(minutes=5))
    pending = bank.start()
    bank.lock(pending.card)

    bank.time += 299.999
    assert bank.try_start(pending.card).short == (423, "locked")
    bank.time += 0.001
    assert bank.verify(pending).short == (409, "void")
    assert bank.fail(bank.start(pending.card))["tries_left"] == 2


def test_starts_of_a_card_may_be_limited() -> None:
    bank = Bank(max_starts=StartLimit(2, timedelta(minutes=1)))
    card = bank.card()
    bank.start(card)
    bank.time += 59
    bank.start(card)
    sent = len(bank.messages())

    assert bank.try_start(card).short == (429, "throttled")
    assert bank.try_start(bank.card()).short == (201, "pending")
    bank.time += 1
    assert bank.try_start(card).short == (201, "pending")
    assert bank.try_start(card).short == (429, "throttled")
    assert len(bank.messages()) == sent + 2


def test_refused_starts_do_not_count_against_the_limit() -> None:
    bank = Bank(max_starts=StartLimit(1, timedelta(minutes=1)))
    card = bank.card()
    bank.try_start(card, amount="x")
    bank.start(card)
    for _ in range(5):
        bank.time += 11
        bank.try_start(card)
    bank.time += 5

    assert bank.try_start(card).short == (201, "pending")


def test_codes_sent_again_may_be_limited_and_the_last_one_stays_good() -> None:
    bank = Bank(max_resends=2)
    pending = bank.start()

    assert bank.resend(pending).short == (202, "sent")
    assert bank.amend(pending, amount="5.00").short == (200, "amended")
    assert bank.resend(pending).short == (429, "throttled")
    assert bank.amend(pending, amount="6.00").short == (429, "throttled")
    assert bank.verify(pending).short == (200, "approved")


def test_failures_may_be_answered_alike() -> None:
    bank = Bank(merge_failures=True)
    card = bank.card()
    pending = bank.start_with_csc(card)

    wrong_otc = bank.verify(pending, wrong(pending.otc), csc=CSC)
    bank.verify(pending, csc=CSC)
    wrong_csc = bank.verify(bank.start_with_csc(card), csc="999")

    assert (wrong_otc.code, wrong_otc.body) == (403, {"status": "refused", "tries_left": 2})
    assert (wrong_csc.code, wrong_csc.body) == (wrong_otc.code, wrong_otc.body)


def test_unknown_card_may_look_like_a_known_one() -> None:
    bank = Bank(hide_unknown_cards=True)
    known, unknown = bank.try_start(bank.card()), bank.try_start("nobody")

    assert unknown.code == known.code
    assert set(unknown.body) == set(known.body)
    for key in ("status", "channel", "csc_required", "valid_for_s"):
        assert unknown[key] == known[key]
    assert len(unknown["contact"]) == len(known["contact"])
    assert len(bank.messages()) == 1


def test_unknown_card_that_is_hidden_is_the_same_each_time_and_locks() -> None:
    bank = Bank(hide_unknown_cards=True)
    first, second = bank.try_start("nobody"), bank.try_start("nobody")
    path = f"/transactions/{first['transaction_id']}/verify"

    said = [bank.ask("POST", path, {"otc": "000000"}).short for _ in range(4)]

    assert first["contact"] == second["contact"]
    assert said == [(403, "wrong_otc")] * 3 + [(423, "locked")]
    assert bank.try_start("nobody").short == (423, "locked")
    assert bank.try_start("somebody").short == (201, "pending")


def test_support_is_told_of_an_unknown_card_even_where_payers_are_not() -> None:
    assert Bank(hide_unknown_cards=True).unlock("nobody").short == (404, "unknown_card")
