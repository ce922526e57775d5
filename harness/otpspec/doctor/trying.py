"""How one thing is tried: asked, noted, and taken for done where everything says that it was."""

from collections.abc import Awaitable, Callable
from typing import Any

from otpspec import realtime
from otpspec.cards import Card
from otpspec.challenge import Challenge
from otpspec.clock import JumpingClock
from otpspec.doctor import captures, post
from otpspec.doctor.tried import Mail, Tried, raw_of, step_numbers
from otpspec.doctor.ward import Ward
from otpspec.errors import OtpspecError
from otpspec.outcome import REFUSED, Outcome
from otpspec.profile import Profile
from otpspec.target import Answer, Session
from otpspec.trial import Trial
from otpspec.verdicts import Inconclusive, NotApplicable

Progress = Callable[[str], None]
DONE = frozenset({Outcome.DONE})
_HARDLY = (400, 403, 404, 405, 415, 422, 429, 500, 501, 502, 503)
"""With these no target says yes."""

_ASSUMED = "it was not read so, but its HTTP status says yes: gone on with it"


class Trying:
    """What a visit does again and again. `tried` grows as it goes."""

    trial: Trial
    profile: Profile
    session: Session

    def __init__(self, ward: Ward, progress: Progress = lambda name: None) -> None:
        self.ward = ward
        self.tried: list[Tried] = []
        self._card_in_hand: Card | None = None
        self.varying: set[str] = set()
        """Values of this run, which no pattern may hold."""

        self.complete = False
        self._guess = False  # whether inbox.code finds something else than the code
        self._progress = progress
        self._wrong_tries = 0

    @property
    def card(self) -> Card:
        """The card that is used now. Nothing but enrolling is tried before there is one."""
        if self._card_in_hand is None:
            raise Inconclusive("the target knows no card")
        return self._card_in_hand

    # --- the card -------------------------------------------------------------------------------

    @property
    def _unsure(self) -> bool:
        """Whether the card has a count of wrong tries that nobody knows."""
        kept = bool(self.profile.cards) and "enroll" not in self.profile.operations
        return kept and self.profile.policy.lock_scope == "card"

    @property
    def _made_up(self) -> bool:
        return not self.profile.cards

    async def _card(self, *, quiet: bool = False) -> Card | None:
        """A card that the target knows; None where it cannot be enrolled."""
        card = self.ward.hand.first()
        self.trial._redact.learn(*card.secrets())
        self.varying |= {str(value) for value in card.values.values()}
        self._wrong_tries = 0
        if "enroll" not in self.profile.operations:
            return await self._with_old_messages_read(card)
        card.jar = self.session.jar()
        one = await self._try(
            "enroll",
            "enroll",
            lambda: self.session.ask("enroll", card.values, card.jar),
            DONE,
            quiet=quiet,
        )
        self._assume(one)
        kept = self._captured(one)
        card.values |= {f"card.{key}": value for key, value in kept.items()}
        return await self._with_old_messages_read(card) if one.went else None

    async def _with_old_messages_read(self, card: Card) -> Card:
        for channel, index, contact in self._boxes(card):
            await post.skip(self.session, channel, index, contact)
        return card

    def _boxes(self, card: Card) -> list[tuple[Any, int, str]]:
        return [
            (channel, index, str(card.values.get(f"card.{channel.contact}", "")))
            for index, channel in enumerate(self.profile.channels)
            if channel.sends
        ]

    # --- asking ---------------------------------------------------------------------------------

    async def _try(
        self,
        name: str,
        operation: str,
        ask: Callable[[], Awaitable[Answer]],
        means: frozenset[Outcome],
        *,
        expects: frozenset[Outcome] | None = None,
        quiet: bool = False,
    ) -> Tried:
        """Ask for one operation, and note all that came."""
        self._progress(name)
        one = Tried(name, operation, expects or means, means, quiet=quiet)
        before = len(self.session.answers)
        try:
            one.answer = await ask()
        except (Inconclusive, NotApplicable) as error:
            one.fault = str(error)
        except OtpspecError as error:
            one.fault = str(error).partition("\n")[0]
        one.answers = self.session.answers[before:]
        if one.answer is None and one.answers:
            one.answer = one.answers[-1]
        self.tried.append(one)
        return one

    def _skip(self, name: str, operation: str, why: str) -> None:
        self.tried.append(Tried(name, operation, frozenset(), frozenset(), skipped=why))

    def _assume(self, one: Tried) -> None:
        """Take for carried out what is not read so, where its status is no error."""
        if one.answer is None or one.went or one.fault:
            return
        if one.answer.status is not None and one.answer.status < 400:
            one.assumed = _ASSUMED

    def _captured(self, one: Tried) -> dict[str, Any]:
        """What is kept of an answer; what is missing is guessed, so that the visit can go on."""
        if one.answer is None or not one.went:
            return {}
        if one.kept is not None:
            return one.kept
        operation = self.profile.operations[one.operation]
        kept = dict(one.answer.captures)
        numbers = step_numbers(operation, one.answers)
        for index, answer in enumerate(one.answers):
            raw = raw_of(answer)
            last = index + 1 == len(numbers) or numbers[index + 1] != numbers[index]
            if raw is None or not last:
                continue
            step = operation.steps[numbers[index]]
            kept = {**step.captured(raw), **kept}
            for name in sorted(step.keeps - kept.keys()):
                found = captures.candidates(raw, name, sent=self.varying)
                one.lost[name] = found
                if found and self._is_used(f"{operation.about}.{name}"):
                    kept[name] = found[0].value
        self.varying |= {str(value) for value in kept.values() if len(str(value)) > 3}
        one.kept = kept
        return kept

    def _is_used(self, place: str) -> bool:
        """Whether any request asks for what is kept."""
        return any(place in s.names for o in self.profile.operations.values() for s in o.steps)

    def _renew(self, challenge: Challenge, one: Tried) -> None:
        """What a page holds that was not understood is new all the same: its hidden fields."""
        raw = one.raw
        if raw is not None and one.answer is not None and not one.answer.captures:
            operation = self.profile.operations[one.operation]
            step = operation.steps[step_numbers(operation, one.answers)[-1]]
            challenge.captures.update(step.captured(raw))

    def _room(self) -> bool:
        """Whether one more wrong try cannot lock the card."""
        return self._wrong_tries < self.profile.policy.max_wrong - 1

    async def _fresh_room(self) -> bool:
        """Room for a wrong try, on another card where this one has none left."""
        if not self._room() and self._made_up:
            await self._another_card()
        return self._room()

    async def _another_card(self) -> bool:
        """Go on with another card that the target has enrolled."""
        card = await self._card(quiet=True)
        self._card_in_hand = card or self._card_in_hand
        return card is not None

    # --- transactions ---------------------------------------------------------------------------

    async def _start(self, name: str, *, csc: bool | None, quiet: bool) -> Challenge | None:
        """Start a transaction and read its code; None where that did not work."""
        if not await self._may_start():
            return None
        card = await self._with_old_messages_read(self.card)
        began_s = realtime.monotonic()
        one = await self._try(
            name, "start", lambda: self.trial.try_start(card, csc=csc), DONE, quiet=quiet
        )
        if self.profile.policy.lock_scope == "challenge":
            self._wrong_tries = 0
        if one.answer is None or one.answer.status is None or one.fault:
            return None
        self._assume(one)
        await self._read_mail(one, card, began_s)
        if not one.went and any(mail.text is not None for mail in one.mails):
            one.assumed = "it was not read so, but a message came: gone on with it"
        if not one.went:
            return None
        return self._challenge(one, card, bool(csc))

    async def _may_start(self) -> bool:
        """Whether the card may start a transaction; another card, where it may not."""
        limit = self.profile.policy.start_limit
        if limit is None or len(self.card.starts) < limit.starts:
            return True
        if self._made_up:
            return await self._another_card()
        if isinstance(self.ward.clock, JumpingClock):
            free = self.card.starts[-limit.starts] + limit.within + self.profile.policy.tolerance
            await self.trial.clock.sleep_until(free)
            return True
        return False

    async def _read_mail(self, one: Tried, card: Card, began_s: float) -> None:
        kept = self._captured(one) if one.went else {}
        for channel, index, contact in self._boxes(card):
            mail = Mail(channel, index, contact, card.numbers)
            kinds = {"phone", "email"} - {channel.contact}
            mail.others = {k: str(v) for k in kinds if (v := card.values.get(f"card.{k}"))}
            wait_s = channel.settings.wait.total_seconds()
            answer = one.answer
            if answer is None or answer.outcomes & REFUSED or answer.status in _HARDLY:
                wait_s = min(wait_s, 1.0)
            self._progress(f"{one.name}: the message ({channel.kind})")
            reference = kept.get("reference")
            one.mails.append(
                await post.wait(self.ward, self.session, mail, reference, began_s, wait_s)
            )
            mail = one.mails[-1]
            if self._guess and mail.candidates:
                mail.code, mail.refuted = mail.candidates[0].code, True
            self._learn(card, mail.code)

    def _learn(self, card: Card, code: str) -> None:
        if code:
            self.trial._redact.learn(code)
            card.tried.add(code)
            card.like = card.like or code
            self.trial.codes_seen.append(code)
            self.varying.add(code)

    def _challenge(self, one: Tried, card: Card, csc: bool) -> Challenge:
        kept, now = self._captured(one), self.trial.clock.now()
        asked = kept.get("csc_required", csc or self.profile.policy.csc == "always")
        first = next((mail for mail in one.mails if mail.code), None)
        return Challenge(
            card=card,
            captures=kept,
            otc=first.code if first else "",
            message=(first.text or "") if first else "",
            csc_required=bool(asked),
            sent_earliest=one.answer.called if one.answer else now,
            sent_latest=now,
            policy=self.profile.policy,
            jar=one.answer.jar if one.answer else None,
            home=self.session,
        )

    async def _code(self, challenge: Challenge) -> str:
        """The code of a transaction; where codes are not sent, one made of the secret."""
        if self.profile.sends_messages:
            return challenge.otc
        try:
            made = await self.trial.delivered(challenge.card, challenge.captures)
        except (Inconclusive, NotApplicable) as error:
            self.tried[-1].notes.append(str(error))
            return ""
        self._learn(challenge.card, made.otc)
        return made.otc

    @property
    def _plain(self) -> bool | None:
        return None if self.profile.policy.csc == "always" else False
