"""One customer's way through a load run: asks what the behaviour yields, and has it judged.

Everything here is done in callbacks, one for each answer, and nothing blocks. It is done for each
request at the rate that is measured: what could be a call of its own is written out.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from otpspec import model
from otpspec.load import acts, steps
from otpspec.load.asking import Asking, Then
from otpspec.load.card import OPEN, LoadCard, Told
from otpspec.load.steps import Challenge, Journey, Step
from otpspec.load.wire import Answer
from otpspec.model import Csc, Judgement, Observation
from otpspec.outcome import SUCCESS, Outcome
from otpspec.profile import MISSING

if TYPE_CHECKING:
    from otpspec.load.slot import Slot, Stream
    from otpspec.load.world import World

_NOTHING: frozenset[Outcome] = frozenset()
_SILENT, _BROKEN = Judgement.SILENT, Judgement.BROKEN
_RIGHT, _NOT_ASKED = Csc.RIGHT, Csc.NOT_ASKED


class Play(Asking):
    """A journey under way. It is its own call: it asks one thing at a time."""

    __slots__ = ("_outcomes", "_wrong", "journey", "name")

    def __init__(
        self, world: "World", slot: "Slot | Stream", name: str, journey: Journey, card: LoadCard
    ) -> None:
        super().__init__(world, slot, card)
        self.name = name
        self.journey = journey
        self._wrong = False  # whether a wrong OTC or a wrong 3CSC is sent
        self._outcomes = _NOTHING

    # --- from step to step ----------------------------------------------------------------------

    def resume(self, value: Any, now: float) -> None:
        """Give the behaviour its answer, and do what it wants next: that is due now."""
        if self.slot.stopping:
            self.abandon()
            return
        try:
            step = self.journey.send(value)
        except StopIteration:
            world = self.world
            world.recorder.behaviours[self.name] += 1
            world.cards.give(self.card)
            self.slot.free(now)
            return
        if value is not None and self.world.thinks:
            self.world.think(self, step, now)
        else:
            self.due = now
            _ACTS[type(step)](self, step)

    def do(self, step: Step, due: float) -> None:
        """Do what the behaviour wants, which was due at a time."""
        self.due = due
        _ACTS[type(step)](self, step)

    def abandon(self) -> None:
        """The run ends, or its user: nothing more is asked, and its card is in an unknown state."""
        self.journey.close()
        self.world.cards.leave(self.card)
        self.slot.free(self.due)

    def ended(self, why: str, now: float, *, unanswered: bool = False) -> None:
        """The journey cannot go on. What went unanswered may come to pass yet: its card rests."""
        self.world.recorder.trouble[why] += 1
        self.journey.close()
        self.world.cards.leave(self.card, answered=not unanswered)
        self.slot.free(now, stumbled=unanswered)

    # --- asking, and being answered -------------------------------------------------------------

    def _send(
        self,
        name: str,
        values: dict[str, Any],
        operation: model.Operation | None,
        then: Then,
        jar: Any,
    ) -> None:
        world = self.world
        self.ask = ask = world.asks.of[name]
        self._operation = operation
        self._then = then
        self.slot.calls += 1
        if jar is None and ask.prepared is not None:
            try:
                data = ask.prepared.fill(values, next(world.asks.number))
            except KeyError as error:
                raise world.asks.lacks(name, error.args[0]) from error
            if data is not None:
                self.data = data
                ask.pool.submit(self)
                return
        self.talk(values, jar)

    def answered(self, status: int, body: bytes, answer: Answer | None, returned: float) -> None:
        """An answer came: judge it, record it, go on."""
        world, ask, sent, card = self.world, self.ask, self.sent, self.card
        if answer is None:
            outcomes, captures = ask.read(status, body)
        elif self._talk is None:
            outcomes, captures = ask.read(status, body)
            self.cookies(answer)
        else:
            found = self.talked(self._talk, answer, returned)
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
        if not captures:
            body = world.texts.get(body) or world.text(body)
        told = Told(ask.name, self.data, status, body, outcomes, called, at)
        card.history.append(told)
        seen = card.tracker.observe(operation, called, at, outcomes)
        world.recorder.answered(told, seen, returned - self.due, returned - sent, returned)
        if seen.judgement is _BROKEN:
            self.broken(seen, told, returned)
        elif world.fires_each:
            world.fire(ask, returned - self.due, len(body), None)
        self._then(self, seen, outcomes, captures, returned)

    # --- start, and its code --------------------------------------------------------------------

    def _start(self, step: steps.Start) -> None:
        self._begin(step.csc, Play._started)

    def _try_start(self, step: steps.TryStart) -> None:
        self._begin(self.world.policy.csc == "always", Play._tried)

    def _begin(self, csc: bool, then: Then) -> None:
        card, world = self.card, self.world
        self._number = card.starts
        card.starts += 1
        self._asked_csc = csc
        self._operation = None
        self._then = then
        self.ask = ask = world.asks.of["start"]
        prepared = world.asks.start_with_csc if csc else world.asks.start_without_csc
        if card.jar is None and prepared is not None:
            try:
                data = prepared.fill(card.owner.values, next(world.asks.number))
            except KeyError as error:
                raise world.asks.lacks("start", error.args[0]) from error
            if data is not None:
                self.data = data
                self.slot.calls += 1
                ask.pool.submit(self)
                return
        amounts = world.asks.with_csc if csc else world.asks.without_csc
        self._send("start", {**card.owner.values, **amounts}, None, then, card.jar)

    def _started(
        self,
        seen: Observation,
        outcomes: frozenset[Outcome],
        captures: dict[str, Any],
        now: float,
    ) -> None:
        if outcomes & SUCCESS:
            self._await_code(captures, self._delivered)
        else:
            self.ended(f"start was answered with {words(outcomes)}", now)

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
        card, number, place = self.card, self._number, self.world.asks.place
        values = card.owner.values.copy()
        for name, value in captures.items():
            values[place[name]] = value
        card.challenges[number] = values
        if number >= OPEN:
            card.challenges.pop(number - OPEN, None)
        self.world.desk.ask(values, card.contact, captures.get("reference"), take)

    def _learned(self, code: str | None, seen: float) -> float | None:
        """Take in a code; when it dies, None where there was none."""
        world, card, number = self.world, self.card, self._number
        if not code:
            why = "no message came in time" if code is None else "a message came without a code"
            self.ended(why, seen)
            return None
        card.codes.add(code)
        at = (seen - world.began) * world.rate
        dies = card.tracker.delivered(number, code, at)
        return at if dies is None else dies

    def _delivered(self, code: str | None, seen: float) -> None:
        dies = self._learned(code, seen)
        if dies is not None:
            challenge = Challenge(self._number, str(code), self._asked_csc, dies)
            self.resume(challenge, self.world.now())

    def _delivered_all_the_same(self, code: str | None, seen: float) -> None:
        if self._learned(code, seen) is not None:
            self.resume(self._outcomes, self.world.now())

    # --- what follows it ------------------------------------------------------------------------

    def _verify(self, step: steps.Verify) -> None:
        challenge, csc, card, otc = step.challenge, step.csc, self.card, step.otc
        number = self._number = challenge.number
        card.sent.add(otc)
        values = card.challenges[number]
        values["otc"] = otc
        if csc is _NOT_ASKED:
            values["csc"] = MISSING
            self._wrong = otc != challenge.otc
        else:
            values["csc"] = sent = self._csc(csc)
            if sent is not MISSING:
                card.sent.add(sent)
            self._wrong = otc != challenge.otc or csc is not _RIGHT
        jar = card.jars.get(number, card.jar) if card.jars else card.jar
        self._send("verify", values, model.Verify(number, otc, csc), Play._verified, jar)

    def _csc(self, csc: Csc) -> Any:
        if csc is Csc.MISSING:
            return MISSING
        return self.card.owner.csc if csc is _RIGHT else self.card.wrong_csc()

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
            self._renew(captures)
        self.resume(outcomes, now)

    def _renew(self, captures: dict[str, Any]) -> None:
        place = self.world.asks.place
        renewed = {place[name]: value for name, value in captures.items()}
        self.card.challenges[self._number].update(renewed)

    def _resend(self, step: steps.Resend) -> None:
        challenge, card = step.challenge, self.card
        number = self._number = challenge.number
        self._asked_csc = challenge.csc_required
        jar = card.jars.get(number, card.jar)
        self._send("resend", card.challenges[number], model.Resend(number), Play._resent, jar)

    def _resent(
        self,
        seen: Observation,
        outcomes: frozenset[Outcome],
        captures: dict[str, Any],
        now: float,
    ) -> None:
        if not outcomes & SUCCESS:
            self.ended(f"resend was answered with {words(outcomes)}", now)
            return
        self._renew(captures)
        values = self.card.challenges[self._number]
        reference = values.get("challenge.reference")
        self.world.desk.ask(values, self.card.contact, reference, self._delivered)

    def _unlock(self, step: steps.Unlock) -> None:
        values, jar = self.card.owner.values, self.card.jar
        self._send("unlock", values, model.Unlock(), Play._unlocked, jar)

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
    **acts.ACTS,
}
"""How each step is done."""


def words(outcomes: frozenset[Outcome]) -> str:
    """Outcomes as a reader would say them."""
    return " or ".join(sorted(outcomes)).replace("_", " ")
