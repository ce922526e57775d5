"""Races on cards of one's own: one card, round after round, in a known state before each."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.cards.bank import Bank, bank, profile

Otpspec = Callable[..., Any]

CARDS = 4
NO_UNLOCK = ("enroll", "unlock")


def check(otpspec: Otpspec, folder: Path, ours: Bank, *words: str, **how: Any) -> Any:
    """RACE-3 on a few cards."""
    ours.enrol(CARDS)
    return otpspec("check", str(profile(folder, ours, **how)), "-k", "RACE-3", *words)


def said(done: Any) -> dict[str, tuple[str, str]]:
    """What each scenario came to, and why; without their common name."""
    return {
        one["scenario"].rpartition("::")[2].rpartition("[")[2].strip("]"): (
            one["verdict"],
            one["reason"],
        )
        for one in done.rule("RACE-3")["evidence"]
    }


@pytest.mark.parametrize("without", [("enroll",), NO_UNLOCK], ids=["unlocked", "cleared"])
def test_sound_target_passes_round_after_round_and_leaves_no_card_locked(
    otpspec: Otpspec, tmp_path: Path, without: tuple[str, ...]
) -> None:
    with bank() as ours:
        done = check(otpspec, tmp_path, ours, without=without)
        known, locked = len(ours.known()), ours.locked()

    assert done.code == 0, done.out
    found = said(done)
    raced = [verdict for verdict, _ in found.values() if verdict != "not_applicable"]
    assert raced == ["passed"] * (6 if without == ("enroll",) else 5)
    assert (known, locked) == (CARDS, [])
    for one in done.rule("RACE-3")["evidence"]:
        if one["verdict"] == "passed":
            assert "clean rounds" in one["measured"]["power"]


@pytest.mark.parametrize(
    ("mutant", "without", "rival"),
    [
        ("resend-in-two-steps", ("enroll",), "resend"),
        ("resend-in-two-steps", NO_UNLOCK, "resend"),
        ("unlock-in-two-steps", ("enroll",), "unlock"),
    ],
)
def test_race_is_found_on_a_card_that_is_used_again(
    otpspec: Otpspec, tmp_path: Path, mutant: str, without: tuple[str, ...], rival: str
) -> None:
    with bank(mutant=mutant) as ours:
        done = check(otpspec, tmp_path, ours, without=without)

    assert done.code == 1, done.out
    assert said(done)[rival][0] == "broken"


def test_count_that_no_success_clears_is_no_race(otpspec: Otpspec, tmp_path: Path) -> None:
    """What is refused may be refused for what the card has counted: that accuses nobody."""
    with bank(mutant="success-keeps-count") as ours:
        done = check(otpspec, tmp_path, ours, without=NO_UNLOCK)

    assert done.rule("RACE-3")["verdict"] == "inconclusive", done.out
    assert "broken" not in {verdict for verdict, _ in said(done).values()}


def test_card_that_a_race_may_lock_for_good_is_spared(otpspec: Otpspec, tmp_path: Path) -> None:
    with bank(max_wrong=2) as ours:
        words = ("--set", "policy.max_wrong=2")
        done = check(otpspec, tmp_path, ours, *words, without=NO_UNLOCK)
        locked = ours.locked()

    assert said(done)["resend"] == (
        "not_applicable",
        "a race may lock the card for good: policy.max_wrong = 2, and the profile has no "
        "[operations.unlock]",
    )
    assert locked == []
