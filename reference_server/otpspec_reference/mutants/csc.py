"""CSC: servers that are careless with the three-digit card security code."""

from otpspec_reference.answers import Asked
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
