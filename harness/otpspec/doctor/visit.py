"""The visit: every operation once, in order, on one card, which is never locked."""

import asyncio
from typing import Any

from otpspec import realtime
from otpspec.challenge import Challenge
from otpspec.doctor.paying import NO_ROOM, Paying
from otpspec.doctor.tried import Tried
from otpspec.doctor.trying import DONE
from otpspec.outcome import REFUSED, SUCCESS, Outcome
from otpspec.profile import MISSING
from otpspec.trial import Trial


class Visit(Paying):
    """One visit of a target."""

    async def __call__(self, trial: Trial) -> None:
        """Go through it all."""
        self.trial, self.profile, self.session = trial, trial.profile, trial.session
        amounts = self.profile.amounts
        self.varying |= {amounts.without_csc, amounts.with_csc, amounts.amended, amounts.merchant}
        self._card_in_hand = await self._card()
        if self._card_in_hand is not None:
            if self._unsure:
                await self._unlock("unlock, before anything else")
            await self._pay()
            await self._sent_again_and_cancelled()
            await self._amended()
            await self._security_code()
            await self._contact()
            await self._unlock("unlock")
            await self._tidy()
        self.complete = True

    async def _sent_again_and_cancelled(self) -> None:
        wanted: list[str] = [n for n in ("resend", "cancel") if n in self.profile.operations]
        if not wanted:
            return
        challenge = await self._for(wanted)
        if challenge is None:
            return
        if "resend" in wanted:
            card, began_s = challenge.card, realtime.monotonic()
            one = await self._try(
                "resend", "resend", lambda: self.trial.try_resend(challenge), DONE
            )
            self._assume(one)
            if one.answer is not None and not one.fault:
                await self._read_mail(one, card, began_s)
            self._note_code(one, challenge)
            self._renew(challenge, one)
        if "cancel" in wanted:
            one = await self._try("cancel", "cancel", lambda: self.trial.cancel(challenge), DONE)
            self._assume(one)

    def _note_code(self, one: Tried, challenge: Challenge) -> None:
        code = next((mail.code for mail in one.mails if mail.code), "")
        if code and challenge.otc:
            one.notes.append(
                "it brought the same code again"
                if code == challenge.otc
                else "it brought a new code"
            )

    async def _for(self, operations: list[str]) -> Challenge | None:
        """A transaction for operations; where there is none, they are skipped."""
        why = "no transaction could be started for it"
        challenge = None
        if self._started:
            name = f"start, for {' and '.join(operations)}"
            challenge = await self._start(name, csc=self._plain, quiet=True)
            why = self._why_not_started() or why
        if challenge is None:
            for operation in operations:
                self._skip(operation, operation, why)
        return challenge

    async def _amended(self) -> None:
        if "amend" in self.profile.operations:
            challenge = await self._for(["amend"])
            if challenge is not None:
                one = await self._try("amend", "amend", lambda: self.trial.amend(challenge), DONE)
                self._assume(one)
                if one.went:  # it may send a code of its own, which is not the next one's
                    await asyncio.sleep(self.profile.quiet.total_seconds())

    async def _contact(self) -> None:
        """Another contact: with a wrong proof, with none; with the right one on cards of ours."""
        if "change_contact" not in self.profile.operations:
            return
        for what, proof in (("a wrong proof", "not-the-proof"), ("no proof", MISSING)):
            name = f"change_contact, {what}"
            if not await self._fresh_room():
                self._skip(name, "change_contact", NO_ROOM)
                continue
            self._wrong_tries += 1
            one = await self._change(name, proof, frozenset({Outcome.DENIED}))
            if one.answer is not None and one.answer.outcomes & SUCCESS:
                one.notes.append("the contact was changed back with the right proof")
        name = "change_contact, the right proof"
        if not self._made_up:
            self._skip(name, "change_contact", "a card of [cards] keeps its contact")
            return
        one = await self._change(name, self.card.passphrase, DONE)
        self._assume(one)

    async def _change(self, name: str, proof: Any, means: frozenset[Outcome]) -> Tried:
        card, old, new = self.card, self.card.contact, self.trial.new_contact()
        self.varying.add(new)
        one = await self._try(
            name,
            "change_contact",
            lambda: self.trial.change_contact(card, new, proof=proof),
            means,
            expects=frozenset(REFUSED) if Outcome.DENIED in means else means,
        )
        if one.answer is not None and one.answer.outcomes & SUCCESS and not self._made_up:
            values = {**card.values, "contact": old, "proof": card.passphrase}
            await self.session.ask("change_contact", values, card.jar)
            card.contact = old
        return one

    async def _unlock(self, name: str) -> None:
        if "unlock" not in self.profile.operations:
            return
        card = self.card
        ask = self.session.ask
        one = await self._try(name, "unlock", lambda: ask("unlock", card.values), DONE)
        self._assume(one)
        if one.went:
            self._wrong_tries = 0

    async def _tidy(self) -> None:
        """Leave a card of the profile's own without wrong tries, as far as that can be done."""
        policy = self.profile.policy
        if not self._unsure or not self._wrong_tries or not policy.success_clears_count:
            return
        challenge = await self._start("start, to clear the count", csc=self._plain, quiet=True)
        if challenge is not None and challenge.otc:
            one = await self._try(
                "verify, to clear the count",
                "verify",
                lambda: self.trial.verify(challenge, challenge.otc),
                frozenset({Outcome.APPROVED}),
                quiet=True,
            )
            self._wrong_tries = 0 if one.went else self._wrong_tries
