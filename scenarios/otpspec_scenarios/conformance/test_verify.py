"""VERIFY: the right code is accepted, a wrong one is denied and may be tried again."""

from dataclasses import replace
from typing import Any

import pytest

from otpspec import MISSING, REFUSED, Outcome, Trial, proves
from otpspec_scenarios.conformance.needs import needs_more_than_one_try
from otpspec_scenarios.conformance.refusing import all_refused


@proves("VERIFY-1")
async def test_right_code_is_accepted(trial: Trial) -> None:
    challenge = await trial.start()

    answer = await trial.verify(challenge)

    trial.expect_alive(challenge, answer, because="the code is right, fresh and unused")


@proves("VERIFY-1")
async def test_right_code_is_accepted_in_one_transaction_after_another(trial: Trial) -> None:
    card = await trial.card()

    await trial.approved(await trial.start(card), because="the code is right and fresh")

    for _ in range(4):
        challenge = await trial.started(card, because="no wrong code was ever sent for this card")
        await trial.approved(challenge, because="each code is right and fresh")


@proves("VERIFY-2")
async def test_wrong_code_is_denied_and_the_right_one_is_accepted_after_it(trial: Trial) -> None:
    needs_more_than_one_try(trial)
    challenge = await trial.start()

    await trial.fail(challenge, 1)

    await trial.approved(challenge, because="a wrong code is denied and may be tried again")


@proves("VERIFY-3")
@pytest.mark.parametrize(
    "otc", ["", None, MISSING, "000000"], ids=["empty", "null", "none", "zeros"]
)
async def test_nothing_is_accepted_where_no_code_was_issued(trial: Trial, otc: Any) -> None:
    challenge = await trial.start()
    never = {name: _another_id(value) for name, value in challenge.captures.items()}
    only_the_id = {name: value for name, value in never.items() if name == "id"}

    nobody = replace(challenge, card=await trial.card())  # for whom no code was ever made
    others = [replace(challenge, captures={**challenge.captures, **never}, jar=trial.session.jar())]
    others += [replace(challenge, captures={**challenge.captures, **only_the_id}), nobody]

    answers = [await trial.verify(other, otc) for other in others]

    all_refused(trial, answers, because="this transaction was never started")


@proves("VERIFY-3")
@pytest.mark.parametrize("otc", ["", None, MISSING], ids=["empty", "null", "none"])
async def test_no_code_is_not_the_code_of_a_dead_transaction(trial: Trial, otc: Any) -> None:
    challenge = await trial.start()
    trial.expect(await trial.cancel(challenge), Outcome.DONE, because="the transaction is open")

    answer = await trial.verify(challenge, otc)

    trial.expect(answer, *REFUSED, because="the transaction was cancelled and has no code")


def _another_id(value: Any) -> Any:
    """An id of the same form that was never given: its letters and digits turned round."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return value
    if isinstance(value, int):
        return value + 1_000_003
    return value.translate(_OTHER)


_OTHER = str.maketrans(
    "0123456789abcdefghijklmnopqrstuvwxyz", "9876543210zyxwvutsrqponmlkjihgfedcba"
)


@proves("VERIFY-4")
async def test_clients_word_is_ignored(trial: Trial) -> None:
    challenge = await trial.start()
    word: dict[str, Any] = {"verified": True, "approved": True, "valid": True, "otp_verified": True}
    word |= {"status": "approved", "result": "success", "skip_otp": True, "authenticated": True}

    answer = await trial.verify(challenge, trial.wrong(challenge.card), extra_body=word)

    trial.expect(answer, *REFUSED, because="the OTC is wrong, whatever the client says of it")


@proves("VERIFY-5")
@pytest.mark.parametrize("otc", ["missing", "empty", "wrong"])
async def test_right_csc_does_not_stand_in_for_the_code(trial: Trial, otc: str) -> None:
    challenge = await trial.start(csc=True)
    sent = {"missing": MISSING, "empty": "", "wrong": trial.wrong(challenge.card)}[otc]

    answer = await trial.verify(challenge, sent)

    trial.expect(answer, *REFUSED, because=f"the 3CSC is right, but the OTC is {otc}")
    both = await trial.start(await trial.card(), csc=True)
    await trial.approved(both, because="both codes are right (control)")
