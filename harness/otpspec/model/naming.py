"""Which rule an answer breaks that the model does not allow."""

from collections.abc import Callable
from typing import Any

from otpspec.model.memory import Memory
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
from otpspec.model.state import Fate, State, lock_settled, surely_expired
from otpspec.outcome import Outcome
from otpspec.policy import Policy

_BY_FATE = {
    Fate.USED: "REPLAY-1",
    Fate.WRONG_CSC: "CSC-1",
    Fate.CANCELLED: "REPLAY-3",
    Fate.UNLOCKED: "LOCKOUT-7",
    Fate.SUPERSEDED: "REPLAY-3",
    Fate.CONTACT: "CONTACT-2",
    Fate.EXHAUSTED: "LOCKOUT-1",
    Fate.EXPIRED: "EXPIRY-2",
    Fate.REFUSED: "REPLAY-3",
}


class Case:
    """One possible state in which an answer came that must not be."""

    __slots__ = ("challenge", "locked", "memory", "policy", "state", "time", "was_locked")

    def __init__(
        self, policy: Policy, state: State, memory: Memory, operation: Operation, time: Span
    ) -> None:
        self.policy = policy
        self.memory = memory
        self.time = time
        settled = lock_settled(policy, state, time)
        self.state = settled[0]
        self.was_locked = settled[0] is not state  # the lock has lasted its time
        number = getattr(operation, "challenge", None)
        self.challenge = None if number is None else self.state.find(number)
        self.locked = self.state.failures >= policy.max_wrong

    def failures(self) -> int:
        """The count that the operation's answer hangs on."""
        if self.policy.lock_scope == "challenge" and self.challenge is not None:
            return self.challenge.failures
        return self.state.failures

    def uncleared(self) -> bool:
        """Whether the card would be locked if success had cleared nothing."""
        policy = self.policy
        counts = policy.success_clears_count and policy.lock_scope == "card"
        return counts and self.memory.uncleared >= policy.max_wrong

    def dead(self) -> str | None:
        """The rule by which the challenge is dead for sure, or None where it may live."""
        challenge = self.challenge
        if challenge is None:
            return "REPLAY-3"
        if challenge.fate is not None and challenge.fate is not Fate.EXPIRED:
            return _BY_FATE[challenge.fate]
        if challenge.fate is None and not surely_expired(self.policy, challenge, self.time):
            return None
        past = self.memory.challenges.get(challenge.number)
        reused = self.policy.resend == "reuse" and past is not None and past.resent
        return "RESEND-3" if reused else "EXPIRY-2"

    def not_locked(self) -> str:
        """The rule that a locked card breaks which does not behave as one."""
        last = self.memory.streak[-self.policy.max_wrong :]
        if self.policy.malformed_counts and len(last) < self.policy.max_wrong:
            return "INPUT-6"
        if any(failure.by_csc for failure in last):
            return "CSC-7"
        if len({failure.challenge for failure in last}) > 1:
            return "LOCKOUT-3"
        if len({failure.resent for failure in last}) > 1:
            return "RESEND-2"
        return "LOCKOUT-1"

    def locked_too_early(self) -> str:
        """The rule that a card breaks which is not locked and answers that it is."""
        memory, failures, n = self.memory, self.failures(), self.policy.max_wrong
        if self.was_locked:
            return "LOCKOUT-6"
        if self.malformed_would_lock():
            return "INPUT-6"
        if self.uncleared():
            return "LOCKOUT-8"
        if memory.unlocked:
            return "LOCKOUT-7"
        if memory.blameless and not failures:
            return "LOCKOUT-9"
        return "CSC-6" if memory.after_void and failures < n - 1 else "LOCKOUT-2"

    def malformed_would_lock(self) -> bool:
        """Whether malformed tries, which are declared not to count, would make the count full."""
        tries = 0 if self.policy.malformed_counts else self.memory.malformed
        return bool(tries) and self.failures() + tries >= self.policy.max_wrong

    def expired_too_early(self) -> str:
        """The rule that a living code breaks which is called expired."""
        challenge = self.challenge
        if challenge is None or not self.outlives_first_code():
            return "EXPIRY-1"
        young = self.time[1] - challenge.sent[0] < self.policy.validity.total_seconds() / 2
        return "EXPIRY-5" if young else "EXPIRY-1"

    def outlives_first_code(self) -> bool:
        """Whether the card's first code would be dead by now, and this one lives."""
        first = self.memory.first_called
        return self.time[1] - first >= self.policy.validity.total_seconds()


