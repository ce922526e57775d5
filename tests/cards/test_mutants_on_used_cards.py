"""Broken servers on used cards: the rule that is broken is found, and no other is in its place."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.cards.bank import bank, profile, verdicts

Otpspec = Callable[..., Any]

DOUBT = "its card was used before, and LOCKOUT-8 does not show that a success has cleared its count"


@pytest.mark.parametrize(
    ("mutant", "words", "broken"),
    [
        ("unlock-does-nothing", "LOCKOUT", {"LOCKOUT-7"}),
        ("unlock-keeps-count", "LOCKOUT", {"LOCKOUT-7"}),
        ("success-keeps-count", "LOCKOUT", {"LOCKOUT-8"}),
        ("lock-ends-by-itself", "LOCKOUT", {"LOCKOUT-6"}),
        ("old-contact-used", "test_contact or DELIVER", {"CONTACT-3"}),
    ],
)
def test_broken_rule_is_found_on_used_cards(
    otpspec: Otpspec, tmp_path: Path, mutant: str, words: str, broken: set[str]
) -> None:
    with bank(mutant=mutant) as ours:
        for row in ours.enrol(14):
            ours.fail(row, 1)
        done = otpspec("check", str(profile(tmp_path, ours)), "-k", words, "--set", "inbox.wait=2s")

    found = verdicts(done.results)
    assert {rule for rule, verdict in found.items() if verdict == "broken"} == broken
    assert not [rule for rule, verdict in found.items() if verdict == "inconclusive"]


def test_lock_that_spills_over_is_found_though_no_card_is_free_of_it(
    otpspec: Otpspec, tmp_path: Path
) -> None:
    with bank(mutant="lock-spills-over") as ours:
        ours.enrol(14)
        done = otpspec("check", str(profile(tmp_path, ours)), "-k", "LOCKOUT-9")
        locked = ours.locked()

    found = verdicts(done.results)
    assert found["LOCKOUT-9"] == "broken"
    assert not locked


@pytest.mark.parametrize("words", ["LOCKOUT-2", "LOCKOUT-2 or LOCKOUT-8"])
def test_yesterdays_wrong_codes_do_not_fake_a_lock_that_comes_too_soon(
    otpspec: Otpspec, tmp_path: Path, words: str
) -> None:
    """Here nothing clears the count: what LOCKOUT-2 sees is what the cards went through before."""
    with bank(mutant="success-keeps-count") as ours:
        for row in ours.enrol(6):
            ours.fail(row, 1)
        path = profile(tmp_path, ours, without=("enroll", "unlock"))
        done = otpspec("check", str(path), "-k", words)

    rule = done.rule("LOCKOUT-2")
    assert rule["verdict"] == "inconclusive"
    assert rule["reason"] == f"only 2 were wrong; but {DOUBT}"
    if "8" in words:
        assert done.rule("LOCKOUT-8")["verdict"] == "broken"


def test_code_that_is_let_through_is_broken_whatever_the_card_went_through(
    otpspec: Otpspec, tmp_path: Path
) -> None:
    with bank(mutant="right-code-beats-lock") as ours:
        for row in ours.enrol(8):
            ours.fail(row, 1)
        path = profile(tmp_path, ours, without=("enroll", "unlock"))
        done = otpspec("check", str(path), "-k", "LOCKOUT-1")

    assert done.rule("LOCKOUT-1")["verdict"] == "broken"
    assert done.code == 1
