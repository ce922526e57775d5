"""A second process that judges codes, and counts and remembers for itself.

What a database would hold is told to it with each request: the card and the code that was sent.
What a process keeps in its own memory it keeps alone: how many tries were wrong, the lock, and
which codes were used. One line of JSON is asked, one is answered; it ends with its first process.
"""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections import OrderedDict
from datetime import timedelta
from typing import Any

import msgspec

from otpspec_reference.answers import Answer, Asked, Status
from otpspec_reference.clock import Clock
from otpspec_reference.rules import SafeKey
from otpspec_reference.settings import Alphabet, Settings
from otpspec_reference.store import Card, Transaction

REMEMBERED = 10_000
"""So many connections are told apart at once, and so many codes are kept."""

_RUN = f"import sys; from {__name__} import main; main(sys.argv[1:])"

_encode = msgspec.json.encode


class Told(msgspec.Struct):
    """What the second process is told of a transaction, or of an unlocked card."""

    now: float
    card: str
    key: bytes
    csc_seal: bytes = b""
    transaction: str = ""  # "": support has unlocked the card
    seal: bytes = b""
    sent_at: float = 0.0
    csc_required: bool = False
    body: dict[str, Any] | None = None


class Said(msgspec.Struct):
    """What it answers."""

    status: str
    fields: dict[str, Any] = {}


class Twin:
    """The second process, as the first one sees it."""

    def __init__(self, safekey: SafeKey) -> None:
        self._safekey = safekey
        self._process: Process | None = None
        self._turn = asyncio.Lock()
        self._connections: OrderedDict[object, bool] = OrderedDict()
        self._codes: OrderedDict[str, tuple[bytes, float]] = OrderedDict()

    def serves(self, client: object) -> bool:
        """Whether this connection is the second process's: every second one is."""
        if client not in self._connections:
            self._connections[client] = len(self._connections) % 2 == 1
            if len(self._connections) > REMEMBERED:
                self._connections.popitem(last=False)
                self._connections.popitem(last=False)
        return self._connections[client]

    def note(self, transaction_id: str) -> None:
        """Remember the code that was sent last, as a database does, also when it was used here."""
        transaction = self._safekey.store.transactions.get(transaction_id)
        if transaction is not None and transaction.seal:
            self._codes[transaction_id] = transaction.seal, transaction.sent_at
            if len(self._codes) > REMEMBERED:
                self._codes.popitem(last=False)

    async def verify(self, transaction: Transaction, asked: Asked) -> Answer:
        """Have it judge what was typed."""
        card = transaction.card
        seal, sent_at = self._codes.get(transaction.id, (b"", 0.0))
        told = Told(
            now=self._safekey.clock.now(),
            card=card.id,
            key=self._safekey._key,
            csc_seal=card.csc_seal,
            transaction=transaction.id,
            seal=seal,
            sent_at=sent_at,
            csc_required=transaction.csc_required,
            body=asked.body,
        )
        said = await self._ask(told)
        return Answer(Status(said.status), said.fields)

    async def unlock(self, card_id: str) -> None:
        """Tell it that support has unlocked a card; who has never met it knows no lock."""
        if self._process is not None:
            await self._ask(Told(self._safekey.clock.now(), card_id, self._safekey._key))

    async def _ask(self, told: Told) -> Said:
        async with self._turn:
            process = self._process = self._process or await self._started()
            assert process.stdin is not None  # noqa: S101 - they are pipes
            assert process.stdout is not None  # noqa: S101
            process.stdin.write(_encode(told) + b"\n")
            return msgspec.json.decode(await process.stdout.readline(), type=Said)

    async def _started(self) -> Process:
        settings = self._safekey.settings
        words = [str(settings.validity.total_seconds()), str(settings.max_wrong)]
        words += [str(settings.digits), settings.alphabet, str(int(settings.merge_failures))]
        return await asyncio.create_subprocess_exec(
            sys.executable, "-c", _RUN, *words, stdin=PIPE, stdout=PIPE
        )


def main(words: list[str]) -> None:
    """Judge what comes on the standard input, until it ends."""
    validity, max_wrong, digits, alphabet, merge = words
    settings = Settings(
        validity=timedelta(seconds=float(validity)),
        max_wrong=int(max_wrong),
        digits=int(digits),
        alphabet=Alphabet(alphabet),
        merge_failures=merge == "1",
    )
    now = 0.0
    safekey = SafeKey(settings, Clock(real=lambda: now), lambda *message: None)
    for line in sys.stdin.buffer:
        told = msgspec.json.decode(line, type=Told)
        now, safekey._key = told.now, told.key
        answer = answered(safekey, told)
        sys.stdout.buffer.write(_encode(Said(answer.status, answer.fields)) + b"\n")
        sys.stdout.buffer.flush()


def answered(safekey: SafeKey, told: Told) -> Answer:
    """What the second process answers: by the strict rules, on what it has seen itself."""
    store = safekey.store
    card = store.cards.setdefault(
        told.card, Card(told.card, "+0", None, told.csc_seal, b"", open={})
    )
    if not told.transaction:
        safekey.release(card, told.now)
        return Answer(Status.UNLOCKED)
    transaction = store.transactions.get(told.transaction)
    if transaction is None:
        transaction = Transaction(told.transaction, card, "", "", "", told.csc_required)
        store.add(transaction, told.now)
    if told.seal:
        transaction.seal, transaction.sent_at = told.seal, told.sent_at
        transaction.csc_required = told.csc_required
    return safekey.verify(told.transaction, Asked(told.body))
