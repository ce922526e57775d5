"""What an inbox keeps: by contact, for every thread, and never without bounds."""

import threading
from collections import Counter, OrderedDict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from otpspec import realtime
from otpspec.inbox import contacts
from otpspec.profile import Message

LONGEST_TEXT = 32_768
"""Characters of a text that are kept; a code stands at its beginning."""

MOST_NOTES = 20
"""Kinds of things that could not be read, of which a count is kept."""


class _Kept(NamedTuple):
    message: Message
    keys: frozenset[str]
    shown: tuple[str, ...]  # the contacts as they were written, where these are known


class Store:
    """Messages by contact. The oldest are dropped: of one contact, and of all together.

    `noun` is what a message is called in sentences: "mail"; `others` says of those that nobody
    asked for where they went.
    """

    def __init__(
        self,
        noun: str,
        *,
        others: str = "came to other contacts",
        per_contact: int = 1_000,
        overall: int = 100_000,
    ) -> None:
        self._noun = noun
        self._others = others
        self._per_contact = per_contact
        self._overall = overall
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, _Kept] = OrderedDict()  # by id, oldest first
        self._by_key: dict[str, OrderedDict[str, Message]] = {}
        self._asked: set[str] = set()
        self._notes: Counter[str] = Counter()
        self._count = 0

    def add(
        self,
        keys: Iterable[str],
        text: str,
        *,
        shown: Sequence[str] = (),
        message_id: str = "",
        arrived_s: float | None = None,
    ) -> str:
        """Keep a message for every contact whose key (see contacts.key) is given; its id.

        Without `arrived_s` it came now. One whose id is there already is not kept twice.
        """
        arrived = realtime.monotonic() if arrived_s is None else arrived_s
        with self._lock:
            self._count += 1
            message = Message(message_id or str(self._count), text[:LONGEST_TEXT], arrived)
            if message.id in self._kept:
                return message.id
            kept = _Kept(message, frozenset(keys), tuple(shown))
            self._kept[message.id] = kept
            for key in kept.keys:
                theirs = self._by_key.setdefault(key, OrderedDict())
                theirs[message.id] = message
                if len(theirs) > self._per_contact:
                    theirs.popitem(last=False)
            if len(self._kept) > self._overall:
                self._drop(self._kept.popitem(last=False)[1])
            return message.id

    def _drop(self, old: _Kept) -> None:
        for key in old.keys:
            if theirs := self._by_key.get(key):
                theirs.pop(old.message.id, None)
                if not theirs:
                    del self._by_key[key]

    def messages(self, contact: str) -> list[Message]:
        """All that are kept for a contact, oldest first."""
        key = contacts.key(contact)
        with self._lock:
            self._asked.add(key)
            theirs = self._by_key.get(key)
            return list(theirs.values()) if theirs else []

    def note(self, what: str) -> None:
        """Remember what came and was no message, for `seen`: "a request came without a text"."""
        with self._lock:
            if what in self._notes or len(self._notes) < MOST_NOTES:
                self._notes[what] += 1

    def seen(self) -> str:
        """What came: for contacts that were asked for, for others, and what was no message."""
        with self._lock:
            kept, asked = list(self._kept.values()), frozenset(self._asked)
            notes = list(self._notes.items())
        others = [one for one in kept if not one.keys & asked]
        parts = []
        if wanted := len(kept) - len(others):
            parts.append(f"{self._some(wanted)} came to contacts that were asked for")
        if others:
            parts.append(f"{self._some(len(others))} {self._others}{_ends(others)}")
        parts += [what if count == 1 else f"{what} ({count} times)" for what, count in notes]
        return "; ".join(parts) or "nothing came"

    def _some(self, count: int) -> str:
        return f"1 {self._noun}" if count == 1 else f"{count} {self._noun}s"


def _ends(messages: Iterable[_Kept]) -> str:
    """' (…0123, …0124 and 5 more)', or nothing where no contact is known."""
    ends = list(dict.fromkeys(contacts.masked(one) for m in messages for one in m.shown))
    more = f" and {len(ends) - 3} more" if len(ends) > 3 else ""
    return f" ({', '.join(ends[:3])}{more})" if ends else ""
