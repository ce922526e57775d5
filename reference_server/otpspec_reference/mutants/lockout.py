"""LOCKOUT: servers that lock too late, too soon, not at all, or the wrong card."""

import secrets
from collections import Counter
from datetime import timedelta
from functools import cached_property

from otpspec_reference.answers import Answer, Asked, Status
from otpspec_reference.decisions import Operation
from otpspec_reference.http import header
from otpspec_reference.mutants.catalogue import breaks
from otpspec_reference.rules import SafeKey
from otpspec_reference.store import Card, Transaction


class RightCodeIsSeen(SafeKey):
    """A base: tells whether a locked card was sent what is right for a living transaction."""

    def is_right_though_locked(self, transaction: Transaction, asked: Asked, now: float) -> bool:
        otc, csc = self.read_otc(asked), self.read_csc(asked)
        if not self.is_locked(transaction.card, now) or self.death(transaction, now):
            return False
        if not otc or not self.otc_is_right(transaction, otc):
            return False
        return not transaction.csc_required or self.csc_is_right(transaction, csc or "")


class CountsByKey(SafeKey):
    """A base: failures are counted by something else than the card alone."""

    @cached_property
    def counts(self) -> Counter[tuple[str, bytes]]:
        return Counter()

    def key(self, transaction: Transaction | None, asked: Asked) -> bytes:
        raise NotImplementedError

    def count_failure(self, card: Card, transaction: Transaction | None, asked: Asked) -> int:
        key = card.id, self.key(transaction, asked)
        self.counts[key] += 1
        return self.counts[key]


@breaks("LOCKOUT-1", "no-lock")
class NoLock(SafeKey):
    """Wrong codes never lock the card."""

    def lock(self, card: Card, now: float) -> None:
        pass


@breaks("LOCKOUT-1", "locks-at-n-plus-1")
class LocksAtNPlus1(SafeKey):
    """It takes one wrong code more than declared to lock the card."""

    def failure_limit(self) -> int:
        return super().failure_limit() + 1


@breaks("LOCKOUT-1", "right-code-beats-lock")
class RightCodeBeatsLock(RightCodeIsSeen):
    """A locked card refuses wrong codes, but the right one still works."""

    def judge(self, transaction: Transaction, asked: Asked, now: float) -> Status:
        if self.is_right_though_locked(transaction, asked, now):
            return Status.APPROVED
        return super().judge(transaction, asked, now)


@breaks("LOCKOUT-1", "limit-only-at-issue")
class LimitOnlyAtIssue(SafeKey):
    """The lock is looked at when a code is issued, not when it is verified (CVE-2026-8760)."""

    def refuses_locked(self, card: Card, operation: Operation, now: float) -> bool:
        return operation is not Operation.VERIFY and super().refuses_locked(card, operation, now)


@breaks("LOCKOUT-1", "lock-rolled-back")
class LockRolledBack(SafeKey):
    """The write of the lock is rolled back with the failed request (CVE-2026-35597)."""

    def lock(self, card: Card, now: float) -> None:
        card.failures -= 1


@breaks("LOCKOUT-2", "locks-at-n-minus-1")
class LocksAtNMinus1(SafeKey):
    """The card locks one wrong code too soon."""

    def failure_limit(self) -> int:
        return max(1, super().failure_limit() - 1)


@breaks("LOCKOUT-3", "start-clears-count")
class StartClearsCount(SafeKey):
    """A new transaction clears the card's count."""

    def started(self, transaction: Transaction, now: float) -> dict[str, object]:
        self.clear_count(transaction.card)
        return super().started(transaction, now)


@breaks("LOCKOUT-3", "count-per-code")
class CountPerCode(CountsByKey):
    """Failures are counted per code: one guess tried on ever fresh codes is never stopped."""

    def key(self, transaction: Transaction | None, asked: Asked) -> bytes:
        return b"" if transaction is None else transaction.id.encode() + transaction.seal


@breaks("LOCKOUT-3", "count-per-session")
class CountPerSession(CountsByKey):
    """Failures are counted per session cookie: without it the count begins anew."""

    def key(self, transaction: Transaction | None, asked: Asked) -> bytes:
        return header(asked.headers, b"cookie") or secrets.token_bytes(16)

    def start(self, asked: Asked) -> Answer:
        answer = super().start(asked)
        if header(asked.headers, b"cookie"):
            return answer
        cookie = f"session={secrets.token_urlsafe(16)}; Path=/; HttpOnly"
        return Answer(answer.status, answer.fields, ((b"set-cookie", cookie.encode()),))


