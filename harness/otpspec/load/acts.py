"""How the rarer steps of a journey are done: what changes a transaction or a card, and waiting."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from otpspec import model
from otpspec.cards import new_contact
from otpspec.load import contact, steps
from otpspec.load.race import race
from otpspec.model import Observation
from otpspec.outcome import SUCCESS, Outcome

if TYPE_CHECKING:
    from otpspec.load.journey import Play


def _amend(play: "Play", step: steps.Amend) -> None:
    challenge, card, amounts = step.challenge, play.card, play.world.profile.amounts
    number = play._number = challenge.number
    values = card.challenges[number]
    changed = {"amount": amounts.amended, "currency": amounts.currency}
    values |= {**changed, "merchant": amounts.merchant}
    jar = card.jars.get(number, card.jar)
    asked = {"never": False, "always": True}.get(play.world.policy.csc)
    play._send("amend", values, model.Amend(number, None, asked), _amended, jar)


def _amended(
    play: "Play",
    seen: Observation,
    outcomes: frozenset[Outcome],
    captures: dict[str, Any],
    now: float,
) -> None:
    # Which amounts ask for the 3CSC is the target's to say: where it does not, one is sent.
    play._asked_csc = bool(captures.get("csc_required", play.world.policy.csc != "never"))
    play._resent(seen, outcomes, captures, now)


def _cancel(play: "Play", step: steps.Cancel) -> None:
    card, number = play.card, step.challenge.number
    play._number = number
    jar = card.jars.get(number, card.jar)
    play._send("cancel", card.challenges[number], model.Cancel(number), _answered, jar)


def _answered(
    play: "Play",
    seen: Observation,
    outcomes: frozenset[Outcome],
    captures: dict[str, Any],
    now: float,
) -> None:
    play.resume(outcomes, now)


def _change_contact(play: "Play", step: steps.ChangeContact) -> None:
    owner = play.card.owner
    new = new_contact(owner.contacts[0])
    proof = owner.passphrase if step.proven else f"not {owner.passphrase}"
    values = {**owner.values, "contact": new, "proof": proof}

    def changed(
        play: "Play",
        seen: Observation,
        outcomes: frozenset[Outcome],
        captures: dict[str, Any],
        now: float,
    ) -> None:
        if outcomes & SUCCESS:
            contact.moved(play, new)
        play.resume(outcomes, now)

    operation = model.ChangeContact(step.proven)
    play._send("change_contact", values, operation, changed, play.card.jar)


def _pause(play: "Play", step: steps.Pause) -> None:
    world = play.world
    play.slot.set_aside(play, world.now() + step.seconds / world.rate)


def _wait_for(play: "Play", step: steps.WaitFor) -> None:
    policy, number = play.world.policy, step.challenge.number
    states = play.card.tracker.states
    sent = [c.sent for state in states if (c := state.find(number)) is not None]
    life = policy.validity.total_seconds()
    # A code that the model has forgotten is as old as what its payer knows says.
    latest = step.challenge.surely_expired
    earliest = min((span[0] for span in sent), default=latest) + life
    when = {
        steps.Edge.BEFORE: earliest - step.seconds,
        steps.Edge.WITHIN: (earliest + latest) / 2,
        steps.Edge.AFTER: latest + step.seconds,
    }[step.edge]
    play.slot.set_aside(play, play.world.plan.real(when))


ACTS: dict[type, Callable[["Play", Any], None]] = {
    steps.Amend: _amend,
    steps.Cancel: _cancel,
    steps.ChangeContact: _change_contact,
    steps.Pause: _pause,
    steps.WaitFor: _wait_for,
    steps.Together: race,
}
"""How each step is done."""
