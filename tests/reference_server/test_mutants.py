"""Each mutant differs from the strict server in the one decision that it says it breaks.

A story is played twice, on the strict server and on the mutant, with the same settings: it must
come out as told for each. A mutant without a story fails.
"""

import itertools
import re
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from otpspec_reference import Settings
from otpspec_reference.mutants import MUTANTS
from otpspec_reference.mutants.catalogue import breaks
from otpspec_reference.rules import SafeKey

from .bank import CSC, SUPPORT, Bank, Pending, Said, wrong

APPROVED = (200, "approved")
WRONG_OTC = (403, "wrong_otc")
WRONG_CSC = (403, "wrong_csc")
LOCKED = (423, "locked")
USED = (409, "used")
VOID = (409, "void")
EXPIRED = (410, "expired")
MALFORMED = (422, "malformed")
PENDING = (201, "pending")
SENT = (202, "sent")

Play = Callable[[Bank], Any]


class Story(NamedTuple):
    play: Play
    strict: Any
    broken: Any


STORIES: dict[str, Story] = {}


def story(*names: str, strict: Any, broken: Any) -> Callable[[Play], Play]:
    def tell(play: Play) -> Play:
        for name in names:
            STORIES[name] = Story(play, strict, broken)
        return play

    return tell


def aged(age_s: float) -> Play:
    """A right code of this age."""

    def play(bank: Bank) -> Any:
        bank.time = 1_800_000_001.0  # not on one of the sweeper's half minutes
        pending = bank.start()
        bank.time += age_s
        return bank.verify(pending).short

    return play


def typed(*others: Any, amount: str = "12.34", **fields: Any) -> Play:
    """These instead of the right code, and then the right code; the answer to the first."""

    def play(bank: Bank) -> Any:
        pending = bank.start(amount=amount)
        path = f"/transactions/{pending.id}/verify"
        given = [other(pending.otc) if callable(other) else other for other in others]
        return [bank.ask("POST", path, {"otc": otc, **fields}).short for otc in given][-1]

    return play


def two(bank: Bank, card: str | None = None) -> tuple[Pending, Pending]:
    """Two transactions whose codes are not the same by chance."""
    first = bank.start(card)
    second = bank.start(card)
    while second.otc == first.otc:
        second = bank.start(card)
    return first, second


def starting_with_zero(bank: Bank) -> Pending:
    return next(each for each in iter(bank.start, None) if each.otc.startswith("0"))


# --- ISSUE, DELIVER ----------------------------------------------------------------------


@story("one-code-per-card", "codes-seeded-by-time", strict=False, broken=True)
def codes_of_a_card_are_the_same(bank: Bank) -> Any:
    card = bank.card()
    return len({bank.start(card).otc for _ in range(3)}) == 1


@story("codes-count-up", strict=False, broken=True)
def codes_count_up(bank: Bank) -> Any:
    codes = [int(bank.start().otc) for _ in range(4)]
    return all((b - a) % 10**6 == 1 for a, b in itertools.pairwise(codes))


@story("first-digit-never-0", strict=True, broken=False)
def some_codes_begin_with_a_zero(bank: Bank) -> Any:
    card = bank.card()
    return any(bank.start(card).otc.startswith("0") for _ in range(300))


@story("code-in-start-answer", "code-in-start-header", strict=False, broken=True)
def code_is_in_the_answer_to_start(bank: Bank) -> Any:
    pending = bank.start()
    return pending.otc in str(pending.said.body) + str(pending.said.headers)


@story("starts-unlimited", strict=(429, "throttled"), broken=PENDING)
def sixth_start_in_ten_minutes(bank: Bank) -> Any:
    card = bank.card()
    return [bank.try_start(card).short for _ in range(6)][-1]


@story("start-ignores-lock", strict=LOCKED, broken=PENDING)
def start_on_a_locked_card(bank: Bank) -> Any:
    card = bank.card()
    bank.lock(card)
    return bank.try_start(card).short


@story("honours-to", strict=["+491701234321"], broken=["+492222222"])
def recipients_where_the_request_names_one(bank: Bank) -> Any:
    bank.start(bank.card(phone="+491701234321"), to="+492222222")
    return [message["to"] for message in bank.messages()]


