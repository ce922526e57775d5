"""BINDING: servers whose codes are good for more than the one transaction they were sent for."""

import itertools
from collections.abc import Iterator
from functools import cached_property

from otpspec_reference.answers import Asked
from otpspec_reference.mutants.catalogue import breaks
from otpspec_reference.rules import SafeKey
from otpspec_reference.store import Transaction


@breaks("BINDING-1", "any-code-of-the-card")
class AnyCodeOfTheCard(SafeKey):
    """Any live code of the card is right for each of its transactions."""

    def otc_is_right(self, transaction: Transaction, otc: str) -> bool:
        each = transaction.card.open.values()
        return any(super(AnyCodeOfTheCard, self).otc_is_right(one, otc) for one in each)


@breaks("BINDING-1", "any-code-of-any-card")
class AnyCodeOfAnyCard(SafeKey):
    """Any live code of any card is right for every transaction (CVE-2026-3655)."""

    def otc_is_right(self, transaction: Transaction, otc: str) -> bool:
        each = self.store.transactions.values()
        return any(super(AnyCodeOfAnyCard, self).otc_is_right(one, otc) for one in each)


@breaks("BINDING-2", "amend-keeps-code")
class AmendKeepsCode(SafeKey):
    """The code stays good when amount or payee change."""

    def issue_amended(self, transaction: Transaction, asked: Asked, now: float) -> None:
        pass


@breaks("BINDING-3", "sequential-ids")
class SequentialIds(SafeKey):
    """Transactions are numbered one after the other."""

    @cached_property
    def counter(self) -> Iterator[int]:
        return itertools.count(1000)

    def new_transaction_id(self) -> str:
        return str(next(self.counter))
