"""LOAD: servers that are right as long as few ask at a time."""

import asyncio
from functools import cached_property

from starlette.types import Receive, Scope

from otpspec_reference.answers import Answer, Asked, Status
from otpspec_reference.http import Ask, CutOffError, Face
from otpspec_reference.mutants.catalogue import breaks
from otpspec_reference.mutants.race import InSteps
from otpspec_reference.store import Transaction

CROWD = 24
"""With more requests than these in flight, the server takes a short cut."""

WORK_S = 0.002
"""What each request waits for: a connection to a database, say."""

SLOW_S = 0.02
"""How long one request has the server to itself."""


class InACrowd(InSteps):
    """A base: requests wait a moment, and verify is careless while many are in flight."""

    in_flight = 0

    async def perform(self, ask: Ask, scope: Scope, receive: Receive) -> Answer:
        """Count who is in, and wait."""
        self.in_flight += 1
        try:
            await asyncio.sleep(WORK_S)
            return await super().perform(ask, scope, receive)
        finally:
            self.in_flight -= 1

    async def verify(self, transaction_id: str, asked: Asked) -> Answer:
        """Verify, with the short cut where the server is crowded."""
        rules, now = self.safekey, self.safekey.clock.now()
        transaction = rules.store.transactions.get(transaction_id)
        if transaction is None:
            return rules.unknown_transaction(transaction_id, asked)
        verdict = rules.judge(transaction, asked, now)
        if self.in_flight > CROWD and self.lets_through(verdict, transaction, asked):
            verdict = Status.APPROVED
        return rules.settle(transaction, verdict, asked, now)

    def lets_through(self, verdict: Status, transaction: Transaction, asked: Asked) -> bool:
        """What a crowd gets through that it should not."""
        raise NotImplementedError


@breaks("LOAD-2", "csc-unchecked-in-a-crowd")
class CscUncheckedInACrowd(InACrowd):
    """With more than 24 requests in flight the 3CSC is not checked."""

    def lets_through(self, verdict: Status, transaction: Transaction, asked: Asked) -> bool:
        return verdict is Status.WRONG_CSC


@breaks("LOAD-2", "otc-unchecked-in-a-crowd")
class OtcUncheckedInACrowd(InACrowd):
    """With more than 24 requests in flight the code is not checked."""

    def lets_through(self, verdict: Status, transaction: Transaction, asked: Asked) -> bool:
        return verdict is Status.WRONG_OTC


@breaks("LOAD-1", "expiry-unchecked-in-a-crowd")
class ExpiryUncheckedInACrowd(InACrowd):
    """With more than 24 requests in flight nobody looks how old a code is."""

    def lets_through(self, verdict: Status, transaction: Transaction, asked: Asked) -> bool:
        otc = self.safekey.read_otc(asked)
        right = otc is not None and self.safekey.otc_is_right(transaction, otc)
        return verdict is Status.EXPIRED and right


@breaks("LOAD-3", "one-lock-for-all")
class OneLockForAll(Face):
    """One code at a time is verified, whoever's it is, and each takes 20 ms."""

    @cached_property
    def lock(self) -> asyncio.Lock:
        return asyncio.Lock()

    async def perform(self, ask: Ask, scope: Scope, receive: Receive) -> Answer:
        """Wait until it is one's turn."""
        if ask != self.safekey.verify:
            return await super().perform(ask, scope, receive)
        try:
            async with self.lock:
                await asyncio.sleep(SLOW_S)
        except asyncio.CancelledError:  # the server ends, and who waits has gone long ago
            raise CutOffError from None
        return await super().perform(ask, scope, receive)
