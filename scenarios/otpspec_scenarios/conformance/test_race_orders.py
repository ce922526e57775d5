"""RACE: whatever meets a code on its way, some one-at-a-time order explains every answer."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from otpspec import (
    Call,
    Challenge,
    Inconclusive,
    NotApplicable,
    Outcome,
    Race,
    Story,
    Trial,
    Verdict,
    proves,
)
from otpspec_scenarios.conformance.needs import (
    needs_one_count_for_the_card,
    needs_rotation,
    needs_void_after_wrong_csc,
)
from otpspec_scenarios.conformance.rounds import (
    Round,
    Rounds,
    approvals,
    approving,
    is_wrong,
)

MOST = 8
"""Calls of one story at once: to look at all their orders takes twice as long with each more."""

EDGES = 6
"""Rounds at the end of a code's validity: against a real clock they all wait for it together."""

APART = timedelta(milliseconds=30)
"""What a burst takes, without its answers."""

UNEXPLAINED = "only a refusal has no explanation, or there were too many orders to look at"

Rival = Callable[[Trial, Challenge], Call]
RIVALS: dict[str, Rival] = {
    "resend": lambda trial, challenge: trial.to_resend(challenge),
    "amend": lambda trial, challenge: trial.to_amend(challenge),
    "cancel": lambda trial, challenge: trial.to_cancel(challenge),
    "unlock": lambda trial, challenge: trial.to_unlock(challenge.card),
    "change_contact": lambda trial, challenge: trial.to_change_contact(
        challenge.card, trial.new_contact()
    ),
}


@proves("RACE-3")
@pytest.mark.parametrize("rival", RIVALS)
async def test_some_order_of_verify_and_what_meets_it_explains_every_answer(
    trial: Trial, rival: str
) -> None:
    trial.needs_operation(rival)
    _needs(trial, rival)
    rounds = Rounds(trial, sizes=_sizes(trial), locks=rival == "unlock", counts=True)
    rounds.sizes = sizes_that_spare(trial, rounds)
    for first in (True, False):
        await one_at_a_time(trial, rounds, rival, rival_first=first)
    async for one in rounds:
        story = Story(trial, await one.card())
        challenge = await begun(trial, story, rival)

        calls = [trial.to_verify(challenge) for _ in range(one.size - 1)]
        calls = one.in_turn([*calls, RIVALS[rival](trial, challenge)])
        race = await story.burst(calls)
        await seen_after(trial, story, challenge, rival, race)

        explained = story.explained()
        expect_an_order(trial, story, explained, race, one)
        says = explained is Verdict.PASSED
        rounds.note(race, says=says, why=UNEXPLAINED)
    rounds.conclude()


def _sizes(trial: Trial) -> list[int]:
    return sorted({min(size, MOST) for size in trial.profile.races.sizes})


def sizes_that_spare(trial: Trial, rounds: Rounds) -> list[int]:
    """So many calls at once as do not lock a card for good: each code that a rival made void may
    count, and one more is tried afterwards."""
    sizes, policy = _sizes(trial), trial.policy
    if not rounds.reuses or rounds.unlocks or policy.lock_scope != "card":
        return sizes
    most = policy.max_wrong - 1
    if most < 2:
        raise NotApplicable(
            f"a race may lock the card for good: policy.max_wrong = {policy.max_wrong}, and the "
            "profile has no [operations.unlock]"
        )
    return sorted({min(size, most) for size in sizes})


def _needs(trial: Trial, rival: str) -> None:
    if rival == "resend":
        needs_rotation(trial)
    if rival == "unlock":
        needs_one_count_for_the_card(trial)
    if rival == "resend" and trial.policy.resend_after:
        raise NotApplicable("the profile says policy.resend_after: a resend must wait")


async def begun(trial: Trial, story: Story, rival: str) -> Challenge:
    """A transaction that waits for its code; for an unlock, on a card that is locked."""
    challenge = await story.start()
    for _ in range(trial.policy.max_wrong if rival == "unlock" else 0):
        await story.ask(trial.to_verify(challenge, trial.wrong(story.card)))
    return challenge


async def seen_after(
    trial: Trial, story: Story, challenge: Challenge, rival: str, race: Race | None = None
) -> None:
    """What the target holds by now: the first code once more, and the one of a resend."""
    sent = race is None or any(
        call.operation == "resend" and Outcome.DONE in answer.outcomes
        for call, answer in zip(race.calls, race.answers, strict=True)
    )
    renewed = await story.renewed(challenge) if rival == "resend" and sent else ""
    if trial.policy.max_wrong > 1:
        await story.ask(trial.to_verify(challenge))
    if renewed:
        await story.ask(trial.to_verify(challenge, renewed))


