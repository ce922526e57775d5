"""RESEND: a new code in place of the earlier one, and no new tries."""

from otpspec import REFUSED, Trial, proves
from otpspec_scenarios.conformance.needs import needs_more_than_one_try, needs_rotation


@proves("RESEND-1")
async def test_earlier_code_dies_at_a_resend(trial: Trial) -> None:
    needs_rotation(trial)
    needs_more_than_one_try(trial)
    challenge = await trial.start()
    resent = await trial.resend(challenge)
    while resent.otc == challenge.otc:  # once in a million, they are the same
        resent = await trial.resend(challenge)

    answer = await trial.verify(challenge)

    trial.expect(answer, *REFUSED, because="a resend makes a new code, and the earlier one is dead")
    await trial.approved(resent, because="this is the code of the resend")


@proves("RESEND-2")
async def test_resend_does_not_zero_the_count(trial: Trial) -> None:
    needs_more_than_one_try(trial)
    challenge = await trial.start()
    await trial.fail(challenge, trial.policy.max_wrong - 1)
    resent = await trial.resend(challenge)

    await trial.fail(resent, 1)
    answer = await trial.verify(resent)

    trial.expect(answer, *REFUSED, because="N codes were wrong; a resend between them is no pardon")
