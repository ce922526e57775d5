"""What a run's scenarios happen in: the target, its clock, its inboxes and its cards."""

import random
import secrets
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    suppress,
)
from datetime import timedelta
from typing import Protocol

from otpspec.cards import Card, given_card, new_card
from otpspec.cleaning import clean, leave
from otpspec.clock import JumpingClock, RealClock, find_clock
from otpspec.errors import OtpspecError
from otpspec.inboxes import Inboxes
from otpspec.ledger import Ledger
from otpspec.pool import Enrolled, Given, Lease
from otpspec.profile import Profile
from otpspec.reach import opened
from otpspec.redact import Redactor
from otpspec.target import Session
from otpspec.trial import Trial

LONGEST_WAIT = timedelta(days=3660)


class Cards(Protocol):
    """Who lends cards to scenarios."""

    def lease(self, scenario: str) -> AbstractAsyncContextManager[Lease]:
        """The cards of one scenario."""


class World(Protocol):
    """What a run's scenarios happen in."""

    profile: Profile
    clock: RealClock | JumpingClock
    cards: Cards
    version: str

    @property
    def in_real_time(self) -> bool:
        """Whether what is waited for takes its time."""

    async def open(self) -> None:
        """Find everything. Raises OtpspecError: what is wrong, and what to try."""

    async def close(self) -> None:
        """Give everything back."""

    def notes(self) -> list[str]:
        """What a reader of the results must know of the run."""

    def session(self) -> Session:
        """A payer's conversation with the target."""

    def trial(
        self, session: Session, rng: random.Random, lease: Lease, codes: list[str], *, deep: bool
    ) -> Trial:
        """What a scenario is given."""


class Housekeeping(ABC):
    """A world that can bring the profile's own cards to a known state."""

    cards: Cards

    def __init__(self, profile: Profile, max_wait: timedelta) -> None:
        self.profile = profile
        self._max_wait = max_wait

    @abstractmethod
    def session(self) -> Session:
        """A payer's conversation with the target."""

    @abstractmethod
    def trial(
        self, session: Session, rng: random.Random, lease: Lease, codes: list[str], *, deep: bool
    ) -> Trial:
        """What a scenario is given."""

    async def clean(
        self, card: Card, given: Mapping[str, str], before_waiting: Callable[[], None]
    ) -> None:
        """Bring a card to a known state. Raises CannotCleanError."""
        async with self._housekeeper() as trial:
            await clean(trial, card, given, self._max_wait, before_waiting)

    async def leave(self, card: Card, given: Mapping[str, str]) -> None:
        """After a run: unlock a card. Raises CannotCleanError."""
        async with self._housekeeper() as trial:
            await leave(trial, card, given)

    @asynccontextmanager
    async def _housekeeper(self) -> AsyncIterator[Trial]:
        session = self.session()
        assert isinstance(self.cards, Given)  # noqa: S101 - others have nothing to clean
        rng = random.Random(secrets.randbits(64))  # noqa: S311
        try:
            yield self.trial(session, rng, self.cards.housekeeping(), [], deep=False)
        finally:
            await session.aclose()


class Live(Housekeeping):
    """The target itself."""

    def __init__(
        self,
        profile: Profile,
        redact: Redactor,
        *,
        needs: Mapping[str, int] | None = None,
        max_wait: timedelta = LONGEST_WAIT,
    ) -> None:
        """`needs`: how many of the profile's own cards each scenario takes."""
        super().__init__(profile, max_wait)
        self.clock: RealClock | JumpingClock = RealClock()
        self.version = ""
        self.cards: Cards = Enrolled(profile)
        self._redact = redact
        self._needs = needs or {}
        self._opened = AsyncExitStack()

    async def open(self) -> None:
        """Verify addresses, start what is to be started, find the clock, reach the target."""
        ledger = Ledger.beside(self.profile)
        if self.profile.cards:
            ledger.write()  # before anything is sent: it must be possible
        self._inboxes = Inboxes(self.profile)
        self._opened.callback(self._inboxes.close)
        self._inboxes.open()
        moved = await self._opened.enter_async_context(opened(self.profile, self._redact))
        self._access = moved.access
        self.clock = await find_clock(moved.hook)
        self.profile.time.now = self.clock.now
        session = self.session()
        self._opened.push_async_callback(session.aclose)
        await self._probe(session)
        self.version = await session.version()
        if self.profile.cards:
            given = Given(self.profile, self._needs, ledger, self.clean)
            self._opened.push_async_callback(given.clean_up, self.leave)
            self.cards = given
            given.open()
            for row in self.profile.cards:
                self._redact.learn(*given_card(row, 0, ()).secrets())

    @property
    def in_real_time(self) -> bool:
        """Whether nobody can move the target's clock."""
        return isinstance(self.clock, RealClock)

    async def close(self) -> None:
        """Clean cards up, give the clock's lease back, end what was started."""
        with suppress(OtpspecError):
            await self._opened.aclose()

    async def _probe(self, session: Session) -> None:
        if self.profile.cards or "enroll" not in self.profile.operations:
            await session.probe(None, self._redact)
            return
        card = new_card()
        self._redact.learn(*card.secrets())
        await session.probe(card.values, self._redact)

    def notes(self) -> list[str]:
        """Which of the profile's own cards could not be used."""
        aside = self.cards.set_aside if isinstance(self.cards, Given) else []
        return [f"set aside: {card}" for card in aside]

    def session(self) -> Session:
        """A payer's conversation with the target."""
        return Session(self._access, self.clock, self._inboxes)

    def trial(
        self, session: Session, rng: random.Random, lease: Lease, codes: list[str], *, deep: bool
    ) -> Trial:
        """What a scenario is given."""
        return Trial(self.profile, self.clock, session, self._redact, rng, lease, codes, deep=deep)


WorldOf = Callable[[Redactor], World]
"""Makes the world of a run."""
