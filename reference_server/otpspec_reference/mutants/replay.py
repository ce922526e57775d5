"""REPLAY: servers that accept what was used up."""

from functools import cached_property

from otpspec_reference.answers import Asked, Status
from otpspec_reference.decisions import Operation
from otpspec_reference.mutants.catalogue import breaks
from otpspec_reference.rules import SafeKey
from otpspec_reference.store import State, Transaction


@breaks("REPLAY-1", "used-code-accepted")
class UsedCodeAccepted(SafeKey):
    """A code is not used up by being accepted."""

    def consume(self, transaction: Transaction, now: float) -> None:
        pass


@breaks("REPLAY-2", "used-code-accepted-with-space")
class UsedCodeAcceptedWithSpace(SafeKey):
    """A used code is good again with a space beside it (CVE-2025-55000)."""

    def consume(self, transaction: Transaction, now: float) -> None:
        transaction.state = State.USED

    def judge(self, transaction: Transaction, asked: Asked, now: float) -> Status:
        otc = asked.field("otc")
        if not isinstance(otc, str) or otc == otc.strip() or transaction.state is State.VOID:
            return super().judge(transaction, asked, now)
        before, transaction.state = transaction.state, State.PENDING
        trimmed = Asked({**(asked.body or {}), "otc": otc.strip()}, asked.headers)
        verdict = super().judge(transaction, trimmed, now)
        transaction.state = before
        return verdict


@breaks("REPLAY-2", "used-code-accepted-later")
class UsedCodeAcceptedLater(SafeKey):
    """That a code was used is forgotten after half its validity (CVE-2021-43177)."""

    @cached_property
    def used_at(self) -> dict[str, float]:
        return {}

    def consume(self, transaction: Transaction, now: float) -> None:
        transaction.state = State.USED
        self.used_at[transaction.id] = now

    def is_used(self, transaction: Transaction, now: float) -> bool:
        age = now - self.used_at.get(transaction.id, now)
        return super().is_used(transaction, now) and age < self.validity_s / 2


@breaks("REPLAY-3", "resend-reopens")
class ResendReopens(SafeKey):
    """A resend reopens a transaction that was used or void."""

    def refuses(self, transaction: Transaction, operation: Operation, now: float) -> Status | None:
        refused = super().refuses(transaction, operation, now)
        if operation is Operation.RESEND and refused in (Status.USED, Status.VOID):
            transaction.state = State.PENDING
            return None
        return refused
