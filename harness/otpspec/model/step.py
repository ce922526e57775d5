"""The rules as a state machine of one card: what may be answered, and what follows.

The order of judgement: the lock, then the transaction's death, then the form, then the OTC, then,
where it is asked for, the 3CSC. The lock and the dead count nothing, nor does malformed input.

    failures 0 ──wrong OTC──> 1 ──wrong OTC──> 2 ──wrong OTC──> 3 = N: locked
        ^                     │                │                │
        └────── approved ─────┴────────────────┘     unlock ────┘ (to 0; every code is dead)

Each of it is so unless the policy says otherwise. Time is an interval throughout: a code's life
starts somewhere in `sent`, an operation is decided somewhere in `time`. What follows from the
intervals for sure is one branch; where they do not settle it, `step` returns both.
"""

import math
from collections.abc import Callable
from typing import Any

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
from otpspec.model.state import (
    REMEMBERED,
    Challenge,
    Fate,
    State,
    killed,
    lock_settled,
    may_be_expired,
    surely_expired,
    voided,
)
from otpspec.outcome import Outcome
from otpspec.policy import Policy

Branch = tuple[Outcome, State]

_APPROVED, _DONE, _DENIED = Outcome.APPROVED, Outcome.DONE, Outcome.DENIED
_WRONG_OTC, _WRONG_CSC, _MALFORMED = Outcome.WRONG_OTC, Outcome.WRONG_CSC, Outcome.MALFORMED
_EXPIRED, _LOCKED, _VOID = Outcome.EXPIRED, Outcome.LOCKED, Outcome.VOID


def step(policy: Policy, state: State, operation: Operation, time: Span) -> tuple[Branch, ...]:
    """What the target may answer to `operation` in `state`, and what the state is after each.

    `time` is (called, returned), in seconds of target time. Never empty.
    """
    if state.failures < policy.max_wrong or type(operation) is Unlock:
        return _STEPS[type(operation)](policy, state, operation, time)
    branches: list[Branch] = []
    for settled in lock_settled(policy, state, time):
        if settled is state:
            branches.append((_LOCKED, state))
        else:
            branches += _STEPS[type(operation)](policy, settled, operation, time)
    return tuple(branches)


def _on_live(act: "_OnLive") -> "_Step":
    """`act`, for a challenge that lives; a dead one says so, counts nothing, changes nothing."""

    def guarded(policy: Policy, state: State, operation: Any, time: Span) -> tuple[Branch, ...]:
        challenge = state.find(operation.challenge)
        if challenge is None:
            # Forgotten: it was dead. It may have expired, and where that counts, this may, too.
            return ((_VOID, state), *_expired(policy, state, operation, time))
        if challenge.fate is Fate.EXPIRED:
            return _expired(policy, state, operation, time)
        old = may_be_expired(policy, challenge, time)
        if challenge.fate is not None:
            # Dead for two reasons, once it is old too: either of them may be given.
            void = _void(challenge, state)
            return (*void, *_expired(policy, state, operation, time)) if old else void
        if not old:
            return act(policy, state, challenge, operation, time)
        dead = _with(state, killed(challenge, Fate.EXPIRED))
        expired = _expired(policy, dead, operation, time)
        if surely_expired(policy, challenge, time):
            return expired
        return (*act(policy, state, challenge, operation, time), *expired)

    return guarded


def _void(challenge: Challenge, state: State) -> tuple[Branch, ...]:
    if challenge.fate is Fate.EXHAUSTED:
        return ((_VOID, state), (_LOCKED, state))
    return ((_VOID, state),)


def _expired(policy: Policy, state: State, operation: Operation, time: Span) -> tuple[Branch, ...]:
    """The answer to what comes too late; a try counts then only where the policy says so."""
    if not policy.expired_counts or not isinstance(operation, Verify | Malformed):
        return ((_EXPIRED, state),)
    challenge = state.find(operation.challenge)
    counted = _failed(policy, _EXPIRED, state, challenge, time)
    if isinstance(operation, Verify) and challenge is not None and challenge.fate is Fate.EXPIRED:
        return counted
    return ((_EXPIRED, state), *counted)  # malformed, or dead already: nobody says


def _with(state: State, challenge: Challenge) -> State:
    return State(state.failures, state.put(challenge), state.locked)


def _failed(
    policy: Policy, outcome: Outcome, state: State, challenge: Challenge | None, time: Span
) -> tuple[Branch, ...]:
    """A counted failure. The one that locks may already be answered with LOCKED."""
    if policy.lock_scope == "challenge":
        return _exhausted(policy, outcome, state, challenge)
    failures = state.failures + 1
    if failures < policy.max_wrong:
        return ((outcome, State(failures, state.challenges)),)
    after = State(failures, state.challenges, None if policy.lock_for is None else time)
    return ((outcome, after), (_LOCKED, after))


