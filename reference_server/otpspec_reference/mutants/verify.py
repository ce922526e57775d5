"""VERIFY: servers that refuse what is right, or approve what nobody proved."""

import secrets

from otpspec_reference.answers import Answer, Asked, Status
from otpspec_reference.mutants.catalogue import breaks
from otpspec_reference.rules import SafeKey
from otpspec_reference.store import Transaction


@breaks("VERIFY-1", "refuses-at-random")
class RefusesAtRandom(SafeKey):
    """Three right codes in four are refused as wrong."""

    def otc_is_right(self, transaction: Transaction, otc: str) -> bool:
        return super().otc_is_right(transaction, otc) and secrets.randbelow(4) == 0


@breaks("VERIFY-2", "typo-kills-code")
class TypoKillsCode(SafeKey):
    """One wrong code voids the transaction: it cannot be tried again."""

    def after_wrong_otc(self, transaction: Transaction, asked: Asked, now: float) -> None:
        self.void(transaction)


@breaks("VERIFY-3", "unset-code-is-empty")
class UnsetCodeIsEmpty(SafeKey):
    """Where no code was issued, an empty or missing one is right (CVE-2025-12374)."""

    def unknown_transaction(self, transaction_id: str, asked: Asked) -> Answer:
        if asked.field("otc") in (None, ""):
            return Answer(Status.APPROVED, {"transaction_id": transaction_id})
        return super().unknown_transaction(transaction_id, asked)


@breaks("VERIFY-3", "unknown-transaction-approved")
class UnknownTransactionApproved(SafeKey):
    """A transaction that was never started is approved, whatever the code."""

    def unknown_transaction(self, transaction_id: str, asked: Asked) -> Answer:
        return Answer(Status.APPROVED, {"transaction_id": transaction_id})


@breaks("VERIFY-4", "believes-the-client")
class BelievesTheClient(SafeKey):
    """`verified: true` in the request makes a wrong code right (CVE-2026-56073)."""

    def judge(self, transaction: Transaction, asked: Asked, now: float) -> Status:
        verdict = super().judge(transaction, asked, now)
        believed = verdict is Status.WRONG_OTC and asked.field("verified") in (True, "true")
        return Status.APPROVED if believed else verdict


@breaks("VERIFY-5", "csc-step-alone")
class CscStepAlone(SafeKey):
    """The right 3CSC completes the transaction, without the code."""

    def judge(self, transaction: Transaction, asked: Asked, now: float) -> Status:
        verdict = super().judge(transaction, asked, now)
        csc = self.read_csc(asked)
        if verdict is Status.MALFORMED and csc and asked.field("otc") in (None, ""):
            return Status.APPROVED if self.csc_is_right(transaction, csc) else verdict
        return verdict
