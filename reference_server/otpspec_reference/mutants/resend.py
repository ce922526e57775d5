"""RESEND: servers that give away more with every code they send again."""

import hmac
from functools import cached_property

from otpspec_reference.answers import Asked
from otpspec_reference.mutants.catalogue import breaks
from otpspec_reference.rules import SafeKey
from otpspec_reference.settings import Resend
from otpspec_reference.store import Transaction


@breaks("RESEND-1", "earlier-code-lives")
class EarlierCodeLives(SafeKey):
    """After a resend the earlier code is good too."""

    @cached_property
    def earlier(self) -> dict[str, list[bytes]]:
        return {}

    def issue_again(self, transaction: Transaction, asked: Asked, now: float) -> None:
        self.earlier.setdefault(transaction.id, []).append(transaction.seal)
        super().issue_again(transaction, asked, now)

    def otc_is_right(self, transaction: Transaction, otc: str) -> bool:
        seal = self.seal(transaction.id, otc)
        seals = [transaction.seal, *self.earlier.get(transaction.id, [])]
        return any(hmac.compare_digest(seal, each) for each in seals)


@breaks("RESEND-2", "resend-clears-count")
class ResendClearsCount(SafeKey):
    """A resend clears the count of failures."""

    def issue_again(self, transaction: Transaction, asked: Asked, now: float) -> None:
        super().issue_again(transaction, asked, now)
        self.clear_count(transaction.card)


@breaks("RESEND-3", "reuse-extends", resend=Resend.REUSE)
class ReuseExtends(SafeKey):
    """A resend that repeats the code lets its validity begin again."""

    def issue_again(self, transaction: Transaction, asked: Asked, now: float) -> None:
        transaction.sent_at = now
        super().issue_again(transaction, asked, now)


@breaks("RESEND-4", "resends-unlimited", max_resends=3)
class ResendsUnlimited(SafeKey):
    """The declared limit on resends is not kept."""

    def resend_is_throttled(self, transaction: Transaction) -> bool:
        return False
