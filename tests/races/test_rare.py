"""A race that shows in three of seventy rounds: too rare for a glance, found where power is asked
for; and what a report says of its power is true."""

import random
import time

import pytest
from tests.harness.scripted import Said, scripted
from tests.harness.small_bank import play_at

from otpspec import Verdict
from otpspec.power import Power, share_seen
from otpspec.runner import Finished
from otpspec_scenarios.conformance import test_race as races

from .stand_in import APPROVED, DEAD, WRONG, Bank, Transaction, sound

RACE_1 = races.test_of_simultaneous_right_codes_at_most_one_is_accepted
RARE = {25, 47, 68}
"""The rounds in which its use is written too late."""


def rare(bank: Bank, transaction: Transaction, otc: str) -> Said:
    """Sound, but for a few transactions."""
    number = list(bank.transactions.values()).index(transaction)
    if number not in RARE:
        return sound(bank, transaction, otc)
    if transaction.used or otc != transaction.otc:
        return DEAD if transaction.used else WRONG
    time.sleep(0.03)
    transaction.used = True
    return APPROVED


def played(*changes: str) -> Finished:
    """What the race comes to at this bank."""
    with scripted(Bank(rare)) as server:
        words = ("policy.csc=never", "policy.lock_scope=challenge", "races.sizes=[2, 4]", *changes)
        (finished,) = play_at(server, RACE_1, changes=words)
    return finished


def test_few_rounds_pass_and_say_how_rare_a_race_they_would_have_missed() -> None:
    finished = played()

    assert finished.verdict is Verdict.PASSED, finished.reason
    assert finished.measured["power"] == (
        "19 clean rounds: a race that shows in 14.6 % of rounds would have been seen with 95 % "
        "probability (budget: 19 rounds, for 95%/15%)"
    )


def test_race_in_three_of_seventy_rounds_is_found_with_power() -> None:
    finished = played("races.power=95%/2%")

    assert finished.verdict is Verdict.BROKEN
    assert "approvals, in round" in finished.got
    assert "of 149" in finished.got


@pytest.mark.parametrize("text", ["95%/15%", "95%/2%", "80%/5%"])
def test_race_of_the_stated_share_is_seen_as_often_as_is_said(text: str) -> None:
    """20,000 runs of the stated number of rounds, by chance; 1.5 % is over three deviations."""
    power = Power.parse(text)
    share = share_seen(power.rounds, power.sure)
    rng = random.Random(7)

    seen = sum(any(rng.random() < share for _ in range(power.rounds)) for _ in range(20_000))

    assert seen / 20_000 == pytest.approx(power.sure, abs=0.015)