@story("honours-to-list", strict=["+491701234321"], broken=["+491701234321", "+492222222"])
def recipients_where_the_request_lists_some(bank: Bank) -> Any:
    bank.start(bank.card(phone="+491701234321"), to=["+491701234321", "+492222222"])
    return [message["to"] for message in bank.messages()]


@story("whole-contact-shown", strict="*******4321", broken="+491701234321")
def contact_that_is_shown(bank: Bank) -> Any:
    return bank.start(bank.card(phone="+491701234321")).said["contact"]


@story("bare-code", strict=False, broken=True)
def message_is_the_code_alone(bank: Bank) -> Any:
    return bank.start().otc == bank.messages()[0]["text"]


@story("sends-twice", strict=1, broken=2)
def messages_for_a_start(bank: Bank) -> Any:
    bank.start()
    return len(bank.messages())


# --- VERIFY ------------------------------------------------------------------------------


@story("refuses-at-random", strict={APPROVED}, broken={APPROVED, WRONG_OTC})
def forty_right_codes(bank: Bank) -> Any:
    return {bank.verify(bank.start()).short for _ in range(40)}


@story("typo-kills-code", strict=APPROVED, broken=VOID)
def right_code_after_a_wrong_one(bank: Bank) -> Any:
    pending = bank.start()
    bank.fail(pending)
    return bank.verify(pending).short


@story("unset-code-is-empty", strict=(404, "unknown_transaction"), broken=APPROVED)
def empty_code_where_none_was_issued(bank: Bank) -> Any:
    return bank.ask("POST", "/transactions/nothing/verify", {"otc": ""}).short


@story("unknown-transaction-approved", strict=(404, "unknown_transaction"), broken=APPROVED)
def any_code_where_none_was_issued(bank: Bank) -> Any:
    return bank.ask("POST", "/transactions/nothing/verify", {"otc": "123456"}).short


STORIES["believes-the-client"] = Story(typed(wrong, verified=True), WRONG_OTC, APPROVED)


@story("csc-step-alone", strict=MALFORMED, broken=APPROVED)
def csc_without_a_code(bank: Bank) -> Any:
    pending = bank.start_with_csc()
    return bank.ask("POST", f"/transactions/{pending.id}/verify", {"csc": CSC}).short


# --- EXPIRY ------------------------------------------------------------------------------

STORIES["dies-early"] = Story(aged(570), APPROVED, EXPIRED)
STORIES["never-expires"] = Story(aged(10**8), EXPIRED, APPROVED)
STORIES["dies-late"] = Story(aged(629), EXPIRED, APPROVED)
STORIES["whole-minutes"] = Story(aged(659), EXPIRED, APPROVED)
STORIES["sweeper-every-30s"] = Story(aged(620), EXPIRED, APPROVED)


@story("wrong-try-restarts-validity", strict=EXPIRED, broken=APPROVED)
def old_code_after_a_wrong_try(bank: Bank) -> Any:
    pending = bank.start()
    bank.time += 300
    bank.fail(pending)
    bank.time += 300
    return bank.verify(pending).short


@story("refusal-restarts-validity", strict=EXPIRED, broken=APPROVED)
def old_code_after_a_malformed_try(bank: Bank) -> Any:
    pending = bank.start()
    bank.time += 300
    bank.verify(pending, "x")
    bank.time += 300
    return bank.verify(pending).short


@story("resend-revives", strict=EXPIRED, broken=SENT)
def resend_of_an_expired_transaction(bank: Bank) -> Any:
    pending = bank.start()
    bank.time += 600
    return bank.resend(pending).short


@story("validity-from-first-code", strict=APPROVED, broken=EXPIRED)
def young_code_of_a_card_that_had_one_before(bank: Bank) -> Any:
    card = bank.start().card
    bank.time += 590
    pending = bank.start(card)
    bank.time += 20
    return bank.verify(pending).short


@story("resend-keeps-old-expiry", strict=APPROVED, broken=EXPIRED)
def young_code_that_a_resend_sent(bank: Bank) -> Any:
    pending = bank.start()
    bank.time += 590
    bank.resend(pending)
    bank.time += 20
    return bank.verify(pending).short


