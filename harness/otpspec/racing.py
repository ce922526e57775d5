"""The part of a trial in which requests collide: calls that are prepared, and released together."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any

from otpspec.answer import Answer
from otpspec.cards import Card
from otpspec.challenge import Challenge
from otpspec.exchange import Jar
from otpspec.judging import Notes
from otpspec.mailing import Mailing
from otpspec.outcome import Outcome
from otpspec.profile import MISSING
from otpspec.together import Call, Race
from otpspec.verdicts import NotApplicable

RIGHT: Any = object()
"""Stands for the right OTC, for the right 3CSC where it is asked for, or for the right proof."""

_LONGEST = 100  # characters of what may be a code
_SENDS = ("start", "resend", "amend", "change_contact")


class Racing(Mailing):
    """The part of a trial that asks for several things at once."""

    notes: Notes

    def to_verify(
        self, challenge: Challenge, otc: Any = RIGHT, *, csc: Any = RIGHT, **extra: Any
    ) -> Call:
        """A code to be sent; by default the right one, with the right 3CSC where asked for."""
        otc = challenge.otc if otc is RIGHT else otc
        if csc is RIGHT:
            csc = challenge.card.csc if challenge.csc_required else MISSING
        # A million digits hold the code, which is known; as a secret they would cost a lot.
        self._redact.learn(*(v for v in (otc, csc) if isinstance(v, str) and len(v) <= _LONGEST))
        right = challenge.card.csc if challenge.csc_required else MISSING
        challenge.card.wronged |= otc != challenge.otc or csc != right
        call = self._call_about(challenge, "verify", {"otc": otc, "csc": csc}, **extra)
        return replace(call, label=_label(otc == challenge.otc, csc == right))

    def to_resend(self, challenge: Challenge) -> Call:
        """A code to be sent again."""
        return self._call_about(challenge, "resend", {})

    def to_amend(self, challenge: Challenge) -> Call:
        """A change of the amount."""
        amounts = self.profile.amounts
        values = {"amount": amounts.amended, "currency": amounts.currency}
        return self._call_about(challenge, "amend", {**values, "merchant": amounts.merchant})

    def to_cancel(self, challenge: Challenge) -> Call:
        """A transaction to be given up."""
        return self._call_about(challenge, "cancel", {})

    def to_unlock(self, card: Card) -> Call:
        """A card to be unlocked by support."""
        self.needs_operation("unlock")
        return Call(self.session, "unlock", card.values, self.jar_of(card), about=card)

    def to_change_contact(self, card: Card, contact: str, *, proof: Any = RIGHT) -> Call:
        """Another contact, by default with the right proof."""
        self.needs_operation("change_contact")
        proof = card.passphrase if proof is RIGHT else proof
        self._redact.learn(proof)
        values = {**card.values, "contact": contact, "proof": proof}
        return Call(self.session, "change_contact", values, self.jar_of(card), about=card)

    def to_start(self, card: Card, *, with_csc: bool = False) -> Call:
        """A transaction to be started."""
        amounts = self.profile.amounts
        values = {
            **card.values,
            "amount": amounts.with_csc if with_csc else amounts.without_csc,
            "currency": amounts.currency,
            "merchant": amounts.merchant,
        }
        return Call(self.session, "start", values, self.jar_of(card), about=card)

    def jar_of(self, card: Card) -> Jar:
        """A jar of its own for an operation: it begins with what enrolling the card has left."""
        return self.session.jar() if card.jar is None else card.jar.copy()

    def _call_about(
        self, challenge: Challenge, operation: str, values: Mapping[str, Any], **extra: Any
    ) -> Call:
        """A call about a transaction, in its payer's session; from elsewhere, in none."""
        self.needs_operation(operation)
        jar = challenge.jar if challenge.home is self.session else self.session.jar()
        values = {**challenge.card.values, **challenge.values(), **values}
        return Call(self.session, operation, values, jar, extra, challenge)

    async def burst(self, calls: Sequence[Call]) -> Race:
        """Ask for all of these at once: everything is sent but the last byte of each, and then
        those, together.

        Calls of several sessions may be mixed. Nothing is asked for again.
        """
        async with self._alone(calls):
            race = await self.session.at_once(calls)
            for call, answer in race.in_order_of_return:
                await self.came_of(call, answer)
        return race

    async def ask_alone(self, call: Call) -> Answer:
        """Ask for one of these by itself; it comes to the same as in a burst."""
        async with self._alone([call]):
            answer: Answer = await call.session.ask(
                call.operation, call.values, call.jar, patient=False, **call.extra
            )
            answer = labelled(call, answer)
            await self.came_of(call, answer)
        return answer

    @asynccontextmanager
    async def _alone(self, calls: Sequence[Call]) -> AsyncIterator[None]:
        """Nobody else has a message sent to the contacts that these calls send messages to."""
        cards = [_card(call) for call in calls if call.operation in _SENDS]
        async with AsyncExitStack() as stack:
            for contact in sorted({card.contact for card in cards}):
                await stack.enter_async_context(self.lease.alone(contact))
            yield

    async def came_of(self, call: Call, answer: Answer) -> None:
        """Note what follows from an answer."""
        about, done = call.about, Outcome.DONE in answer.outcomes
        self.notes.saw_approval |= Outcome.APPROVED in answer.outcomes
        if isinstance(about, Challenge):
            about.captures.update(answer.captures)
        if call.operation == "start" and done:
            about.starts.append(answer.returned)
        if call.operation == "change_contact" and done:
            about.contact = call.values["contact"]
        if call.operation in ("start", "resend") and done:
            of = about.captures if isinstance(about, Challenge) else answer.captures
            await self.promised(_card(call), of)
        elif call.operation in _SENDS:
            await self.unpromised(_card(call))  # a new code, say, or a notice

    def needs_operation(self, name: str) -> None:
        """Raise NotApplicable where the target does not offer it."""
        if name not in self.profile.operations:
            raise NotApplicable(f"the profile has no [operations.{name}]")


def _card(call: Call) -> Card:
    card = call.about.card if isinstance(call.about, Challenge) else call.about
    assert isinstance(card, Card)  # noqa: S101 - every call is about one or the other
    return card


def _label(otc_is_right: bool, csc_is_right: bool) -> str:
    otc = "right code" if otc_is_right else "another code"
    return otc if csc_is_right else f"{otc}, other 3CSC"


def labelled(call: Call, answer: Answer) -> Answer:
    """The answer, in the session's notes too, with what the call was."""
    said = replace(answer, label=call.label)
    kept: list[Answer] = call.session.answers
    for place in range(len(kept) - 1, -1, -1):
        if kept[place].request is answer.request and kept[place].returned == answer.returned:
            kept[place] = replace(kept[place], label=call.label)
            break
    return said
