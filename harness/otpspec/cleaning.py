"""How one of the profile's own cards is brought to a known state."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta

from otpspec.cards import Card
from otpspec.errors import OtpspecError
from otpspec.outcome import SUCCESS, Outcome
from otpspec.pool import CannotCleanError
from otpspec.trial import Trial
from otpspec.verdicts import Broken, Inconclusive, NotApplicable

_PAUSES_S = (0.5, 2.0)
"""How long a target that fails for the moment is left alone, in real time."""


async def clean(
    trial: Trial,
    card: Card,
    given: Mapping[str, str],
    max_wait: timedelta,
    before_waiting: Callable[[], None] = lambda: None,
) -> None:
    """Enrol the card anew; or have it unlocked, and its count cleared by a success.

    `given` is the card as the profile has it. `max_wait`: how long a lock that ends by itself may
    be waited for; `before_waiting` is called before it is. Raises CannotCleanError.
    """
    try:
        if "enroll" in trial.profile.operations:
            await _enrol_anew(trial, card, given)
            return
        policy, unlocks = trial.policy, "unlock" in trial.profile.operations
        if unlocks:  # first of all: a locked card's contact is not changed
            unlocked = await trial.session.ask("unlock", card.values)
        await _restore_contact(trial, card, given)
        await trial.skip(card)
        if policy.lock_scope == "challenge":
            return  # a count and a lock are a transaction's: the card has none
        if policy.success_clears_count:
            await _succeed(trial, card, max_wait, before_waiting)
        elif not unlocks or not unlocked.outcomes & SUCCESS:
            raise CannotCleanError("nothing clears its count: a success does not, by the policy")
    except Inconclusive as error:
        raise CannotCleanError(str(error), passing=error.passing) from error
    except (Broken, NotApplicable) as error:
        raise CannotCleanError(str(error)) from error
    except OtpspecError as error:
        raise CannotCleanError(str(error).partition("\n")[0]) from error


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


async def _enrol_anew(trial: Trial, card: Card, given: Mapping[str, str]) -> None:
    """Enrolled with its own contact, a card needs nobody who changes it back."""
    with suppress(CannotCleanError):
        await _restore_contact(trial, card, given)
    card.contact = _contact(card, given)
    await trial.skip(card)
    await trial.enrol(card)


async def _succeed(
    trial: Trial, card: Card, max_wait: timedelta, before_waiting: Callable[[], None]
) -> None:
    """A success clears the count. A lock that ends by itself is waited for."""
    failed = await _try_again(trial, card)
    lasts = trial.policy.lock_for
    if failed is not None and not failed.passing and lasts is not None and lasts <= max_wait:
        before_waiting()
        await trial.clock.sleep_until(trial.clock.now() + lasts + trial.policy.tolerance)
        failed = await _try_again(trial, card)
    if failed is not None:
        why = f"a right code does not succeed on it: {failed}"
        raise CannotCleanError(why, passing=failed.passing)


async def _try_again(trial: Trial, card: Card) -> Inconclusive | None:
    """Try, and try again where the target only failed for the moment: that is not the card."""
    for pause_s in (*_PAUSES_S, None):
        failed = await _try(trial, card)
        if failed is None or not failed.passing or pause_s is None:
            break
        await asyncio.sleep(pause_s)
    return failed


async def _try(trial: Trial, card: Card) -> Inconclusive | None:
    """Start a transaction and send its code; None: it was approved."""
    try:
        answer = await trial.verify(await trial.start(card))
    except Inconclusive as error:
        return error
    if Outcome.APPROVED in answer.outcomes:
        return None
    passing = answer.outcomes <= {Outcome.THROTTLED, Outcome.UNAVAILABLE}
    return Inconclusive(trial.seen_as(answer), passing=passing)


async def _restore_contact(trial: Trial, card: Card, given: Mapping[str, str]) -> None:
    """A scenario may have changed the contact: the profile's own must be there for the next run."""
    contact = _contact(card, given)
    if card.contact != contact and "change_contact" in trial.profile.operations:
        answer = await trial.change_contact(card, contact)
        if not answer.outcomes & SUCCESS:
            raise CannotCleanError("its contact was changed, and could not be changed back")


def _contact(card: Card, given: Mapping[str, str]) -> str:
    """The card's own contact, as the profile has it."""
    return given.get(card.contacts[0], card.contact)
