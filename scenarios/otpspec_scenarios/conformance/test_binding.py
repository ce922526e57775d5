"""BINDING: a code is good for its own transaction only."""

from otpspec import REFUSED, Challenge, Trial, proves
from otpspec_scenarios.conformance.needs import needs_more_than_one_try


async def another(trial: Trial, challenge: Challenge, *, same_card: bool) -> Challenge:
    """Another transaction that is open, with a code that differs."""
    card = challenge.card if same_card else await trial.card()
    while True:
        other = await trial.start(card)
        if other.otc != challenge.otc:  # once in a million, they are the same
            return other


@proves("BINDING-1")
async def test_code_of_another_transaction_of_the_card_is_refused(trial: Trial) -> None:
    needs_more_than_one_try(trial)
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
