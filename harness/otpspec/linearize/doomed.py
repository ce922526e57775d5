"""Which states leave no answer for something that is still to come: what cuts a search short."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from otpspec.history import Call
from otpspec.linearize.alike import Timed, only_once
from otpspec.linearize.support import understood
from otpspec.model import Operation, Start, State, Unlock, Verify
from otpspec.outcome import SILENT, Outcome
from otpspec.policy import Policy

_OF_THE_DEAD = frozenset({Outcome.VOID, Outcome.EXPIRED, Outcome.LOCKED})
_NOTHING: AbstractSet[Outcome] = frozenset()
_NONE: Sequence[int] = ()


class Doomed:
    """Knows what a dead transaction, and a card that stays locked, cannot answer any more.

    Every answer of a history must fit in somewhere. So a state is left at once, in which one that
    is still to come cannot: all that might be done before that would be tried in vain.
    """

    def __init__(self, policy: Policy, calls: Sequence[Call], tasks: Sequence[Timed]) -> None:
        self._max_wrong = policy.max_wrong
        self._knows = understood(policy) and only_once(calls)  # no transaction lives again
        self._needs_life: dict[int, list[int]] = {}
        self._needs_no_lock: list[int] = []
        unlocks = policy.lock_for is not None or any(isinstance(c.operation, Unlock) for c in calls)
        self._locks = self._knows and not unlocks and policy.lock_scope == "card"
        self._may_clear = {
            call.operation.challenge
            for call in calls
            if isinstance(call.operation, Verify) and _may_approve(call)
        }
        for index, task in enumerate(tasks if self._knows else ()):
            outcomes = task.outcomes or _NOTHING
            number = getattr(task.operation, "challenge", None)
            begins = isinstance(task.operation, Start)
            if number is not None and not begins and not outcomes & _OF_THE_DEAD:
                self._needs_life.setdefault(number, []).append(index)
            if Outcome.LOCKED not in outcomes and not isinstance(task.operation, Unlock):
                self._needs_no_lock.append(index)
        self._tasks = tasks

    def from_the_first(self, start: State) -> bool:
        """Whether there is no order at all: two approvals of one transaction, say."""
        if not self._knows:
            return False
        approved = Counter(
            task.operation.challenge
            for task in self._tasks
            if isinstance(task.operation, Verify) and task.outcomes == {Outcome.APPROVED}
        )
        wrong = Counter(
            task.operation.challenge
            for task in self._tasks
            if isinstance(task.operation, Verify) and task.outcomes == {Outcome.WRONG_OTC}
        )
        # All wrong ones of a transaction come before its approval: another one's clears the count.
        too_many = self._locks and any(
            start.failures + count > self._max_wrong and self._may_clear <= {number}
            for number, count in wrong.items()
        )
        return too_many or any(count > 1 for count in approved.values())

    def after(
        self, before: State, state: State, operation: Operation, first: int, done: int
    ) -> bool:
        """Whether something is left that this state can never answer; `first` and `done` as in the
        search's nodes."""
        if not self._knows:
            return False
        if self._locks and before.failures < self._max_wrong <= state.failures:
            return _left(self._needs_no_lock, first, done)
        number: int = getattr(operation, "challenge", -1)
        needs = self._needs_life.get(number, _NONE)
        challenge = state.find(number) if needs else None
        if challenge is None or challenge.fate is None:
            return False
        return _left(needs, first, done)


def _may_approve(call: Call) -> bool:
    """Whether a call may have been an approval, as far as its answer tells."""
    outcomes = call.outcomes or _NOTHING
    tells = call.returned is not None and outcomes and not outcomes & SILENT
    return not tells or Outcome.APPROVED in outcomes


def _left(indices: Sequence[int], first: int, done: int) -> bool:
    """Whether one of these is not done yet."""
    for place in range(bisect_left(indices, first), len(indices)):
        if not done >> (indices[place] - first) & 1:
            return True
    return False