def _exhausted(
    policy: Policy, outcome: Outcome, state: State, challenge: Challenge | None
) -> tuple[Branch, ...]:
    """A failure that only its own challenge counts. The last one kills it."""
    if challenge is None or challenge.fate is not None:
        return ((outcome, state),)
    c = challenge
    failures = c.failures + 1
    if failures < policy.max_wrong:
        counted = Challenge(c.number, c.code, c.csc_required, c.sent, None, failures)
        return ((outcome, _with(state, counted)),)
    after = _with(state, killed(c, Fate.EXHAUSTED))
    return ((outcome, after), (_LOCKED, after), (_VOID, after))


def _verify(
    policy: Policy, state: State, challenge: Challenge, operation: Verify, time: Span
) -> tuple[Branch, ...]:
    code = challenge.code
    if code == operation.otc:
        return _right_otc(policy, state, challenge, operation.csc, time)
    wrong = _failed(policy, _WRONG_OTC, state, challenge, time)
    if code is None:
        return (*wrong, *_right_otc(policy, state, challenge, operation.csc, time))
    return wrong


def _right_otc(
    policy: Policy, state: State, challenge: Challenge, csc: Csc, time: Span
) -> tuple[Branch, ...]:
    cleared = 0 if policy.success_clears_count else state.failures
    approved = (_APPROVED, State(cleared, state.put(killed(challenge, Fate.USED))))
    if csc is Csc.RIGHT or challenge.csc_required is False:
        return (approved,)
    if policy.wrong_csc == "void":
        challenge = killed(challenge, Fate.WRONG_CSC)
        state = _with(state, challenge)
    refused: tuple[Branch, ...] = ((_WRONG_CSC, state),)
    if policy.wrong_csc_counts:
        refused = _failed(policy, _WRONG_CSC, state, challenge, time)
    return refused if challenge.csc_required else (*refused, approved)


def _malformed(
    policy: Policy, state: State, challenge: Challenge, operation: Malformed, time: Span
) -> tuple[Branch, ...]:
    if policy.malformed_counts:
        return _failed(policy, _MALFORMED, state, challenge, time)
    return ((_MALFORMED, state),)


def _resend(
    policy: Policy, state: State, challenge: Challenge, operation: Resend, time: Span
) -> tuple[Branch, ...]:
    if policy.resend == "reuse":
        return ((_DONE, state),)
    return _renewed(state, challenge, operation, challenge.csc_required, time)


def _amend(
    policy: Policy, state: State, challenge: Challenge, operation: Amend, time: Span
) -> tuple[Branch, ...]:
    return _renewed(state, challenge, operation, operation.csc_required, time)


def _renewed(
    state: State,
    challenge: Challenge,
    operation: Resend | Amend,
    csc_required: bool | None,
    time: Span,
) -> tuple[Branch, ...]:
    """Another code takes the place of the one that was sent; what was counted stays."""
    number, sent = challenge.number, life(operation, time)
    another = Challenge(number, operation.code, csc_required, sent, None, challenge.failures)
    return ((_DONE, _with(state, another)),)


def life(operation: Start | Resend | Amend, time: Span) -> Span:
    """When the life of the code that an operation sends may begin."""
    return (time[0], math.inf if operation.seen is None else operation.seen)


def _cancel(
    policy: Policy, state: State, challenge: Challenge, operation: Cancel, _: Span
) -> tuple[Branch, ...]:
    return ((_DONE, _with(state, killed(challenge, Fate.CANCELLED))),)


def _start(policy: Policy, state: State, operation: Start, time: Span) -> tuple[Branch, ...]:
    sent = life(operation, time)
    begun = Challenge(operation.challenge, operation.code, operation.csc_required, sent)
    open_before = state.challenges
    if policy.new_start == "voids":
        open_before = voided(open_before, Fate.SUPERSEDED)
    kept = State(state.failures, remembered(policy, open_before, time))
    return ((_DONE, _with(kept, begun)),)


def remembered(
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
    return ((_DONE, State(0, voided(state.challenges, Fate.UNLOCKED))),)


def _change_contact(
    policy: Policy, state: State, operation: ChangeContact, time: Span
) -> tuple[Branch, ...]:
    if operation.proven:
        return ((_DONE, State(state.failures, voided(state.challenges, Fate.CONTACT))),)
    # The rules do not say whether a missing proof counts as a failure: it may.
    return ((_DENIED, state), *_failed(policy, _DENIED, state, None, time))


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
