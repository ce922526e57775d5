"""The rules as a state machine of one card.

The order of judgement: the lock, then the transaction's death, then the form, then the OTC, then,
where it is asked for, the 3CSC. The lock and the dead count nothing, nor does malformed input.

    failures 0 ──wrong OTC──> 1 ──wrong OTC──> 2 ──wrong OTC──> 3 = N: locked
        ^                     │                │                │
        └────── approved ─────┴────────────────┘     unlock ────┘ (to 0; every code is dead)

Time is an interval throughout: a code's life starts somewhere in `sent`, an operation is decided
somewhere in `time`. What follows from the intervals for sure is one branch; where they do not
settle it, `step` returns both.
"""

import math
from collections.abc import Callable
from enum import StrEnum
from typing import Any

import msgspec

from otpspec.model.operation import (
    Amend,
    Cancel,
    ChangeContact,
    Csc,
    Malformed,
    Operation,
    Resend,
    Span,
    Start,
    Unlock,
    Verify,
)
from otpspec.outcome import Outcome
from otpspec.policy import Policy

REMEMBERED = 4
"""How many dead transactions a state keeps. An older one is dead for sure, whatever killed it."""


class Fate(StrEnum):
    """Why a transaction is dead."""

    USED = "it was used"
    WRONG_CSC = "a wrong 3CSC voided it"
    CANCELLED = "it was cancelled"
    UNLOCKED = "support unlocked the card after it was sent"
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


class State(msgspec.Struct, frozen=True, gc=False):
    """One card: equal states answer alike for ever. Challenges rise by their number."""

    failures: int = 0  # counted since the last success or unlock; at `max_wrong` the card is locked
    challenges: tuple[Challenge, ...] = ()

    def find(self, number: int) -> Challenge | None:
        """The challenge of that number, unless it was forgotten or never was."""
        for challenge in reversed(self.challenges):
            if challenge.number == number:
                return challenge
        return None

    def put(self, changed: Challenge) -> tuple[Challenge, ...]:
        """The challenges with this one among them, in the place of its number's."""
        number = changed.number
        kept = [c for c in self.challenges if c.number < number]
        kept.append(changed)
        kept += [c for c in self.challenges if c.number > number]
        return tuple(kept)


Branch = tuple[Outcome, State]

_APPROVED, _DONE, _DENIED = Outcome.APPROVED, Outcome.DONE, Outcome.DENIED
_WRONG_OTC, _WRONG_CSC, _MALFORMED = Outcome.WRONG_OTC, Outcome.WRONG_CSC, Outcome.MALFORMED
_EXPIRED, _LOCKED, _VOID = Outcome.EXPIRED, Outcome.LOCKED, Outcome.VOID


def step(policy: Policy, state: State, operation: Operation, time: Span) -> tuple[Branch, ...]:
    """What the target may answer to `operation` in `state`, and what the state is after each.

    `time` is (called, returned), in seconds of target time. Never empty.
    """
    if state.failures >= policy.max_wrong and type(operation) is not Unlock:
        return ((_LOCKED, state),)
    return _STEPS[type(operation)](policy, state, operation, time)


def may_be_expired(policy: Policy, challenge: Challenge, time: Span) -> bool:
    """Whether the code may have reached the end of its validity."""
    return time[1] - challenge.sent[0] >= policy.validity.total_seconds()


def surely_expired(policy: Policy, challenge: Challenge, time: Span) -> bool:
    """Whether the code has outlived its validity and the tolerance, however one looks at it."""
    age = time[0] - challenge.sent[1]
    return age >= policy.validity.total_seconds() + policy.tolerance.total_seconds()


def _on_live(act: "_OnLive") -> "_Step":
    """`act`, for a challenge that lives; a dead one says so, counts nothing, changes nothing."""

    def guarded(policy: Policy, state: State, operation: Any, time: Span) -> tuple[Branch, ...]:
        challenge = state.find(operation.challenge)
        if challenge is None:
            return ((_VOID, state), (_EXPIRED, state))
        if challenge.fate is Fate.EXPIRED:
            return ((_EXPIRED, state),)
        old = may_be_expired(policy, challenge, time)
        if challenge.fate is not None:
            # Dead for two reasons, once it is old too: either of them may be given.
            return ((_VOID, state), (_EXPIRED, state)) if old else ((_VOID, state),)
        if not old:
            return act(policy, state, challenge, operation, time)
        expired = (_EXPIRED, _killed(state, challenge, Fate.EXPIRED, state.failures))
        if surely_expired(policy, challenge, time):
            return (expired,)
        return (*act(policy, state, challenge, operation, time), expired)

    return guarded


def _killed(state: State, challenge: Challenge, fate: Fate, failures: int) -> State:
    c = challenge
    return State(failures, state.put(Challenge(c.number, c.code, c.csc_required, c.sent, fate)))


def _failed(policy: Policy, outcome: Outcome, after: State) -> tuple[Branch, ...]:
    """A counted failure. The one that locks the card may already be answered with LOCKED."""
    if after.failures >= policy.max_wrong:
        return ((outcome, after), (_LOCKED, after))
    return ((outcome, after),)


