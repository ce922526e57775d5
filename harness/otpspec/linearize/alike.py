"""Which operations cannot be told apart, and which no longer matter: what tames a burst."""

from collections.abc import Hashable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from math import inf
from typing import Protocol

from otpspec.history import Call
from otpspec.linearize.support import understood
from otpspec.model import (
    Amend,
    Cancel,
    Csc,
    Malformed,
    Operation,
    Resend,
    Span,
    Start,
    State,
    Unlock,
    Verify,
)
from otpspec.outcome import Outcome
from otpspec.policy import Policy


class Timed(Protocol):
    """An operation and when it happened, as the search holds it."""

    @property
    def operation(self) -> Operation: ...
    @property
    def time(self) -> Span: ...
    @property
    def outcomes(self) -> AbstractSet[Outcome] | None: ...


class Alike:
    """Tells operations apart only where the rules do.

    Two tries of a wrong code are alike whatever the codes were, if on the same side of every edge
    of time. Whichever of them happened, the other might have in its place: so the one that
    returned first is taken first.
    """

    def __init__(self, policy: Policy, calls: Sequence[Call], start: State) -> None:
        self._policy = policy
        self._by_value = understood(policy)
        self._codes: dict[int, set[str | None]] = {}
        self._sent: dict[int, set[Span]] = {}
        for challenge in start.challenges:
            self._learn(challenge.number, challenge.code, challenge.sent)
        for call in calls:
            if isinstance(call.operation, Start | Resend | Amend):
                operation = call.operation
                seen = inf if operation.seen is None else operation.seen
                self._learn(operation.challenge, operation.code, (call.called, seen))
        self._keys: dict[int, Hashable] = {}

    def _learn(self, challenge: int, code: str | None, sent: Span) -> None:
        self._codes.setdefault(challenge, set()).add(code)
        self._sent.setdefault(challenge, set()).add(sent)

    def key(self, task: Timed) -> Hashable:
        """Equal for what is alike."""
        key = self._keys.get(id(task))
        if key is None:
            key = self._keys[id(task)] = self._make_key(task)
        return key

    def _make_key(self, task: Timed) -> Hashable:
        operation, outcomes = task.operation, task.outcomes
        if not self._by_value or self._policy.lock_for is not None:
            return operation, outcomes, task.time  # when it locked is when the lock will end
        if isinstance(operation, Start | Resend | Amend):
            return operation, outcomes, task.time  # when it was called is when the life begins
        if isinstance(operation, Verify):
            operation = self._plain(operation)
        return operation, outcomes, self._sides(operation, task.time)

    def _plain(self, verify: Verify) -> Verify:
        """Without which wrong code it was, and in what way the 3CSC was not right."""
        known = verify.otc in self._codes.get(verify.challenge, ())
        csc = Csc.RIGHT if verify.csc is Csc.RIGHT else Csc.MISSING
        return Verify(verify.challenge, verify.otc if known else "", csc)

    def _sides(self, operation: Operation, time: Span) -> Hashable:
        """On which side of the edges of its codes' lives it lies."""
        validity = self._policy.validity.total_seconds()
        most = validity + self._policy.tolerance.total_seconds()
        lives = self._sent.get(getattr(operation, "challenge", -1), ())
        return frozenset(
            (sent, time[1] - sent[0] >= validity, time[0] - sent[1] >= most) for sent in lives
        )


class Settled:
    """Knows which operations can change nothing any more, whatever else is still to come."""

    def __init__(self, policy: Policy, calls: Sequence[Call]) -> None:
        self._knows = understood(policy) and only_once(calls)  # none lives again
        self._policy = policy
        self._per_card = policy.lock_scope == "card"
        self._never_unlocked = policy.lock_for is None and not any(
            isinstance(call.operation, Unlock) for call in calls
        )
        self._observes = {Outcome.VOID} if self._per_card else set()
        if not policy.malformed_counts:
            self._observes.add(Outcome.MALFORMED)

    def by_challenge(self, operations: Sequence[Operation]) -> dict[int, int]:
        """Which of these, as bits, are about each transaction and need it to live.

        None, where that cannot be said.
        """
        found: dict[int, int] = {}
        if self._knows and not self._policy.expired_counts:
            for index, operation in enumerate(operations):
                if isinstance(operation, Verify | Malformed | Resend | Amend | Cancel):
                    number = operation.challenge
                    found[number] = found.get(number, 0) | 1 << index
        return found

    def changes_nothing(
        self, state: State, operation: Operation, outcomes: AbstractSet[Outcome] | None
    ) -> bool:
        """Whether an answer of these, where it is allowed and changes nothing now, never will."""
        if not self._knows or outcomes is None:
            return False
        if self._never_unlocked and state.failures >= self._policy.max_wrong:
            return Outcome.LOCKED in outcomes
        if isinstance(operation, Start | Resend | Amend | Cancel):
            return outcomes <= {Outcome.LOCKED, Outcome.VOID}
        if not isinstance(operation, Verify | Malformed):
            return False
        if outcomes <= self._observes:
            return True
        challenge = state.find(operation.challenge)
        dead = challenge is not None and challenge.fate is not None
        return dead and not self._policy.expired_counts


def only_once(calls: Sequence[Call]) -> bool:
    """Whether no transaction is started twice."""
    started = [c.operation.challenge for c in calls if isinstance(c.operation, Start)]
    return len(started) == len(set(started))


def of_the_dead(state: State, of_each: Mapping[int, int]) -> int:
    """Those of the bits of each transaction that are of a dead one."""
    gone = 0
    for challenge in state.challenges:
        if challenge.fate is not None:
            gone |= of_each.get(challenge.number, 0)
    return gone
