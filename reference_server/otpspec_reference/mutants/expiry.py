"""EXPIRY: servers whose codes die too soon, too late, or never."""

from otpspec_reference.mutants.catalogue import breaks
from otpspec_reference.rules import SafeKey
from otpspec_reference.store import Transaction


@breaks("EXPIRY-2", "never-expires")
class NeverExpires(SafeKey):
    """A code never dies of age."""

    def is_expired(self, transaction: Transaction, now: float) -> bool:
        return False
