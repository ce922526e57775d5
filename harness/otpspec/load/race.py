"""Requests of one card that are released together while the target is busy.

Each is sent over a connection of its own, all of it but its last byte; then the last bytes go, in
one turn of the hub's loop with nothing between them. Who has no answer yet is asked of the kernel
right after it, so that the overlap is never overstated.
"""

import time
from typing import TYPE_CHECKING, Any

from gevent import monkey

from otpspec import model
from otpspec.burst.overlap import Flight, Overlap, measure
from otpspec.history import Call
from otpspec.load import steps
from otpspec.load.card import RacedTold
from otpspec.load.raced import Raced
from otpspec.load.talk import Talk
from otpspec.load.track import Held, Track
from otpspec.load.wire import Answer
from otpspec.model import Csc, Judgement
from otpspec.outcome import SILENT, Outcome
from otpspec.profile import MISSING

if TYPE_CHECKING:
    from otpspec.load.journey import Play

SETTLE_S = 0.01
"""How long the target has, once all is sent but the last bytes, to take all of it in."""

_select: Any = monkey.get_original("select", ("poll", "POLLIN"))  # Locust's would let others run
_UNANSWERED = frozenset({Outcome.UNAVAILABLE})
_now = time.monotonic

Asked = steps.Verify | steps.Cancel | steps.Unlock


class Racer:
    """One request of a race; it is its connection's call."""

    __slots__ = (
        *("_talk", "answered_at", "data", "due", "full", "last", "line", "loaded", "name"),
        *(
            "number",
            "operation",
            "outcomes",
            "over",
            "race",
            "released",
            "sent",
            "silent_until",
            "told",
        ),
    )

    def __init__(
        self, race: "Race", number: int, name: str, operation: model.Operation, talk: Talk
    ) -> None:
        self.race = race
        self.number = number
        self.name = name
        self.operation = operation
        self._talk = talk
        whole, _ = talk.begin()
        self.data, self.last = whole[:-1], whole[-1:]
        self.due = self.sent = 0.0
        self.full = True
        self.line: Held
        self.loaded = False  # all but its last byte is being sent
        self.over = False
        self.released: float | None = None
        self.silent_until = 0.0
        self.answered_at: float | None = None  # None: no answer that says anything
        self.outcomes: frozenset[Outcome] | None = None
        self.told: RacedTold

    def connected(self) -> None:
        """Its connection is there, and all of it is about to be sent but the last byte."""
        self.loaded = True
        self.race.check_loaded()

    def answered(self, status: int, body: bytes, answer: Answer | None, returned: float) -> None:
        """An answer came."""
        assert answer is not None  # noqa: S101 - it was asked for in full
        following = self._talk.heard(answer)
        reading = self._talk.reading
        if following is not None or reading is None:
            self._end(status, b"", _UNANSWERED, returned)  # it wants to be asked again
            return
        self.outcomes = reading[0]
        if not self.outcomes & SILENT:
            self.answered_at = returned
        self._end(status, body, self.outcomes, returned)

    def failed(self, why: str, returned: float) -> None:
        """None came."""
        self.race.why = why
        self._end(None, why.encode(), _UNANSWERED, returned)

    def _end(
        self, status: int | None, text: bytes, outcomes: frozenset[Outcome], returned: float
    ) -> None:
        if self.over:
            return
        self.over = True
        called, at = self.race.times(min(self.sent or returned, returned), returned)
        whole = self.data + self.last
        self.told = RacedTold(
            *(self.name, whole, status, text, outcomes, called, at),
            lane=f"connection {self.number + 1}",
            released=None if self.released is None else self.race.times(self.released, 0.0)[0],
            silent_until=self.race.times(self.silent_until, 0.0)[0],
        )
        self.race.ended()

    def call(self) -> Call:
        """As the judge sees it: its time begins with its first byte, since that may be read."""
        told = self.told
        if not self.outcomes or self.outcomes & SILENT:
            return Call(self.operation, told.called)
        return Call(self.operation, told.called, told.returned, self.outcomes)