async def one_at_a_time(trial: Trial, rounds: Rounds, rival: str, *, rival_first: bool) -> None:
    """The same without a race. Inconclusive where the rules do not explain even that."""
    story = Story(trial, await rounds.card())
    challenge = await begun(trial, story, rival)
    done = None
    for of_rival in (rival_first, not rival_first):
        call = RIVALS[rival](trial, challenge) if of_rival else trial.to_verify(challenge)
        answer = await story.ask(call)
        done = answer if of_rival else done
    if done is not None and Outcome.DONE in done.outcomes:
        await seen_after(trial, story, challenge, rival)
    if story.explained() is not Verdict.PASSED:
        raise Inconclusive(
            "its answers do not follow the rules even when it is asked one at a time, so that a "
            f"race shows nothing: {story.words()}"
        )


def expect_an_order(trial: Trial, story: Story, explained: Verdict, race: Race, one: Round) -> None:
    """Some order of what was asked allows every answer."""
    trial.check(
        explained is not Verdict.BROKEN,
        expected="answers that some one-at-a-time order explains",
        got=f"{story.words()}; in {one.name} ({race.overlap})",
        because=f"no order of these explains the answers: {story.why}",
        answers=story.against,
    )


@proves("RACE-3")
async def test_some_order_of_verify_resend_and_expiry_explains_every_answer(trial: Trial) -> None:
    """At the edge a code may be dead or alive; it cannot be both."""
    trial.needs_operation("resend")
    _needs(trial, "resend")
    rounds = Rounds(trial, counts=True, most=EDGES)
    rounds.sizes = sizes_that_spare(trial, rounds)
    if rounds.reuses and trial.profile.clock.kind == "real":
        rounds.most = 1  # one card, one round after the other: each takes a validity

    async def play(one: Round) -> None:
        story = Story(trial, await one.card())
        challenge = await story.start()
        # One burst at a time: they wake up one after the other, on both sides of the edge.
        await trial.clock.sleep_until(challenge.surely_alive - (one.number + 1) * APART)
        calls = [trial.to_verify(challenge) for _ in range(one.size - 1)]
        race = await story.burst(one.in_turn([*calls, trial.to_resend(challenge)]))
        await seen_after(trial, story, challenge, "resend", race)
        explained = story.explained()
        expect_an_order(trial, story, explained, race, one)
        says = explained is Verdict.PASSED
        rounds.note(race, says=says, why=UNEXPLAINED)

    await one_at_a_time(trial, rounds, "resend", rival_first=True)
    await one_at_a_time(trial, rounds, "resend", rival_first=False)
    if rounds.reuses:
        async for one in rounds:
            await play(one)
        rounds.conclude()
        return
    started: list[Round] = []
    async for one in rounds:
        started.append(one)
        if len(started) == rounds.planned:
            break
    # All together: a spread at which requests do not overlap any more could not be learnt from.
    await asyncio.gather(*(play(replace(one, spread_s=0.0)) for one in started))
    rounds.conclude()


@proves("RACE-5")
async def test_transaction_is_not_both_voided_by_a_wrong_csc_and_approved(trial: Trial) -> None:
    needs_void_after_wrong_csc(trial)
    rounds = Rounds(trial, locks=trial.policy.wrong_csc_counts)
    await dead_is_told_from_wrong(trial, rounds)
    async for one in rounds:
        challenge = await trial.start(await one.card(), csc=True)

        half = one.size // 2
        right = [trial.to_verify(challenge) for _ in range(half)]
        wrong_csc = challenge.card.wrong_csc
        wrong = [trial.to_verify(challenge, csc=wrong_csc) for _ in range(one.size - half)]
        race = await one.burst([*right, *wrong])

        voided = sum(map(is_wrong, race.answers))
        trial.check(
            not (voided and approvals(race)),
            expected="either an approval, or a wrong 3CSC that voids the transaction",
            got=f"{approvals(race)} approved, {voided} answered as a wrong 3CSC, in {one.name} "
            f"({race.overlap})",
            because="a wrong 3CSC voids the transaction, and an approval ends it",
            answers=[*approving(race), *filter(is_wrong, race.answers)],
        )
        says = bool(voided) or approvals(race) == 1
        rounds.note(race, says=says, why="neither was approved nor voided for sure")
    rounds.conclude()


async def dead_is_told_from_wrong(trial: Trial, rounds: Rounds) -> None:
    """Asked one at a time, a wrong 3CSC after the approval is no wrong 3CSC any more.

    Inconclusive where the target says so all the same: then its answers tell nothing of a race.
    """
    challenge = await trial.start(await rounds.card(), csc=True)
    await trial.approved(challenge, because="both codes are right (control)")
    after = await trial.verify(challenge, csc=challenge.card.wrong_csc)
    if is_wrong(after) or Outcome.APPROVED in after.outcomes:
        raise Inconclusive(
            f"a wrong 3CSC on a transaction that was approved is answered with {after}: so nobody "
            "can tell whether it voided anything"
        )
