"""Which card a scenario gets: a fresh one, or one of the profile's own in a known state."""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import Protocol

from otpspec.cards import Card, given_card, new_card
from otpspec.ledger import Ledger, State
from otpspec.profile import Profile
from otpspec.target import Answer
from otpspec.verdicts import Inconclusive

SPARE = 1
"""Cards that a scenario may take beyond what it took on a sound target: for its control."""


_ONE_MORE_S = 15.0
"""How long one more card may take to be ready."""


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

    def shares(self, contact: str) -> bool:
        """Whether several cards have this contact, and messages do not tell which is meant."""

    def alone(self, contact: str) -> AbstractAsyncContextManager[object]:
        """Nobody else has a message sent to the contact for as long as the block lasts."""


class Enrolled:
    """Cards that are made up, fresh for every scenario, and enrolled where the target wants it."""

    def __init__(self, profile: Profile) -> None:
        self._enrols = "enroll" in profile.operations
        self._contacts = contacts(profile)

    @asynccontextmanager
    async def lease(self, scenario: str) -> AsyncIterator[Lease]:
        """As many as it wants."""
        yield self

    async def take(self, taker: Taker) -> Card:
        """A fresh card."""
        card = new_card(self._contacts)
        if self._enrols:
            await taker.enrol(card)
        return card

    def shares(self, contact: str) -> bool:
        """Each has contacts of its own."""
        return False

    def alone(self, contact: str) -> AbstractAsyncContextManager[object]:
        """Each has contacts of its own."""
        return nullcontext()


class Endless:
    """As many cards as anyone wants, like the profile's own."""

    def __init__(self, profile: Profile) -> None:
        self._contacts = contacts(profile)
        self._row = profile.card_values(profile.cards[0]) if profile.cards else {}

    async def take(self, taker: object) -> Card:
        """Another card."""
        made = new_card(self._contacts)
        return replace(made, values=self._row | made.values)

    def shares(self, contact: str) -> bool:
        """Each has contacts of its own."""
        return False

    def alone(self, contact: str) -> AbstractAsyncContextManager[object]:
        """Each has contacts of its own."""
        return nullcontext()

    @asynccontextmanager
    async def lease(self, scenario: str) -> AsyncIterator[Lease]:
        """As many as it wants."""
        yield self


def contacts(profile: Profile) -> tuple[str, ...]:
    """Which of a card's contacts codes are sent to."""
    return tuple(dict.fromkeys(channel.contact for channel in profile.channels))


class CannotCleanError(Exception):
    """A card cannot be brought to a known state; the message says why.

    `passing`: that is not the card's fault, and the next run tries again.
    """

    def __init__(self, why: str, *, passing: bool = False) -> None:
        super().__init__(why)
        self.passing = passing


@dataclass
class _Slot:
    number: int  # its place in the list
    card: Card
    state: State
    given: dict[str, str]  # as the profile has it: a scenario may change its contact
    touched: bool = False  # used by a scenario, and not brought to a known state since


Clean = Callable[[Card, Mapping[str, str], Callable[[], None]], Awaitable[None]]
"""Brings a card, of which it is told how the profile has it, to a known state; calls what it is
given before it waits for a lock to end. Raises CannotCleanError."""

Leave = Callable[[Card, Mapping[str, str]], Awaitable[None]]
"""Leaves a card as it was found. Raises CannotCleanError."""


