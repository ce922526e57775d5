"""How a trial reads the messages that were sent to its cards."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from otpspec import realtime
from otpspec.cards import Card
from otpspec.clock import Clock, TrialClock
from otpspec.inboxes import computed
from otpspec.pool import Lease
from otpspec.profile import Channel, Message, Profile
from otpspec.redact import Redactor
from otpspec.target import Session
from otpspec.verdicts import Inconclusive, NotApplicable

_SOON = 0.3  # seconds: a message that takes longer lets other scenarios go on


@dataclass(frozen=True)
class Delivered:
    """A code as it came."""

    otc: str
    text: str  # of the message; of the first, where several channels bring it
    seen: datetime  # in the target's time


class Mailing:
    """The part of a trial that waits for messages."""

    profile: Profile
    clock: Clock
    session: Session
    lease: Lease
    _redact: Redactor

    def __init__(self) -> None:
        self._owed: Counter[tuple[int, str]] = Counter()  # messages that are on their way
        self._fetched: dict[int, list[Message]] = {}  # by card: the first channel's
        self._given: dict[tuple[int, str], set[str]] = {}  # texts that were read

    def rest(self) -> None:
        """Let others go on: what is waited for takes long."""
        if isinstance(self.clock, TrialClock):
            self.clock.rest()

    def needs_messages(self) -> None:
        """Where codes are made of a secret, or are test codes, nothing is sent."""
        if not self.profile.sends_messages:
            kind = self.profile.channels[0].kind
            raise NotApplicable(f'the profile says inbox.kind = "{kind}": codes are not sent')

    async def next_message(
        self, whom: Card | str, about: Mapping[str, Any] | None = None
    ) -> Message:
        """Wait, in real time, for a message that was not yet given, on every channel.

        `whom`: a card, or one contact. `about`: what start captured, where messages say which
        transaction they are about. The first channel's message. Inconclusive where none comes
        within the profile's inbox.wait.
        """
        self.needs_messages()
        if isinstance(whom, Card) and (fetched := self._fetched.get(id(whom))):
            return fetched.pop(0)
        return await self._receive(whom, about)

    async def _receive(self, whom: Card | str, about: Mapping[str, Any] | None) -> Message:
        reference = None if about is None else about.get("reference")
        boxes = self._boxes(whom)
        found = [await self._wait(index, contact, reference, whom) for index, contact in boxes]
        if not found:
            raise Inconclusive("the profile has no inbox for such a contact")
        return found[0]

    async def _wait(self, index: int, contact: str, reference: Any, whom: Card | str) -> Message:
        channel = self.profile.channels[index]
        wait = channel.settings.wait.total_seconds()
        loop = asyncio.get_running_loop()
        began, pause = loop.time(), 0.005
        while True:
            unread = await self._unread(index, contact)
            about = [message for message in unread if channel.concerns(message, reference)]
            waited = loop.time() - began
            given = self._given.setdefault((index, contact), set())
            if (message := self._with_code(channel, about, waited, whom, given)) is not None:
                self.session.read(index, contact).add(message.id)
                given.add(message.text)
                self._owed[index, contact] -= 1
                return message
            if waited >= wait:
                raise Inconclusive(self._nothing_came(wait, about))
            if waited > _SOON:
                self.rest()
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, 0.25)

    def _with_code(
        self,
        channel: Channel,
        messages: list[Message],
        waited_s: float,
        whom: Card | str,
        given: set[str],
    ) -> Message | None:
        """The first message with a code: receipts and notices come, too.

        One with a code of another form than is declared counts when no better one has come for a
        while; and so does one that says, to the letter, what one before has said: it may be that
        one, sent twice or late.
        """
        well_formed = [m for m in messages if self.code_in(m, whom) is not None]
        new = next((m for m in well_formed if m.text not in given), None)
        if new is not None:
            return new
        if well_formed and self.profile.policy.resend == "reuse":
            return well_formed[0]
        if waited_s < channel.settings.quiet.total_seconds():
            return None
        others = (m for m in messages if channel.code(m) is not None)
        return next(iter(well_formed), None) or next(others, None)

    def _nothing_came(self, wait_s: float, others: list[Message]) -> str:
        if others:
            return "a message came, but inbox.code finds no code in its text"
        came = self.session.came()
        text = f"no message came within {wait_s:g} s; see the profile's [inbox]"
        return text + (f" ({came})" if came else "")

    async def new_messages(self, whom: Card | str) -> list[Message]:
        """The messages that `next_message` has not yet given, of all channels, without waiting."""
        self.needs_messages()
        fetched = self._fetched.get(id(whom), []) if isinstance(whom, Card) else []
        if isinstance(whom, Card) and self.lease.shares(whom.contact):
            return list(fetched)  # what else has come may be someone else's
        self._needs_own(whom)
        return [*fetched, *await self._came(whom)]

    async def _came(self, whom: Card | str) -> list[Message]:
        return [m for index, to in self._boxes(whom) for m in await self._unread(index, to)]

    async def silence(self, whom: Card | str) -> list[Message]:
        """Wait, in real time, for inbox.quiet; the messages that came all the same."""
        self.needs_messages()
        contact = whom.contact if isinstance(whom, Card) else whom
        async with self.lease.alone(contact):
            self.rest()
            await self._linger()
            self._needs_own(whom)
            return [*self._fetched.get(id(whom), []), *await self._came(whom)]

    def _needs_own(self, whom: Card | str) -> None:
        """Whose a message is cannot be told where it is not known for which card it came."""
        if isinstance(whom, str) and self.lease.shares(whom):
            raise NotApplicable("several cards of the profile have the same contact")

    async def _unread(self, index: int, contact: str) -> list[Message]:
        read = self.session.read(index, contact)
        messages = await self.session.messages(self.profile.channels[index], contact)
        return [message for message in messages if message.id not in read]

    def _boxes(self, whom: Card | str) -> list[tuple[int, str]]:
        """The channels of a card, or of one contact, each with the contact to look at."""
        channels = list(enumerate(self.profile.channels))
        if isinstance(whom, Card):
            return [(i, str(whom.values[f"card.{c.contact}"])) for i, c in channels]
        kind = "email" if "@" in whom else "phone"
        return [(index, whom) for index, channel in channels if channel.contact == kind]

    async def skip(self, card: Card) -> None:
        """What came to the card before is nobody's."""
        if not self.profile.sends_messages:
            return
        self._fetched.pop(id(card), None)
        async with self.lease.alone(card.contact):
            for index, contact in self._boxes(card):
                for message in await self._unread(index, contact):
                    self.session.read(index, contact).add(message.id)
                    if self._owed[index, contact] > 0:  # it is not waited for any more
                        self._owed[index, contact] -= 1

    async def settle(self, card: Card) -> None:
        """Wait for messages that were promised and not read, so that none comes to the next."""
        if not self.profile.sends_messages or self.lease.shares(card.contact):
            return
        for index, contact in self._boxes(card):
            while self._owed[index, contact] > 0:
                try:
                    await self._wait(index, contact, None, card)
                except Inconclusive:
                    self._owed[index, contact] = 0  # they are not waited for again

    async def promised(self, card: Card, about: Mapping[str, Any]) -> None:
        """A start or a resend was carried out: on every channel a message is on its way.

        Where others have the same contact it is fetched at once, before the next is sent there.
        """
        if not self.profile.sends_messages:
            return
        self._owed.update(self._boxes(card))
        if self.lease.shares(card.contact):
            fetched = await self._receive(card, about)
            self._fetched.setdefault(id(card), []).append(fetched)
            await self._take(card)

    async def unpromised(self, card: Card) -> None:
        """Something was asked for that sends no message, or need not: if one comes, it is the
        card's. Where others have the same contact it is fetched before the next is sent there."""
        if self.profile.sends_messages and self.lease.shares(card.contact):
            await self._linger()
            await self._take(card)

    async def _linger(self) -> None:
        """Wait for what comes late."""
        await asyncio.sleep(self.profile.quiet.total_seconds())

    async def _take(self, card: Card) -> None:
        """All that has come is this card's, since nobody else had anything sent."""
        for index, contact in self._boxes(card):
            for message in await self._unread(index, contact):
                self.session.read(index, contact).add(message.id)
                self._fetched.setdefault(id(card), []).append(message)

    async def delivered(self, card: Card, about: Mapping[str, Any]) -> Delivered:
        """Wait for the code of a transaction that was started, or sent again."""
        channel = self.profile.channels[0]
        if not channel.sends:
            return self._made(channel, card, about)
        message = await self.next_message(card, about)
        code = channel.code(message, card.numbers)
        if code is None:
            raise Inconclusive("a message came, but inbox.code finds no code in its text")
        self._redact.learn(code)
        return Delivered(code, message.text, self._seen_at(message))

    def _seen_at(self, message: Message) -> datetime:
        """When a message came, in the target's time; without knowing better, now."""
        now = self.clock.now()
        if message.arrived_s is None:
            return now
        return now - timedelta(seconds=max(0.0, realtime.monotonic() - message.arrived_s))

    def code_in(self, message: Message, whom: Card | str) -> str | None:
        """The code in a message's text, if it has the declared length; or None."""
        known = whom.numbers if isinstance(whom, Card) else (whom,)
        found = (channel.code(message, known) for channel in self.profile.channels)
        digits = self.profile.policy.digits
        return next((c for c in found if c and sum(map(str.isalnum, c)) == digits), None)

    async def new_codes(self, whom: Card | str) -> list[str]:
        """The codes in the messages that `next_message` has not yet given, without waiting."""
        return [code for m in await self.new_messages(whom) if (code := self.code_in(m, whom))]

    async def no_more_codes(self, whom: Card | str) -> list[str]:
        """Wait, in real time, for inbox.quiet; the codes that came all the same. A message without
        one, a notice that the card is locked, is no code."""
        return [code for m in await self.silence(whom) if (code := self.code_in(m, whom))]

    def _made(self, channel: Channel, card: Card, about: Mapping[str, Any]) -> Delivered:
        """The code of a channel that sends nothing."""
        values = {**card.values, **{f"challenge.{key}": value for key, value in about.items()}}
        digits = self.profile.policy.digits
        try:
            code, began = computed(channel, values, digits, self.clock.now())
        except (KeyError, ValueError) as error:
            raise Inconclusive(f"no code can be made: {error}; see the profile's [inbox]") from None
        self._redact.learn(code)
        return Delivered(code, "", began)