def _verify(
    policy: Policy, state: State, challenge: Challenge, operation: Verify, _: Span
) -> tuple[Branch, ...]:
    code = challenge.code
    if code == operation.otc:
        return _right_otc(policy, state, challenge, operation.csc)
    wrong = _failed(policy, _WRONG_OTC, State(state.failures + 1, state.challenges))
    if code is None:
        return (*wrong, *_right_otc(policy, state, challenge, operation.csc))
    return wrong


def _right_otc(policy: Policy, state: State, challenge: Challenge, csc: Csc) -> tuple[Branch, ...]:
    cleared = 0 if policy.success_clears_count else state.failures
    approved = (_APPROVED, _killed(state, challenge, Fate.USED, cleared))
    if csc is Csc.RIGHT or challenge.csc_required is False:
        return (approved,)
    failures = state.failures + policy.wrong_csc_counts
    if policy.wrong_csc == "void":
        after = _killed(state, challenge, Fate.WRONG_CSC, failures)
    else:
        after = State(failures, state.challenges)
    refused = _failed(policy, _WRONG_CSC, after)
    return refused if challenge.csc_required else (*refused, approved)


def _malformed(
    policy: Policy, state: State, challenge: Challenge, operation: Malformed, _: Span
) -> tuple[Branch, ...]:
    return ((_MALFORMED, state),)


def _resend(
    policy: Policy, state: State, challenge: Challenge, operation: Resend, time: Span
) -> tuple[Branch, ...]:
    if policy.resend == "reuse":
        return ((_DONE, state),)
    sent = (time[0], math.inf if operation.seen is None else operation.seen)
    renewed = Challenge(challenge.number, operation.code, challenge.csc_required, sent)
    return ((_DONE, State(state.failures, state.put(renewed))),)


def _amend(
    policy: Policy, state: State, challenge: Challenge, operation: Amend, time: Span
) -> tuple[Branch, ...]:
    sent = (time[0], math.inf if operation.seen is None else operation.seen)
    renewed = Challenge(challenge.number, operation.code, operation.csc_required, sent)
    return ((_DONE, State(state.failures, state.put(renewed))),)


def _cancel(
    policy: Policy, state: State, challenge: Challenge, operation: Cancel, _: Span
) -> tuple[Branch, ...]:
    return ((_DONE, _killed(state, challenge, Fate.CANCELLED, state.failures)),)


def _start(policy: Policy, state: State, operation: Start, time: Span) -> tuple[Branch, ...]:
    sent = (time[0], math.inf if operation.seen is None else operation.seen)
    begun = Challenge(operation.challenge, operation.code, operation.csc_required, sent)
    kept = State(state.failures, _remembered(policy, state.challenges, time))
    return ((_DONE, State(state.failures, kept.put(begun))),)


def _remembered(
    policy: Policy, challenges: tuple[Challenge, ...], time: Span
) -> tuple[Challenge, ...]:
    """The challenges without the oldest dead ones, where they have become many."""
    surplus = len(challenges) - REMEMBERED
    if surplus <= 0:
        return challenges
    kept = []
    for challenge in challenges:
        dead = challenge.fate is not None or surely_expired(policy, challenge, time)
        if dead and surplus > 0:
            surplus -= 1
        else:
            kept.append(challenge)
    return tuple(kept)


def _unlock(policy: Policy, state: State, operation: Unlock, _: Span) -> tuple[Branch, ...]:
    return ((_DONE, State(0, _voided(state.challenges, Fate.UNLOCKED))),)


def _change_contact(
    policy: Policy, state: State, operation: ChangeContact, _: Span
) -> tuple[Branch, ...]:
    if operation.proven:
        return ((_DONE, State(state.failures, _voided(state.challenges, Fate.CONTACT))),)
    # The rules do not say whether a missing proof counts as a failure: it may.
    counted = State(state.failures + 1, state.challenges)
    return ((_DENIED, state), *_failed(policy, _DENIED, counted))


def _voided(challenges: tuple[Challenge, ...], fate: Fate) -> tuple[Challenge, ...]:
    """All of them dead. What had expired is now dead for two reasons."""
    return tuple(
        [
            Challenge(c.number, c.code, c.csc_required, c.sent, fate)
            if c.fate is None or c.fate is Fate.EXPIRED
            else c
            for c in challenges
        ]
    )


_Step = Callable[[Policy, State, Any, Span], tuple[Branch, ...]]
_OnLive = Callable[[Policy, State, Challenge, Any, Span], tuple[Branch, ...]]

_STEPS: dict[type, _Step] = {
    Start: _start,
    Verify: _on_live(_verify),
    Malformed: _on_live(_malformed),
    Resend: _on_live(_resend),
    Amend: _on_live(_amend),
    Cancel: _on_live(_cancel),
    Unlock: _unlock,
    ChangeContact: _change_contact,
}