class Race:
    """Several requests of a journey, released together."""

    def __init__(self, play: "Play", step: steps.Together) -> None:
        self._play = play
        self._world = world = play.world
        self.why = ""  # the last call without an answer
        self._racers = [self._racer(n, asked) for n, asked in enumerate(step.steps)]
        self._released = False
        self.rule = rule_of(step.steps)
        self._track = Track.of(world.engine, world.asks.of[self._racers[0].name].pool.place)

    def _racer(self, number: int, asked: Asked) -> Racer:
        play, card = self._play, self._play.card
        about = getattr(asked, "challenge", None)
        values = {**(card.owner.values if about is None else card.challenges[about.number])}
        operation: model.Operation
        if isinstance(asked, steps.Verify):
            name, operation = "verify", model.Verify(asked.challenge.number, asked.otc, asked.csc)
            values |= {"otc": asked.otc, "csc": MISSING}
            card.sent.add(asked.otc)
            if asked.csc is not Csc.NOT_ASKED:
                values["csc"] = play._csc(asked.csc)
        elif isinstance(asked, steps.Cancel):
            name, operation = "cancel", model.Cancel(asked.challenge.number)
        else:
            name, operation = "unlock", model.Unlock()
        jar = card.jar if about is None else card.jars.get(about.number, card.jar)
        asks = self._world.asks
        try:
            talk = Talk(asks, asks.of[name], values, None if jar is None else jar.copy())
            return Racer(self, number, name, operation, talk)
        except KeyError as error:
            raise asks.lacks(name, error.args[0]) from error

    def begin(self) -> None:
        """Race, as soon as there is room."""
        self._play.slot.calls += 1
        self._track.enter(self, len(self._racers))

    def load(self) -> None:
        """Open the connections, and send all but the last bytes."""
        for racer in self._racers:
            racer.line = self._track.open(racer)
        for racer in self._racers:
            racer.line.connect()

    def ended(self) -> None:
        """Another request has come to its end, one way or the other."""
        if all(racer.over for racer in self._racers):
            self._track.leave()
            self._judge()
        else:
            self.check_loaded()

    def check_loaded(self) -> None:
        """Release soon, once everything is sent but the last bytes."""
        if not self._released and all(racer.loaded or racer.over for racer in self._racers):
            self._released = True
            self._world.engine.at(_now() + SETTLE_S, self._release)

    def times(self, sent: float, returned: float) -> tuple[float, float]:
        """In target time."""
        rate, began = self._world.rate, self._world.began
        return (sent - began) * rate, (returned - began) * rate

    def _release(self, _: float) -> None:
        """Send the last bytes, and note who is still unanswered."""
        ready = [racer for racer in self._racers if not racer.over]
        poll = _select[0]()
        by_number: dict[int, Racer] = {}
        for racer in ready:
            number = racer.line.descriptor()
            if number is not None:
                by_number[number] = racer
                poll.register(number, _select[1])
        stuck = []
        for racer in by_number.values():
            if racer.line.finish(racer.last):
                racer.released = _now()
            else:
                stuck.append(racer)
        looked = _now()  # before it is looked: what is silent then was silent now
        readable = {number for number, _ in poll.poll(0)}
        for number, racer in by_number.items():
            if racer.released is not None:
                silent = number not in readable
                racer.silent_until = looked if silent else racer.released
        for racer in stuck:
            racer.line.lost("what was held back could not be sent at once")

    def _overlap(self) -> Overlap:
        flights = [
            Flight(r.released, r.silent_until, r.answered_at)
            for r in self._racers
            if r.released is not None
        ]
        sent = [r for r in self._racers if r.sent]
        return measure(
            flights,
            of=len(self._racers),
            unopened=len(self._racers) - len(sent),
            early=len(sent) - len(flights),
        )

    def _judge(self) -> None:
        """All have come to their end: is there an order that the rules allow?"""
        play, world, card = self._play, self._world, self._play.card
        play.slot.calls -= 1
        racers = sorted(self._racers, key=lambda racer: racer.told.returned)
        now = world.now()
        tracker = card.tracker = Raced(card.tracker, world.policy, self.rule)
        for racer in racers:
            card.history.append(racer.told)
            self._count(racer)
        seen = tracker.race([racer.call() for racer in racers])
        judged = seen.judgement is not Judgement.SILENT
        races = world.recorder.races
        if races.saw(self.rule, self._overlap(), judged=judged) or seen.rule:
            world.recorder.noted(frozenset({self.rule}))
        if seen.judgement is Judgement.BROKEN:
            play.ask = world.asks.of[racers[-1].name]
            play.due = play.sent = now
            world.recorder.failures += 1
            world.recorder.failed[play.ask.name] += 1
            play.broken(seen, racers[-1].told, now)
        if self.why:
            reason = f"no answer to a request of a race ({self.why})"
            world.check_hopeless(reason)
            play.ended(reason, now, unanswered=True)
            return
        outcomes = [racer.told.outcomes for racer in self._racers]
        self._racers.clear()  # they know the race: a cycle would be left to the garbage collector
        play.resume(outcomes, now)

    def _count(self, racer: Racer) -> None:
        recorder = self._world.recorder
        if racer.told.status is None:
            recorder.unanswered(racer.name, measured=False)
        else:
            recorder.hook_answered()


def rule_of(asked: "tuple[Asked, ...]") -> str:
    """Which rule a race may break."""
    verifies = [step for step in asked if isinstance(step, steps.Verify)]
    if len(verifies) < len(asked):
        return "RACE-3"
    if any(v.csc in (Csc.WRONG, Csc.MISSING) for v in verifies):
        return "RACE-5"
    right = [v.otc == v.challenge.otc for v in verifies]
    return "RACE-1" if all(right) else "RACE-2"


def race(play: "Play", step: steps.Together) -> None:
    """Do what the behaviour wants."""
    Race(play, step).begin()
