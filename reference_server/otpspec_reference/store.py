"""What the server remembers, and for how long."""

from collections import deque
from enum import Enum, auto

import msgspec

REMEMBERED = 100_000
"""So many transactions are remembered whatever their age."""

GHOSTS = 10_000
"""So many unknown cards are played at once, where the policy hides that they are unknown."""


class State(Enum):
    """What became of a transaction. That it expired is not written down: the clock tells."""

    PENDING = auto()
    USED = auto()
    VOID = auto()


# gc=False: the collector would stop the server to walk over a million of them. The one cycle, from
# a card to its open transactions and back, is broken where a transaction is closed or forgotten.


class Card(msgspec.Struct, gc=False, eq=False):
    """A card and its holder's contact. The number is not kept: no rule needs it.

    `open` holds the transactions that are neither used nor void, expired ones included.
    """

    id: str
    phone: str | None
    email: str | None
    csc_seal: bytes
    passphrase_seal: bytes
    failures: int = 0
    locked_at: float | None = None
    starts: deque[float] | None = None
    open: dict[str, "Transaction"] = msgspec.field(default_factory=dict)
    is_ghost: bool = False


class Transaction(msgspec.Struct, gc=False, eq=False):
    """A payment that waits for its code, or did.

    `code` is None, and only its keyed hash is kept, unless a resend must repeat it.
    """

    id: str
    card: Card
    amount: str
    currency: str
    merchant: str
    csc_required: bool
    sent_at: float = 0.0
    seal: bytes = b""
    code: str | None = None
    sent_again: int = 0
    state: State = State.PENDING


class Store:
    """Cards and transactions, in memory.

    Transactions are forgotten, oldest first, when the last code that was sent for them is two
    validities old and more than REMEMBERED of them are there: a code is long dead by then, and an
    hour of load fits. Cards stay, as a bank's do.
    """

    def __init__(self, validity_s: float, remembered: int = REMEMBERED) -> None:
        self.cards: dict[str, Card] = {}
        self.transactions: dict[str, Transaction] = {}
        self._ghosts: dict[str, Card] = {}
        self._oldest_first: deque[Transaction] = deque()
        self._memory_s = 2 * validity_s
        self._remembered = remembered

    def add(self, transaction: Transaction, now: float) -> None:
        """Remember a transaction, and forget long-dead ones in its place."""
        self.transactions[transaction.id] = transaction
        transaction.card.open[transaction.id] = transaction
        self._oldest_first.append(transaction)
        # two for one, so that a crowd is forgotten faster than it grows
        for _ in range(2):
            if len(self._oldest_first) > self._remembered:
                self._forget_oldest(now)

    def close(self, transaction: Transaction, state: State) -> None:
        """Write down what became of it; whatever could still be matched goes."""
        transaction.state = state
        transaction.seal = b""
        transaction.code = None
        transaction.card.open.pop(transaction.id, None)

    def ghost(self, card: Card) -> Card:
        """The card of this id that was played before, else this one from now on."""
        if len(self._ghosts) >= GHOSTS and card.id not in self._ghosts:
            del self._ghosts[next(iter(self._ghosts))]
        return self._ghosts.setdefault(card.id, card)

    def clear(self) -> None:
        """Forget everything."""
        for card in [*self.cards.values(), *self._ghosts.values()]:
            card.open.clear()
        self.cards.clear()
        self.transactions.clear()
        self._ghosts.clear()
        self._oldest_first.clear()

    def _forget_oldest(self, now: float) -> None:
        oldest = self._oldest_first[0]
        if now - oldest.sent_at >= self._memory_s:
            del self.transactions[oldest.id]
            oldest.card.open.pop(oldest.id, None)
            self._oldest_first.popleft()
        elif oldest.sent_again:  # made young by a resend: it must not keep the others here
            self._oldest_first.rotate(-1)
