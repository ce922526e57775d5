"""Cards that share one phone: whose a message is, is known because it was waited for."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.cards.bank import bank, profile, unsound, verdicts
from tests.conftest import TOKEN

from otpspec import Trial, Verdict
from otpspec.profile import load
from otpspec.runner import Runner, Scenario

Otpspec = Callable[..., Any]

PHONE = "+9991234567890"
OF_MESSAGES = "DELIVER-1 or CONTACT-2 or BINDING-2 or RESEND-1 or VERIFY-1"


def test_cards_of_one_phone_are_judged_like_others(otpspec: Otpspec, tmp_path: Path) -> None:
    waived = '[waive]\nCONTACT-3 = "one phone for all test cards"\n\n[amounts]'
    with bank() as ours:
        ours.enrol(14, phone=PHONE)
        path = profile(tmp_path, ours, ("[amounts]", waived))
        done = otpspec("check", str(path), timeout=180)  # they take turns
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


def test_message_that_nobody_reads_of_a_burst_is_not_the_next_cards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A changed amount sends a code, while another card of the phone is about to be started: what
    came before was skipped already."""

    async def play(trial: Trial) -> None:
        first, second = await trial.card(), await trial.card()
        await trial.burst([trial.to_amend(await trial.start(first))])
        answer = await trial.try_start(second)

        code = await trial.delivered(second, answer.captures)

        newest = ours.sent(PHONE)[-1]
        trial.check(code.text == newest, expected=newest, got=code.text, because="it is the newest")

    monkeypatch.setenv("OTPSPEC_TEST_TOKEN", TOKEN)
    with bank() as ours:
        ours.enrol(4, phone=PHONE)
        runner = Runner(load(profile(tmp_path, ours)), seed=1, needs={"play": 2})
        runner.open()
        try:
            finished = runner.result(Scenario("play", (), play))
        finally:
            runner.close()

    assert finished.verdict is Verdict.PASSED, (finished.reason, finished.got)
