"""ISSUE: servers whose codes are not fresh, not random, not secret or not limited."""

import itertools
import random
import secrets
from collections.abc import Iterator
from datetime import timedelta
from functools import cached_property

from otpspec_reference.answers import Answer, Asked
from otpspec_reference.decisions import Operation
from otpspec_reference.mutants.catalogue import ClearCodes, breaks
from otpspec_reference.rules import SafeKey
from otpspec_reference.settings import StartLimit
from otpspec_reference.store import Card, Transaction


@breaks("ISSUE-1", "one-code-per-card")
class OneCodePerCard(SafeKey):
    """A card has one code, the same for all its transactions."""

    @cached_property
    def codes(self) -> dict[str, str]:
        return {}

    def new_code(self, card: Card, now: float) -> str:
        return self.codes.setdefault(card.id, super().new_code(card, now))


@breaks("ISSUE-2", "codes-count-up")
class CodesCountUp(SafeKey):
    """Each code is the one before it plus one."""

    @cached_property
    def counter(self) -> Iterator[int]:
        return itertools.count(secrets.randbelow(10**self.settings.digits))

    def new_code(self, card: Card, now: float) -> str:
        size = self.settings.digits
        return str(next(self.counter) % 10**size).zfill(size)


@breaks("ISSUE-2", "first-digit-never-0")
class FirstDigitNever0(SafeKey):
    """A code never begins with a zero: a tenth of all codes is never made."""

    def new_code(self, card: Card, now: float) -> str:
        lowest = 10 ** (self.settings.digits - 1)
        return str(lowest + secrets.randbelow(9 * lowest))


@breaks("ISSUE-2", "codes-seeded-by-time")
class CodesSeededByTime(SafeKey):
    """A code follows from the second in which it was made (CVE-2021-23451)."""

    def new_code(self, card: Card, now: float) -> str:
        size = self.settings.digits
        return str(random.Random(int(now)).randrange(10**size)).zfill(size)  # noqa: S311 # the fault


@breaks("ISSUE-3", "code-in-start-answer")
class CodeInStartAnswer(ClearCodes):
    """The answer to start carries the code."""

    def started(self, transaction: Transaction, now: float) -> dict[str, object]:
        return {**super().started(transaction, now), "otc": self.sent_codes[transaction.id]}


@breaks("ISSUE-3", "code-in-start-header")
class CodeInStartHeader(ClearCodes):
    """A header of the answer to start carries the code (CVE-2026-105211)."""

    def start(self, asked: Asked) -> Answer:
        answer = super().start(asked)
        code = self.sent_codes.get(str(answer.fields.get("transaction_id")), "")
        return Answer(answer.status, answer.fields, ((b"x-debug-id", code.encode()),))


@breaks("ISSUE-4", "starts-unlimited", max_starts=StartLimit(5, timedelta(minutes=10)))
class StartsUnlimited(SafeKey):
    """The declared limit on starts of a card is not kept."""

    def start_is_throttled(self, card: Card, now: float) -> bool:
        return False


@breaks("ISSUE-5", "start-ignores-lock")
class StartIgnoresLock(SafeKey):
    """A locked card gets a new code."""

    def refuses_locked(self, card: Card, operation: Operation, now: float) -> bool:
        return operation is not Operation.START and super().refuses_locked(card, operation, now)
