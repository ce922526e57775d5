"""One customer's way through a load run: asks what the behaviour yields, and has it judged.

Everything here is done in callbacks, one for each answer, and nothing blocks. What is usual is
written out, since it is done for each request at the rate that is measured.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from otpspec import model
from otpspec.load import steps
from otpspec.load.asks import Ask, values_of
from otpspec.load.card import LoadCard, Told
from otpspec.load.recorder import Contradiction
from otpspec.load.steps import Challenge, Journey, Step
from otpspec.load.talk import Talk, keep
from otpspec.load.wire import Answer
from otpspec.model import Csc, Judgement, Observation
from otpspec.outcome import SUCCESS, Outcome
from otpspec.profile import MISSING

if TYPE_CHECKING:
    from otpspec.load.slot import Slot
    from otpspec.load.world import World

_UNANSWERED = frozenset({Outcome.UNAVAILABLE})
_NOTHING: frozenset[Outcome] = frozenset()
_SILENT, _BROKEN = Judgement.SILENT, Judgement.BROKEN


class RuleBrokenError(Exception):
    """An answer that broke a rule: "EXPIRY-2: approved, expected expired"."""

    def __repr__(self) -> str:
        """What Locust shows."""
        return str(self)


class NoAnswerError(Exception):
    """A call got no answer; the message says why."""


class Play:
    """A journey under way. It is its own call: it asks one thing at a time."""

    __slots__ = (
        *("_ask", "_asked_csc", "_challenge", "_number", "_operation", "_outcomes", "_sent"),
        *("_step", "_talk", "_then", "_wrong", "card", "data", "due", "full", "journey", "name"),
        *("sent", "slot", "world"),
    )

    def __init__(
        self, world: "World", slot: "Slot", name: str, journey: Journey, card: LoadCard
    ) -> None:
        self.world = world
        self.slot = slot
        self.name = name
        self.journey = journey
        self.card = card
        self.data = b""
        self.due = self.sent = self._sent = 0.0
        self.full = False
        self._talk: Talk | None = None
        self._ask: Ask
        self._then: Callable[[Observation, frozenset[Outcome], dict[str, Any], float], None]
        self._operation: model.Operation | None
        self._challenge: Challenge | None = None
        self._number = 0  # of the card's challenge that a start begins
        self._asked_csc = False
        self._wrong = False  # whether a wrong OTC or a wrong 3CSC is sent
        self._outcomes: frozenset[Outcome] = _NOTHING

    # --- from step to step ----------------------------------------------------------------------

    def resume(self, value: Any, now: float) -> None:
        """Give the behaviour its answer, and do what it wants next."""
        slot = self.slot
        if slot.stopping:
            self.abandon()
            return
        try:
            step = self.journey.send(value)
        except StopIteration:
            self.world.recorder.behaviours[self.name] += 1
            self.world.cards.give(self.card)
            slot.free(now)
            return
        if value is None or not self.world.thinks:
            self.do(step, now)
        else:
            self.world.think(self, step, now)

    def do(self, step: Step, due: float) -> None:
        """Do what the behaviour wants, which is due now or was."""
        self.due = due
        act = _ACTS.get(type(step))
        if act is None:
            raise TypeError(f"not a step: {step!r}")
        act(self, step)

    def abandon(self) -> None:
        """The run ends, or its user: nothing more is asked, and its card is in an unknown state."""
        self.journey.close()
        self.world.cards.leave(self.card)
        self.slot.free(self.due)

    def _end(self, why: str, now: float, *, unanswered: bool = False) -> None:
        """The journey cannot go on. What went unanswered may come to pass yet: so its card rests."""
        self.world.recorder.trouble[why] += 1
        self.journey.close()
        self.world.cards.leave(self.card, answered=not unanswered)
        self.slot.free(now, stumbled=unanswered)

    # --- asking ---------------------------------------------------------------------------------

    def _send(
        self,
        name: str,
        values: dict[str, Any],
        operation: model.Operation | None,
        then: Callable[..., None],
        jar: Any = None,
    ) -> None:
        world = self.world
        self._ask = ask = world.asks.of[name]
        self._operation = operation
        self._then = then
        if jar is None and ask.prepared is not None:
            try:
                data = ask.prepared.fill(values, next(world.asks.number))
            except KeyError as error:
                raise world.asks.lacks(name, error.args[0]) from error
            if data is not None:
                self.data = data
                self.slot.calls += 1
                ask.pool.submit(self)
                return
        self._talk_about(values, jar)

    def _talk_about(self, values: dict[str, Any], jar: Any) -> None:
        asks, ask = self.world.asks, self._ask
        self._talk = talk = Talk(asks, ask, values, None if jar is None else jar.copy())
        self.full = True
        self._sent = 0.0
        try:
            self.data, pool = talk.begin()
        except KeyError as error:
            raise asks.lacks(ask.name, error.args[0]) from error
        self.slot.calls += 1
        pool.submit(self)

    def answered(self, status: int, body: bytes, answer: Answer | None, returned: float) -> None:
        """An answer came: judge it, record it, go on."""
        world, ask, talk = self.world, self._ask, self._talk
        if talk is None:
            outcomes, captures = ask.read(status, body)
            sent = self.sent
            if answer is not None:
                self._cookies(answer)
        else:
            assert answer is not None  # noqa: S101 - it was asked for in full
            found = self._talked(talk, answer, returned)
            if found is None:
                return
            outcomes, captures, sent = found
        self.slot.calls -= 1
        rate, began = world.rate, world.began
        at, called = (returned - began) * rate, (sent - began) * rate
        operation = self._operation
        if operation is None:
            asked = captures.get("csc_required")
            if asked is not None:
                self._asked_csc = bool(asked)
            operation = model.Start(self._number, None, self._asked_csc)
        card = self.card
        told = Told(ask.name, self.data, status, body, outcomes, called, at)
        card.history.append(told)
        seen = card.tracker.observe(operation, called, at, outcomes)
        world.recorder.answered(told, seen, returned - self.due, returned - sent, returned)
        if seen.judgement is _BROKEN:
            self._broken(seen, told, returned)
        elif world.fires_each:
            world.fire(ask, returned - self.due, len(body), None)
        self._then(seen, outcomes, captures, returned)

    def failed(self, why: str, returned: float) -> None:
        """No answer came: the target may have done what was asked, or may not."""
        world, ask = self.world, self._ask
        self.slot.calls -= 1
        rate, began = world.rate, world.began
        at, called = (returned - began) * rate, ((self._sent or self.sent) - began) * rate
        operation = self._operation or model.Start(self._number, None, self._asked_csc)
        told = Told(ask.name, self.data, None, why.encode(), _UNANSWERED, called, at)
        self.card.history.append(told)
        self.card.tracker.observe(operation, min(called, at), at, None)
        world.recorder.unanswered(ask.name, measured=True)
        world.fire(ask, returned - self.due, 0, NoAnswerError(why))
        self._quiet()
        world.check_hopeless(f"no answer to {ask.name} ({why})")
        self._end(f"no answer to {ask.name} ({why})", returned, unanswered=True)

    def _talked(
        self, talk: Talk, answer: Answer, returned: float
    ) -> tuple[frozenset[Outcome], dict[str, Any], float] | None:
        """An answer in a talk: what the talk came to, or None where it goes on."""
        world = self.world
        sent = self._sent = self._sent or self.sent
        following = talk.heard(answer)
        if following is not None:
            rate, began = world.rate, world.began
            called, at = (self.sent - began) * rate, (returned - began) * rate
            told = Told(
                self._ask.name, self.data, answer.status, answer.body, _NOTHING, called, at
            )
            self.card.history.append(told)
            self.data, pool = following
            pool.submit(self)
            return None
        assert talk.reading is not None  # noqa: S101 - it is over
        outcomes, captures = talk.reading
        if talk.jar is not None:
            self._remember(talk.jar)
        self._quiet()
        return outcomes, captures, sent

    def _quiet(self) -> None:
        """The talk is over."""
        self._talk = None
        self.full = False
        self._sent = 0.0

    def _cookies(self, answer: Answer) -> None:
        """A prepared request's answer sets cookies: from now on the general way is taken."""
        if answer.cookies:
            asks, card = self.world.asks, self.card
            jar = (card.jar.copy() if card.jar is not None else None) or asks.jar()
            request = self._ask.operation.decisive
            about = Told("", self.data, None, b"", _NOTHING, 0, 0).request
            keep(jar, asks.jar(), about._replace(origin=request.origin), answer)
            self._remember(jar)

    def _remember(self, jar: Any) -> None:
        if self._ask.operation.about == "card":
            self.card.jar = jar
        else:
            self.card.jars[self._number] = jar

    def _broken(self, seen: Observation, told: Told, returned: float) -> None:
        card, world = self.card, self.world
        let_through = any(outcome in SUCCESS for outcome in seen.got)
        weight = (let_through, told.called - card.history[0].called)
        found = Contradiction(seen, tuple(card.history), card.secrets(), weight)
        world.recorder.contradicted(found)
        error = RuleBrokenError(seen.headline)
        lasted, length = returned - self.due, len(told.text)
        world.fire(self._ask, lasted, length, error, counted=not world.fires_each)

    # --- start, and its code --------------------------------------------------------------------

    def _start(self, step: steps.Start) -> None:
        self._begin(step.csc, self._started)

    def _try_start(self, step: steps.TryStart) -> None:
        self._begin(self.world.policy.csc == "always", self._tried)

    def _begin(self, csc: bool, then: Callable[..., None]) -> None:
        card, world = self.card, self.world
        self._number = card.starts
        self._asked_csc = csc
        card.starts += 1
        values = {**card.owner.values, **(world.with_csc if csc else world.without_csc)}
        self._send("start", values, None, then, card.jar)

    def _started(
        self,
        seen: Observation,
        outcomes: frozenset[Outcome],
        captures: dict[str, Any],
        now: float,
    ) -> None:
        if not outcomes & SUCCESS:
            self._end(f"start was answered with {words(outcomes)}", now)
            return
        self._await_code(captures, self._delivered)

    def _tried(
        self,
        seen: Observation,
        outcomes: frozenset[Outcome],
        captures: dict[str, Any],
        now: float,
    ) -> None:
        self._outcomes = outcomes
        if outcomes & SUCCESS:
            self._await_code(captures, self._delivered_all_the_same)
        else:
            self.resume(outcomes, now)

    def _await_code(
        self, captures: dict[str, Any], take: Callable[[str | None, float], None]
    ) -> None:
        card = self.card
        values = values_of("challenge", captures)
        values.update(card.owner.values)
        card.challenges[self._number] = values
        self.world.desk.ask(values, card.owner.contact, captures.get("reference"), take)

    def _learned(self, code: str | None, seen: float) -> bool:
        """Take in a code; whether there was one."""
        world, card = self.world, self.card
        if not code:
            why = "no message came in time" if code is None else "a message came without a code"
            self._end(why, seen)
            return False
        card.codes.add(code)
        card.tracker.delivered(self._number, code, (seen - world.began) * world.rate)
        return True

    def _delivered(self, code: str | None, seen: float) -> None:
        if self._learned(code, seen):
            now = self.world.now()
            self.resume(self._known(str(code), now), now)

    def _delivered_all_the_same(self, code: str | None, seen: float) -> None:
        if self._learned(code, seen):
            self.resume(self._outcomes, self.world.now())

    def _known(self, code: str, now: float) -> Challenge:
        number, world = self._number, self.world
        dies = self.card.tracker.dies(number)
        if dies is None:
            dies = (now - world.began) * world.rate
        return Challenge(number, code, self._asked_csc, dies)

    # --- what follows it ------------------------------------------------------------------------

    def _verify(self, step: steps.Verify) -> None:
        challenge, csc, card = step.challenge, step.csc, self.card
        number, otc = challenge.number, step.otc
        sent: Any = MISSING
        if csc is Csc.RIGHT:
            sent = card.owner.csc
        elif csc is Csc.WRONG:
            sent = card.wrong_csc()
            card.sent.add(sent)
        card.sent.add(otc)
        self._number = number
        self._wrong = otc != challenge.otc or csc is Csc.WRONG or csc is Csc.MISSING
        values = card.challenges[number]
        values["otc"], values["csc"] = otc, sent
        jar = card.jars.get(number, card.jar) if card.jars else card.jar
        self._send("verify", values, model.Verify(number, otc, csc), self._verified, jar)

    def _verified(
        self,
        seen: Observation,
        outcomes: frozenset[Outcome],
        captures: dict[str, Any],
        now: float,
    ) -> None:
        if self._wrong and seen.judgement is not _SILENT:
            self.world.recorder.tried_wrong(outcomes)
        if captures:
            self.card.challenges[self._number].update(values_of("challenge", captures))
        self.resume(outcomes, now)

    def _resend(self, step: steps.Resend) -> None:
        challenge, card = step.challenge, self.card
        number = self._number = challenge.number
        self._asked_csc = challenge.csc_required
        jar = card.jars.get(number, card.jar)
        self._send("resend", card.challenges[number], model.Resend(number), self._resent, jar)

    def _resent(
        self,
        seen: Observation,
        outcomes: frozenset[Outcome],
        captures: dict[str, Any],
        now: float,
    ) -> None:
        if not outcomes & SUCCESS:
            self._end(f"resend was answered with {words(outcomes)}", now)
            return
        values = self.card.challenges[self._number]
        values.update(values_of("challenge", captures))
        reference = values.get("challenge.reference")
        self.world.desk.ask(values, self.card.owner.contact, reference, self._delivered)

    def _unlock(self, step: steps.Unlock) -> None:
        values, jar = self.card.owner.values, self.card.jar
        self._send("unlock", values, model.Unlock(), self._unlocked, jar)

    def _unlocked(
        self,
        seen: Observation,
        outcomes: frozenset[Outcome],
        captures: dict[str, Any],
        now: float,
    ) -> None:
        self.resume(outcomes, now)

    def _wait(self, step: steps.WaitUntil) -> None:
        self.slot.set_aside(self, self.world.plan.real(step.when))


_ACTS: dict[type, Callable[[Play, Any], None]] = {
    steps.Start: Play._start,
    steps.TryStart: Play._try_start,
    steps.Verify: Play._verify,
    steps.Resend: Play._resend,
    steps.Unlock: Play._unlock,
    steps.WaitUntil: Play._wait,
}


def words(outcomes: frozenset[Outcome]) -> str:
    """Outcomes as a reader would say them."""
    return " or ".join(sorted(outcomes)).replace("_", " ")
