"""REPLAY: a code is good once, and what is over stays over."""

from dataclasses import replace
from typing import Any

import pytest

from otpspec import REFUSED, Answer, Challenge, NotApplicable, Outcome, Trial, proves
from otpspec_scenarios.conformance.refusing import all_refused


async def used(trial: Trial) -> tuple[Challenge, Challenge]:
    """A transaction that was approved; and the same with the cookies from before.

    Whoever was signed in by an approval may be refused for that, not because the code was used. So
    a code is also tried again as somebody would who has noted code and cookies.
    """
    challenge = await trial.start()
    before = replace(challenge, jar=None if challenge.jar is None else challenge.jar.copy())
    await trial.approved(challenge, because="the code is right and unused")
    return before, challenge


async def tried_again(trial: Trial, payers: tuple[Challenge, Challenge], otc: Any) -> list[Answer]:
    """A used code again, from both."""
    return [await trial.verify(payer, otc) for payer in payers]


@proves("REPLAY-1")
async def test_used_code_is_refused(trial: Trial) -> None:
    both = await used(trial)

    answers = await tried_again(trial, both, both[0].otc)

    all_refused(trial, answers, because="the code was used a moment ago")


@proves("REPLAY-1")
async def test_used_code_is_refused_in_the_next_transaction(trial: Trial) -> None:
    first = await trial.start()
    await trial.approved(first, because="the code is right and unused")
    second = await trial.unlike(first, lambda: trial.start(first.card))

    answer = await trial.verify(second, first.otc)

    trial.expect(answer, *REFUSED, because="the code was used in the transaction before")


SPELLINGS = {
    "a space after": "{} ",
    "a space before": " {}",
    "a line break": "{}\n",
    "a zero before": "0{}",
    "a zero byte": "{}\0",
    "a byte order mark": "\ufeff{}",
}


@proves("REPLAY-2")
@pytest.mark.parametrize("what", SPELLINGS)
async def test_used_code_is_refused_in_another_spelling(trial: Trial, what: str) -> None:
    both = await used(trial)

    answers = await tried_again(trial, both, SPELLINGS[what].format(both[0].otc))

    all_refused(trial, answers, because="the code was used, however it is spelled")


@proves("REPLAY-2")
async def test_used_code_is_refused_later_too(trial: Trial) -> None:
    both = await used(trial)

    for share in (0.3, 0.6, 0.95, 1.05):
        await trial.clock.sleep_until(both[0].sent_latest + share * trial.policy.validity)
        answers = await tried_again(trial, both, both[0].otc)
        all_refused(trial, answers, because=f"the code was used {share:g} validities ago")


@proves("REPLAY-3")
async def test_finished_transaction_is_not_reopened_by_a_resend(trial: Trial) -> None:
    challenge = await trial.start()
    await trial.approved(challenge, because="the code is right and unused")

    answer = await trial.try_resend(challenge)

    trial.expect(answer, *REFUSED, because="the transaction is finished")


@proves("REPLAY-3")
async def test_transaction_is_over_when_another_is_started_where_that_is_declared(
    trial: Trial,
) -> None:
    if trial.policy.new_start != "voids":
        raise NotApplicable('the profile says policy.new_start = "keeps"')
    first = await trial.start()
    second = await trial.unlike(first, lambda: trial.start(first.card))

    answer = await trial.verify(first)

    trial.expect(answer, *REFUSED, because="a new transaction of the card voids the one before")
    if trial.policy.max_wrong > 1:  # the one before may have counted as a wrong code
        await trial.approved(second, because="it is the newest transaction of the card (control)")


@proves("REPLAY-3")
async def test_cancelled_transaction_is_over(trial: Trial) -> None:
    challenge = await trial.start()
    trial.expect(await trial.cancel(challenge), Outcome.DONE, because="the transaction is open")

    answer = await trial.verify(challenge)

    trial.expect(answer, *REFUSED, because="the transaction was cancelled")


@proves("REPLAY-3")
async def test_voided_transaction_is_not_reopened_by_a_resend(trial: Trial) -> None:
    challenge = await trial.start()
    trial.expect(await trial.cancel(challenge), Outcome.DONE, because="the transaction is open")

    answer = await trial.try_resend(challenge)

    trial.expect(answer, *REFUSED, because="the transaction was cancelled")
