"""Which rules an answer could have broken: how much a run has tried of each."""

from collections.abc import Set as AbstractSet

from otpspec.model.memory import Memory
from otpspec.model.naming import Case, blame
from otpspec.model.operation import Malformed, Operation, Span, Start, Verify
from otpspec.model.state import Challenge, State
from otpspec.outcome import SUCCESS, Outcome
from otpspec.policy import Policy

_NONE: frozenset[str] = frozenset()

LATE = 0.9
"""From which part of its validity on a code that is accepted says something of EXPIRY-1."""


def chances(
    policy: Policy,
    state: State,
    memory: Memory,
    operation: Operation,
    time: Span,
    legal: AbstractSet[Outcome],
) -> frozenset[str]:
    """The rules that a wrong answer could have broken here.

    Where nothing but a refusal is legal, that is the rule which letting it through would break, and
    on a locked card also the one which judging the code would break.
    Where only success is legal, the rules which say that it must succeed although something came
    before. At an edge, where both are legal: none.
    """
    if not legal & SUCCESS:
        success = Outcome.APPROVED if isinstance(operation, Verify | Malformed) else Outcome.DONE
        found = blame(policy, state, memory, operation, time, success)
        if state.failures < policy.max_wrong or not isinstance(operation, Verify):
            return frozenset((found,))
        judged = blame(policy, state, memory, operation, time, Outcome.WRONG_OTC)
        return frozenset((found, judged))
    if len(legal) > 1 or not isinstance(operation, Verify | Start):
        return _NONE
    case = Case(policy, state, memory, operation, time)
    return frozenset(_must_succeed(case, operation))


def _must_succeed(case: Case, operation: Verify | Start) -> list[str]:
    memory, n = case.memory, case.policy.max_wrong
    found = ["LOCKOUT-6"] if case.was_locked else []
    if 0 < case.failures() == n - 1:
        found.append("LOCKOUT-2")
    if case.uncleared():
        found.append("LOCKOUT-8")
    if case.malformed_would_lock():
        found.append("INPUT-6")
    if memory.unlocked:
        found.append("LOCKOUT-7")
    if memory.after_void:
        found.append("CSC-6")
    if isinstance(operation, Verify) and case.challenge is not None:
        found += _must_be_approved(case, case.challenge)
    return found


def _must_be_approved(case: Case, challenge: Challenge) -> list[str]:
    past = case.memory.challenges.get(challenge.number)
    found = ["VERIFY-1"]
    if past is not None and past.tries:
        found.append("VERIFY-2")
    if case.time[0] - challenge.sent[1] >= LATE * case.policy.validity.total_seconds():
        found.append("EXPIRY-1")
    if case.outlives_first_code():
        found.append("EXPIRY-5")
    return found
