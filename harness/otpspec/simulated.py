"""A target that is the model of the rules: what is asked of it is counted, and nothing sent."""

import itertools
import random
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from otpspec import codes, model
from otpspec.burst import Overlap
from otpspec.cards import Card
from otpspec.clock import Clock, JumpingClock, Reading, RealClock
from otpspec.exchange import Jar
from otpspec.ledger import Ledger
from otpspec.mailing import Delivered
from otpspec.outcome import Outcome
from otpspec.pool import Endless, Enrolled, Given, Lease
from otpspec.profile import MISSING, Channel, Message, Profile, Request
from otpspec.redact import Redactor
from otpspec.target import Answer, Session
from otpspec.together import Call, Race
from otpspec.trial import Trial
from otpspec.world import Cards, Housekeeping

_BEGAN = 1_700_000_000.0  # any time will do
_NUMBER, _ASKS = "id", "csc_required"


class NoTime:
    """A clock that stands still between two jumps."""

    leans_on = hint = ""

    def __init__(self) -> None:
        self._now = _BEGAN

    async def read(self) -> Reading:
        """Read it."""
        return Reading(self._now, 0.0)

    async def advance(self, seconds: float) -> Reading:
        """Move it."""
        self._now += seconds
        return Reading(self._now, 0.0)


@dataclass
class _Account:
    """A card at the target."""

    state: model.State = field(default_factory=model.State)
    started: int = 0
    asks_for_csc: dict[int, bool] = field(default_factory=dict)
    newest: str = ""  # code


class Bank:
    """The target: what it answers to each operation on each card, strictly by the model."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._policy = profile.policy
        self._accounts: dict[str, _Account] = {}
        self._numbers = itertools.count(1)
        self._rng = random.Random(0)  # noqa: S311 - to be the same every time
        self._started: dict[str, tuple[str, int]] = {}
        """A transaction's name: its card's key, and which of the card's it is."""

        self.locked: set[str] = set()
        """The cards that were ever locked, by number or name."""

        self.requests = 0
        self.mail: dict[str, list[Message]] = {}
        self.read: dict[tuple[int, str], set[str]] = {}

    def account(self, values: Mapping[str, Any]) -> _Account:
        """A card's account; every card is known here."""
        return self._accounts.setdefault(_key(values), _Account())

    def answer(
        self, operation: str, values: Mapping[str, Any], now: float
    ) -> tuple[Outcome, dict[str, Any]]:
        """What is answered, and captured of it."""
        account = self.account(values)
        self.requests += len(self._profile.operations[operation].steps)
        if operation == "enroll":
            account.state = model.State()
            return Outcome.DONE, {}
        asked = self._operation(operation, account, values, now)
        outcome, account.state = model.step(self._policy, account.state, asked, (now, now))[0]
        if account.state.failures >= self._policy.max_wrong:
            self.locked.add(_key(values))
        if outcome is not Outcome.DONE:
            return outcome, {}
        code = getattr(asked, "code", None)
        if code is not None:
            account.newest = code
            self._send(values, f"{code} {values.get('amount')} {self._profile.amounts.merchant}")
        if isinstance(asked, model.Start):
            account.started += 1
            account.asks_for_csc[asked.challenge] = bool(asked.csc_required)
            name = f"{self._rng.getrandbits(128):032x}"  # that one can guess is for others to find
            self._started[name] = (_key(values), asked.challenge)
            return outcome, {_NUMBER: name, _ASKS: asked.csc_required}
        return outcome, {}

    def _send(self, values: Mapping[str, Any], text: str) -> None:
        for channel in self._profile.channels:
            contact = str(values.get(f"card.{channel.contact}"))
            self.mail.setdefault(contact, []).append(Message(str(next(self._numbers)), text))

    def _operation(
        self, operation: str, account: _Account, values: Mapping[str, Any], now: float
    ) -> model.Operation:
        whose, number = self._started.get(str(values.get(f"challenge.{_NUMBER}")), ("", -1))
        if whose != _key(values):  # another card's is none of this one's
            number = -1
        match operation:
            case "start":
                with_csc = values["amount"] == self._profile.amounts.with_csc
                asks = with_csc and self._policy.csc != "never"
                return model.Start(account.started, self._code(), asks, now)
            case "verify":
                return self._verify(account, number, values)
            case "resend":
                old = account.state.find(number)
                same = self._policy.resend == "reuse" and old is not None
                code = old.code if same and old else self._code()
                return model.Resend(number, code, now)
            case "amend":
                return model.Amend(number, self._code(), False, now)
            case "cancel":
                return model.Cancel(number)
            case "unlock":
                return model.Unlock()
            case _:
                return model.ChangeContact(values["proof"] == values["card.passphrase"])

    def _verify(
        self, account: _Account, number: int, values: Mapping[str, Any]
    ) -> model.Verify | model.Malformed:
        otc, csc = values["otc"], values["csc"]
        if not isinstance(otc, str) or len(otc) != self._policy.digits:
            return model.Malformed(number)
        if not account.asks_for_csc.get(number, False):
            return model.Verify(number, otc)
        if csc is MISSING or not csc:
            return model.Verify(number, otc, model.Csc.MISSING)
        right = csc == values.get("card.csc")
        return model.Verify(number, otc, model.Csc.RIGHT if right else model.Csc.WRONG)

    def _code(self) -> str:
        return codes.any_code(self._policy, self._rng)


