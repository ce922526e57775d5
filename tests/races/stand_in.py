"""A bank over real sockets whose verify a test writes: threads, and a lock where it is sound."""

import itertools
import json
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.harness.scripted import Asked, Said


@dataclass
class Transaction:
    """A transaction, as the bank keeps it."""

    otc: str
    failures: int = 0
    used: bool = False
    out: bool = False  # taken out of the store, to be put back


@dataclass
class Bank:
    """Enrols, starts, lists messages; `verify` is the test's."""

    verify: Callable[["Bank", Transaction, str], Said]
    lock: threading.Lock = field(default_factory=threading.Lock)
    transactions: dict[str, Transaction] = field(default_factory=dict)
    messages: list[dict[str, Any]] = field(default_factory=list)
    phones: dict[str, str] = field(default_factory=dict)
    ids: Any = field(default_factory=lambda: itertools.count(1))
    rng: random.Random = field(default_factory=lambda: random.Random(5))

    def __call__(self, asked: Asked) -> Said:
        path = urlsplit(asked.target).path
        if path == "/cards":
            card = f"card-{next(self.ids)}"
            self.phones[card] = asked.json["phone"]
            return 201, {"card_id": card}
        if path == "/transactions":
            number = f"tx-{next(self.ids)}"
            made = self.transactions[number] = Transaction(f"{self.rng.randrange(10**6):06}")
            to = self.phones[asked.json["card"]]
            text = f"Code {made.otc}."
            self.messages.append({"seq": next(self.ids), "to": to, "text": text})
            return 201, {"transaction_id": number}
        if path == "/outbox":
            to = parse_qs(urlsplit(asked.target).query)["to"][0]
            return 200, {"messages": [m for m in self.messages if m["to"] == to]}
        transaction = self.transactions[path.split("/")[2]]
        return self.verify(self, transaction, str(json.loads(asked.body)["otc"]))


APPROVED = (200, {"status": "approved"})
WRONG = (403, {"status": "wrong"})
DEAD = (404, {"status": "dead"})
FAILED = (500, {"status": "error"})


def sound(bank: Bank, transaction: Transaction, otc: str) -> Said:
    """One at a time: three wrong ones, or one right one, and it is dead."""
    time.sleep(0.003)
    with bank.lock:
        if transaction.used or transaction.failures >= 3:
            return DEAD
        if otc == transaction.otc:
            transaction.used = True
            return APPROVED
        transaction.failures += 1
        return WRONG