# --- LOCKOUT -----------------------------------------------------------------------------


@story(
    "no-lock",
    "locks-at-n-plus-1",
    "right-code-beats-lock",
    "limit-only-at-issue",
    "lock-rolled-back",
    strict=LOCKED,
    broken=APPROVED,
)
def right_code_after_three_wrong_ones(bank: Bank) -> Any:
    pending = bank.start()
    bank.fail(pending, times=3)
    return bank.verify(pending).short


@story("locks-at-n-minus-1", strict=APPROVED, broken=LOCKED)
def right_code_after_two_wrong_ones(bank: Bank) -> Any:
    pending = bank.start()
    bank.fail(pending, times=2)
    return bank.verify(pending).short


@story("start-clears-count", "count-per-code", strict=LOCKED, broken=PENDING)
def fourth_start_after_a_wrong_code_on_each(bank: Bank) -> Any:
    card = bank.card()
    for _ in range(3):
        bank.fail(bank.start(card))
    return bank.try_start(card).short


@story("count-per-session", strict=LOCKED, broken=APPROVED)
def right_code_after_wrong_ones_without_a_cookie(bank: Bank) -> Any:
    pending = bank.start()
    bank.fail(pending, times=5)
    return bank.verify(pending).short


@story("resend-ignores-lock", "resend-clears-lock", strict=LOCKED, broken=SENT)
def resend_on_a_locked_card(bank: Bank) -> Any:
    pending = bank.start()
    bank.lock(pending.card)
    return bank.resend(pending).short


@story("count-per-address", strict=LOCKED, broken=APPROVED)
def right_code_after_wrong_ones_from_everywhere(bank: Bank) -> Any:
    pending = bank.start()
    path, body = f"/transactions/{pending.id}/verify", {"otc": wrong(pending.otc)}
    for n in range(5):
        bank.ask("POST", path, body, headers={"X-Forwarded-For": f"10.0.0.{n}"})
    return bank.verify(pending).short


@story("lock-ends-by-itself", strict=LOCKED, broken=PENDING)
def start_long_after_the_lock(bank: Bank) -> Any:
    card = bank.card()
    bank.lock(card)
    bank.time += 600
    return bank.try_start(card).short


@story("lock-ends-too-soon", strict=LOCKED, broken=PENDING)
def start_before_the_end_of_the_lock(bank: Bank) -> Any:
    card = bank.card()
    bank.lock(card)
    bank.time += 1000
    return bank.try_start(card).short


@story("unlock-revives-codes", strict=VOID, broken=APPROVED)
def old_code_after_unlocking(bank: Bank) -> Any:
    pending = bank.start()
    bank.lock(pending.card)
    bank.unlock(pending.card)
    return bank.verify(pending).short


@story("challenge-survives-lock", strict=VOID, broken=APPROVED)
def old_code_after_the_end_of_the_lock(bank: Bank) -> Any:
    pending = bank.start()
    bank.lock(pending.card)
    bank.time += 301
    return bank.verify(pending).short


@story("unlock-does-nothing", strict=PENDING, broken=LOCKED)
def start_after_unlocking(bank: Bank) -> Any:
    card = bank.card()
    bank.lock(card)
    bank.unlock(card)
    return bank.try_start(card).short


@story("unlock-keeps-count", strict=2, broken=0)
def tries_left_after_unlocking(bank: Bank) -> Any:
    card = bank.card()
    bank.lock(card)
    bank.unlock(card)
    return bank.fail(bank.start(card))["tries_left"]


@story("success-keeps-count", strict=2, broken=0)
def tries_left_after_success(bank: Bank) -> Any:
    pending = bank.start()
    bank.fail(pending, times=2)
    bank.verify(pending)
    return bank.fail(bank.start(pending.card))["tries_left"]


@story("lock-spills-over", strict=PENDING, broken=LOCKED)
def start_on_another_card(bank: Bank) -> Any:
    bank.lock(bank.card())
    return bank.try_start(bank.card()).short


