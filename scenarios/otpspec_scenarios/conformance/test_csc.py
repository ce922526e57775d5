"""CSC: where the card's three-digit security code is asked for, both codes must be right."""

import pytest

from otpspec import MISSING, REFUSED, Challenge, NotApplicable, Trial, proves
from otpspec_scenarios.conformance.needs import needs_void_after_wrong_csc


def wrong_csc(challenge: Challenge) -> str:
    """Three digits that are not the card's."""
    return f"{(int(challenge.card.csc) + 371) % 1000:03}"


@proves("CSC-1")
async def test_wrong_csc_voids_the_transaction(trial: Trial) -> None:
    needs_void_after_wrong_csc(trial)
    challenge = await trial.start(csc=True)
    first = await trial.verify(challenge, csc=wrong_csc(challenge))
    trial.expect(first, *REFUSED, because="the 3CSC is wrong")

    answer = await trial.verify(challenge)

    trial.expect(answer, *REFUSED, because="a wrong 3CSC voids the transaction, also for the right")
    await control(trial)


@proves("CSC-2")
@pytest.mark.parametrize("csc", ["wrong", "missing", "empty", "null"])
async def test_right_code_alone_is_not_enough(trial: Trial, csc: str) -> None:
    challenge = await trial.start(csc=True)
    sent = {"wrong": wrong_csc(challenge), "missing": MISSING, "empty": "", "null": None}[csc]

    answer = await trial.verify(challenge, csc=sent)

    trial.expect(answer, *REFUSED, because=f"the OTC is right, but the 3CSC is {csc}")
    await control(trial)


@proves("CSC-2")
async def test_right_csc_alone_is_not_enough(trial: Trial) -> None:
    challenge = await trial.start(csc=True)

    answer = await trial.verify(challenge, trial.wrong(challenge.card))

    trial.expect(answer, *REFUSED, because="the 3CSC is right, but the OTC is wrong")
    await control(trial)


@proves("CSC-6")
async def test_new_transaction_works_after_one_was_voided(trial: Trial) -> None:
    needs_void_after_wrong_csc(trial)
    challenge = await trial.start(csc=True)
    await trial.verify(challenge, csc=wrong_csc(challenge))

    anew = await trial.start(challenge.card, csc=True)

    await trial.approved(anew, because="the entire transaction was started again")


@proves("CSC-7")
async def test_repeated_wrong_cscs_lock_the_card(trial: Trial) -> None:
    if not trial.policy.wrong_csc_counts:
        raise NotApplicable("the profile says policy.wrong_csc_counts = false")
    card = await trial.card()
    for _ in range(trial.policy.max_wrong):
        challenge = await trial.start(card, csc=True)
        answer = await trial.verify(challenge, csc=wrong_csc(challenge))
        trial.expect(answer, *REFUSED, because="the 3CSC is wrong")

    trial.expect(
        await trial.try_start(card),
        *REFUSED,
        because="N wrong 3CSCs are N failures: else a 3CSC could be guessed at leisure",
    )
    await control(trial)


async def control(trial: Trial) -> None:
    """The same with both codes right, on a fresh card, is approved."""
    challenge = await trial.start(await trial.card(), csc=True)
    await trial.approved(challenge, because="both codes are right (control)")
