"""Cards that share one phone: whose a message is, is known because it was waited for."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.cards.bank import bank, profile, unsound, verdicts

Otpspec = Callable[..., Any]

PHONE = "+9991234567890"
OF_MESSAGES = "DELIVER-1 or CONTACT-2 or BINDING-2 or RESEND-1 or VERIFY-1"


def test_cards_of_one_phone_are_judged_like_others(otpspec: Otpspec, tmp_path: Path) -> None:
    waived = '[waive]\nCONTACT-3 = "one phone for all test cards"\n\n[amounts]'
    with bank() as ours:
        ours.enrol(14, phone=PHONE)
        path = profile(tmp_path, ours, ("[amounts]", waived))
        done = otpspec("check", str(path))
        phones = {ours.kept(row).phone for row in ours.rows}

    assert not unsound(done.results)
    assert done.code == 0, done.out
    assert phones == {PHONE}
    contact = done.rule("CONTACT-3")
    assert contact["verdict"] == "not_applicable"
    assert contact["reason"] == "several cards of the profile have the same contact"
    others = verdicts(done.results)
    assert (others["CONTACT-1"], others["CONTACT-2"]) == ("passed", "passed")


def test_no_message_is_taken_for_another_cards_in_four_runs(
    otpspec: Otpspec, tmp_path: Path
) -> None:
    with bank() as ours:
        ours.enrol(14, phone=PHONE)
        path = profile(tmp_path, ours)
        for seed in range(4):
            done = otpspec("check", str(path), "-k", OF_MESSAGES, "--seed", str(seed))

            assert not unsound(done.results)