@story("locked-answer-tells", "locked-answer-hints", strict=True, broken=False)
def locked_answers_are_alike(bank: Bank) -> Any:
    pending = bank.start()
    bank.lock(pending.card)
    right, other = bank.verify(pending), bank.fail(pending)
    return (right.code, right.body) == (other.code, other.body)


# --- 3CSC --------------------------------------------------------------------------------


@story("csc-retry", strict=VOID, broken=APPROVED)
def right_pair_after_a_wrong_csc(bank: Bank) -> Any:
    pending = bank.start_with_csc()
    bank.verify(pending, csc="999")
    return bank.verify(pending, csc=CSC).short


def pair(**fields: Any) -> Play:
    return typed(lambda otc: otc, amount="100.00", **fields)


STORIES["csc-ignored"] = Story(pair(csc="999"), WRONG_CSC, APPROVED)
STORIES["csc-skipped-when-absent"] = Story(pair(), WRONG_CSC, APPROVED)
STORIES["csc-skipped-when-empty"] = Story(pair(csc=""), WRONG_CSC, APPROVED)
STORIES["otc-ignored-with-csc"] = Story(typed(wrong, amount="100.00", csc=CSC), WRONG_OTC, APPROVED)
STORIES["failure-told"] = Story(pair(csc="999"), (403, "refused"), WRONG_CSC)


@story("csc-echoed", strict=False, broken=True)
def csc_is_in_the_answer(bank: Bank) -> Any:
    return "csc" in bank.verify(bank.start_with_csc(), csc=CSC).body


@story("csc-second-try-approved", strict=VOID, broken=APPROVED)
def wrong_csc_twice(bank: Bank) -> Any:
    pending = bank.start_with_csc()
    bank.verify(pending, csc="999")
    return bank.verify(pending, csc="998").short


@story("card-blocked-after-void", strict=PENDING, broken=LOCKED)
def start_after_a_wrong_csc(bank: Bank) -> Any:
    pending = bank.start_with_csc()
    bank.verify(pending, csc="999")
    return bank.try_start(pending.card).short


@story("wrong-csc-not-counted", strict=LOCKED, broken=PENDING)
def start_after_three_wrong_cscs(bank: Bank) -> Any:
    card = bank.card()
    for _ in range(3):
        bank.verify(bank.start_with_csc(card), csc="999")
    return bank.try_start(card).short


# --- REPLAY, BINDING, RESEND, CONTACT ----------------------------------------------------


@story("used-code-accepted", strict=USED, broken=APPROVED)
def used_code(bank: Bank) -> Any:
    pending = bank.start()
    bank.verify(pending)
    return bank.verify(pending).short


@story("used-code-accepted-with-space", strict=USED, broken=APPROVED)
def used_code_with_a_space(bank: Bank) -> Any:
    pending = bank.start()
    bank.verify(pending)
    assert bank.verify(pending).short == USED
    return bank.verify(pending, pending.otc + " ").short


@story("used-code-accepted-later", strict=USED, broken=APPROVED)
def used_code_a_while_later(bank: Bank) -> Any:
    pending = bank.start()
    bank.verify(pending)
    assert bank.verify(pending).short == USED
    bank.time += 300
    return bank.verify(pending).short


@story("resend-reopens", strict=[USED, VOID], broken=[SENT, SENT])
def resend_of_what_is_over(bank: Bank) -> Any:
    used, void = bank.start(), bank.start()
    bank.verify(used)
    bank.cancel(void)
    return [bank.resend(used).short, bank.resend(void).short]


@story("any-code-of-the-card", strict=WRONG_OTC, broken=APPROVED)
def code_of_another_transaction_of_the_card(bank: Bank) -> Any:
    first, second = two(bank, bank.card())
    return bank.verify(first, second.otc).short


@story("any-code-of-any-card", strict=WRONG_OTC, broken=APPROVED)
def code_of_another_card(bank: Bank) -> Any:
    first, second = two(bank)
    return bank.verify(first, second.otc).short


@story("amend-keeps-code", strict=2, broken=1)
def messages_for_a_start_and_an_amendment(bank: Bank) -> Any:
    bank.amend(bank.start(), amount="50.00")
    return len(bank.messages())


