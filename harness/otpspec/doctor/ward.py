"""Where a doctor's run happens: the target as a check would reach it, and one card."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext, suppress
from copy import copy
from urllib.parse import urlsplit

from otpspec.cards import Card, given_card, new_card
from otpspec.clock import JumpingClock, RealClock
from otpspec.errors import ClockError, NotAllowedError, OtpspecError, TargetError
from otpspec.exchange import Wire
from otpspec.inboxes import Inboxes
from otpspec.ledger import Ledger, State
from otpspec.pool import Lease, Taker, contacts
from otpspec.profile import Profile, Request, schema
from otpspec.profile.compiled import ClockFormat
from otpspec.profile.requests import Base
from otpspec.target import Answer, Session
from otpspec.verdicts import Inconclusive
from otpspec.world import Live


class OneCard:
    """A lease of one card, which nobody else has: a doctor's run is alone."""

    def __init__(self, profile: Profile) -> None:
        """Raises OtpspecError where the file of what cards went through cannot be read."""
        self._profile = profile
        self._ledger = Ledger.beside(profile) if profile.cards else None

    def first(self) -> Card:
        """The first card of the profile's own that was not set aside, or one made up.

        Raises Inconclusive where all of them were set aside.
        """
        kinds = contacts(self._profile)
        if self._ledger is None:
            return new_card(kinds)
        for number, row in enumerate(self._profile.cards, 1):
            card = given_card(row, number, kinds)
            if self._ledger.state(card.label) is not State.SET_ASIDE:
                return card
        raise Inconclusive("every card of [cards] was set aside by earlier runs, as locked")

    @asynccontextmanager
    async def lease(self, scenario: str) -> AsyncIterator[Lease]:
        """Itself."""
        yield self

    async def take(self, taker: Taker) -> Card:
        """The card; it is not cleaned, for how that goes is what is to be found out."""
        return self.first()

    def shares(self, contact: str) -> bool:
        """No other card is used."""
        return False

    def alone(self, contact: str) -> AbstractAsyncContextManager[object]:
        """Nobody else is there."""
        return nullcontext()


class Ward(Live):
    """The target, also where it cannot be fully used: a clock that does not move is set down."""

    clock_fault = ""
    wire: Wire

    async def open(self) -> None:
        """As a check does it. Where only the clock is at fault, go on without it.

        Raises OtpspecError where the target cannot be reached.
        """
        given = self.profile
        self.profile = without_cards(given)  # which a check would clean, and so use
        try:
            await super().open()
        except (ClockError, TargetError) as error:
            if isinstance(error, NotAllowedError) or self.profile.clock.kind not in _LEFT_OUT:
                raise
            with suppress(OtpspecError):
                await self._opened.aclose()
            self.clock = RealClock()
            self.profile = without_clock(self.profile)
            await super().open()
            self.clock_fault = str(error)
        self.profile = with_cards(self.profile, given)
        for row in given.cards:
            self._redact.learn(*given_card(row, 0, ()).secrets())
        self.hand = OneCard(self.profile)
        self.cards = self.hand
        self.wire = Wire(self._access)
        self._opened.push_async_callback(self.wire.aclose)

    async def _probe(self, session: Session) -> None:
        """Whether anything answers; what enrolling comes to is looked at step by step."""
        await session.probe(None, self._redact)

    async def poll(self, request: Request) -> Answer:
        """Ask an inbox's URL once, and keep what it says. Raises httpx.HTTPError."""
        raw = await self.wire.send(request)
        return Answer(request, raw.status, frozenset(), {}, raw.headers, raw.body)

    def found(self) -> dict[str, list[str]]:
        """What was found, in a few lines."""
        lines = {"target": self._addresses(), "clock": [self._clock_in_words()]}
        if self.version:
            lines["version"] = [self.version]
        lines["inbox"] = self._inboxes_in_words(self._inboxes)
        return lines

    def _addresses(self) -> list[str]:
        if self.profile.clock.kind == "frozen":
            return [f"{self.profile.clock.app}, in this process"]
        lines = []
        for origin in sorted(self.profile.origins):
            url = urlsplit(origin)
            port = url.port or (443 if url.scheme == "https" else 80)
            with suppress(OtpspecError):
                known = self._access.guard.addresses(url.hostname or "", port)
                lines.append(f"{origin} ({', '.join(host for host, _ in known)}: may be tried)")
        return lines

    def _clock_in_words(self) -> str:
        if self.clock_fault:
            return "cannot be used: time is not moved in this run"
        if not isinstance(self.clock, JumpingClock):
            return "real: time is not moved, and a check waits for what must expire"
        shown = {
            "http": "an endpoint of the target's",
            "faketime": "libfaketime in the target's process",
            "frozen": "freezegun around the app",
        }
        kind = self.profile.clock.kind
        seen = "[clock.read]" if self.profile.clock.read else "the Date header"
        return f"{kind}: {shown[kind]} moves it; after a jump of 3 s {seen} shows it"

    def _inboxes_in_words(self, inboxes: Inboxes) -> list[str]:
        lines = []
        for channel in self.profile.channels:
            settings, where = channel.settings, ""
            match settings:
                case schema.HttpInbox():
                    where = f"asks {settings.poll.method} {settings.poll.path}"
                case schema.SmtpInbox() | schema.SmsInbox():
                    where = f"listens on {settings.listen}"
                case schema.FileInbox() | schema.MaildirInbox():
                    where = f"looks into {settings.path}"
                case schema.CommandInbox():
                    where = f"runs {settings.command[0]}"
                case schema.TotpInbox():
                    where = f"codes are made of a secret, every {settings.period.seconds} s"
                case _:
                    where = "a test code that is always right"
            lines.append(f"{channel.kind}: {where}" + (f", by {channel.contact}" * channel.sends))
        return lines


_LEFT_OUT = ("http", "faketime")


def without_clock(profile: Profile) -> Profile:
    """The same profile for a target whose time is not moved."""
    other = copy(profile)
    other.clock = ClockFormat(schema.RealClock(), Base.of(profile.base_url))
    return other


def without_cards(profile: Profile) -> Profile:
    """The same profile without cards of its own."""
    other = copy(profile)
    other.cards = []
    return other


def with_cards(profile: Profile, given: Profile) -> Profile:
    """The same profile with the cards of another."""
    other = copy(profile)
    other.cards = given.cards
    return other
