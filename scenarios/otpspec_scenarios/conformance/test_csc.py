"""CSC: where the card's three-digit security code is asked for, both codes must be right."""

import pytest

from otpspec import MISSING, REFUSED, Answer, Challenge, NotApplicable, Trial, proves
from otpspec_scenarios.conformance.alike import differences, persistent, stands_in
from otpspec_scenarios.conformance.needs import (
    needs_more_than_one_try,
    needs_one_count_for_the_card,
    needs_void_after_wrong_csc,
)


def wrong_csc(challenge: Challenge) -> str:
    """Three digits that are not the card's."""
    return challenge.card.wrong_csc


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


@proves("CSC-3")
async def test_answer_does_not_tell_which_element_was_wrong(trial: Trial) -> None:
    if trial.policy.tells_wrong_element:
        raise NotApplicable("the profile says policy.tells_wrong_element = true")

    async def compare() -> list[str]:
        answers = []
        for what in ("otc", "csc", "otc"):
            challenge = await trial.start(await trial.card(), csc=True)
            if what == "otc":
                answers.append(await trial.verify(challenge, trial.wrong(challenge.card)))
            else:
                answers.append(await trial.verify(challenge, csc=wrong_csc(challenge)))
            trial.expect(answers[-1], *REFUSED, because=f"the {what} is wrong")
        return differences(answers[0], answers[1], again=answers[2])

    found = await persistent(compare)

    trial.check(
        not found,
        expected="the same answer to a wrong OTC and to a wrong 3CSC",
        got="; ".join(found),
        because="the profile says policy.tells_wrong_element = false",
    )
    await control(trial)


@proves("CSC-4")
async def test_csc_is_never_in_an_answer(trial: Trial) -> None:
    shown: dict[str, int] = {}
    for _ in range(3):  # three digits may stand in an answer by chance, but not three times
        challenge = await trial.start(await trial.card(), csc=True)
        before = len(trial.session.answers)
        await trial.verify(challenge, csc=wrong_csc(challenge))
        anew = await trial.start(await trial.card(), csc=True)
        await trial.approved(anew, because="both codes are right")
        for answer in trial.session.answers[before:]:
            # The right one may be in no answer, nor the wrong one: it may be a mistyped right one.
            for csc in (challenge.card.csc, wrong_csc(challenge), anew.card.csc):
                if _stands_in(csc, answer):
                    shown[answer.operation] = shown.get(answer.operation, 0) + 1

    often = sorted(operation for operation, times in shown.items() if times >= 3)
    trial.check(
        not often,
        expected="no 3CSC in any answer",
        got=f"a 3CSC in the answer to {', '.join(often)}",
        because="the 3CSC is a secret of the card",
    )


def _stands_in(csc: str, answer: Answer) -> bool:
    text = answer.body.decode("utf-8", "replace") + " " + " ".join(answer.headers.values())
    return stands_in(csc, text)


@proves("CSC-5")
async def test_wrong_csc_approves_nothing_however_often_it_is_sent(trial: Trial) -> None:
    challenge = await trial.start(csc=True)

    for _ in range(max(2, trial.policy.max_wrong - 1)):
        answer = await trial.verify(challenge, csc=wrong_csc(challenge))
        trial.expect(answer, *REFUSED, because="the 3CSC is wrong, this time too")
    await control(trial)


@proves("CSC-6")
async def test_new_transaction_works_after_one_was_voided(trial: Trial) -> None:
    needs_void_after_wrong_csc(trial)
    if trial.policy.wrong_csc_counts:
        needs_more_than_one_try(trial)
    challenge = await trial.start(csc=True)
    await trial.verify(challenge, csc=wrong_csc(challenge))

    because = "the entire transaction is started again"
    anew = await trial.started(challenge.card, csc=True, because=because)

    await trial.approved(anew, because=because)


@proves("CSC-7")
async def test_repeated_wrong_cscs_lock_the_card(trial: Trial) -> None:
    needs_one_count_for_the_card(trial)
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
