"""How a card is brought to a known state where support does not unlock it."""

import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.cards.bank import bank, profile, unsound, verdicts

Otpspec = Callable[..., Any]

HALF_HOUR = timedelta(minutes=30)
ENDS = ('base = "safekey"', 'base = "safekey"\nlock_for = "30m"')


def test_cards_whose_lock_ends_come_back_by_themselves(otpspec: Otpspec, tmp_path: Path) -> None:
    with bank(lock_for=HALF_HOUR) as ours:
        ours.enrol(5)
        ours.lock(*ours.rows[:3])
        path = profile(tmp_path, ours, ENDS, without=("enroll", "unlock"))
        done = otpspec("check", str(path), "-k", "LOCKOUT")

    assert not unsound(done.results)
    assert done.results["notes"] == []
    found = verdicts(done.results)
    assert found.pop("LOCKOUT-7") == "not_applicable"
    assert set(found.values()) == {"passed"}


def test_card_that_waits_for_its_lock_keeps_no_scenario_waiting(
    otpspec: Otpspec, tmp_path: Path
) -> None:
    with bank(lock_for=HALF_HOUR) as ours:
        ours.enrol(5)
        ours.lock(*ours.rows[:3])
        path = profile(tmp_path, ours, ENDS, without=("enroll", "unlock"))
        began = time.monotonic()
        done = otpspec("check", str(path), "-k", "VERIFY-1", "--set", "clock.kind=real")

    assert done.code == 0, done.err
    assert time.monotonic() - began < 30  # not half an hour


def test_lock_longer_than_max_wait_sets_the_card_aside_for_today(
    otpspec: Otpspec, tmp_path: Path
) -> None:
    with bank(lock_for=HALF_HOUR) as ours:
        ours.enrol(4)
        ours.lock(ours.rows[0])
        path = profile(tmp_path, ours, ENDS, without=("enroll", "unlock"))
        words = ("check", str(path), "-k", "VERIFY-2", "--set", "clock.kind=real")
        first = otpspec(*words, "--max-wait", "1m")
        ours.kept(ours.rows[0]).locked_at = None  # half an hour later
        second = otpspec(*words, "--max-wait", "1m")

    assert (first.code, second.code) == (0, 0)
    label = f"card 1 (…{ours.rows[0]['pan'][-4:]})"
    assert label in (tmp_path / "acs.cards.json").read_text()
    assert '"set_aside"' not in (tmp_path / "acs.cards.json").read_text()
    assert second.results["notes"] == []


def test_cards_that_can_be_enrolled_anew_are(otpspec: Otpspec, tmp_path: Path) -> None:
    with bank() as ours:
        ours.enrol(5)
        ours.lock(*ours.rows)
        path = profile(tmp_path, ours, without=("unlock",))
        done = otpspec("check", str(path), "-k", "LOCKOUT-1 or LOCKOUT-2 or LOCKOUT-9 or CONTACT")
        asked = ours.operations
        cards = ours.known()

    assert not unsound(done.results)
    assert done.results["notes"] == []
    assert sum(a.path == "/cards" for a in asked) == len(cards) - len(ours.rows)
    assert len(cards) > 2 * len(ours.rows)


def test_used_cards_are_unlocked_and_have_their_contacts_when_the_run_ends(
    otpspec: Otpspec, tmp_path: Path
) -> None:
    with bank() as ours:
        ours.enrol(3)
        path = profile(tmp_path, ours)
        done = otpspec("check", str(path), "-k", "LOCKOUT-1 or CONTACT-3")
        asked = [a.path for a in ours.operations]
        kept = [(ours.kept(row).phone, ours.kept(row).locked_at) for row in ours.rows]

    assert done.code == 0, done.err
    assert any(path.endswith("/contact") for path in asked)
    assert kept == [(row["phone"], None) for row in ours.rows]
