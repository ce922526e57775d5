"""LOCKOUT: servers that lock too late, too soon, not at all, or the wrong card."""

from otpspec_reference.mutants.catalogue import breaks
from otpspec_reference.rules import SafeKey
from otpspec_reference.store import Card


@breaks("LOCKOUT-1", "no-lock")
class NoLock(SafeKey):
    """Wrong codes never lock the card."""

    def lock(self, card: Card, now: float) -> None:
        pass


@breaks("LOCKOUT-1", "locks-at-n-plus-1")
class LocksAtNPlus1(SafeKey):
    """One wrong code more than declared locks the card."""

    def failure_limit(self) -> int:
        return super().failure_limit() + 1
