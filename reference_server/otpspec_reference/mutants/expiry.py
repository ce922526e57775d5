"""EXPIRY: servers whose codes die too soon, too late, or never."""

from functools import cached_property

from otpspec_reference.answers import Answer, Asked, Status
from otpspec_reference.decisions import Operation
from otpspec_reference.mutants.catalogue import breaks
from otpspec_reference.rules import SafeKey
from otpspec_reference.store import Transaction


@breaks("EXPIRY-1", "dies-early")
class DiesEarly(SafeKey):
    """A code dies at 0.95 of its validity."""

    def dies_at(self, transaction: Transaction) -> float:
        return transaction.sent_at + 0.95 * self.validity_s


@breaks("EXPIRY-2", "never-expires")
class NeverExpires(SafeKey):
    """A code never dies of age."""

    def is_expired(self, transaction: Transaction, now: float) -> bool:
        return False


@breaks("EXPIRY-2", "dies-late")
class DiesLate(SafeKey):
    """A code lives for 1.05 of its validity."""

    def dies_at(self, transaction: Transaction) -> float:
        return transaction.sent_at + 1.05 * self.validity_s


@breaks("EXPIRY-2", "whole-minutes")
class WholeMinutes(SafeKey):
    """Age is counted in whole minutes, and compared by `>`: ten minutes last until 10:59."""

    def is_expired(self, transaction: Transaction, now: float) -> bool:
        return (now - transaction.sent_at) // 60 > self.validity_s / 60


@breaks("EXPIRY-2", "sweeper-every-30s")
class SweeperEvery30s(SafeKey):
    """A code dies when the sweeper next comes by, every 30 seconds."""

    def is_expired(self, transaction: Transaction, now: float) -> bool:
        return super().is_expired(transaction, now // 30 * 30)


@breaks("EXPIRY-3", "wrong-try-restarts-validity")
class WrongTryRestartsValidity(SafeKey):
    """A wrong code lets the validity of the right one begin again."""

    def after_wrong_otc(self, transaction: Transaction, asked: Asked, now: float) -> None:
        transaction.sent_at = now


@breaks("EXPIRY-3", "refusal-restarts-validity")
class RefusalRestartsValidity(SafeKey):
    """A malformed try lets the validity of the code begin again."""

    def settle(self, transaction: Transaction, verdict: Status, asked: Asked, now: float) -> Answer:
        if verdict is Status.MALFORMED:
            transaction.sent_at = now
        return super().settle(transaction, verdict, asked, now)


@breaks("EXPIRY-4", "resend-revives")
class ResendRevives(SafeKey):
    """A resend brings an expired transaction back to life."""

    def refuses(self, transaction: Transaction, operation: Operation, now: float) -> Status | None:
        refused = super().refuses(transaction, operation, now)
        revived = operation is Operation.RESEND and refused is Status.EXPIRED
        return None if revived else refused


@breaks("EXPIRY-5", "validity-from-first-code")
class ValidityFromFirstCode(SafeKey):
    """The validity counts from the first code that the card ever got."""

    @cached_property
    def first_sent_at(self) -> dict[str, float]:
        return {}

    def issue(self, transaction: Transaction, asked: Asked, now: float) -> None:
        super().issue(transaction, asked, now)
        transaction.sent_at = self.first_sent_at.setdefault(transaction.card.id, now)


@breaks("EXPIRY-5", "resend-keeps-old-expiry")
class ResendKeepsOldExpiry(SafeKey):
    """A new code that a resend sends dies when the earlier one would have."""

    def issue_again(self, transaction: Transaction, asked: Asked, now: float) -> None:
        sent_at = transaction.sent_at
        super().issue_again(transaction, asked, now)
        transaction.sent_at = sent_at
