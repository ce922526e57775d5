"""CSC: servers that are careless with the three-digit card security code."""

from functools import cached_property

from otpspec_reference.answers import Answer, Asked, Status
from otpspec_reference.mutants.catalogue import breaks
from otpspec_reference.rules import SafeKey
from otpspec_reference.store import Transaction


@breaks("CSC-1", "csc-retry")
class CscRetry(SafeKey):
    """A wrong 3CSC does not void the transaction: it may be tried again."""

    def after_wrong_csc(self, transaction: Transaction, asked: Asked, now: float) -> None:
        pass


@breaks("CSC-2", "csc-ignored")
class CscIgnored(SafeKey):
    """Any 3CSC is as good as the right one."""

    def csc_is_right(self, transaction: Transaction, csc: str) -> bool:
        return True


@breaks("CSC-2", "csc-skipped-when-absent")
class CscSkippedWhenAbsent(SafeKey):
    """Where no 3CSC is sent, none is checked."""

    def judge(self, transaction: Transaction, asked: Asked, now: float) -> Status:
        verdict = super().judge(transaction, asked, now)
        skipped = verdict is Status.WRONG_CSC and asked.field("csc") is None
        return Status.APPROVED if skipped else verdict


@breaks("CSC-2", "csc-skipped-when-empty")
class CscSkippedWhenEmpty(SafeKey):
    """Where the 3CSC is an empty string, it is not checked."""

    def judge(self, transaction: Transaction, asked: Asked, now: float) -> Status:
        verdict = super().judge(transaction, asked, now)
        skipped = verdict is Status.WRONG_CSC and asked.field("csc") == ""
        return Status.APPROVED if skipped else verdict


@breaks("CSC-2", "otc-ignored-with-csc")
class OtcIgnoredWithCsc(SafeKey):
    """Where the 3CSC is asked for and right, any code will do."""

    def judge(self, transaction: Transaction, asked: Asked, now: float) -> Status:
        verdict = super().judge(transaction, asked, now)
        csc = self.read_csc(asked)
        if verdict is Status.WRONG_OTC and transaction.csc_required and csc:
            return Status.APPROVED if self.csc_is_right(transaction, csc) else verdict
        return verdict


@breaks("CSC-3", "failure-told", merge_failures=True)
class FailureTold(SafeKey):
    """Though the policy is not to tell, the answer says which element was wrong."""

    def refusal(self, verdict: Status, tries_left: int) -> Answer:
        return Answer(verdict, {"tries_left": tries_left})


@breaks("CSC-4", "csc-echoed")
class CscEchoed(SafeKey):
    """The answer repeats the 3CSC that was sent."""

    def verify(self, transaction_id: str, asked: Asked) -> Answer:
        answer = super().verify(transaction_id, asked)
        return Answer(answer.status, {**answer.fields, "csc": asked.field("csc")})


@breaks("CSC-5", "csc-second-try-approved")
class CscSecondTryApproved(SafeKey):
    """A wrong 3CSC is refused once; with the right code it is approved the second time."""

    @cached_property
    def refused_once(self) -> set[str]:
        return set()

    def after_wrong_csc(self, transaction: Transaction, asked: Asked, now: float) -> None:
        self.refused_once.add(transaction.id)

    def csc_is_right(self, transaction: Transaction, csc: str) -> bool:
        return transaction.id in self.refused_once or super().csc_is_right(transaction, csc)


@breaks("CSC-6", "card-blocked-after-void")
class CardBlockedAfterVoid(SafeKey):
    """A wrong 3CSC blocks the card, not only the transaction."""

    def after_wrong_csc(self, transaction: Transaction, asked: Asked, now: float) -> None:
        super().after_wrong_csc(transaction, asked, now)
        self.lock(transaction.card, now)


@breaks("CSC-7", "wrong-csc-not-counted")
class WrongCscNotCounted(SafeKey):
    """A wrong 3CSC counts nothing: a thousand tries find it."""

    def settle(self, transaction: Transaction, verdict: Status, asked: Asked, now: float) -> Answer:
        if verdict is not Status.WRONG_CSC:
            return super().settle(transaction, verdict, asked, now)
        self.after_wrong_csc(transaction, asked, now)
        return self.refusal(verdict, self.failure_limit() - transaction.card.failures)