def blame(
    policy: Policy, state: State, memory: Memory, operation: Operation, time: Span, got: Outcome
) -> str:
    """The id of the rule that `got` breaks, where `step` does not allow it in `state`."""
    case = Case(policy, state, memory, operation, time)
    return _BLAME[type(operation)](case, operation, got)


def _verify(case: Case, operation: Verify, got: Outcome) -> str:
    if got is Outcome.APPROVED:
        return _approved(case, operation)
    if case.locked:
        return case.not_locked()
    if got is Outcome.LOCKED:
        return case.locked_too_early()
    dead = case.dead()
    if dead is not None or case.challenge is None:
        return dead or "REPLAY-3"
    if got is Outcome.EXPIRED:
        return case.expired_too_early()
    if case.challenge.code not in (None, operation.otc):
        return "VERIFY-2"
    if case.challenge.csc_required and operation.csc is not Csc.RIGHT:
        return "CSC-2"
    past = case.memory.challenges.get(operation.challenge)
    if got is Outcome.VOID and past is not None and past.tries:
        return "VERIFY-2"
    return "CSC-6" if case.memory.after_void else "VERIFY-1"


def _approved(case: Case, operation: Verify) -> str:
    challenge = case.challenge
    if challenge is None:
        return "REPLAY-3" if operation.challenge <= case.memory.newest else "VERIFY-3"
    past = case.memory.challenges.get(challenge.number)
    if challenge.code not in (None, operation.otc):
        if past is not None and operation.otc in past.amended:
            return "BINDING-2"
        if past is not None and operation.otc in past.rotated:
            return "RESEND-1"
        others = {c.code for c in case.state.challenges if c.number != challenge.number}
        return "BINDING-1" if operation.otc in others else "VERIFY-2"
    if challenge.csc_required and operation.csc is not Csc.RIGHT:
        return "CSC-5" if past is not None and past.wrong_csc else "CSC-2"
    if case.locked:
        return case.not_locked()
    return case.dead() or "VERIFY-1"


def _malformed(case: Case, operation: Malformed, got: Outcome) -> str:
    if got is Outcome.APPROVED:
        return "INPUT-1"
    if case.locked:
        return case.not_locked()
    if got is Outcome.LOCKED:
        return case.locked_too_early()
    dead = case.dead()
    if dead is not None:
        return dead
    if got is Outcome.EXPIRED:
        return case.expired_too_early()
    return "INPUT-6" if got is Outcome.WRONG_OTC else "INPUT-1"


def _start(case: Case, operation: Start, got: Outcome) -> str:
    if case.locked:
        return "ISSUE-5"
    if got is Outcome.LOCKED:
        return case.locked_too_early()
    return "CSC-6" if case.memory.after_void else "ISSUE-1"


def _issue_again(case: Case, operation: Resend | Amend | Cancel, got: Outcome) -> str:
    if case.locked:
        return "LOCKOUT-4"
    if got is Outcome.LOCKED:
        return case.locked_too_early()
    dead = case.dead()
    if dead is not None:
        return "EXPIRY-4" if dead in ("EXPIRY-2", "RESEND-3") else "REPLAY-3"
    if got is Outcome.EXPIRED:
        return case.expired_too_early()
    return "ISSUE-1"


def _cancel(case: Case, operation: Cancel, got: Outcome) -> str:
    rule = _issue_again(case, operation, got)
    return "VERIFY-1" if rule == "ISSUE-1" else rule


def _unlock(case: Case, operation: Unlock, got: Outcome) -> str:
    return "LOCKOUT-7"


def _change_contact(case: Case, operation: ChangeContact, got: Outcome) -> str:
    if got is Outcome.DONE and not operation.proven:
        return "CONTACT-1"
    if case.locked:
        return "LOCKOUT-4"
    if got is Outcome.LOCKED:
        return case.locked_too_early()
    return "CONTACT-3" if operation.proven else "CONTACT-1"


_BLAME: dict[type, Callable[[Case, Any, Outcome], str]] = {
    Start: _start,
    Verify: _verify,
    Malformed: _malformed,
    Resend: _issue_again,
    Amend: _issue_again,
    Cancel: _cancel,
    Unlock: _unlock,
    ChangeContact: _change_contact,
}
