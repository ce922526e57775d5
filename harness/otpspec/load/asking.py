"""How a journey asks where it is not as usual: cookies, several requests, no answer, a broken rule.

The usual is in journey.py.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from otpspec import model
from otpspec.load.asks import Ask
from otpspec.load.card import LoadCard, Told
from otpspec.load.recorder import Contradiction
from otpspec.load.talk import Talk, keep
from otpspec.load.wire import Answer
from otpspec.model import Observation
from otpspec.outcome import SUCCESS, Outcome

if TYPE_CHECKING:
    from otpspec.load.slot import Slot, Stream
    from otpspec.load.world import World

_UNANSWERED = frozenset({Outcome.UNAVAILABLE})
_NOTHING: frozenset[Outcome] = frozenset()

Then = Callable[[Any, Observation, frozenset[Outcome], dict[str, Any], float], None]
"""Is given who asked, what an answer came to, its outcomes, what was captured, and when it came.

A function of the class: a method bound to who keeps it would be a cycle, and garbage for the
collector to find, whose searches are pauses.
"""


class RuleBrokenError(Exception):
    """An answer that broke a rule: "EXPIRY-2: approved, expected expired"."""

    def __repr__(self) -> str:
        """What Locust shows."""
        return str(self)


class NoAnswerError(Exception):
    """A call got no answer; the message says why."""


class Asking:
    """A call about a card; what becomes of it is the subclass's."""

    __slots__ = (
        *("_asked_csc", "_number", "_operation", "_sent", "_talk", "_then", "ask"),
        *("card", "data", "due", "full", "sent", "slot", "world"),
    )

    def __init__(self, world: "World", slot: "Slot | Stream", card: LoadCard) -> None:
        self.world = world
        self.slot = slot
        self.card = card
        self.data = b""
        self.due = self.sent = 0.0
        self.full = False
        self.ask: Ask
        self._sent = 0.0  # in a talk: when its first request was sent
        self._talk: Talk | None = None
        self._then: Then
        self._operation: model.Operation | None
        self._number = 0  # of the card's challenge that it is about
        self._asked_csc = False

    def answered(self, status: int, body: bytes, answer: Answer | None, returned: float) -> None:
        """An answer came."""
        raise NotImplementedError

    def ended(self, why: str, now: float, *, unanswered: bool = False) -> None:
        """The journey cannot go on."""
        raise NotImplementedError

    def talk(self, values: dict[str, Any], jar: Any) -> None:
        """Ask the general way. `jar`: the payer's cookies, or None."""
        asks, ask = self.world.asks, self.ask
        self._talk = talk = Talk(asks, ask, values, None if jar is None else jar.copy())
        self.full = True
        self._sent = 0.0
        try:
            self.data, pool = talk.begin()
        except KeyError as error:
            raise asks.lacks(ask.name, error.args[0]) from error
        pool.submit(self)

    def talked(
        self, talk: Talk, answer: Answer, returned: float
    ) -> tuple[frozenset[Outcome], dict[str, Any], float] | None:
        """An answer in a talk: what the talk came to and when it began; None where it goes on."""
        sent = self._sent = self._sent or self.sent
        following = talk.heard(answer)
        if following is not None:
            called, at = self.times(self.sent, returned)
            told = Told(self.ask.name, self.data, answer.status, answer.body, _NOTHING, called, at)
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

    def times(self, sent: float, returned: float) -> tuple[float, float]:
        """In target time."""
        rate, began = self.world.rate, self.world.began
        return (sent - began) * rate, (returned - began) * rate

    def failed(self, why: str, returned: float) -> None:
        """No answer came: the target may have done what was asked, or may not."""
        world, ask = self.world, self.ask
        self.slot.calls -= 1
        sent = self._sent or self.sent or returned  # never sent: it was not connected
        called, at = self.times(min(sent, returned), returned)
        operation = self._operation or model.Start(self._number, None, self._asked_csc)
        told = Told(ask.name, self.data, None, why.encode(), _UNANSWERED, called, at)
        self.card.history.append(told)
        self.card.tracker.observe(operation, called, at, None)
        world.recorder.unanswered(ask.name, measured=True)
        world.fire(ask, returned - self.due, 0, NoAnswerError(why))
        self._quiet()
        reason = f"no answer to {ask.name} ({why})"
        world.check_hopeless(reason)
        self.ended(reason, returned, unanswered=True)

    def broken(self, seen: Observation, told: Told, returned: float) -> None:
        """An answer that broke a rule: it is kept with the card's history."""
        card, world = self.card, self.world
        let_through = any(outcome in SUCCESS for outcome in seen.got)
        weight = (let_through, told.called - card.history[0].called)
        found = Contradiction(seen, tuple(card.history), card.secrets(), weight)
        world.recorder.contradicted(found)
        error = RuleBrokenError(seen.headline)
        lasted, length = returned - self.due, len(told.text)
        world.fire(self.ask, lasted, length, error, counted=not world.fires_each)

    def cookies(self, answer: Answer) -> None:
        """A prepared request's answer sets cookies: from now on the general way is taken."""
        if answer.cookies:
            asks, card = self.world.asks, self.card
            jar = asks.jar() if card.jar is None else card.jar.copy()
            about = Told("", self.data, None, b"", _NOTHING, 0, 0).request
            origin = self.ask.operation.decisive.origin
            keep(jar, asks.jar(), about._replace(origin=origin), answer)
            self._remember(jar)

    def _remember(self, jar: Any) -> None:
        if self.ask.operation.about == "card":
            self.card.jar = jar
        else:
            self.card.jars[self._number] = jar

    def _quiet(self) -> None:
        """A talk is over."""
        self._talk = None
        self.full = False
        self._sent = 0.0
