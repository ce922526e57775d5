"""What a card is in: its count, its lock, its transactions. Immutable, and equal by value."""

from enum import StrEnum

import msgspec

from otpspec.model.operation import Span
from otpspec.policy import Policy

REMEMBERED = 4
"""How many dead transactions a state keeps. An older one is dead for sure, whatever killed it."""


class Fate(StrEnum):
    """Why a transaction is dead."""

    USED = "it was used"
    WRONG_CSC = "a wrong 3CSC voided it"
    CANCELLED = "it was cancelled"
    UNLOCKED = "the card was locked and unlocked after it was sent"
    EXHAUSTED = "too many wrong codes were tried on it"
    SUPERSEDED = "another transaction of the card was started after it"
    CONTACT = "the contact was changed after it was sent"
    EXPIRED = "its validity had ended"
    REFUSED = "the target had refused it as dead before"


class Challenge(msgspec.Struct, frozen=True, gc=False):
    """One transaction of the card, and the code that is right for it."""

    number: int
    code: str | None  # None: not known, so that any may be right
    csc_required: bool | None  # None: not known
    sent: Span  # when the code's life may have started
    fate: Fate | None = None  # None: nothing has killed it (its time may have run out)
    failures: int = 0  # counted here only where each challenge has a count of its own


class State(msgspec.Struct, frozen=True, gc=False):
    """One card: equal states answer alike for ever. Challenges rise by their number."""

    failures: int = 0  # counted since the last success or unlock; at `max_wrong` the card is locked
    challenges: tuple[Challenge, ...] = ()
    locked: Span | None = None  # when, where a lock ends by itself

    def find(self, number: int) -> Challenge | None:
        """The challenge of that number, unless it was forgotten or never was."""
        challenges = self.challenges
        if challenges and challenges[-1].number == number:
            return challenges[-1]  # as it nearly always is
        for challenge in challenges:
            if challenge.number == number:
                return challenge
        return None

    def put(self, changed: Challenge) -> tuple[Challenge, ...]:
        """The challenges with this one among them, in the place of its number's."""
        number, challenges = changed.number, self.challenges
        if challenges and challenges[-1].number == number:
            return (*challenges[:-1], changed)
        kept = [c for c in self.challenges if c.number < number]
        kept.append(changed)
        kept += [c for c in self.challenges if c.number > number]
        return tuple(kept)


def killed(challenge: Challenge, fate: Fate) -> Challenge:
    """The challenge, dead."""
    c = challenge
    return Challenge(c.number, c.code, c.csc_required, c.sent, fate, c.failures)


def voided(challenges: tuple[Challenge, ...], fate: Fate) -> tuple[Challenge, ...]:
    """All of them dead. What had expired is now dead for two reasons."""
    alive = (None, Fate.EXPIRED)
    return tuple([killed(c, fate) if c.fate in alive else c for c in challenges])


def may_be_expired(policy: Policy, challenge: Challenge, time: Span) -> bool:
    """Whether the code may have reached the end of its validity."""
    return time[1] - challenge.sent[0] >= policy.validity.total_seconds()


def surely_expired(policy: Policy, challenge: Challenge, time: Span) -> bool:
    """Whether the code has outlived its validity and the tolerance, however one looks at it."""
    age = time[0] - challenge.sent[1]
    return age >= policy.validity.total_seconds() + policy.tolerance.total_seconds()


def lock_settled(policy: Policy, state: State, time: Span) -> tuple[State, ...]:
    """The state with a lock that has lasted its time taken off: both where that is not sure."""
    if state.locked is None or policy.lock_for is None:
        return (state,)
    lasts = policy.lock_for.total_seconds()
    if time[1] - state.locked[0] < lasts:
        return (state,)
    free = State(0, voided(state.challenges, Fate.UNLOCKED))
    if time[0] - state.locked[1] >= lasts + policy.tolerance.total_seconds():
        return (free,)
    return (state, free)
