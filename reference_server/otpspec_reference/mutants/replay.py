"""REPLAY: servers that accept what was used up."""

from otpspec_reference.mutants.catalogue import breaks
from otpspec_reference.rules import SafeKey
from otpspec_reference.store import Transaction


@breaks("REPLAY-1", "used-code-accepted")
class UsedCodeAccepted(SafeKey):
    """A code is not used up by being accepted."""

    def consume(self, transaction: Transaction, now: float) -> None:
        pass
