"""What a scenario is given: cards of its own, the target's operations, the clock, `expect`."""

import asyncio
import copy
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from otpspec import codes
from otpspec.cards import Card, new_contact
from otpspec.challenge import Challenge
from otpspec.clock import Clock
from otpspec.judging import Judging, Notes
from otpspec.mailing import Delivered
from otpspec.outcome import REFUSED, Outcome
from otpspec.pool import Lease
from otpspec.profile import Profile
from otpspec.racing import RIGHT, Racing, labelled
from otpspec.redact import Redactor
from otpspec.target import Answer, Session
from otpspec.together import Call
from otpspec.verdicts import Inconclusive, NotApplicable


class Trial(Racing, Judging):
    """One scenario's conversation with the target."""

    def __init__(
        self,
        profile: Profile,
        clock: Clock,
        session: Session,
        redact: Redactor,
        rng: random.Random,
        lease: Lease,
        codes_seen: list[str] | None = None,
        deep: bool = False,
    ) -> None:
        Racing.__init__(self)
        self.profile = profile
        self.policy = profile.policy
        self.clock = clock
        self.rng = rng
        self.deep = deep  # whether hundreds of codes may be asked for
        self.began = clock.now()
        self.session = session
        self.lease = lease
        self._redact = redact
        self._card: Card | None = None
        self.cards: list[Card] = []
        """The cards that it was given."""

        self.notes = Notes()
        self.codes_seen: list[str] = [] if codes_seen is None else codes_seen
        """The codes of all transactions that this run has started, in the order they came."""

    # --- cards and transactions ---------------------------------------------------------------

    async def card(self) -> Card:
        """A card used by no other scenario at the same time: fresh, or brought to a known state."""
        card = await self.lease.take(self)
        self._redact.learn(*card.secrets())
        self.cards.append(card)
        return card

    async def enrol(self, card: Card) -> Answer:
        """Make a card known to the target."""
        card.jar = self.session.jar()
        answer = await self.session.ask("enroll", card.values, card.jar)
        self._needs(answer, Outcome.DONE)
        card.values |= {f"card.{key}": value for key, value in answer.captures.items()}
        return answer

    def new_contact(self) -> str:
        """A contact that no one has, of the kind to which codes are sent."""
        return new_contact(self.profile.channels[0].contact)

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
        await self._may_start(card)
        answer = await self.try_start(card, csc=csc)
        self._needs(answer, Outcome.DONE)
        challenge = await self._challenge(card, answer, bool(csc))
        if csc is not None and challenge.csc_required is not csc:
            key = "amounts.with_csc" if csc else "amounts.without_csc"
            asks = "does not ask" if csc else "asks"
            raise Inconclusive(f"the target {asks} for the 3CSC with the profile's {key}")
        return challenge

    async def started(self, card: Card, *, csc: bool | None = None, because: str) -> Challenge:
        """As `start`, where that it works is what is asked: broken where it is refused."""
        await self._may_start(card)
        answer = await self.try_start(card, csc=csc)
        if answer.outcomes == {Outcome.LOCKED} and not card.wronged:
            other = await self.try_start(await self.card())
            if Outcome.LOCKED in other.outcomes:  # so are others: that is not of its own doing
                raise Inconclusive("cards are locked for which no wrong code was sent: LOCKOUT-9?")
        self.expect(answer, Outcome.DONE, because=because)
        return await self._challenge(card, answer, bool(csc))

    async def _may_start(self, card: Card) -> None:
        """Wait until the card's starts are within the declared limit; forget what came before."""
        limit = self.policy.start_limit
        if limit is not None and len(card.starts) >= limit.starts:
            free = card.starts[-limit.starts] + limit.within + self.policy.tolerance
            await self.clock.sleep_until(free)
        if card.starts:  # what comes late is not the code that is asked for now
            await self.settle(card)
            await self.skip(card)

    async def unlike(
        self, challenge: Challenge, make: Callable[[], Awaitable[Challenge]]
    ) -> Challenge:
        """A challenge with another code than this one's; two are the same once in a million."""
        self.needs_messages()
        for _ in range(5):
            other = await make()
            if other.otc != challenge.otc:
                return other
        raise Inconclusive("the target gives the same code again and again (see ISSUE-1)")

    async def many(self, count: int, *, at_once: int = 1) -> AsyncIterator[Challenge]:
        """So many transactions, on as few cards as the policy's max_starts allows.

        `at_once`: on so many cards at the same time: a message may take its time.
        """
        limit = self.policy.start_limit
        cards: list[Card] = []
        for number in range(0, count, at_once):
            used = number // at_once
            if not cards or (limit and used % limit.starts == 0):
                cards = [await self.card() for _ in range(at_once)]
            for challenge in await asyncio.gather(*map(self.start, cards[: count - number])):
                yield challenge

    async def try_start(
        self,
        card: Card,
        *,
        csc: bool | None = None,
        extra: Mapping[str, Any] | None = None,
        patient: bool = True,
    ) -> Answer:
        """Ask to start a transaction, and return the answer whatever it is.

        `extra` adds keys to the request's body. A throttled start is asked for again where the
        target says when, unless the caller is not `patient`.
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
        jar = self.jar_of(card)
        async with self.lease.alone(card.contact):
            answer = await self.session.ask("start", values, jar, patient=patient, extra_body=extra)
            if Outcome.DONE in answer.outcomes:
                card.starts.append(answer.returned)
                await self.promised(card, answer.captures)
            else:
                await self.unpromised(card)
        return answer

    def _needs_csc(self, *, asked: bool) -> None:
        if (asked and self.policy.csc == "never") or (not asked and self.policy.csc == "always"):
            raise NotApplicable(f'the profile says policy.csc = "{self.policy.csc}"')

    async def _challenge(self, card: Card, answer: Answer, csc: bool) -> Challenge:
        """The transaction of an answer to start, once its code has come."""
        code = await self.delivered(card, answer.captures)
        self._learn(card, code)
        always = self.policy.csc == "always"
        asked = answer.captures.get("csc_required", csc or always)
        return Challenge(
            card=card,
            captures=answer.captures,
            otc=code.otc,
            message=code.text,
            csc_required=bool(asked),
            sent_earliest=min(answer.called, code.seen),
            sent_latest=code.seen,
            policy=self.policy,
            jar=answer.jar,
            home=self.session,
        )

    def _learn(self, card: Card, code: Delivered) -> None:
        card.tried.add(code.otc)
        card.like = code.otc
        self.codes_seen.append(code.otc)

    async def verify(
        self, challenge: Challenge, otc: Any = RIGHT, *, csc: Any = RIGHT, **extra: Any
    ) -> Answer:
        """Send a code; by default the right one, with the right 3CSC where it is asked for.

        Any JSON value may be sent; MISSING leaves the OTC or the 3CSC out of the request.
        `extra` is for Operation.build: extra_body, extra_headers, repeated.
        """
        answer = await self._ask(self.to_verify(challenge, otc, csc=csc, **extra))
        right = otc is RIGHT or otc == challenge.otc
        return replace(answer, dies=challenge.surely_alive) if right else answer

    async def _ask(self, call: Call, *, patient: bool = True) -> Answer:
        """Ask for an operation by itself.

        What the answer holds is renewed: a page that is shown again has another hidden field.
        """
        answer = await self.session.ask(
            call.operation, call.values, call.jar, patient=patient, **call.extra
        )
        answer = labelled(call, answer)
        call.about.captures.update(answer.captures)
        self.notes.saw_approval |= Outcome.APPROVED in answer.outcomes
        return answer

    @asynccontextmanager
    async def elsewhere(self) -> AsyncIterator["Trial"]:
        """The same trial from another session: other connections, and no cookies."""
        async with self.session.another() as session:
            trial = copy.copy(self)
            trial.session = session
            yield trial

    async def amend(self, challenge: Challenge) -> Answer:
        """Change the amount of a transaction."""
        async with self.lease.alone(challenge.card.contact):
            answer = await self._ask(self.to_amend(challenge))
            await self.unpromised(challenge.card)  # a new code, say
        return answer

    async def try_resend(
        self, challenge: Challenge, *, patient: bool = True, at_once: bool = False
    ) -> Answer:
        """Ask for the code to be sent again, and return the answer whatever it is.

        Unless it is to be asked `at_once`, the time that the policy wants between two is kept.
        """
        self.needs_operation("resend")
        if self.policy.resend_after and not at_once:
            await self.clock.sleep_until(challenge.sent_latest + self.policy.resend_after)
        async with self.lease.alone(challenge.card.contact):
            answer = await self._ask(self.to_resend(challenge), patient=patient)
            if Outcome.DONE in answer.outcomes:
                await self.promised(challenge.card, challenge.captures)
            else:
                await self.unpromised(challenge.card)
        return answer

    async def resend(self, challenge: Challenge) -> Challenge:
        """Have the code sent again; the challenge as it is then, with its new code."""
        await self.settle(challenge.card)
        await self.skip(challenge.card)
        answer = await self.try_resend(challenge)
        self._needs(answer, Outcome.DONE)
        code = await self.delivered(challenge.card, challenge.captures)
        challenge.card.tried.add(code.otc)
        if self.policy.resend == "reuse":
            return replace(challenge, otc=code.otc)
        sent = min(answer.called, code.seen)
        return replace(challenge, otc=code.otc, sent_earliest=sent, sent_latest=code.seen)

    async def cancel(self, challenge: Challenge) -> Answer:
        """Give a transaction up."""
        return await self._ask(self.to_cancel(challenge))

    async def unlock(self, card: Card) -> None:
        """Have support unlock a card."""
        call = self.to_unlock(card)
        self._needs(await self.session.ask(call.operation, call.values, call.jar), Outcome.DONE)

    async def change_contact(self, card: Card, contact: str, *, proof: Any = RIGHT) -> Answer:
        """Ask for another contact; by default with the right proof."""
        call = self.to_change_contact(card, contact, proof=proof)
        async with self.lease.alone(card.contact):
            answer = await self.session.ask(call.operation, call.values, call.jar)
            await self.unpromised(card)  # a notice, say
        if Outcome.DONE in answer.outcomes:
            card.contact = contact
        return answer

    # --- codes --------------------------------------------------------------------------------

    def wrong(self, card: Card) -> str:
        """A code of the right form that was never sent to this card, nor tried on it."""
        otc = codes.wrong(self.policy, self.rng, card.tried, like=card.like, seen=self.codes_seen)
        if otc is None:
            raise Inconclusive("no wrong code is left to try: policy.digits is too small")
        card.tried.add(otc)
        self._redact.learn(otc)
        return otc

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

    async def approved(self, challenge: Challenge, *, because: str) -> Answer:
        """Send the right code and expect it to be approved.

        Inconclusive where it may have expired by then: a slow target is no broken one.
        """
        answer = await self.verify(challenge)
        self.expect_alive(challenge, answer, because=because)
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
            passing = answer.outcomes <= {Outcome.THROTTLED, Outcome.UNAVAILABLE}
            why = f"{answer.operation} did not work: {self.seen_as(answer)}"
            raise Inconclusive(why, passing=passing)
