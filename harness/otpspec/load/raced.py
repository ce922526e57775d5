"""What is known of a card whose requests have met: judged as a whole, in whatever order."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Any

import msgspec

from otpspec.history import Call
from otpspec.linearize import Legality
from otpspec.linearize.search import search
from otpspec.model import (
    Amend,
    Judgement,
    Observation,
    Operation,
    Resend,
    Start,
    State,
    Tracker,
    Verify,
)
from otpspec.outcome import REFUSED, SILENT, SUCCESS, Outcome
from otpspec.policy import Policy

BUDGET = 2000
"""Steps of the model that one race may cost: some milliseconds, in which nothing else is done."""

_SILENT = Observation(Judgement.SILENT)
_LEGAL = Observation(Judgement.LEGAL)
_SENDS = Start | Resend | Amend
_FAILED = {Outcome.WRONG_OTC, Outcome.WRONG_CSC, Outcome.LOCKED}


class Raced(Tracker):
    """In the place of a card's tracker, from a race on until the journey ends.

    A tracker carries the states that a card may be in, one operation after the other. Here all
    operations since the race are kept, and each answer is judged with all of them: is there an
    order, from one of the states before the race, that the rules allow? The card is not used again.
    """

    __slots__ = ("_before", "_calls", "_most", "_names", "rule", "unknown")

    def __init__(self, before: Tracker, policy: Policy, rule: str) -> None:
        """`rule`: which one the race may break."""
        super().__init__(policy)
        self._before: Sequence[State] = before.states
        self._calls: list[Call] = []
        self._most = 0  # of them, how many are the race's own
        self.rule = rule
        self.unknown = False
        """Whether the judge ran out of budget: nothing more is judged then, and nothing passed."""

        self._names: dict[int, tuple[str, float]] = {}
        self.spent = True  # for whoever would use the card again

    @property
    def states(self) -> tuple[State, ...]:
        """The states before the race: what it has changed, only its order would say."""
        return tuple(self._before)

    def race(self, calls: Sequence[Call]) -> Observation:
        """Judge operations that were released together."""
        self._calls += calls
        self._most = len(self._calls)
        return self._judged([outcome for call in calls for outcome in call.outcomes or ()])

    def observe(
        self,
        operation: Operation,
        called: float,
        returned: float,
        outcomes: AbstractSet[Outcome] | None,
    ) -> Observation:
        """Judge an answer that came after the race, together with all of it."""
        answered = outcomes and not outcomes & SILENT
        call = Call(operation, called, returned, outcomes) if answered else Call(operation, called)
        self._calls.append(call)
        return self._judged(outcomes or ()) if answered else _SILENT

    def delivered(self, challenge: int, code: str, seen: float) -> float | None:
        """The code of a transaction that was started after the race; when it dies."""
        self._names[challenge] = code, seen
        for place in reversed(range(self._most, len(self._calls))):
            call = self._calls[place]
            sent: Any = call.operation
            if isinstance(sent, _SENDS) and sent.challenge == challenge and sent.code is None:
                known = msgspec.structs.replace(sent, code=code, seen=seen)
                self._calls[place] = msgspec.structs.replace(call, operation=known)
                break
        return self.dies(challenge)

    def dies(self, challenge: int) -> float | None:
        """When the challenge's code is surely dead by its age, in target time."""
        policy = self._policy
        life = (policy.validity + policy.tolerance).total_seconds()
        if challenge in self._names:
            return self._names[challenge][1] + life
        sent = [c.sent[1] for s in self._before if (c := s.find(challenge)) is not None]
        return max(sent) + life if sent else None

    def may_be_locked(self) -> bool:
        """Whether as much may have failed as locks the card."""
        failed = sum(
            isinstance(call.operation, Verify)
            and (not call.outcomes or bool(call.outcomes & _FAILED))
            for call in self._calls
        )
        before = max((state.failures for state in self._before), default=0)
        return before + failed >= self._policy.max_wrong

    # --- judging --------------------------------------------------------------------------------

    def _judged(self, got: Any) -> Observation:
        if self.unknown:
            return _SILENT
        legality = self._legality(self._calls)
        if legality is Legality.LEGAL:
            return _LEGAL
        if legality is Legality.UNKNOWN or not self._is_certain():
            self.unknown = True
            return _SILENT
        self.unknown = True  # one contradiction is told once
        outcomes = tuple(sorted(set(got)))
        expected = ("what some order of all this allows",)
        return Observation(
            Judgement.BROKEN, frozenset({self.rule}), self.rule, expected, outcomes, self._words()
        )

    def _legality(self, calls: Sequence[Call]) -> Legality:
        """Legal from one of the states before is legal; unknown from one of them is no verdict."""
        found = Legality.BROKEN
        for state in self._before:
            legality = search(self._policy, calls, budget=BUDGET, start=state).legality
            if legality is Legality.LEGAL:
                return legality
            if legality is Legality.UNKNOWN:
                found = legality
        return found

    def _is_certain(self) -> bool:
        """Whether a contradiction rests on what was let through, or on too many that were judged.

        A page whose hidden field is good once refuses the second of two at once, by other rules
        than these: which refusal it was proves nothing, unless a wrong code was called wrong.
        """
        less = [
            Call(call.operation, call.called)
            if place < self._most and self._proves_nothing(call)
            else call
            for place, call in enumerate(self._calls)
        ]
        return self._legality(less) is Legality.BROKEN

    def _proves_nothing(self, call: Call) -> bool:
        outcomes, operation = call.outcomes or REFUSED, call.operation
        if outcomes & SUCCESS:
            return False
        if outcomes != {Outcome.WRONG_OTC} or not isinstance(operation, Verify):
            return True
        known = [state.find(operation.challenge) for state in self._before]
        return any(c is None or c.code in (None, operation.otc) for c in known)

    def _count(self, outcomes: set[Outcome]) -> int:
        race = self._calls[: self._most]
        return sum(isinstance(c.operation, Verify) and c.outcomes == outcomes for c in race)

    def _words(self) -> str:
        """What was seen, and why no order allows it."""
        approved, wrong = self._count({Outcome.APPROVED}), self._count({Outcome.WRONG_OTC})
        told = f"of {self._most} requests released together {approved} were approved"
        told += f" and {wrong} answered as wrong"
        if len(self._calls) > self._most:
            told += f"; {len(self._calls) - self._most} came after them"
        return f"{told}: no order allows this with N = {self._policy.max_wrong}"
