"""How one of the profile's own cards is brought to a known state."""

from collections.abc import Mapping
from datetime import timedelta

from otpspec.cards import Card
from otpspec.outcome import SUCCESS, Outcome
from otpspec.pool import CannotCleanError
from otpspec.trial import Trial
from otpspec.verdicts import Broken, Inconclusive, NotApplicable


async def clean(trial: Trial, card: Card, given: Mapping[str, str], max_wait: timedelta) -> None:
    """Enrol the card anew; or have it unlocked, and its count cleared by a success.

    `given` is the card as the profile has it. `max_wait`: how long a lock that ends by itself may
    be waited for. Raises CannotCleanError.
    """
    try:
        await _restore_contact(trial, card, given)
        await trial.skip(card)
        if "enroll" in trial.profile.operations:
            await trial.enrol(card)
            return
        policy, unlocks = trial.policy, "unlock" in trial.profile.operations
        if unlocks:
            unlocked = await trial.session.ask("unlock", card.values)
        if policy.lock_scope == "challenge":
            return  # a count and a lock are a transaction's: the card has none
        if policy.success_clears_count:
            await _succeed(trial, card, max_wait)
        elif not unlocks or not unlocked.outcomes & SUCCESS:
            raise CannotCleanError("nothing clears its count: a success does not, by the policy")
    except (Inconclusive, Broken, NotApplicable) as error:
        raise CannotCleanError(str(error)) from error


async def leave(trial: Trial, card: Card, given: Mapping[str, str]) -> None:
    """After a run: have the card unlocked, where that can be asked for, and its contact restored.

    Raises CannotCleanError.
    """
    try:
        if "unlock" in trial.profile.operations:
            await trial.session.ask("unlock", card.values)
        await _restore_contact(trial, card, given)
    except (Inconclusive, NotApplicable) as error:
        raise CannotCleanError(str(error)) from error


async def _succeed(trial: Trial, card: Card, max_wait: timedelta) -> None:
    """A success clears the count. A lock that ends by itself is waited for."""
    answer = await _try(trial, card)
    lasts = trial.policy.lock_for
    if answer is not None and lasts is not None and lasts <= max_wait:
        await trial.clock.sleep_until(trial.clock.now() + lasts + trial.policy.tolerance)
        answer = await _try(trial, card)
    if answer is not None:
        raise CannotCleanError(f"a right code does not succeed on it: {answer}")


async def _try(trial: Trial, card: Card) -> str | None:
    """Start a transaction and send its code; None: it was approved."""
    try:
        answer = await trial.verify(await trial.start(card))
    except Inconclusive as error:
        return str(error)
    return None if Outcome.APPROVED in answer.outcomes else str(answer)


async def _restore_contact(trial: Trial, card: Card, given: Mapping[str, str]) -> None:
    """A scenario may have changed the contact: the profile's own must be there for the next run."""
    contact = given.get(card.contacts[0], card.contact)
    if card.contact != contact and "change_contact" in trial.profile.operations:
        answer = await trial.change_contact(card, contact)
        if not answer.outcomes & SUCCESS:
            raise CannotCleanError("its contact was changed, and could not be changed back")
