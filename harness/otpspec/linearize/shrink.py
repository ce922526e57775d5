"""The smallest history that is still broken.

First the answer is found that broke it: the earliest return up to which no order is left. What was
called after it is of no account, and what was not answered by then may have happened or not. Then
operations are left out, many at a time and then one by one, as long as that answer stays the
contradiction:

- up to it everything is legal, and with it nothing is;
- what would have been legal in its place was so before, too: else another fault has taken over;
- a transaction keeps its start while anything else of it is left, and a code that is tried keeps
  what sent it: else a right code would become a wrong one;
- what clears the count stays while a failure before it does: else failures would add up that never
  did.

Without these, a code that was approved twice would shrink to one that nobody had sent, and the
story told would be one that did not happen.
"""

from bisect import bisect_left
from collections.abc import Sequence

import msgspec

from otpspec.history import Call
from otpspec.linearize.search import Found, Legality, judges_nothing, search
from otpspec.model import Amend, ChangeContact, Malformed, Operation, Resend, Start, Unlock, Verify
from otpspec.outcome import SILENT, Outcome
from otpspec.policy import Policy

SEARCHES = 20
"""How many searches of the whole history it may cost; most are of a small part of it."""

EACH = 10_000
"""Steps that one of those searches may cost beyond a few for each operation: one that is harder is
left, and what it was to leave out stays."""

_ANSWERS = frozenset(Outcome) - SILENT
_COUNTS_NOTHING = frozenset({Outcome.APPROVED, Outcome.DONE, Outcome.VOID})


class _Spent(Exception):  # noqa: N818 - no error: what was found so far stands
    """The budget is used up."""


def smallest(policy: Policy, calls: Sequence[Call], *, budget: int) -> tuple[list[Call], bool]:
    """The operations that are left, in the order of their returns; whether none more can go.

    `calls` are a card's, and no order of them is legal. Empty where the budget ended before it was
    known which answer broke it.
    """
    return _Shrink(policy, calls, budget).run()


