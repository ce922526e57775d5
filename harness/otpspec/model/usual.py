"""The usual answers, judged by a short way: what a load run sees millions of times.

A card in one sure state that is not locked starts a transaction, sends the right code in time, or a
wrong one that does not lock it. Everything else takes the general way (`step`, `chances`,
`Memory.note`), and so does what is usual: tests/model/test_usual.py holds the two together.
"""

import math
from collections.abc import Set as AbstractSet
from functools import lru_cache

from otpspec.model.chances import LATE
from otpspec.model.memory import Memory
from otpspec.model.observation import Judgement, Observation
from otpspec.model.operation import Csc, Operation, Start, Verify
from otpspec.model.state import REMEMBERED, Challenge, Fate, State
from otpspec.model.step import remembered
from otpspec.outcome import Outcome
from otpspec.policy import Policy

_APPROVED = frozenset({Outcome.APPROVED})
_DONE = frozenset({Outcome.DONE})
_WRONG_OTC = frozenset({Outcome.WRONG_OTC})
_RIGHT = Csc.RIGHT
_USED = Fate.USED
_NEVER = math.inf

_RULES = (
    *("LOCKOUT-2", "LOCKOUT-8", "LOCKOUT-7", "CSC-6"),
    *("VERIFY-1", "VERIFY-2", "EXPIRY-1", "EXPIRY-5"),
)
"""What a success may break here; the n-th stands for 1 << n."""

_LEGAL = [
    Observation(Judgement.LEGAL, frozenset(rule for n, rule in enumerate(_RULES) if bits & 1 << n))
    for bits in range(1 << len(_RULES))
]
_REFUSED = {
    rule: Observation(Judgement.LEGAL, frozenset({rule}))
    for rule in ("VERIFY-2", "BINDING-1", "BINDING-2", "RESEND-1")
}

Usually = tuple[State, Observation]


@lru_cache(maxsize=64)
def of(policy: Policy) -> "Usual":
    """The short way under a policy."""
    return Usual(policy)


class Usual:
    """A policy's numbers, and what usually follows from them."""

    __slots__ = ("_clears", "_counts", "_keeps", "_late", "_policy", "_validity", "life", "most")

    def __init__(self, policy: Policy) -> None:
        validity = policy.validity.total_seconds()
        by_card = policy.lock_scope == "card"
        self._policy = policy
        self._validity = validity
        self._late = LATE * validity
        self._clears = policy.success_clears_count
        self._counts = policy.success_clears_count and by_card
        self._keeps = policy.new_start == "keeps"
        self.life = (policy.validity + policy.tolerance).total_seconds()
        """Seconds after which a code is surely dead."""

        self.most = policy.max_wrong if by_card else 0
        """So many failures lock the card; 0 where each challenge has a count of its own."""

    def judge(
        self,
        state: State,
        memory: Memory,
        operation: Operation,
        called: float,
        returned: float,
        outcomes: AbstractSet[Outcome],
    ) -> Usually | None:
        """The state after, and the observation; None where it is not a usual case.

        Notes a usual case in the memory.
        """
        if state.failures >= self.most or memory.malformed:
            return None
        if type(operation) is Verify:
            challenge = state.find(operation.challenge)
            if challenge is None or challenge.fate is not None:
                return None
            code = challenge.code
            if code is None:
                return None
            if returned - challenge.sent[0] >= self._validity:
                return None
            if operation.otc != code:
                if outcomes != _WRONG_OTC or state.failures + 1 >= self.most:
                    return None
                return self._refused(state, memory, operation, called)
            asked = challenge.csc_required is not False and operation.csc is not _RIGHT
            if asked or outcomes != _APPROVED:
                return None
            return self._approved(state, memory, challenge, called, returned)
        if type(operation) is Start and self._keeps and outcomes == _DONE:
            return self._started(state, memory, operation, called, returned)
        return None

    def _before(self, state: State, memory: Memory) -> int:
        """The rules which say that it must succeed although something came before."""
        failures = state.failures
        bits = 1 if 0 < failures == self.most - 1 else 0
        if self._counts and memory.uncleared >= self.most:
            bits |= 2
        if memory.unlocked:
            bits |= 4
        return bits | 8 if memory.after_void else bits

    def _started(
        self, state: State, memory: Memory, operation: Start, called: float, returned: float
    ) -> Usually | None:
        challenges, number = state.challenges, operation.challenge
        if challenges:
            if challenges[-1].number >= number:
                return None
            if len(challenges) > REMEMBERED:
                if len(challenges) == REMEMBERED + 1 and challenges[0].fate is not None:
                    challenges = challenges[1:]
                else:
                    challenges = remembered(self._policy, challenges, (called, returned))
        bits = self._before(state, memory)
        if memory.uncleared >= self.most:
            memory.uncleared = len(memory.streak)
        if number > memory.newest:
            memory.newest = number
        if called < memory.first_called:
            memory.first_called = called
        sent = (called, _NEVER if operation.seen is None else operation.seen)
        begun = Challenge(number, operation.code, operation.csc_required, sent)
        return State(state.failures, (*challenges, begun)), _LEGAL[bits]

    def _approved(
        self, state: State, memory: Memory, c: Challenge, called: float, returned: float
    ) -> Usually:
        bits = self._before(state, memory) | 16
        past = memory.challenges.get(c.number)
        if past is not None and past.tries:
            bits |= 32
        if called - c.sent[1] >= self._late:
            bits |= 64
        if returned - memory.first_called >= self._validity:
            bits |= 128
        if memory.uncleared >= self.most:
            memory.uncleared = len(memory.streak)
        if memory.streak:
            memory.streak.clear()
        memory.blameless = True
        memory.unlocked = memory.after_void = False
        used = Challenge(c.number, c.code, c.csc_required, c.sent, _USED, c.failures)
        challenges = state.challenges
        challenges = (*challenges[:-1], used) if c is challenges[-1] else state.put(used)
        return State(0 if self._clears else state.failures, challenges), _LEGAL[bits]

    def _refused(self, state: State, memory: Memory, operation: Verify, called: float) -> Usually:
        number, otc, rule = operation.challenge, operation.otc, "VERIFY-2"
        past = memory.challenges.get(number)
        if past is not None and otc in past.amended:
            rule = "BINDING-2"
        elif past is not None and otc in past.rotated:
            rule = "RESEND-1"
        elif any(c.code == otc for c in state.challenges if c.number != number):
            rule = "BINDING-1"
        memory.note(operation, called, _WRONG_OTC)
        return State(state.failures + 1, state.challenges), _REFUSED[rule]
