"""What a scenario is given: cards of its own, the target's operations, the clock, `expect`."""

import asyncio
import copy
import random
import string
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from otpspec.cards import Card, new_card
from otpspec.challenge import Challenge
from otpspec.clock import Clock
from otpspec.judging import Judging, Notes
from otpspec.outcome import REFUSED, Outcome
from otpspec.profile import MISSING, Message, Profile
from otpspec.redact import Redactor
from otpspec.target import Answer, Session
from otpspec.verdicts import Inconclusive, NotApplicable

_RIGHT: Any = object()  # stands for the right OTC, or the right 3CSC where it is asked for
_LONGEST = 100  # characters of what may be a code


class Trial(Judging):
    """One scenario's conversation with the target."""

    def __init__(
        self,
        profile: Profile,
        clock: Clock,
        session: Session,
        redact: Redactor,
        rng: random.Random,
        codes_seen: list[str] | None = None,
        deep: bool = False,
    ) -> None:
        self.profile = profile
        self.policy = profile.policy
        self.clock = clock
        self.rng = rng
        self.deep = deep  # whether hundreds of codes may be asked for
        self.began = clock.now()
        self.session = session
        self._redact = redact
        self._seen: dict[str, set[str]] = {}
        self._card: Card | None = None
        self.notes = Notes()
        self.codes_seen: list[str] = [] if codes_seen is None else codes_seen
        """The codes of all transactions that this run has started, in the order they came."""

    # --- cards and transactions ---------------------------------------------------------------

    async def card(self) -> Card:
        """A fresh card, enrolled at the target and used by no other scenario."""
        card = new_card()
        self._redact.learn(*card.secrets())
        answer = await self.session.ask("enroll", card.values)
        self._needs(answer, Outcome.DONE)
        card.values |= {f"card.{key}": value for key, value in answer.captures.items()}
        return card

    async def own_card(self) -> Card:
        """The trial's own card: the one that `start` uses where it is given none."""
        if self._card is None:
            self._card = await self.card()
        return self._card

    async def start(self, card: Card | None = None, *, csc: bool | None = None) -> Challenge:
        """Start a transaction and read its code from the inbox.

        `csc`: whether it should be one that asks for the 3CSC; None: as it comes.
        Where the target does not start it, or no message comes, the scenario is inconclusive.
        """
        card = card or await self.own_card()
        answer = await self.try_start(card, csc=csc)
        self._needs(answer, Outcome.DONE)
        message = await self.next_message(card.phone)
        challenge = self._challenge(card, answer, message, bool(csc))
        if csc is not None and challenge.csc_required is not csc:
            key = "amounts.with_csc" if csc else "amounts.without_csc"
            asks = "does not ask" if csc else "asks"
            raise Inconclusive(f"the target {asks} for the 3CSC with the profile's {key}")
        return challenge

    async def started(self, card: Card, *, csc: bool | None = None, because: str) -> Challenge:
        """As `start`, where that it works is what is asked: broken where it is refused."""
        answer = await self.try_start(card, csc=csc)
        self.expect(answer, Outcome.DONE, because=because)
        return self._challenge(card, answer, await self.next_message(card.phone), bool(csc))

    async def unlike(
        self, challenge: Challenge, make: Callable[[], Awaitable[Challenge]]
    ) -> Challenge:
        """A challenge with another code than this one's; two are the same once in a million."""
        for _ in range(5):
            other = await make()
            if other.otc != challenge.otc:
                return other
        raise Inconclusive("the target gives the same code again and again (see ISSUE-1)")

    async def many(self, count: int) -> AsyncIterator[Challenge]:
        """So many transactions, on as few cards as the policy's max_starts allows."""
        limit = self.policy.start_limit
        for number in range(count):
            if number % (limit.starts if limit else count) == 0:
                card = await self.card()
            yield await self.start(card)

    async def try_start(
        self,
        card: Card,
        *,
        csc: bool | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> Answer:
        """Ask to start a transaction, and return the answer whatever it is.

        `extra` adds keys to the request's body.
        """
        if csc is not None:
            self._needs_csc(asked=csc)
        with_csc = self.policy.csc == "always" if csc is None else csc
        amounts = self.profile.amounts
        values = {
            **card.values,
            "amount": amounts.with_csc if with_csc else amounts.without_csc,
            "currency": amounts.currency,
            "merchant": amounts.merchant,
        }
        return await self.session.ask("start", values, extra_body=extra)

    def _needs_csc(self, *, asked: bool) -> None:
        if (asked and self.policy.csc == "never") or (not asked and self.policy.csc == "always"):
            raise NotApplicable(f'the profile says policy.csc = "{self.policy.csc}"')

    def _challenge(self, card: Card, answer: Answer, message: Message, csc: bool) -> Challenge:
        otc = self._code(message)
        card.tried.add(otc)
        self.codes_seen.append(otc)
        always = self.policy.csc == "always"
        asked = answer.captures.get("csc_required", csc or always)
        return Challenge(
            card=card,
            captures=answer.captures,
            otc=otc,
            message=message.text,
            csc_required=bool(asked),
            sent_earliest=answer.called,
            sent_latest=self.clock.now(),
            policy=self.policy,
        )

    async def verify(
        self, challenge: Challenge, otc: Any = _RIGHT, *, csc: Any = _RIGHT, **extra: Any
    ) -> Answer:
        """Send a code; by default the right one, with the right 3CSC where it is asked for.

        Any JSON value may be sent; MISSING leaves the OTC or the 3CSC out of the request.
        `extra` is for Operation.build: extra_body, extra_headers, repeated.
        """
        otc = challenge.otc if otc is _RIGHT else otc
        if csc is _RIGHT:
            csc = challenge.card.csc if challenge.csc_required else MISSING
        # A million digits hold the code, which is known; as a secret they would cost a lot.
        self._redact.learn(*(v for v in (otc, csc) if isinstance(v, str) and len(v) <= _LONGEST))
        values = {**challenge.card.values, **challenge.values(), "otc": otc, "csc": csc}
        answer = await self.session.ask("verify", values, **extra)
        self.notes.saw_approval |= Outcome.APPROVED in answer.outcomes
        return answer

    @asynccontextmanager
    async def elsewhere(self) -> AsyncIterator["Trial"]:
        """The same trial from another session: other connections, other cookies."""
        async with self.session.another() as session:
            trial = copy.copy(self)
            trial.session = session
            yield trial

    async def amend(self, challenge: Challenge) -> Answer:
        """Change the amount of a transaction."""
        self._needs_operation("amend")
        amounts = self.profile.amounts
        values = {**challenge.card.values, **challenge.values(), "amount": amounts.amended}
        values |= {"currency": amounts.currency, "merchant": amounts.merchant}
        return await self.session.ask("amend", values)

    async def try_resend(self, challenge: Challenge) -> Answer:
        """Ask for the code to be sent again, and return the answer whatever it is."""
        self._needs_operation("resend")
        values = {**challenge.card.values, **challenge.values()}
        return await self.session.ask("resend", values)

    async def resend(self, challenge: Challenge) -> Challenge:
        """Have the code sent again; the challenge as it is then, with its new code."""
        answer = await self.try_resend(challenge)
        self._needs(answer, Outcome.DONE)
        otc = self._code(await self.next_message(challenge.card.phone))
        challenge.card.tried.add(otc)
        if self.policy.resend == "reuse":
            return replace(challenge, otc=otc)
        return replace(
            challenge, otc=otc, sent_earliest=answer.called, sent_latest=self.clock.now()
        )

    async def cancel(self, challenge: Challenge) -> Answer:
        """Give a transaction up."""
        self._needs_operation("cancel")
        return await self.session.ask("cancel", {**challenge.card.values, **challenge.values()})

    async def unlock(self, card: Card) -> None:
        """Have support unlock a card."""
        self._needs_operation("unlock")
        self._needs(await self.session.ask("unlock", card.values), Outcome.DONE)

    async def change_contact(self, card: Card, contact: str, *, proof: Any = _RIGHT) -> Answer:
        """Ask for another contact; by default with the right proof."""
        self._needs_operation("change_contact")
        proof = card.passphrase if proof is _RIGHT else proof
        self._redact.learn(proof)
        values = {**card.values, "contact": contact, "proof": proof}
        answer = await self.session.ask("change_contact", values)
        if Outcome.DONE in answer.outcomes:
            card.values["card.phone"] = contact
        return answer

    # --- codes --------------------------------------------------------------------------------

    def wrong(self, card: Card) -> str:
        """A code of the right form that was never sent to this card, nor tried on it."""
        alphabet = string.digits if self.policy.alphabet == "digits" else string.ascii_uppercase
        for _ in range(1000):
            otc = "".join(self.rng.choice(alphabet) for _ in range(self.policy.digits))
            if otc not in card.tried:
                card.tried.add(otc)
                self._redact.learn(otc)
                return otc
        raise Inconclusive("no wrong code is left to try: policy.digits is too small")

    async def fail(self, challenge: Challenge, times: int) -> Answer:
        """Send so many wrong codes; the answer to the last. Each must be refused."""
        assert times > 0  # noqa: S101 - a mistake of the scenario
        for _ in range(times):
            answer = await self.verify(challenge, self.wrong(challenge.card))
            self.expect(answer, *REFUSED, because="the OTC is wrong")
        return answer

    async def lock(self, card: Card | None = None) -> Challenge:
        """Lock a card by wrong codes; the transaction on which it happened."""
        challenge = await self.start(card)
        await self.fail(challenge, self.policy.max_wrong)
        return challenge

    # --- messages -----------------------------------------------------------------------------

    async def next_message(self, contact: str) -> Message:
        """Wait, in real time, for a message to a contact that was not yet seen.

        Inconclusive where none comes within the profile's inbox.wait.
        """
        wait = self.profile.inbox.wait.total_seconds()
        loop = asyncio.get_running_loop()
        deadline, pause = loop.time() + wait, 0.005
        while True:
            new = await self.new_messages(contact)
            if new:
                self._seen[contact].add(new[0].id)
                return new[0]
            if loop.time() >= deadline:
                raise Inconclusive(f"no message came within {wait:g} s; see the profile's [inbox]")
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, 0.25)

    async def new_messages(self, contact: str) -> list[Message]:
        """The messages to a contact that `next_message` has not yet given, without waiting."""
        seen = self._seen.setdefault(contact, set())
        return [m for m in await self.session.messages(contact) if m.id not in seen]

    async def silence(self, contact: str) -> list[Message]:
        """Wait, in real time, for inbox.quiet; the messages that came all the same."""
        await asyncio.sleep(self.profile.inbox.quiet.total_seconds())
        return await self.new_messages(contact)

    def _code(self, message: Message) -> str:
        code = self.profile.inbox.code(message)
        if code is None:
            raise Inconclusive("a message came, but inbox.code finds no code in its text")
        self._redact.learn(code)
        return code

    async def approved(self, challenge: Challenge, *, because: str) -> Answer:
        """Send the right code and expect it to be approved."""
        answer = await self.verify(challenge)
        self.expect(answer, Outcome.APPROVED, because=because)
        return answer

    async def control(self) -> None:
        """The control of a refusal: the same thing done rightly, on a fresh card, is approved.

        Else a target that refuses everything would pass. Called after the scenario, where it has
        checked a refusal and seen no approval.
        """
        answer = await self.verify(await self.start(await self.card()))
        if Outcome.APPROVED not in answer.outcomes:
            raise Inconclusive(
                "the control failed: the right code on a fresh card was not approved either, "
                f"but {answer}; so a refusal proves nothing"
            )

    def _needs(self, answer: Answer, outcome: Outcome) -> None:
        """What a scenario builds on must work; that it does is another scenario's question."""
        if outcome not in answer.outcomes:
            raise Inconclusive(f"{answer.operation} did not work: {self.seen_as(answer)}")

    def _needs_operation(self, name: str) -> None:
        if name not in self.profile.operations:
            raise NotApplicable(f"the profile has no [operations.{name}]")
