"""RACE: servers that read, wait for something, and write, as if nobody else were there.

Each is right as long as it is asked one thing at a time.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import cached_property

from starlette.types import Receive, Scope

from otpspec_reference.answers import Answer, Asked, Status
from otpspec_reference.decisions import Operation
from otpspec_reference.http import Ask, Face, read_body
from otpspec_reference.mutants.catalogue import breaks
from otpspec_reference.mutants.twin import Twin
from otpspec_reference.store import State

PAUSE_S = 0.001
"""What a database on the same machine takes."""

Slow = Callable[[str, Asked], Awaitable[Answer]]


class InSteps(Face):
    """A base: some operations are carried out in steps, with other requests between them."""

    def slow(self, ask: Ask) -> Slow | None:
        """The operation in steps; None: at once, as it is."""
        return self.verify if ask == self.safekey.verify else None

    async def perform(self, ask: Ask, scope: Scope, receive: Receive) -> Answer:
        asked = Asked(self.read(await read_body(receive)), tuple(scope["headers"]))
        slow = self.slow(ask) or self.at_once(ask)
        return await slow(scope["path_params"].get("id", ""), asked)

    def at_once(self, ask: Ask) -> Slow:
        """An operation as it is."""

        async def perform(subject: str, asked: Asked) -> Answer:
            return ask(subject, asked)

        return perform

    async def verify(self, transaction_id: str, asked: Asked) -> Answer:
        """Verify: where the verdict is one that it pauses on, others come in between."""
        rules, now = self.safekey, self.safekey.clock.now()
        transaction = rules.store.transactions.get(transaction_id)
        if transaction is None:
            return rules.unknown_transaction(transaction_id, asked)
        failures = transaction.card.failures
        verdict = rules.judge(transaction, asked, now)
        if self.pauses_on(verdict):
            await asyncio.sleep(PAUSE_S)
            if verdict is Status.WRONG_OTC:
                transaction.card.failures = failures  # what was read is what is written, plus one
        return rules.settle(transaction, verdict, asked, now)

    def pauses_on(self, verdict: Status) -> bool:
        """After which verdict others come in before it is written down."""
        return False


@breaks("RACE-1", "used-read-then-written")
class UsedReadThenWritten(InSteps):
    """The used flag is read, and written a moment later: others are accepted in between."""

    def pauses_on(self, verdict: Status) -> bool:
        return verdict is Status.APPROVED


@breaks("RACE-2", "count-read-then-written")
class CountReadThenWritten(InSteps):
    """The count is read, and written a moment later, one higher: what came in between is lost."""

    def pauses_on(self, verdict: Status) -> bool:
        return verdict is Status.WRONG_OTC


@breaks("RACE-5", "void-written-late")
class VoidWrittenLate(InSteps):
    """A wrong 3CSC voids the transaction a moment later, though it was approved in between."""

    def pauses_on(self, verdict: Status) -> bool:
        return verdict is Status.WRONG_CSC


@breaks("RACE-4", "lock-looked-at-too-soon")
class LockLookedAtTooSoon(InSteps):
    """The lock is looked at a moment before the code, and a locked card answers `wrong_otc`."""

    async def verify(self, transaction_id: str, asked: Asked) -> Answer:
        rules, now = self.safekey, self.safekey.clock.now()
        transaction = rules.store.transactions.get(transaction_id)
        if transaction is None:
            return rules.unknown_transaction(transaction_id, asked)
        verdict = rules.judge(transaction, asked, now)
        if verdict is Status.LOCKED:
            return Answer(Status.WRONG_OTC, {"tries_left": 0})
        await asyncio.sleep(PAUSE_S)
        died = rules.death(transaction, now)
        return rules.settle(transaction, died or verdict, asked, now)


@breaks("RACE-3", "resend-in-two-steps")
class ResendInTwoSteps(InSteps):
    """A resend looks at the transaction, and sends a moment later: it was used in between."""

    def slow(self, ask: Ask) -> Slow | None:
        return self.resend if ask == self.safekey.resend else None

    async def resend(self, transaction_id: str, asked: Asked) -> Answer:
        """Look, pause, send."""
        rules, now = self.safekey, self.safekey.clock.now()
        transaction = rules.store.transactions.get(transaction_id)
        if transaction is None:
            return rules.unknown_transaction(transaction_id, asked)
        refused = rules.refuses(transaction, Operation.RESEND, now)
        if refused is not None or asked.body is None or rules.resend_is_throttled(transaction):
            return rules.resend(transaction_id, asked)
        await asyncio.sleep(PAUSE_S)
        rules.issue_again(transaction, asked, now)
        return Answer(Status.SENT, rules.sent(transaction, now))


@breaks("RACE-3", "unlock-in-two-steps")
class UnlockInTwoSteps(InSteps):
    """An unlock takes the lock off, and voids the old codes a moment later."""

    def slow(self, ask: Ask) -> Slow | None:
        return self.unlock_in_steps if ask == self.unlock else None

    async def unlock_in_steps(self, card_id: str, asked: Asked) -> Answer:
        """Take the lock off, pause, void."""
        card = self.safekey.store.cards.get(card_id)
        if card is not None and self.is_support(asked):
            card.locked_at, card.failures = None, 0
            await asyncio.sleep(PAUSE_S)
        return self.unlock(card_id, asked)


@breaks("RACE-1", "two-processes")
class TwoProcesses(Face):
    """Two processes behind one port share cards and codes, and each counts for itself."""

    @cached_property
    def twin(self) -> Twin:
        """The second process, started when it is first needed."""
        return Twin(self.safekey)

    async def perform(self, ask: Ask, scope: Scope, receive: Receive) -> Answer:
        asked = Asked(self.read(await read_body(receive)), tuple(scope["headers"]))
        subject = scope["path_params"].get("id", "")
        if ask == self.safekey.verify and self.twin.serves(scope.get("client")):
            transaction = self.safekey.store.transactions.get(subject)
            if transaction is not None and transaction.state is not State.VOID:
                return await self.twin.verify(transaction, asked)
        answer = ask(subject, asked)
        self.twin.note(str(answer.fields.get("transaction_id", subject)))
        if ask == self.unlock and answer.status is Status.UNLOCKED:
            await self.twin.unlock(subject)
        return answer