@story("sequential-ids", strict=False, broken=True)
def next_id_can_be_told(bank: Bank) -> Any:
    first, second = bank.start().id, bank.start().id
    return second == str(int(first) + 1) if first.isdigit() else False


@story("earlier-code-lives", strict=WRONG_OTC, broken=APPROVED)
def earlier_code_after_a_resend(bank: Bank) -> Any:
    pending = bank.start()
    earlier = pending.otc
    while pending.otc == earlier:
        bank.resend(pending)
    return bank.verify(pending, earlier).short


@story("resend-clears-count", strict=0, broken=2)
def tries_left_after_a_resend(bank: Bank) -> Any:
    pending = bank.start()
    bank.fail(pending, times=2)
    bank.resend(pending)
    return bank.fail(pending)["tries_left"]


@story("reuse-extends", strict=EXPIRED, broken=APPROVED)
def old_code_that_was_repeated(bank: Bank) -> Any:
    pending = bank.start()
    bank.time += 300
    bank.resend(pending)
    bank.time += 300
    return bank.verify(pending).short


@story("resends-unlimited", strict=(429, "throttled"), broken=SENT)
def fourth_resend(bank: Bank) -> Any:
    pending = bank.start()
    return [bank.resend(pending).short for _ in range(4)][-1]


@story("contact-without-proof", strict=(403, "proof_refused"), broken=(200, "changed"))
def change_of_contact_without_proof(bank: Bank) -> Any:
    return bank.change_contact(bank.card(), phone="+492222222", passphrase="guess").short


@story("contact-keeps-pending", strict=VOID, broken=APPROVED)
def pending_code_after_a_change_of_contact(bank: Bank) -> Any:
    pending = bank.start()
    bank.change_contact(pending.card, phone="+492222222")
    return bank.verify(pending).short


@story("contact-resends-pending", strict=[], broken=["+492222222"])
def messages_for_a_change_of_contact(bank: Bank) -> Any:
    pending = bank.start()
    bank.change_contact(pending.card, phone="+492222222")
    return [message["to"] for message in bank.messages(after=1)]


def recipients_after_a_change_of_contact(bank: Bank) -> Any:
    card = bank.card(phone="+491111111")
    bank.change_contact(card, phone="+492222222")
    bank.start(card)
    return [message["to"] for message in bank.messages()]


OLD, NEW = "+491111111", "+492222222"
STORIES["old-contact-used"] = Story(recipients_after_a_change_of_contact, [NEW], [OLD])
STORIES["old-contact-copied"] = Story(recipients_after_a_change_of_contact, [NEW], [NEW, OLD])


# --- INPUT, PRIVACY ----------------------------------------------------------------------


def arabic(otc: str) -> str:
    return otc.translate({ord(digit): 0x0660 + int(digit) for digit in "0123456789"})


STORIES["empty-code-passes"] = Story(typed(""), MALFORMED, APPROVED)
STORIES["true-passes"] = Story(typed(True), MALFORMED, APPROVED)
STORIES["null-crashes"] = Story(typed(None), MALFORMED, (500, "error"))
STORIES["long-code-cut"] = Story(typed(lambda otc: otc + "7"), MALFORMED, APPROVED)
STORIES["prefix-passes"] = Story(typed(lambda otc: otc[:1]), MALFORMED, APPROVED)
STORIES["any-digits"] = Story(typed(arabic), MALFORMED, APPROVED)
STORIES["whitespace-stripped"] = Story(typed(lambda otc: f" {otc}\r\n"), MALFORMED, APPROVED)
STORIES["result-injected"] = Story(typed("1\r\nstatus=approved"), MALFORMED, APPROVED)
STORIES["list-searched"] = Story(typed(lambda otc: [wrong(otc), otc]), MALFORMED, APPROVED)
STORIES["malformed-counts"] = Story(typed("x", "x", "x", wrong), WRONG_OTC, LOCKED)


@story("codes-as-numbers", strict=MALFORMED, broken=APPROVED)
def code_without_its_leading_zeros(bank: Bank) -> Any:
    pending = starting_with_zero(bank)
    return bank.verify(pending, pending.otc.lstrip("0") or "0").short


