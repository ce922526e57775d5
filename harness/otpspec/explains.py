"""Is there an order of a card's operations that the rules allow?

Each operation happened somewhere between its call and its return; one without an answer may have
happened or not. A plain search over the model, for the few operations that a race has.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from enum import StrEnum
from math import inf
from typing import NamedTuple

from otpspec.model import Operation, State, step
from otpspec.outcome import SILENT, Outcome
from otpspec.policy import Policy

BUDGET = 50_000
"""How many steps of the model an answer may cost: about a second."""


class Legality(StrEnum):
    """What a card's operations came to."""

    LEGAL = "legal"
    BROKEN = "broken"
    UNKNOWN = "unknown"  # out of budget: never legal


class Done(NamedTuple):
    """One operation, with the times of its call and its return in seconds of target time."""

    operation: Operation
    called: float
    returned: float
    outcomes: AbstractSet[Outcome]

    @property
    def silent(self) -> bool:
        """Whether it may have happened or not."""
        return not self.outcomes or bool(self.outcomes & SILENT)


def explains(policy: Policy, history: Sequence[Done], *, budget: int = BUDGET) -> Legality:
    """Whether some order of the operations allows every answer.

    What was done is kept as the number of operations before which all are done, and a set of those
    beyond it: where nothing overlaps, that set stays empty and each operation costs one step.
    """
    calls = sorted(history, key=lambda done: (done.called, done.returned))
    stack: list[tuple[int, int, State]] = [(0, 0, State())]
    seen = set(stack)
    while stack:
        first, others, state = stack.pop()
        while others & 1:
            first, others = first + 1, others >> 1
        if all(calls[i].silent for i in _left(first, others, len(calls))):
            return Legality.LEGAL
        for index in _next(calls, first, others):
            done = calls[index]
            budget -= 1
            if budget < 0:
                return Legality.UNKNOWN
            after = others | 1 << (index - first)
            states = {
                following
                for outcome, following in step(policy, state, done.operation, _span(done))
                if done.silent or outcome in done.outcomes
            }
            for following in states | ({state} if done.silent else set()):
                node = (first, after, following)
                if node not in seen:
                    seen.add(node)
                    stack.append(node)
    return Legality.BROKEN


def _left(first: int, others: int, count: int) -> list[int]:
    return [i for i in range(first, count) if not others >> (i - first) & 1]


def _next(calls: Sequence[Done], first: int, others: int) -> list[int]:
    """What may come next: all that was called before any that is left, and answered, returned."""
    before, found = inf, []
    for index in _left(first, others, len(calls)):
        if calls[index].called > before:
            break
        found.append(index)
        if not calls[index].silent:
            before = min(before, calls[index].returned)
    return [index for index in found if calls[index].called <= before]


def _span(done: Done) -> tuple[float, float]:
    return done.called, max(done.called, done.returned)
