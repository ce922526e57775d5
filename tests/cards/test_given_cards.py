"""Cards of the profile's own, used before: today's verdicts are of today."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.cards.bank import Bank, bank, profile, unsound, verdicts

Otpspec = Callable[..., Any]

LOCKED = "a right code does not succeed on it: start did not work: locked (HTTP 423)"


def test_same_list_of_used_cards_gives_the_same_verdicts_twice_in_a_row(
    otpspec: Otpspec, tmp_path: Path
) -> None:
    with bank() as ours:
        ours.enrol(14)
        for row in ours.rows:
            ours.fail(row, 2)  # one more locks it: as an interrupted run leaves it
        ours.lock(*ours.rows[:3])
        path = profile(tmp_path, ours)
        contacts = [ours.kept(row).phone for row in ours.rows]

        first = otpspec("check", str(path))
        kept, locked = [ours.kept(row).phone for row in ours.rows], ours.locked()
        results = first.results
        second = otpspec("check", str(path))

    assert not unsound(results)
    assert (first.code, second.code) == (0, 0), first.err + second.err
    assert verdicts(second.results) == verdicts(results)
    assert results["notes"] == second.results["notes"] == []
    assert kept == contacts  # each scenario that changed one has had it changed back
    assert not locked
    written = [
        file.read_text()
        for file in tmp_path.rglob("*.*")
        if file.is_file() and file.name != "cards.csv"
    ]
    for row in ours.rows:
        for secret in (row["pan"], row["passphrase"]):
            assert not any(secret in text for text in (*written, first.out, first.err))
    assert any(f"(…{ours.rows[0]['pan'][-4:]})" in text for text in written)


def test_success_alone_clears_what_cards_went_through(otpspec: Otpspec, tmp_path: Path) -> None:
    with bank() as ours:
        for row in ours.enrol(6):
            ours.fail(row, 2)
        path = profile(tmp_path, ours, without=("enroll", "unlock"))
        done = otpspec("check", str(path), "-k", "LOCKOUT-2 or LOCKOUT-8")

    assert not unsound(done.results)
    assert verdicts(done.results) == {"LOCKOUT-2": "passed", "LOCKOUT-8": "passed"}


def test_locked_card_is_set_aside_and_named_and_others_are_used(
    otpspec: Otpspec, tmp_path: Path
) -> None:
    with bank() as ours:
        ours.enrol(6)
        ours.lock(ours.rows[0], ours.rows[2])
        path = profile(tmp_path, ours, without=("enroll", "unlock"))
        done = otpspec("check", str(path), "-k", "VERIFY-2 or LOCKOUT-2")
        names = [_name(ours, index) for index in (0, 2)]

    assert not unsound(done.results)
    assert done.code == 0
    assert done.results["notes"] == [f"set aside: {name}: {LOCKED}" for name in names]


def test_run_with_too_few_cards_left_does_not_start(otpspec: Otpspec, tmp_path: Path) -> None:
    with bank() as ours:
        ours.enrol(6)
        ours.lock(*ours.rows[:4])
        path = profile(tmp_path, ours, without=("enroll", "unlock"))
        otpspec("check", str(path), "-k", "VERIFY-2")  # finds out which are locked
        asked, messages = len(ours.asked), ours.messages
        done = otpspec("check", str(path), "-k", "LOCKOUT-1")
        names = [_name(ours, index) for index in range(4)]

    assert done.code == 2
    assert done.err == (
        "The check needs 5 cards, and the profile has 6, 4 of them set aside; it locks 2 for good."
        "\nNothing was sent.\n"
        + "".join(f"  set aside  {name}: {LOCKED}\n" for name in names)
        + "Where they have been unlocked since, delete acs.cards.json: they are tried again.\n"
        "Try: list more in [cards]; add [operations.unlock], so that a card can be used again; "
        "or check fewer rules with -k.\n"
    )
    assert len(ours.asked) == asked
    assert ours.messages == messages


def test_card_set_aside_is_tried_again_once_it_can_be_unlocked(
    otpspec: Otpspec, tmp_path: Path
) -> None:
    with bank() as ours:
        ours.enrol(3)
        ours.lock(*ours.rows[:2])
        otpspec(
            "check", str(profile(tmp_path, ours, without=("enroll", "unlock"))), "-k", "VERIFY-1"
        )
        assert (tmp_path / "acs.cards.json").read_text().count("set_aside") == 2
        done = otpspec("check", str(profile(tmp_path, ours)), "-k", "VERIFY-1 or LOCKOUT-1")

    assert done.code == 0, done.err
    assert done.results["notes"] == []
    assert "set_aside" not in (tmp_path / "acs.cards.json").read_text()


def _name(ours: Bank, index: int) -> str:
    return f"card {index + 1} (…{ours.rows[index]['pan'][-4:]})"
