"""What was sent to whom: the messages that a test reads instead of a telephone."""

from collections import deque
from collections.abc import Iterable

import msgspec

KEPT = 100_000
"""The newest so many are kept: an hour of load must not fill the memory."""


class Message(msgspec.Struct, frozen=True, gc=False):
    """One message on its way to a card holder. `seq` rises over the whole life of the server."""

    seq: int
    to: str
    channel: str
    text: str
    sent_at: float


class Outbox:
    """The newest messages, indexed by address: a poll costs what it answers, however many."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._seq = 0
        self._all: deque[Message] = deque()
        self._by_address: dict[str, deque[Message]] = {}

    def put(self, to: str, channel: str, text: str, sent_at: float) -> None:
        """Keep a message, and drop the oldest where there are too many."""
        self._seq += 1
        message = Message(self._seq, to, channel, text, sent_at)
        self._all.append(message)
        self._by_address.setdefault(to, deque()).append(message)
        if len(self._all) > self._kept:
            self._drop_oldest()

    def messages(self, to: str | None = None, after: int = 0) -> list[Message]:
        """Those after the message numbered `after`, oldest first; of one address, where given."""
        source = self._all if to is None else self._by_address.get(to, ())
        return list(reversed(list(_newer(reversed(source), after))))

    def clear(self) -> None:
        """Forget all messages; the numbers go on, so that a poll in flight misses nothing."""
        self._all.clear()
        self._by_address.clear()

    def _drop_oldest(self) -> None:
        oldest = self._all.popleft()
        of_address = self._by_address[oldest.to]
        of_address.popleft()
        if not of_address:
            del self._by_address[oldest.to]


def _newer(newest_first: Iterable[Message], after: int) -> Iterable[Message]:
    for message in newest_first:
        if message.seq <= after:
            return
        yield message
