"""Where to go on after an answer that must not be, so that one fault is not told twice."""

import math
from collections.abc import Iterable, Iterator

import msgspec

from otpspec.model.operation import (
    Amend,
    Cancel,
    ChangeContact,
    Operation,
    Resend,
    Span,
    Start,
)
from otpspec.model.state import Challenge, Fate, State
from otpspec.outcome import Outcome
from otpspec.policy import Policy

_DIED_OF = {
    Outcome.APPROVED: Fate.USED,
    Outcome.EXPIRED: Fate.EXPIRED,
    Outcome.VOID: Fate.REFUSED,
    Outcome.WRONG_CSC: Fate.WRONG_CSC,
}


def implied(
    policy: Policy,
    state: State,
    operation: Operation,
    time: Span,
    outcomes: Iterable[Outcome],
) -> Iterator[State]:
    """The states that the target may be in, to believe its answer, when `state` was not it.

    Generous: where the answer leaves open how much was counted, every count is possible.
    """
    for outcome in outcomes:
        challenges = _challenges(state, operation, time, outcome)
        for failures in _counts(policy, state, outcome):
            locks = failures >= policy.max_wrong and policy.lock_for is not None
            yield State(failures, challenges, time if locks else None)


def _counts(policy: Policy, state: State, outcome: Outcome) -> range | tuple[int, ...]:
    n = policy.max_wrong
    if outcome is Outcome.LOCKED:
        return (n,)
    if state.failures >= n:
        return range(n + 1)  # nobody knows what it counts, nor when it locks
    if outcome is Outcome.APPROVED:
        return (0, state.failures) if state.failures else (0,)
    if outcome in (Outcome.WRONG_OTC, Outcome.WRONG_CSC, Outcome.DENIED):
        return (state.failures, state.failures + 1)
    return (state.failures,)


def _challenges(
    state: State, operation: Operation, time: Span, outcome: Outcome
) -> tuple[Challenge, ...]:
    if outcome is Outcome.DONE:
        return _after_success(state, operation, time)
    number = getattr(operation, "challenge", None)
    fate = _DIED_OF.get(outcome)
    challenge = None if number is None else state.find(number)
    if fate is None or challenge is None:
        return state.challenges
    if outcome is Outcome.WRONG_CSC and challenge.fate is not None:
        return state.challenges
    return state.put(msgspec.structs.replace(challenge, fate=fate))


def _after_success(state: State, operation: Operation, time: Span) -> tuple[Challenge, ...]:
    """The challenges after an operation was carried out that should have been refused."""
    match operation:
        case Start(challenge=number, code=code, seen=seen):
            sent = (time[0], math.inf if seen is None else seen)
            return state.put(Challenge(number, code, operation.csc_required, sent))
        case (
            Resend(challenge=number, code=code, seen=seen)
            | Amend(challenge=number, code=code, seen=seen)
        ):
            old = state.find(number)
            sent = (time[0], math.inf if seen is None else seen)
            required = None if old is None else old.csc_required
            return state.put(Challenge(number, code, required, sent))
        case Cancel(challenge=number):
            old = state.find(number)
            if old is None:
                return state.challenges
            return state.put(msgspec.structs.replace(old, fate=Fate.CANCELLED))
        case ChangeContact():
            replace = msgspec.structs.replace
            return tuple(c if c.fate else replace(c, fate=Fate.CONTACT) for c in state.challenges)
        case _:
            return state.challenges
