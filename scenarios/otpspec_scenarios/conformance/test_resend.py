"""RESEND: a new code in place of the earlier one, and no new tries."""

from otpspec import REFUSED, Inconclusive, NotApplicable, Outcome, Trial, proves
from otpspec_scenarios.conformance.needs import needs_more_than_one_try, needs_rotation


@proves("RESEND-1")
async def test_earlier_code_dies_at_a_resend(trial: Trial) -> None:
    needs_rotation(trial)
    needs_more_than_one_try(trial)
    challenge = await trial.start()
    resent = await trial.unlike(challenge, lambda: trial.resend(challenge))

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


@proves("RESEND-3")
async def test_resend_that_repeats_the_code_does_not_extend_its_life(trial: Trial) -> None:
    if trial.policy.resend != "reuse":
        raise NotApplicable(f'the profile says policy.resend = "{trial.policy.resend}"')
    challenge = await trial.start()
    await trial.clock.sleep_until(challenge.sent_earliest + 0.6 * trial.policy.validity)
    resent = await trial.resend(challenge)
    trial.check(
        resent.otc == challenge.otc,
        expected="the same code again",
        got="another code",
        because='the profile says policy.resend = "reuse"',
    )

    await trial.clock.sleep_until(challenge.surely_expired)
    answer = await trial.verify(resent)

    trial.expect(answer, *REFUSED, because="its validity counts from when it was first sent")


@proves("RESEND-4")
async def test_code_is_not_sent_again_before_its_time(trial: Trial) -> None:
    if not trial.policy.resend_after:
        raise NotApplicable("the profile declares no policy.resend_after")
    challenge = await trial.start()

    answer = await trial.try_resend(challenge, patient=False, at_once=True)

    if answer.returned >= challenge.sent_earliest + trial.policy.resend_after:
        raise Inconclusive("the target is too slow to tell")
    trial.check(
        Outcome.DONE not in answer.outcomes,
        expected=f"no resend within {trial.policy.resend_after}, as policy.resend_after declares",
        got=str(answer),
        because="every resend costs a message, and is a chance to guess anew",
    )
    trial.expect(
        await trial.try_resend(challenge), Outcome.DONE, because="its time has come (control)"
    )


@proves("RESEND-4")
async def test_resends_are_limited(trial: Trial) -> None:
    limit = trial.policy.max_resends
    if limit is None:
        raise NotApplicable("the profile declares no policy.max_resends")
    challenge = await trial.start()
    for _ in range(limit):
        challenge = await trial.resend(challenge)

    answer = await trial.try_resend(challenge)

    trial.check(
        Outcome.DONE not in answer.outcomes,
        expected=f"no resend after {limit}, as policy.max_resends declares",
        got=str(answer),
        because="every resend costs a message, and is a chance to guess anew",
    )