@breaks("LOCKOUT-4", "resend-ignores-lock")
class ResendIgnoresLock(SafeKey):
    """A resend sends a code though the card is locked."""

    def refuses_locked(self, card: Card, operation: Operation, now: float) -> bool:
        return operation is not Operation.RESEND and super().refuses_locked(card, operation, now)


@breaks("LOCKOUT-4", "resend-clears-lock")
class ResendClearsLock(SafeKey):
    """A resend unlocks the card (CVE-2026-9798)."""

    def refuses_locked(self, card: Card, operation: Operation, now: float) -> bool:
        if operation is Operation.RESEND and self.is_locked(card, now):
            card.locked_at, card.failures = None, 0
        return super().refuses_locked(card, operation, now)


@breaks("LOCKOUT-5", "count-per-address")
class CountPerAddress(CountsByKey):
    """Failures are counted per X-Forwarded-For, which the caller writes (GHSA-c55g-q6f4-5qxr)."""

    def key(self, transaction: Transaction | None, asked: Asked) -> bytes:
        return header(asked.headers, b"x-forwarded-for")


@breaks("LOCKOUT-6", "lock-ends-by-itself")
class LockEndsByItself(SafeKey):
    """A lock that only support should end is over after one validity."""

    def lock_has_ended(self, locked_at: float, now: float) -> bool:
        return now - locked_at >= self.validity_s


@breaks("LOCKOUT-6", "lock-ends-too-soon", lock_for=timedelta(minutes=30))
class LockEndsTooSoon(SafeKey):
    """A lock is over after half of its declared time."""

    def lock_has_ended(self, locked_at: float, now: float) -> bool:
        return super().lock_has_ended(locked_at, locked_at + 2 * (now - locked_at))


@breaks("LOCKOUT-7", "unlock-revives-codes")
class UnlockRevivesCodes(SafeKey):
    """Codes from before the lock are good again when support unlocks."""

    def release(self, card: Card, now: float) -> None:
        card.locked_at, card.failures = None, 0


@breaks("LOCKOUT-7", "challenge-survives-lock", lock_for=timedelta(minutes=5))
class ChallengeSurvivesLock(UnlockRevivesCodes):
    """When a lock has lasted its time, the same challenge goes on (keycloak #26177)."""


@breaks("LOCKOUT-7", "unlock-does-nothing")
class UnlockDoesNothing(SafeKey):
    """Support is told that the card is unlocked, and it is not."""

    def release(self, card: Card, now: float) -> None:
        pass


@breaks("LOCKOUT-7", "unlock-keeps-count")
class UnlockKeepsCount(SafeKey):
    """An unlocked card keeps its count: the next wrong code locks it again."""

    def release(self, card: Card, now: float) -> None:
        failures = card.failures
        super().release(card, now)
        card.failures = failures


@breaks("LOCKOUT-8", "success-keeps-count")
class SuccessKeepsCount(SafeKey):
    """Success does not clear the count: typos of months add up to a lock (ZITADEL 2.53.9)."""

    def clear_count(self, card: Card) -> None:
        pass


@breaks("LOCKOUT-9", "lock-spills-over")
class LockSpillsOver(SafeKey):
    """One locked card locks all others."""

    def is_locked(self, card: Card, now: float) -> bool:
        return any(each.locked_at is not None for each in self.store.cards.values())


@breaks("LOCKOUT-10", "locked-answer-tells")
class LockedAnswerTells(RightCodeIsSeen):
    """A locked card answers a wrong code with `wrong_otc`, the right one with `locked`."""

    def judge(self, transaction: Transaction, asked: Asked, now: float) -> Status:
        verdict = super().judge(transaction, asked, now)
        if verdict is not Status.LOCKED or self.is_right_though_locked(transaction, asked, now):
            return verdict
        return Status.WRONG_OTC


@breaks("LOCKOUT-10", "locked-answer-hints")
class LockedAnswerHints(RightCodeIsSeen):
    """A locked card's answer to the right code has a field more than to a wrong one."""

    def verify(self, transaction_id: str, asked: Asked) -> Answer:
        transaction, now = self.store.transactions.get(transaction_id), self.clock.now()
        if transaction is not None and self.is_right_though_locked(transaction, asked, now):
            return Answer(Status.LOCKED, {"tries_left": 0})
        return super().verify(transaction_id, asked)
