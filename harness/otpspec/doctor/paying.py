"""Codes, right and wrong: what is tried on transactions that wait for theirs."""

from otpspec.challenge import Challenge
from otpspec.doctor.suggest import alike
from otpspec.doctor.tried import Tried
from otpspec.doctor.trying import Trying
from otpspec.outcome import REFUSED, Outcome
from otpspec.verdicts import Inconclusive

NO_ROOM = "one more wrong try could lock the card (policy.max_wrong)"


class Paying(Trying):
    """The part of a visit that sends codes."""

    _started = False

    async def _pay(self) -> None:
        """A transaction: a wrong code, the right one, and the right one again."""
        challenge = await self._start("start", csc=self._plain, quiet=False)
        self._started = challenge is not None
        if challenge is None:
            self._skip("verify", "verify", "no transaction was started")
            return
        code = await self._code(challenge)
        wrong = None if self._right_first else await self._wrong_code(challenge)
        if not code:
            self._skip("verify, the right code", "verify", "no code was found")
            return
        right = await self._right_code(challenge, code, wrong)
        if not right.went:
            right = await self._likelier_code() or right
        else:
            await self._used_code(challenge, code)
        if self._right_first:
            await self._wrong_code_later(right)

    @property
    def _right_first(self) -> bool:
        """Whether a wrong code and then one that only seems right could lock the card."""
        return self._unsure or self.profile.policy.max_wrong <= 2

    async def _wrong_code(self, challenge: Challenge) -> Tried | None:
        if not self._room():
            self._skip("verify, a wrong code", "verify", NO_ROOM)
            return None
        try:
            wrong = self.trial.wrong(challenge.card)
        except Inconclusive as error:
            self._skip("verify, a wrong code", "verify", str(error))
            return None
        self.varying.add(wrong)
        self._wrong_tries += 1
        one = await self._try(
            "verify, a wrong code",
            "verify",
            lambda: self.trial.verify(challenge, wrong),
            frozenset({Outcome.WRONG_OTC}),
        )
        self._renew(challenge, one)
        return one

    async def _right_code(self, challenge: Challenge, code: str, wrong: Tried | None) -> Tried:
        one = await self._try(
            "verify, the right code",
            "verify",
            lambda: self.trial.verify(challenge, code),
            frozenset({Outcome.APPROVED}),
        )
        raw, other = one.raw, wrong.raw if wrong else None
        same = raw is not None and other is not None and alike(raw, other, self.varying)
        if not one.went and not same:
            self._assume(one)
        if one.went:
            self._wrong_tries = 0 if self.profile.policy.success_clears_count else self._wrong_tries
        else:
            self._wrong_tries += 1
        return one

    async def _likelier_code(self) -> Tried | None:
        """Where the code was not taken: the part of the message that looks more like one."""
        mails = [mail for one in self.tried for mail in one.mails]
        if not any(m.candidates and m.candidates[0].code != m.code for m in mails):
            return None
        if not self._made_up or not await self._another_card():
            return None
        challenge = await self._start("start, for another code", csc=self._plain, quiet=True)
        mail = next((m for m in self.tried[-1].mails if m.candidates), None)
        if challenge is None or mail is None:
            return None
        likelier = mail.candidates[0].code
        self._learn(challenge.card, likelier)
        one = await self._try(
            "verify, what looks more like the code",
            "verify",
            lambda: self.trial.verify(challenge, likelier),
            frozenset({Outcome.APPROVED}),
        )
        if not one.went:
            self._wrong_tries += 1
            return None
        for seen in (*mails, mail):
            seen.refuted = True
        self._guess = True
        return one

    async def _used_code(self, challenge: Challenge, code: str) -> None:
        if not self._room():
            self._skip("verify, the used code again", "verify", NO_ROOM)
            return
        self._wrong_tries += 1
        await self._try(
            "verify, the used code again",
            "verify",
            lambda: self.trial.verify(challenge, code),
            frozenset({Outcome.VOID}),
            expects=frozenset(REFUSED),
        )

    async def _wrong_code_later(self, right: Tried) -> None:
        """Where nobody knows the card's count, only after a right code has cleared it."""
        unlocked = any(t.operation == "unlock" and t.went for t in self.tried)
        if self._unsure and not right.went and not unlocked:
            why = "nothing has cleared this card's count of wrong tries, which is not known"
            self._skip("verify, a wrong code", "verify", why)
            return
        if await self._fresh_room():
            challenge = await self._start("start, for a wrong code", csc=self._plain, quiet=True)
            if challenge is not None:
                await self._wrong_code(challenge)
        else:
            self._skip("verify, a wrong code", "verify", NO_ROOM)

    def _why_not_started(self) -> str:
        last = self.tried[-1]
        if last.operation == "start" and last.quiet and last.answer is not None:
            return f"no transaction could be started for it: {last.answer}"
        limit = self.profile.policy.max_starts
        return f"policy.max_starts = {limit!r} leaves no transaction for it" if limit else ""

    async def _security_code(self) -> None:
        """A wrong 3CSC on a transaction of its own, then the right one."""
        if self.profile.policy.csc == "never" or not self._started:
            return
        name = "verify, a wrong 3CSC"
        if not await self._fresh_room():
            self._skip(name, "verify", NO_ROOM)
            return
        csc = True if self.profile.policy.csc == "sometimes" else None
        challenge = await self._start("start, for the 3CSC", csc=csc, quiet=True)
        if challenge is None or not challenge.otc:
            self._skip(name, "verify", self._why_not_started() or "no code came for it")
            return
        self._wrong_tries += 1
        wrong = challenge.card.wrong_csc
        await self._try(
            name,
            "verify",
            lambda: self.trial.verify(challenge, challenge.otc, csc=wrong),
            frozenset({Outcome.WRONG_CSC}),
            expects=frozenset({Outcome.WRONG_CSC}),
        )
        if csc:
            await self._right_security_code()

    async def _right_security_code(self) -> None:
        challenge = await self._start("start, for the 3CSC again", csc=True, quiet=True)
        if challenge is not None and challenge.otc:
            right = challenge.card.csc
            one = await self._try(
                "verify, both codes right",
                "verify",
                lambda: self.trial.verify(challenge, challenge.otc, csc=right),
                frozenset({Outcome.APPROVED}),
            )
            self._assume(one)
            if one.went and self.profile.policy.success_clears_count:
                self._wrong_tries = 0
