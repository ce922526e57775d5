"""Which card a scenario gets: a fresh one, or one of the profile's own in a known state."""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass
from typing import Protocol

from otpspec.cards import Card, given_card, new_card
from otpspec.ledger import Ledger, State
from otpspec.profile import Profile
from otpspec.target import Answer
from otpspec.verdicts import Inconclusive

SPARE = 1
"""Cards that a scenario may take beyond what it took on a sound target: for its control."""


class Taker(Protocol):
    """Who takes a card: a trial."""

    async def enrol(self, card: Card) -> Answer:
        """Make a card known to the target."""

    async def skip(self, card: Card) -> None:
        """What came to the card before is nobody's."""


class Lease(Protocol):
    """The cards of one scenario."""

    async def take(self, taker: Taker) -> Card:
        """Another card. Raises Inconclusive where there is none."""

    def shares(self, card: Card) -> bool:
        """Whether other cards have the same contact, and their messages do not tell."""

    def alone(self, card: Card) -> AbstractAsyncContextManager[object]:
        """Nobody else has a message sent to the card's contact for as long as the block lasts."""


class Enrolled:
    """Cards that the target enrols, fresh for every scenario."""

    def __init__(self, profile: Profile) -> None:
        self._contacts = contacts(profile)

    @asynccontextmanager
    async def lease(self, scenario: str) -> AsyncIterator[Lease]:
        """As many as it wants."""
        yield self

    async def take(self, taker: Taker) -> Card:
        """A fresh card."""
        card = new_card(self._contacts)
        await taker.enrol(card)
        return card

    def shares(self, card: Card) -> bool:
        """Each has contacts of its own."""
        return False

    def alone(self, card: Card) -> AbstractAsyncContextManager[object]:
        """Each has contacts of its own."""
        return nullcontext()


def contacts(profile: Profile) -> tuple[str, ...]:
    """Which of a card's contacts codes are sent to."""
    return tuple(dict.fromkeys(channel.contact for channel in profile.channels))


class CannotCleanError(Exception):
    """A card cannot be brought to a known state; the message says why."""


@dataclass
class _Slot:
    card: Card
    state: State
    given: dict[str, str]  # as the profile has it: a scenario may change its contact


Clean = Callable[[Card, Mapping[str, str]], Awaitable[None]]
"""Brings a card to a known state. Raises CannotCleanError."""


class Given:
    """The profile's own cards, each lent to one scenario at a time.

    `needs` says how many cards each scenario takes on a sound target: so many are reserved before
    it starts, so that no two scenarios wait for each other's.
    """

    def __init__(
        self, profile: Profile, needs: Mapping[str, int], ledger: Ledger, clean: Clean
    ) -> None:
        self._needs = needs
        self._clean = clean
        self._ledger = ledger
        kinds = contacts(profile)
        self._slots = []
        for number, row in enumerate(profile.cards, 1):
            card = given_card(row, number, kinds)
            self._slots.append(_Slot(card, ledger.state(card.label), dict(row)))
        self._free = deque(slot for slot in self._slots if slot.state is not State.SET_ASIDE)
        self._queue: deque[tuple[int, asyncio.Future[list[_Slot]]]] = deque()
        tells = all(c.settings.reference is not None for c in profile.channels if c.sends)
        several = Counter(slot.card.contact for slot in self._slots if profile.sends_messages)
        shared = [contact for contact, cards in several.items() if cards > 1 and not tells]
        self._shared = {contact: asyncio.Lock() for contact in shared}

    @property
    def set_aside(self) -> list[str]:
        """The cards that could not be brought to a known state, and why."""
        aside = [slot.card.label for slot in self._slots if slot.state is State.SET_ASIDE]
        return [f"{label}: {self._ledger.why(label)}" for label in aside]

    @asynccontextmanager
    async def lease(self, scenario: str) -> AsyncIterator[Lease]:
        """The scenario's cards, once they are free. Raises Inconclusive where there are too few."""
        lent = _Lent(self, await self._reserve(self._needs.get(scenario, 0) + SPARE))
        try:
            yield lent
        finally:
            self._free.extend(lent.slots)
            self._grant()

    async def _reserve(self, count: int) -> list[_Slot]:
        if count - SPARE == 0:
            return []
        future: asyncio.Future[list[_Slot]] = asyncio.get_running_loop().create_future()
        self._queue.append((count, future))
        self._grant()
        return await future

    def _grant(self) -> None:
        """Lend to whoever has waited longest, so that nobody waits for ever."""
        while self._queue:
            count, future = self._queue[0]
            usable = sum(slot.state is not State.SET_ASIDE for slot in self._slots)
            count = min(count, usable)
            if not future.done() and len(self._free) < count:
                return
            self._queue.popleft()
            if not future.done():
                future.set_result([self._free.popleft() for _ in range(count)])

    async def ready(self, slot: _Slot) -> bool:
        """Bring a card to a known state; False: it is set aside."""
        if slot.state is not State.CLEAN:
            try:
                await self._clean(slot.card, slot.given)
            except CannotCleanError as error:
                slot.state = State.SET_ASIDE
                self._ledger.note(slot.card.label, slot.state, str(error))
                return False
        slot.state = State.USED
        slot.card.tried.clear()
        self._ledger.note(slot.card.label, slot.state)
        return True

    def housekeeping(self) -> Lease:
        """A lease of no cards, for who cleans them."""
        return _Lent(self, [])

    async def clean_up(self, leave: Clean) -> None:
        """Leave the cards as they were found, as far as that can be done."""
        for slot in self._slots:
            if slot.state is State.USED:
                try:
                    await leave(slot.card, slot.given)
                except CannotCleanError as error:
                    self._ledger.note(slot.card.label, slot.state, str(error))

    def shares(self, card: Card) -> bool:
        """Whether other cards have the same contact, and their messages do not tell."""
        return card.contact in self._shared

    def alone(self, card: Card) -> AbstractAsyncContextManager[object]:
        """Nobody else has a message sent to the card's contact for as long as the block lasts."""
        return self._shared.get(card.contact, nullcontext())


class _Lent:
    """Cards that are lent to one scenario."""

    def __init__(self, pool: Given, slots: list[_Slot]) -> None:
        self.slots = slots
        self.shares = pool.shares
        self.alone = pool.alone
        self._pool = pool
        self._left = deque(slots)

    async def take(self, taker: Taker) -> Card:
        """Another card, in a known state. Raises Inconclusive where there is none."""
        while self._left:
            slot = self._left.popleft()
            if await self._pool.ready(slot):
                await taker.skip(slot.card)
                return slot.card
            self.slots.remove(slot)
        aside = self._pool.set_aside
        why = f"; set aside: {'; '.join(aside[:3])}" if aside else ""
        raise Inconclusive(f"too few cards are left{why}")
