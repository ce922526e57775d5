"""Targets that are sound in another way are not accused; what proves nothing is no pass."""

import threading
import time
from collections.abc import Awaitable, Callable

import pytest
from tests.harness.scripted import Said, scripted
from tests.harness.small_bank import play_at

from otpspec import Trial, Verdict
from otpspec.runner import Finished
from otpspec_scenarios.conformance import test_race as races

from .stand_in import APPROVED, DEAD, FAILED, WRONG, Bank, Transaction, sound

RACE_1 = races.test_of_simultaneous_right_codes_at_most_one_is_accepted
RACE_2 = races.test_of_simultaneous_wrong_codes_at_most_n_are_judged
RACE_4 = races.test_right_code_among_simultaneous_wrong_ones_is_approved_as_chance_has_it
SMALL = ("policy.csc=never", "policy.lock_scope=challenge", "races.rounds=6")

Verify = Callable[[Bank, Transaction, str], Said]
Race = Callable[[Trial], Awaitable[None]]


def played(verify: Verify, *plays: Race, more: tuple[str, ...] = ()) -> list[Finished]:
    """What races come to at a bank with this verify."""
    with scripted(Bank(verify)) as server:
        return play_at(server, *plays, changes=(*SMALL, *more))


def test_sound_bank_of_threads_passes_with_its_overlap_and_power_in_figures() -> None:
    one, two, four = played(sound, RACE_1, RACE_2, RACE_4)

    for finished in (one, two, four):
        assert finished.verdict is Verdict.PASSED, finished.reason
        assert (
            "in flight at once, as seen from here; released within" in finished.measured["overlap"]
        )
        assert "clean rounds: a race that shows in" in finished.measured["power"]
    assert "false alarm: 1 run in a thousand million" in four.measured["chance"]


def test_used_flag_that_is_read_and_written_later_is_found() -> None:
    def racy(bank: Bank, transaction: Transaction, otc: str) -> Said:
        free = not transaction.used
        time.sleep(0.03)
        transaction.used = True
        return APPROVED if free and otc == transaction.otc else DEAD

    (finished,) = played(racy, RACE_1)

    assert finished.verdict is Verdict.BROKEN
    assert "it is for one use" in finished.reason
    assert "in flight at once, released within" in finished.got


@pytest.mark.parametrize(("same", "verdict"), [(True, "passed"), (False, "broken")])
def test_approval_that_is_only_repeated_is_one_by_its_captured_name(
    same: bool, verdict: str
) -> None:
    """An idempotent endpoint says the same approval again; a broken one gives another each time."""

    def idempotent(bank: Bank, transaction: Transaction, otc: str) -> Said:
        if otc != transaction.otc:
            return WRONG
        receipt = transaction.otc[::-1] if same else str(next(bank.ids))
        return 200, {"status": "approved", "receipt": receipt}

    capture = ('operations.verify.capture={approval = "receipt"}',)
    (finished,) = played(idempotent, RACE_1, more=capture)

    assert finished.verdict == verdict


def test_target_that_says_wrong_also_when_it_is_locked_is_judged_by_the_right_code_alone() -> None:
    def says_wrong(bank: Bank, transaction: Transaction, otc: str) -> Said:
        said = sound(bank, transaction, otc)
        return WRONG if said is DEAD else said

    (finished,) = played(says_wrong, RACE_2)

    assert finished.verdict is Verdict.PASSED, finished.got


def test_target_that_says_wrong_also_when_it_is_locked_and_loses_counts_is_found() -> None:
    def loses(bank: Bank, transaction: Transaction, otc: str) -> Said:
        before = transaction.failures
        if before >= 3 or transaction.used:
            return WRONG
        time.sleep(0.03)
        if otc == transaction.otc:
            transaction.used = True
            return APPROVED
        transaction.failures = before + 1
        return WRONG

    (finished,) = played(loses, RACE_2)

    assert finished.verdict is Verdict.BROKEN
    assert finished.reason == "N = 3 wrong codes lock, also where they came at once"


def test_target_that_says_wrong_where_there_is_nothing_to_compare_with_is_not_accused() -> None:
    """It takes the code out, compares, and puts it back: who comes meanwhile finds none, and hears
    that the code is wrong. So does who comes after a success; a lock has an answer of its own."""

    def takes_out(bank: Bank, transaction: Transaction, otc: str) -> Said:
        with bank.lock:
            if transaction.out or transaction.used:
                return WRONG
            if transaction.failures >= 3:
                return DEAD
            transaction.out = True
        time.sleep(0.003)
        transaction.used = otc == transaction.otc
        transaction.failures += 1
        transaction.out = False
        return APPROVED if transaction.used else WRONG

    (finished,) = played(takes_out, RACE_2, more=("races.sizes=[8]",))

    assert "as wrong" not in finished.got


def test_errors_are_no_verdict_and_are_counted() -> None:
    """A third of the answers is an error: that is not a pass by itself, nor a fault."""
    lock, calls = threading.Lock(), [0]

    def fails(bank: Bank, transaction: Transaction, otc: str) -> Said:
        with lock:
            calls[0] += 1
            if calls[0] % 3 == 0:
                return FAILED
        return sound(bank, transaction, otc)

    (finished,) = played(fails, RACE_1)

    assert finished.verdict is not Verdict.BROKEN
    assert "times unavailable (HTTP 500)" in finished.measured["no verdict"]


def test_target_that_does_not_lock_at_all_is_no_race() -> None:
    def no_lock(bank: Bank, transaction: Transaction, otc: str) -> Said:
        return APPROVED if otc == transaction.otc else WRONG

    (finished,) = played(no_lock, RACE_2)

    assert finished.verdict is Verdict.INCONCLUSIVE
    assert finished.reason == ("it does not lock even when asked one at a time: see LOCKOUT-1")


def test_rounds_of_a_target_that_approves_nothing_prove_nothing() -> None:
    def refuses(bank: Bank, transaction: Transaction, otc: str) -> Said:
        return DEAD

    (finished,) = played(refuses, RACE_1)

    assert finished.verdict is Verdict.INCONCLUSIVE
    assert finished.reason == (
        "only 0 of 12 rounds prove something, and 6 were wanted; mostly because none of the right "
        "codes was approved"
    )


def test_every_second_guess_that_is_judged_too_late_is_more_than_chance() -> None:
    def looks_too_soon(bank: Bank, transaction: Transaction, otc: str) -> Said:
        locked = transaction.failures >= 3
        time.sleep(0.03)
        with bank.lock:
            if locked or transaction.used:
                return DEAD
            if otc == transaction.otc:
                transaction.used = True
                return APPROVED
            transaction.failures += 1
            return WRONG

    (finished,) = played(looks_too_soon, RACE_4, more=("races.rounds=19",))

    assert finished.verdict is Verdict.BROKEN
    assert finished.reason == "more guesses are judged at once than the lock allows"
