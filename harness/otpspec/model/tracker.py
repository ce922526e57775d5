"""Judges every answer about one card, as it comes."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from enum import StrEnum

import msgspec

from otpspec.model.because import explain
from otpspec.model.chances import chances
from otpspec.model.memory import Memory
from otpspec.model.naming import blame
from otpspec.model.operation import Amend, Operation, Resend, Span
from otpspec.model.recovery import implied
from otpspec.model.state import State
from otpspec.model.step import Branch, step
from otpspec.outcome import SILENT, Outcome
from otpspec.policy import Policy

MOST_STATES = 64
"""How many possible states are carried. Beyond it the card is spent: nothing more is judged."""

_NO_CHANCES: frozenset[str] = frozenset()


class Judgement(StrEnum):
    """What an answer came to."""

    LEGAL = "legal"
    BROKEN = "broken"
    SILENT = "silent"  # no answer, or one that judges nothing


class Observation(msgspec.Struct, frozen=True, gc=False):
    """One answer, judged."""

    judgement: Judgement
    chances: frozenset[str] = _NO_CHANCES
    """The rules that this answer could have broken: empty where it was silent."""

    rule: str = ""  # broken: the rule
    expected: tuple[Outcome, ...] = ()  # broken: what was legal, sorted
    got: tuple[Outcome, ...] = ()  # broken: what the answer means, sorted
    because: str = ""  # broken: why only that was legal

    @property
    def headline(self) -> str:
        """'EXPIRY-2: approved, expected expired': the same for each answer of this kind."""
        if self.judgement is not Judgement.BROKEN:
            return str(self.judgement)
        expected, got = " or ".join(self.expected), " or ".join(self.got)
        return f"{self.rule}: {got}, expected {expected}".replace("_", " ")

    def __str__(self) -> str:
        return f"{self.headline}: {self.because}" if self.because else self.headline


_SILENT = Observation(Judgement.SILENT)


class Tracker:
    """What is known of one card: the set of states that it may be in.

    Its operations are told in the order in which they were called, none before the one before it
    has returned. An operation without an answer is taken to have happened by the time it was given
    up, or never: a target that may still be at it is not to be asked about the same card.
    """

    __slots__ = ("_memory", "_policy", "_states", "spent")

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._states: tuple[State, ...] = (State(),)
        self._memory = Memory(policy)
        self.spent = False
        """Whether too much is unknown of the card for anything to be judged."""

    @property
    def states(self) -> tuple[State, ...]:
        """The states that the card may be in."""
        return self._states

    def observe(
        self,
        operation: Operation,
        called: float,
        returned: float,
        outcomes: AbstractSet[Outcome] | None,
    ) -> Observation:
        """Judge an answer, and go on from it.

        `called` and `returned` are seconds of target time. `outcomes` is what the answer may mean;
        None: no answer came, so that the operation may have happened or not.
        """
        if self.spent:
            return _SILENT
        time = (called, returned)
        if isinstance(operation, Resend | Amend):
            self._note_replaced(operation)
        if not outcomes or outcomes & SILENT:
            self._memory.note(operation, called, None)
            after = [state for _, state in self._branches(operation, time)]
            self._go_on((*self._states, *after))
            return _SILENT
        observation = self._judge(operation, time, outcomes)
        self._memory.note(operation, called, outcomes)
        return observation

    def delivered(self, challenge: int, code: str, seen: float) -> None:
        """The code of a challenge's latest message, and when it was seen.

        For a start or a resend that was observed before its message was read.
        """
        told: list[State] = []
        for state in self._states:
            found = state.find(challenge)
            if found is None:
                continue
            if found.code == code:
                return
            if found.code is None:
                sent = (found.sent[0], min(found.sent[1], seen))
                known = msgspec.structs.replace(found, code=code, sent=sent)
                told.append(State(state.failures, state.put(known), state.locked))
        if told:
            self._go_on(told)

    def codes(self) -> set[str]:
        """Every code that is known of the card: a guess that must be wrong is none of them."""
        return {c.code for state in self._states for c in state.challenges if c.code is not None}

    def dies(self, challenge: int) -> float | None:
        """When the challenge's code is surely dead by its age, in target time.

        Infinite while its message has not been seen; None where no such challenge is known.
        """
        found = [c for state in self._states if (c := state.find(challenge)) is not None]
        if not found:
            return None
        life = (self._policy.validity + self._policy.tolerance).total_seconds()
        return max(c.sent[1] for c in found) + life

    def may_be_locked(self) -> bool:
        """Whether the card is locked in one of its possible states."""
        return any(state.failures >= self._policy.max_wrong for state in self._states)

    def _judge(
        self, operation: Operation, time: Span, outcomes: AbstractSet[Outcome]
    ) -> Observation:
        policy, memory, states = self._policy, self._memory, self._states
        branches = self._branches(operation, time)
        legal = frozenset([outcome for outcome, _ in branches])
        found = chances(policy, states[0], memory, operation, time, legal)
        for state in states[1:]:
            found &= chances(policy, state, memory, operation, time, legal)
        after = [state for outcome, state in branches if outcome in outcomes]
        if after:
            self._go_on(after)
            return Observation(Judgement.LEGAL, found)
        got = tuple(sorted(outcomes))
        rule = blame(policy, states[0], memory, operation, time, got[0])
        because = explain(policy, states[0], operation, time)
        self._go_on([s for state in states for s in implied(policy, state, operation, time, got)])
        expected = tuple(sorted(legal))
        return Observation(Judgement.BROKEN, found | {rule}, rule, expected, got, because)

    def _branches(self, operation: Operation, time: Span) -> tuple[Branch, ...]:
        policy, states = self._policy, self._states
        if len(states) == 1:
            return step(policy, states[0], operation, time)
        return tuple([b for state in states for b in step(policy, state, operation, time)])

    def _go_on(self, states: Sequence[State]) -> None:
        self._states = tuple(states) if len(states) == 1 else tuple(dict.fromkeys(states))
        self.spent = len(self._states) > MOST_STATES

    def _note_replaced(self, operation: Resend | Amend) -> None:
        if isinstance(operation, Resend) and self._policy.resend == "reuse":
            codes = set[str]()
        else:
            found = [state.find(operation.challenge) for state in self._states]
            codes = {c.code for c in found if c is not None and c.code is not None}
        self._memory.replaced(operation, codes)
