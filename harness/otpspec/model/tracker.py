"""Judges every answer about one card, as it comes."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from otpspec.model import usual
from otpspec.model.because import explain
from otpspec.model.chances import chances
from otpspec.model.memory import Memory
from otpspec.model.naming import blame
from otpspec.model.observation import Judgement, Observation
from otpspec.model.operation import Amend, Operation, Resend, Span
from otpspec.model.recovery import implied
from otpspec.model.state import Challenge, State
from otpspec.model.step import Branch, step
from otpspec.outcome import SILENT, Outcome
from otpspec.policy import Policy

MOST_STATES = 64
"""How many possible states are carried. Beyond it the card is spent: nothing more is judged."""

_SILENT = Observation(Judgement.SILENT)
_NEW = (State(),)


class Tracker:
    """What is known of one card: the set of states that it may be in.

    Its operations are told in the order in which they were called, none before the one before it
    has returned. An operation without an answer is taken to have happened by the time it was given
    up, or never: a target that may still be at it is not to be asked about the same card.
    """

    __slots__ = ("_judge_usual", "_memory", "_policy", "_states", "_usual", "spent")

    def __init__(self, policy: Policy, *, unknown: bool = False) -> None:
        """`unknown`: whether others may have used the card, so that any count is possible."""
        self._policy = policy
        self._states: tuple[State, ...] = _NEW
        if unknown and policy.lock_scope == "card":
            self._states = tuple(map(State, range(policy.max_wrong + 1)))
        self._memory = Memory(policy)
        self._usual = usual.of(policy)
        self._judge_usual = self._usual.judge
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
        states = self._states
        if len(states) == 1 and outcomes is not None:
            found = self._judge_usual(
                states[0], self._memory, operation, called, returned, outcomes
            )
            if found is not None:
                self._states = (found[0],)
                return found[1]
        elif self.spent:
            return _SILENT
        return self._observe(operation, (called, returned), outcomes)

    def _observe(
        self, operation: Operation, time: Span, outcomes: AbstractSet[Outcome] | None
    ) -> Observation:
        called = time[0]
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

    def delivered(self, challenge: int, code: str, seen: float) -> float | None:
        """The code of a challenge's latest message, and when it was seen; when it dies, as `dies`.

        For a start or a resend that was observed before its message was read.
        """
        if len(self._states) == 1:
            state = self._states[0]
            c = state.challenges[-1] if state.challenges else None
            if c is not None and c.number == challenge and c.code is None:
                sent = (c.sent[0], seen if seen < c.sent[1] else c.sent[1])
                known = Challenge(c.number, code, c.csc_required, sent, c.fate, c.failures)
                others = state.challenges[:-1]
                self._states = (State(state.failures, (*others, known), state.locked),)
                return sent[1] + self._usual.life
        told: list[State] = []
        for state in self._states:
            found = state.find(challenge)
            if found is None:
                continue
            if found.code == code:
                return self.dies(challenge)
            if found.code is None:
                sent = (found.sent[0], min(found.sent[1], seen))
                c = found
                known = Challenge(c.number, code, c.csc_required, sent, c.fate, c.failures)
                told.append(State(state.failures, state.put(known), state.locked))
        if told:
            self._go_on(told)
        return self.dies(challenge)

    def codes(self) -> set[str]:
        """Every code that is known of the card: a guess that must be wrong is none of them."""
        return {c.code for state in self._states for c in state.challenges if c.code is not None}

    def dies(self, challenge: int) -> float | None:
        """When the challenge's code is surely dead by its age, in target time.

        Infinite while its message has not been seen; None where no such challenge is known.
        """
        if len(self._states) == 1:
            one = self._states[0].find(challenge)
            return None if one is None else one.sent[1] + self._usual.life
        found = [c for state in self._states if (c := state.find(challenge)) is not None]
        return max(c.sent[1] for c in found) + self._usual.life if found else None

    def may_be_locked(self) -> bool:
        """Whether the card is locked in one of its possible states."""
        most = self._policy.max_wrong
        if len(self._states) == 1:
            return self._states[0].failures >= most
        return any(state.failures >= most for state in self._states)

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