class _Shrink:
    def __init__(self, policy: Policy, calls: Sequence[Call], budget: int) -> None:
        self._policy = policy
        self._calls = calls
        self._budget = 4 * budget + SEARCHES * len(calls)
        self._unsure = False  # whether a search was left
        self._legal_instead: frozenset[Outcome] = frozenset()
        self._last: Call

    def run(self) -> tuple[list[Call], bool]:
        kept: list[Call] = []
        try:
            self._last = self._breaking()
            kept = self._known_by(self._last)
            self._legal_instead = self._instead(kept)
            kept = self._tail(kept)
            size = max(len(kept) // 2, 1)
            while True:
                fewer = self._without_some(kept, size)
                if len(fewer) == len(kept) and size == 1:
                    return _by_return(fewer), not self._unsure
                size = max(min(size, len(fewer)) // 2, 1)
                kept = fewer
        except _Spent:
            return _by_return(kept), False

    def _breaking(self) -> Call:
        """The answered call at whose return no order was left any more."""
        found = search(self._policy, self._calls, budget=self._budget)
        if found.legality is Legality.UNKNOWN:
            raise _Spent
        if found.reached is None:
            raise ValueError("only what is broken can be made smaller")
        begun = found.reached.called  # everything that had returned by then fits together
        answered = sorted((c for c in self._calls if not judges_nothing(c)), key=_returned)
        low = bisect_left(answered, begun, key=_returned)
        high = len(answered) - 1
        step = 1
        while low + step < high and not self._broken_by(answered[low + step]):
            low, step = low + step, step * 2
        high = min(low + step, high)
        while low < high:
            middle = (low + high) // 2
            if self._broken_by(answered[middle]):
                high = middle
            else:
                low = middle + 1
        return answered[high]

    def _broken_by(self, last: Call) -> bool:
        """Whether no order is left of what is known at the return of a call."""
        found = self._search(self._known_by(last))
        if found.legality is Legality.UNKNOWN:
            raise _Spent  # any answer that is named then may be another's fault
        return found.legality is Legality.BROKEN

    def _known_by(self, last: Call) -> list[Call]:
        """The calls up to the return of one, without the answers that came later."""
        ended = _returned(last)
        return [
            call if judges_nothing(call) or _returned(call) <= ended else _unanswered(call)
            for call in self._calls
            if call.called <= ended
        ]

    def _tail(self, kept: list[Call]) -> list[Call]:
        """Only the end of a long history, where that is enough."""
        count = 8
        while count < len(kept) // 2:
            tail = kept[-count:]
            whole = [*self._starts_of(tail, kept[:-count]), *tail]
            if self._still(whole):
                return whole
            count *= 4
        return kept

    def _starts_of(self, tail: list[Call], before: list[Call]) -> list[Call]:
        wanted = {_challenge(call.operation) for call in tail}
        return [
            c
            for c in before
            if isinstance(c.operation, Start) and _challenge(c.operation) in wanted
        ]

    def _without_some(self, kept: list[Call], size: int) -> list[Call]:
        """What is left after each run of `size` operations was left out, where it could be."""
        index = len(kept)
        while index > 0:
            begin = max(index - size, 0)
            fewer = [c for i, c in enumerate(kept) if not begin <= i < index or c is self._last]
            index = begin
            if len(fewer) < len(kept) and _may_go(kept, fewer) and self._still(fewer):
                kept = fewer
        return kept

    def _still(self, calls: list[Call]) -> bool:
        """Whether the same answer is still what breaks it."""
        if self._search(calls).legality is not Legality.BROKEN:
            return False
        before = [_unanswered(call) if call is self._last else call for call in calls]
        if self._search(before).legality is not Legality.LEGAL:
            return False
        return self._instead(calls) <= self._legal_instead

    def _instead(self, calls: Sequence[Call]) -> frozenset[Outcome]:
        """The answers that would have been legal in place of the last one."""
        place = next(i for i, call in enumerate(calls) if call is self._last)
        legal = set()
        for outcome in _ANSWERS:
            instead = msgspec.structs.replace(self._last, outcomes=frozenset({outcome}))
            tried = [*calls[:place], instead, *calls[place + 1 :]]
            if self._search(tried).legality is Legality.LEGAL:
                legal.add(outcome)
        return frozenset(legal)

    def _search(self, calls: Sequence[Call]) -> Found:
        most = min(EACH + 2 * len(calls), self._budget)
        found = search(self._policy, calls, budget=max(most, 0))
        self._budget -= found.steps
        if self._budget <= 0:
            raise _Spent
        self._unsure |= found.legality is Legality.UNKNOWN
        return found


def _unanswered(call: Call) -> Call:
    return msgspec.structs.replace(call, returned=None, outcomes=None)


def _returned(call: Call) -> float:
    return call.called if call.returned is None else call.returned


def _end(call: Call) -> float:
    return float("inf") if call.returned is None else call.returned


def _challenge(operation: Operation) -> int | None:
    return getattr(operation, "challenge", None)


def _may_go(kept: Sequence[Call], fewer: Sequence[Call]) -> bool:
    """Whether what was left out leaves a history that could have been."""
    left = {id(call) for call in fewer}
    used = {_challenge(call.operation) for call in fewer}
    tried = {
        (c.operation.challenge, c.operation.otc) for c in fewer if isinstance(c.operation, Verify)
    }
    for call in kept:
        if id(call) in left:
            continue
        operation = call.operation
        if isinstance(operation, Start) and operation.challenge in used:
            return False
        if isinstance(operation, Resend | Amend) and (operation.challenge, operation.code) in tried:
            return False
        if _clears(call) and any(_may_count(c) and c.called <= _end(call) for c in fewer):
            return False
    return True


def _clears(call: Call) -> bool:
    outcomes = call.outcomes or frozenset()
    unlocks = isinstance(call.operation, Unlock) and Outcome.DONE in outcomes
    return unlocks or Outcome.APPROVED in outcomes


def _may_count(call: Call) -> bool:
    tries = isinstance(call.operation, Verify | Malformed | ChangeContact)
    return tries and (not call.outcomes or not call.outcomes <= _COUNTS_NOTHING)


def _by_return(calls: Sequence[Call]) -> list[Call]:
    """The one that is the contradiction comes last: what had no answer contradicts nothing."""
    return sorted(calls, key=lambda call: (_returned(call), call.called))
