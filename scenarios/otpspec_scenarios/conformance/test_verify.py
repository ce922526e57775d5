"""VERIFY: the right code is accepted, a wrong one is denied and may be tried again."""

from otpspec import Outcome, Trial, proves
from otpspec_scenarios.conformance.needs import needs_more_than_one_try


@proves("VERIFY-1")
async def test_right_code_is_accepted(trial: Trial) -> None:
    challenge = await trial.start()

    answer = await trial.verify(challenge)

    trial.expect(answer, Outcome.APPROVED, because="the code is right, fresh and unused")


@proves("VERIFY-1")
async def test_right_code_is_accepted_in_one_transaction_after_another(trial: Trial) -> None:
    card = await trial.card()

    for _ in range(5):
        await trial.approved(await trial.start(card), because="each code is right and fresh")


@proves("VERIFY-2")
async def test_wrong_code_is_denied_and_the_right_one_is_accepted_after_it(trial: Trial) -> None:
    needs_more_than_one_try(trial)
    challenge = await trial.start()

    await trial.fail(challenge, 1)

    await trial.approved(challenge, because="a wrong code is denied and may be tried again")