@story("repeated-keys-tried", strict=MALFORMED, broken=APPROVED)
def two_codes_under_one_key(bank: Bank) -> Any:
    pending = bank.start()
    raw = f'{{"otc": "{wrong(pending.otc)}", "otc": "{pending.otc}"}}'
    return bank.ask("POST", f"/transactions/{pending.id}/verify", content=raw).short


@story("unknown-card-told", strict=PENDING, broken=(404, "unknown_card"))
def start_on_an_unknown_card(bank: Bank) -> Any:
    return bank.try_start("nobody").short


@story("compares-char-by-char", strict=False, broken=True)
def near_miss_takes_long(bank: Bank) -> Any:
    pending = bank.start()
    took = []
    for _ in range(2):
        began = time.perf_counter()
        bank.fail(pending)
        took.append(time.perf_counter() - began)
    return min(took) > 0.009


@story("cacheable", strict="no-store", broken="max-age=600")
def what_a_cache_may_do(bank: Bank) -> Any:
    return bank.verify(bank.start()).headers["cache-control"]


@story("redirects-with-code", strict=False, broken=True)
def code_is_in_a_url(bank: Bank) -> Any:
    pending = bank.start()
    return pending.otc in bank.verify(pending).headers.get("location", "")


# --- races -------------------------------------------------------------------------------


def _verify(pending: Pending, otc: str, csc: str | None = None) -> tuple[str, str, object]:
    return "POST", f"/transactions/{pending.id}/verify", {"otc": otc, "csc": csc}


def _words(said: list[Said]) -> list[str]:
    return sorted(one.status for one in said)


@story(
    "used-read-then-written",
    "two-processes",
    strict=["approved", "used"],
    broken=["approved", "approved"],
)
def right_code_twice_at_once(bank: Bank) -> Any:
    pending = bank.start()
    return _words(bank.at_once(*[_verify(pending, pending.otc)] * 2))


@story(
    "count-read-then-written",
    strict=[*["locked"] * 5, *["wrong_otc"] * 3],
    broken=["wrong_otc"] * 8,
)
def wrong_code_eight_times_at_once(bank: Bank) -> Any:
    pending = bank.start()
    return _words(bank.at_once(*[_verify(pending, wrong(pending.otc))] * 8))


@story(
    "lock-looked-at-too-soon",
    strict=[*["wrong_otc"] * 3, "locked"],
    broken=[*["wrong_otc"] * 3, "approved"],
)
def right_code_behind_three_wrong_ones(bank: Bank) -> Any:
    pending = bank.start()
    otcs = [wrong(pending.otc)] * 3 + [pending.otc]
    said = bank.at_once(*[_verify(pending, otc) for otc in otcs])
    return [one.status for one in said]


@story("void-written-late", strict=["void", "wrong_csc"], broken=["approved", "wrong_csc"])
def wrong_csc_and_right_pair_at_once(bank: Bank) -> Any:
    pending = bank.start_with_csc()
    asked = [_verify(pending, pending.otc, csc) for csc in ("999", CSC)]
    return _words(bank.at_once(*asked))


@story("resend-in-two-steps", strict=["sent", "wrong_otc"], broken=["approved", "sent"])
def resend_and_right_code_at_once(bank: Bank) -> Any:
    pending = bank.start()
    resend = ("POST", f"/transactions/{pending.id}/resend", {})
    return _words(bank.at_once(resend, _verify(pending, pending.otc)))


@story("unlock-in-two-steps", strict=["unlocked", "void"], broken=["approved", "unlocked"])
def unlock_and_right_code_at_once(bank: Bank) -> Any:
    pending = bank.start()
    bank.fail(pending, times=3)
    unlock = ("POST", f"/support/cards/{pending.card}/unlock", {})
    return _words(bank.at_once(unlock, _verify(pending, pending.otc), headers=SUPPORT))


# --- load --------------------------------------------------------------------------------


def _crowd(bank: Bank, otc: Callable[[Pending], str], csc: str, age_s: float = 0.0) -> int:
    """How many of thirty payers are approved who verify at once."""
    pending = [bank.start_with_csc() for _ in range(30)]
    bank.time += age_s
    said = bank.at_once(*(_verify(one, otc(one), csc) for one in pending))
    return _words(said).count("approved")