def _key(values: Mapping[str, Any]) -> str:
    """What tells a card from others."""
    return str(values.get("card.number") or values["card.pan"])


class SimulatedSession(Session):
    """A conversation with the bank."""

    def __init__(self, bank: Bank, clock: Clock, answers: list[Answer] | None = None) -> None:
        self._bank = bank
        self._clock = clock
        self.answers: list[Answer] = [] if answers is None else answers

    async def aclose(self) -> None:
        """There is nothing to close."""

    @asynccontextmanager
    async def another(self) -> AsyncIterator[Session]:
        """A session of someone else."""
        yield SimulatedSession(self._bank, self._clock, self.answers)

    def jar(self) -> Jar:
        """Cookies are not simulated."""
        return Jar()

    async def ask(
        self,
        operation: str,
        values: Mapping[str, Any],
        jar: Jar | None = None,
        *,
        patient: bool = True,
        **extra: Any,
    ) -> Answer:
        """Ask for one operation."""
        now = self._clock.now()
        if repeated := extra.get("repeated"):  # a key that is there twice is no code
            values = {**values, repeated[0]: list(repeated[1])}
        outcome, captures = self._bank.answer(operation, values, now.timestamp())
        request = Request(operation, "POST", "/", (), b"")
        outcomes = frozenset({outcome})
        answer = Answer(request, 200, outcomes, captures, jar=jar, called=now, returned=now)
        self.answers.append(answer)
        return answer

    async def at_once(self, calls: Sequence[Call]) -> Race:
        """Ask for several at once: one after the other, as far as anyone can tell."""
        answers = [await c.session.ask(c.operation, c.values, c.jar, **c.extra) for c in calls]
        count = len(answers)
        return Race(calls, answers, Overlap(of=count, in_flight=count))

    async def messages(self, channel: Channel, contact: str) -> list[Message]:
        """The messages to a contact."""
        return self._bank.mail.get(contact, [])

    def read(self, channel: int, contact: str) -> set[str]:
        """The ids of the messages that someone has read."""
        return self._bank.read.setdefault((channel, contact), set())

    def came(self) -> str:
        """Nothing is said of what is not sent."""
        return ""


class SimulatedTrial(Trial):
    """A trial that reads the bank's codes as they are, and waits for no silence."""

    async def delivered(self, card: Card, about: Mapping[str, Any]) -> Delivered:
        """The newest code of a card."""
        assert isinstance(self.session, SimulatedSession)  # noqa: S101
        code, text = self.session._bank.account(card.values).newest, ""
        if self.profile.sends_messages:
            text = (await self.next_message(card, about)).text
        return Delivered(code, text, self.clock.now())

    async def _linger(self) -> None:
        """Nothing comes late."""

    async def silence(self, whom: Card | str) -> list[Message]:
        """Nothing comes late."""
        return await self.new_messages(whom)

    def code_in(self, message: Message, whom: Card | str) -> str | None:
        """The first word."""
        return message.text.split()[0]


class Simulated(Housekeeping):
    """The world of a plan: the model in the place of the target, and no time that passes.

    `needs`: how many of the profile's own cards each scenario takes; without it there is no end
    of cards.
    """

    version = ""

    def __init__(
        self,
        profile: Profile,
        redact: Redactor,
        *,
        needs: Mapping[str, int] | None = None,
        max_wait: timedelta,
    ) -> None:
        super().__init__(profile, max_wait)
        self._redact = redact
        self._needs = needs
        self.bank = Bank(profile)
        self.cards: Cards = Endless(profile) if profile.cards else Enrolled(profile)

    async def open(self) -> None:
        """Make the clock, and the pool of cards."""
        hook = NoTime()
        self.clock: RealClock | JumpingClock = JumpingClock(hook, await hook.read())
        if self._needs is not None:
            ledger = Ledger.beside(self.profile, read_only=True)
            given = Given(self.profile, self._needs, ledger, self.clean)
            self.cards = given
            given.open()

    async def close(self) -> None:
        """Clean the profile's own cards up, as after a real run."""
        if isinstance(self.cards, Given):
            await self.cards.clean_up(self.leave)

    @property
    def in_real_time(self) -> bool:
        """As it is for the target itself."""
        return self.profile.clock.kind == "real"

    def notes(self) -> list[str]:
        """Nothing is said of what is not sent."""
        return []

    def session(self) -> Session:
        """A conversation with the bank."""
        assert isinstance(self.clock, JumpingClock)  # noqa: S101 - open has made it
        return SimulatedSession(self.bank, self.clock)

    def trial(
        self, session: Session, rng: random.Random, lease: Lease, codes: list[str], *, deep: bool
    ) -> Trial:
        """What a scenario is given."""
        clock, redact = self.clock, self._redact
        return SimulatedTrial(self.profile, clock, session, redact, rng, lease, codes, deep=deep)
