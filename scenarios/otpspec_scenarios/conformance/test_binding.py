"""BINDING: a code is good for its own transaction only."""

import re
from dataclasses import replace

from otpspec import REFUSED, Challenge, NotApplicable, Outcome, Trial, proves
from otpspec_scenarios.conformance.needs import (
    needs_more_than_one_try,
    needs_transactions_told_apart,
)


async def another(trial: Trial, challenge: Challenge, *, same_card: bool) -> Challenge:
    """Another transaction that is open, with a code that differs."""
    card = challenge.card if same_card else await trial.card()
    return await trial.unlike(challenge, lambda: trial.start(card))


@proves("BINDING-1")
async def test_code_of_another_transaction_of_the_card_is_refused(trial: Trial) -> None:
    needs_more_than_one_try(trial)
    await needs_transactions_told_apart(trial)
    first = await trial.start()
    second = await another(trial, first, same_card=True)

    for own, others in ((first, second), (second, first)):
        answer = await trial.verify(own, others.otc)
        trial.expect(answer, *REFUSED, because="the code is of another transaction of this card")
    if trial.policy.max_wrong > 2:
        await trial.approved(second, because="this is its own code, and the card is not locked")


@proves("BINDING-1")
async def test_code_of_another_card_is_refused(trial: Trial) -> None:
    needs_more_than_one_try(trial)
    mine = await trial.start()
    theirs = await another(trial, mine, same_card=False)

    answer = await trial.verify(mine, theirs.otc)

    trial.expect(answer, *REFUSED, because="the code is another card's")
    await trial.approved(mine, because="this is its own code")


@proves("BINDING-1")
async def test_code_of_another_session_is_refused(trial: Trial) -> None:
    needs_more_than_one_try(trial)
    mine = await trial.start()
    async with trial.elsewhere() as other:
        theirs = await another(other, mine, same_card=False)

        answer = await trial.verify(mine, theirs.otc)

    trial.expect(answer, *REFUSED, because="the code was sent to someone else")


@proves("BINDING-2")
async def test_change_of_amount_voids_the_code(trial: Trial) -> None:
    challenge = await trial.start()
    amended = await trial.amend(challenge)
    trial.expect(amended, Outcome.DONE, because="the transaction is open")

    answer = await trial.verify(challenge)

    trial.expect(answer, *REFUSED, because="the payer has agreed to another amount")


@proves("BINDING-3")
async def test_transaction_ids_cannot_be_guessed(trial: Trial) -> None:
    ids = [challenge.captures.get("id") async for challenge in trial.many(12)]
    if None in ids:
        raise NotApplicable("the profile has no operations.start.capture.id")

    numbers = [int.from_bytes(str(i).rjust(64).encode(), "big") for i in ids]
    decimal = [int(found[0]) for i in ids if (found := re.findall(r"\d+", str(i))[-1:])]
    rising = [n for n in (numbers, decimal) if len(n) == len(ids) and sorted(set(n)) == n]
    near = any(n[-1] - n[0] < 10**9 for n in rising[-1:])

    trial.check(
        len(set(ids)) == len(ids),
        expected="ids that are all different",
        got="the same id twice",
        because="a code is for one transaction",
    )
    # Twelve random ids are in rising order once in 479 million runs.
    trial.check(
        not (rising and near) or await _id_alone_is_nothing(trial),
        expected="ids that follow no order, or that are nothing without their session",
        got="ids that count up, and a stranger's tries on one of them count",
        because="whoever knows one id must not know the next",
    )


async def _id_alone_is_nothing(trial: Trial) -> bool:
    """Whether a stranger who knows a transaction's id, and has one of their own, can do nothing."""
    victim = await trial.start(await trial.card())
    async with trial.elsewhere() as stranger:
        own = await stranger.start(await stranger.card())
        forged = replace(own, captures={**own.captures, "id": victim.captures["id"]})
        for _ in range(trial.policy.max_wrong):
            await stranger.verify(forged, trial.wrong(victim.card))
    answer = await trial.verify(victim)
    return Outcome.APPROVED in answer.outcomes


@proves("BINDING-3")
async def test_strangers_transaction_is_refused(trial: Trial) -> None:
    challenge = await trial.start()
    stranger = await trial.card()

    async with trial.elsewhere() as other:
        mine = replace(challenge, card=stranger)
        answer = await other.verify(mine, trial.wrong(challenge.card))

    trial.expect(answer, *REFUSED, because="a stranger does not know the code")