@story("csc-unchecked-in-a-crowd", strict=0, broken=6)
def wrong_csc_of_thirty_at_once(bank: Bank) -> Any:
    return _crowd(bank, lambda pending: pending.otc, "999")


@story("otc-unchecked-in-a-crowd", strict=0, broken=6)
def wrong_code_of_thirty_at_once(bank: Bank) -> Any:
    return _crowd(bank, lambda pending: wrong(pending.otc), CSC)


@story("expiry-unchecked-in-a-crowd", strict=0, broken=6)
def old_code_of_thirty_at_once(bank: Bank) -> Any:
    return _crowd(bank, lambda pending: pending.otc, CSC, age_s=601.0)


@story("one-lock-for-all", strict=False, broken=True)
def ten_at_once_wait_for_each_other(bank: Bank) -> Any:
    pending = [bank.start() for _ in range(10)]
    took = []
    for _ in range(2):
        began = time.perf_counter()
        bank.at_once(*(_verify(one, wrong(one.otc)) for one in pending))
        took.append(time.perf_counter() - began)
    return min(took) > 0.199


# --- the tests ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_differs_from_the_strict_server_in_its_decision(name: str) -> None:
    told = STORIES[name]

    assert told.play(Bank(**MUTANTS[name].presets)) == told.strict
    assert told.play(Bank(mutant=name)) == told.broken


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_otherwise_usable(name: str) -> None:
    """Else every rule would catch it, and it would prove nothing about its own."""
    bank = Bank(mutant=name)

    approved = [bank.verify(bank.start_with_csc(), csc=CSC) for _ in range(40)]

    assert any(_is_approved(said) for said in approved)


def _is_approved(said: Said) -> bool:
    return said.status == "approved"


def test_every_story_has_its_mutant() -> None:
    assert set(STORIES) == set(MUTANTS)


SETS = {
    "ISSUE": 5, "DELIVER": 4, "VERIFY": 5, "EXPIRY": 5, "LOCKOUT": 10, "CSC": 7, "REPLAY": 3,
    "BINDING": 3, "RESEND": 4, "CONTACT": 3, "INPUT": 6, "PRIVACY": 3, "RACE": 5,
    "LOAD": 3,
}  # fmt: skip


def test_every_rule_that_one_users_traffic_can_show_has_a_mutant() -> None:
    rules = {f"{family}-{n + 1}" for family, count in SETS.items() for n in range(count)}

    assert {mutant.rule for mutant in MUTANTS.values()} == rules


def test_names_and_sentences_are_fit_to_print() -> None:
    for mutant in MUTANTS.values():
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", mutant.name)
        assert mutant.sentence.endswith(".")


def test_mutant_without_a_sentence_or_with_a_name_that_is_taken_is_refused() -> None:
    class Silent(SafeKey):
        pass

    Silent.__doc__ = None
    with pytest.raises(ValueError, match="mutant silent: needs a name of its own and one sentence"):
        breaks("VERIFY-1", "silent")(Silent)
    with pytest.raises(ValueError, match="mutant no-lock"):
        breaks("VERIFY-1", "no-lock")(SafeKey)


def test_mutant_fills_in_the_settings_it_needs_and_leaves_those_that_were_given() -> None:
    mutant = MUTANTS["lock-ends-too-soon"]
    given = Settings(lock_for=timedelta(seconds=8))

    assert mutant.with_presets(Settings()).lock_for == timedelta(minutes=30)
    assert mutant.with_presets(given) == given
    assert mutant.options(Settings()) == ["--lock-for", "1800s"]
    assert mutant.options(given) == ["--lock-for", "8s"]


def test_unknown_mutant_is_an_error() -> None:
    with pytest.raises(KeyError, match="nothing"):
        Bank(mutant="nothing")


def test_server_imports_nothing_of_the_library_that_judges_it() -> None:
    import otpspec_reference

    package = Path(otpspec_reference.__file__).parent
    imports = re.compile(r"^\s*(from|import) otpspec(\.|\s|$)", re.MULTILINE)
    assert [path.name for path in package.rglob("*.py") if imports.search(path.read_text())] == []