class Given:
    """The profile's own cards, each lent to one scenario at a time.

    `needs` says how many cards each scenario takes on a sound target: so many are reserved before
    it starts, so that no two scenarios wait for each other's. A card is brought to a known state
    when somebody waits for one, and not before: that costs messages.
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
            self._slots.append(_Slot(number, card, ledger.state(card.label), dict(row)))
        self._free: list[_Slot] = []
        self._used: deque[_Slot] = deque()  # to be brought to a known state before they are lent
        self._queue: deque[tuple[int, asyncio.Future[list[_Slot]]]] = deque()
        self._cleaning: set[asyncio.Task[None]] = set()
        self._soon_free = 0  # cards that are being cleaned, without those that wait for a lock
        tells = all(c.settings.reference is not None for c in profile.channels if c.sends)
        several = Counter(slot.card.contact for slot in self._slots if profile.sends_messages)
        shared = [contact for contact, cards in several.items() if cards > 1 and not tells]
        self._shared = {contact: asyncio.Lock() for contact in shared}

    @property
    def set_aside(self) -> list[str]:
        """The cards that could not be brought to a known state, and why."""
        aside = [slot.card.label for slot in self._slots if slot.state is State.SET_ASIDE]
        return [f"{label}: {self._ledger.why(label)}" for label in aside]

    def open(self) -> None:
        """Take the cards as used: who did what with them before is not known."""
        self._used.extend(slot for slot in self._slots if slot.state is not State.SET_ASIDE)

    @asynccontextmanager
    async def lease(self, scenario: str) -> AsyncIterator[Lease]:
        """The scenario's cards, once they are free. Raises Inconclusive where there are too few."""
        needed = self._needs.get(scenario, 0)
        lent = _Lent(self, await self._reserve(needed + SPARE) if needed else [])
        try:
            yield lent
        finally:
            for slot in lent.slots:
                (self._free if slot.state is State.CLEAN else self._used).append(slot)
            self._grant()

    async def one_more(self) -> _Slot:
        """A single card, as soon as one is free."""
        [slot] = await self._reserve(1)
        return slot

    async def _reserve(self, count: int) -> list[_Slot]:
        future: asyncio.Future[list[_Slot]] = asyncio.get_running_loop().create_future()
        self._queue.append((count, future))
        self._grant()
        return await future

    def _grant(self) -> None:
        """Lend to whoever has waited longest, so that nobody waits for ever."""
        usable = sum(slot.state is not State.SET_ASIDE for slot in self._slots)
        while self._queue:
            count, future = self._queue[0]
            if future.done():
                self._queue.popleft()
            elif usable < count - SPARE:
                self._queue.popleft()
                future.set_exception(Inconclusive(self._too_few()))
            elif len(self._free) < min(count, usable):
                break
            else:
                self._queue.popleft()
                self._free.sort(key=lambda slot: slot.number)  # whichever was ready first
                future.set_result([self._free.pop(0) for _ in range(min(count, usable))])
        waited_for = sum(count for count, future in self._queue if not future.done())
        while self._used and len(self._free) + self._soon_free < waited_for:
            self._clean_soon(self._used.popleft())

    def _too_few(self) -> str:
        aside = self.set_aside
        return "too few cards are left" + (f"; set aside: {'; '.join(aside[:3])}" if aside else "")

    def _clean_soon(self, slot: _Slot) -> None:
        self._soon_free += 1
        task = asyncio.get_running_loop().create_task(self._made_ready(slot))
        self._cleaning.add(task)
        task.add_done_callback(self._cleaning.discard)

    async def _made_ready(self, slot: _Slot) -> None:
        """Bring a card to a known state, and give it to who waits for one; or set it aside."""
        counted = True

        def not_soon() -> None:
            nonlocal counted
            self._soon_free -= counted
            counted = False
            self._grant()  # of another card, meanwhile

        try:
            await self._clean(slot.card, slot.given, not_soon)
        except CannotCleanError as error:
            slot.state = State.SET_ASIDE  # for this run, at least
            noted = State.UNKNOWN if error.passing else State.SET_ASIDE
            self._ledger.note(slot.card.label, noted, str(error))
        else:
            slot.card.tried.clear()
            slot.state, slot.touched = State.CLEAN, False
            self._free.append(slot)
        not_soon()

    def used(self, slot: _Slot) -> None:
        """A scenario begins to use a card. It is noted before: the run may be killed."""
        slot.state, slot.touched = State.USED, True
        self._ledger.note(slot.card.label, slot.state)

    def housekeeping(self) -> Lease:
        """A lease of no cards, for who cleans them."""
        return _Lent(self, [])

    async def clean_up(self, leave: Leave) -> None:
        """Leave the cards as they were found, as far as that can be done."""
        for task in list(self._cleaning):
            task.cancel()
        await asyncio.gather(*self._cleaning, return_exceptions=True)
        for slot in self._slots:
            if slot.touched:
                try:
                    await leave(slot.card, slot.given)
                except CannotCleanError as error:
                    self._ledger.note(slot.card.label, slot.state, str(error))

    def shares(self, contact: str) -> bool:
        """Whether several cards have this contact, and messages do not tell which is meant."""
        return contact in self._shared

    def alone(self, contact: str) -> AbstractAsyncContextManager[object]:
        """Nobody else has a message sent to the contact for as long as the block lasts."""
        return self._shared.get(contact, nullcontext())


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
        slot = self._left.popleft() if self._left else await self._one_more()
        self._pool.used(slot)
        await taker.skip(slot.card)
        return slot.card

    async def _one_more(self) -> _Slot:
        """A card beyond those that a sound target takes: what looks broken is looked at twice.

        Who waits here has cards that others may wait for, so it is not waited for long.
        """
        try:
            slot = await asyncio.wait_for(self._pool.one_more(), _ONE_MORE_S)
        except TimeoutError:
            why = "it took more cards than on a sound target, and no other is free"
            raise Inconclusive(why) from None
        self.slots.append(slot)
        return slot
