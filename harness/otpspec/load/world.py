"""One load run in one process: what its journeys share, from first connection to last count."""

import gc
import itertools
import math
import random
import resource
import time
from contextlib import suppress
from functools import partial

import gevent
from gevent.event import Event

from otpspec.errors import OtpspecError, TargetError
from otpspec.load.asks import Ask, Asks
from otpspec.load.card import LoadCard
from otpspec.load.cards import Cards
from otpspec.load.codes import Desk
from otpspec.load.engine import Engine
from otpspec.load.journey import Play
from otpspec.load.measures import Measures
from otpspec.load.plan import Plan
from otpspec.load.post import Order
from otpspec.load.punctual import CONNECTIONS, Punctual
from otpspec.load.recorder import HOPELESS, Recorder
from otpspec.load.shopper import Shopper
from otpspec.load.slot import Slot, Stream
from otpspec.load.steps import Step
from otpspec.results import LoadResult

CONNECTIONS_MOST = 1000
"""Connections to one place, unless it is said otherwise; a closed run has one for each user."""

HOOKS = 8
"""Connections of a closed run beside those of its users, for what is not measured."""

RACE_MOST = 16
"""So many requests of a race are released together at most: they come on top of the load."""

PREPARED_MOST = 5000
"""Cards that are made ready at most before an open run begins, unless it is said otherwise."""

PREPARED_S = 3.0
"""Seconds of journeys for which there are cards, as far as they go: a target may stall."""

COLLECTING = (2_000, 1_000_000, 1_000)
"""Next to nothing becomes garbage in cycles, so old objects are not looked through again; what is
young is, in small parts: each is a pause in which nothing is sent. 2,000 take less than 1 ms."""

TEXTS_MOST = 256
"""So many bodies that may come again are kept."""

SETTLING_S = 0.25
"""So often what was noted is counted."""

PREPARING_S = 30.0
"""How long that may take at least."""

PREPARING_EACH_S = 0.001
"""How much longer for each card: who asks for a hundred thousand waits for them."""

Fired = tuple[str, str, float, int, Exception | None, bool]
"""For Locust: method, name, seconds, bytes, what is wrong, whether it is in its statistics yet."""


class World:
    """What the journeys of one process share."""

    def __init__(
        self,
        plan: Plan,
        order: Order,
        *,
        connections: int = CONNECTIONS_MOST,
        cards: int | None = None,
        share: tuple[int, int] = (0, 1),
    ) -> None:
        """`connections`: how many to one place, where arrivals are open. `cards`: how many are
        made ready, and kept so. `share`: the n-th, from 0, of so many processes; all that is given
        for the whole run, the profile's cards and limits too, is dealt out among them.
        """
        self.plan = plan
        self.profile = plan.profile
        self.policy = plan.profile.policy
        self.offers = plan.profile.operations.keys()
        self.sizes = [n for n in self.profile.races.sizes if n <= RACE_MOST] or [RACE_MOST]
        self.rate = plan.rate
        self.began = plan.began
        self.now = time.monotonic
        self.recorder = Recorder()
        self.punctual = Punctual()
        self.over = Event()
        """Set when the run cannot go on; `failure` says why."""

        self.failure: Exception | None = None
        self.stopping = False
        self.fires_each = False
        """Whether someone listens to each of Locust's request events."""

        self.fired: list[Fired] = []
        self.texts: dict[bytes, bytes] = {}
        """Bodies that come again and again, each kept once: less memory is touched."""

        self._most = connections
        self._part = -1.0  # of the arrivals; not said yet
        self._connected = 0
        timeout = self.profile.timeout.total_seconds()
        max_rate = self.profile.max_rate
        self.engine = Engine(
            timeout=timeout,
            most=connections if plan.arrivals else HOOKS,
            fail=self.fail,
            waited=partial(self.punctual.waited, CONNECTIONS),
            apart_s=share[1] / max_rate.per_s if max_rate else 0.0,
        )
        self.asks = Asks(self.profile, plan.places, self.engine)
        self.desk = Desk(self.profile, order, self.fail)
        self._numbers = itertools.count()
        self._seed = f"{plan.seed} {share[0]}"
        self.stream = Stream(self, self._rng("stream")) if plan.arrivals else None
        reserve = math.ceil((cards or 0) / share[1])
        if plan.arrivals and cards is None:
            wanted = PREPARED_S * plan.arrivals.per_s() + plan.arrivals.at_once()
            reserve = min(int(wanted / share[1]) + 10, PREPARED_MOST)
        self.cards = Cards(self, reserve=reserve, share=share)
        self._thinking = self._rng("thinking")
        self._choosing = self._rng("choosing")
        self.thinks = plan.think_s > 0
        self._cpu = time.process_time()

    def _rng(self, name: object) -> random.Random:
        return random.Random(f"{self._seed} {name}")  # noqa: S311 - to be repeated

    # --- its life -------------------------------------------------------------------------------

    def open(self) -> None:
        """Make ready what must be there before the first journey, and begin.

        Raises OtpspecError where the run cannot begin.
        """
        self.prepare()
        self.begin()

    def prepare(self) -> None:
        """Make ready what must be there before the first journey.

        Raises OtpspecError where the run cannot begin.
        """
        _allow_connections()
        self.desk.open()
        self.engine.every_tick(self.desk.ticked)
        self.cards.prepare()
        deadline = self.now() + PREPARING_S + self.cards.lacking * PREPARING_EACH_S
        while self.cards.lacking and not self.over.is_set() and self.now() < deadline:
            gevent.sleep(0.01)
        if isinstance(self.failure, OtpspecError):
            raise self.failure
        gc.collect()
        gc.freeze()  # what is there now stays: it need not be looked through again and again
        gc.set_threshold(*COLLECTING)

    def begin(self) -> None:
        """The run begins now."""
        self.plan.begin()
        self.began = self.punctual.began = self.plan.began
        self.recorder.restart()
        self._cpu = time.process_time()
        self.engine.at(self.now() + SETTLING_S, self._settle)
        if self.stream is not None:
            self.engine.every_tick(self.stream.ticked)

    def _settle(self, due: float) -> None:
        """Count what was noted, and how many are in flight."""
        self.recorder.settle()
        self.recorder.saw_in_flight(self.engine.in_flight())
        self.punctual.late.settle()
        self.desk.waits.settle()
        self.engine.at(due + SETTLING_S, self._settle)

    def close(self) -> None:
        """Hang up, and end what was started."""
        self.stop()
        self.engine.close()
        self.desk.close()
        gc.unfreeze()

    def stop(self) -> None:
        """Begin nothing any more."""
        self.stopping = True
        if self.stream is not None:
            self.stream.stop()

    def fail(self, why: Exception) -> None:
        """End the run. The first reason stands."""
        if self.failure is None and not self.stopping:
            self.failure = why
        self.over.set()

    def check_hopeless(self, why: str) -> None:
        """End the run where the target has stopped answering; the last call came to `why`."""
        if self.recorder.hopeless():
            self.fail(self._hopeless(why))

    def _hopeless(self, why: str) -> TargetError:
        profile, ever = self.profile, self.recorder.ever_answered
        head = f"{profile.base_url} has stopped answering" if ever else ""
        lines = [
            f"{head or f'{profile.base_url}: no answer'}: {HOPELESS} calls in a row came to "
            f"nothing (the last: {why}).",
            f"  profile   {profile.source}, target.base_url",
        ]
        if not ever:
            lines.append("No rule was checked, so this says nothing about the target.")
        return TargetError("\n".join([*lines, "Try: start the target, or give its address."]))

    # --- users ----------------------------------------------------------------------------------

    def slot(self) -> Slot:
        """Another user's slot: one more connection, and journeys one after the other."""
        self.engine.most += 1
        return Slot(self, self._rng(next(self._numbers)))

    def holder(self, card: LoadCard) -> Shopper:
        """Who uses a card."""
        known = card.codes
        card.shopper = Shopper(
            self.policy,
            self._choosing,
            operations=self.offers,
            codes=lambda: known,
            sizes=self.sizes,
        )
        return card.shopper

    def gone(self) -> None:
        """A user's slot is not used any more."""
        self.engine.most -= 1

    def shared(self, own: int, total: int) -> None:
        """This process has so many of all users: so large is its part of the arrivals."""
        part = min(own / total, 1.0) if total else 0.0
        if part == self._part:
            return  # what is begun anew would not be quite the same schedule
        self._part = part
        self.engine.most = max(round(self._most * part), 1)
        if self.stream is not None:
            self.stream.share(part)

    def think(self, play: Play, step: Step, now: float) -> None:
        """Do the next step after a while, which differs from payer to payer."""
        pause = self.plan.think_s * (0.5 + self._thinking.random())
        self.engine.at(now + pause, partial(self._thought, play, step))

    def _thought(self, play: Play, step: Step, due: float) -> None:
        self.punctual.acted(due, self.now())
        if play.slot.stopping:
            play.abandon()
        else:
            play.do(step, due)

    def text(self, body: bytes) -> bytes:
        """A body, to be kept once if it should come again."""
        if len(self.texts) < TEXTS_MOST:
            self.texts[body] = body
        return body

    # --- what is told ---------------------------------------------------------------------------

    def fire(
        self,
        ask: Ask,
        seconds: float,
        length: int,
        error: Exception | None,
        *,
        hook: bool = False,
        counted: bool = False,
    ) -> None:
        """Remember a request that Locust is told of by itself.

        `counted`: whether it is among those that it is told of in batches, too.
        """
        method = "(hook)" if hook else ask.method
        self.fired.append((method, ask.name, seconds, length, error, counted))

    def measures(self) -> Measures:
        """All that was measured up to now."""
        found = Measures(self.recorder, self.punctual)
        found.waits = self.desk.waits
        found.code_requests, found.code_cpu_s = self.desk.spent
        found.cpu_s = time.process_time() - self._cpu
        if self.stream is not None:
            found.most_under_way = self.stream.most_under_way
        return found

    def result(self, users: int, notes: list[str], *, lasted: float) -> LoadResult:
        """What was measured."""
        arrivals, reads = self.plan.arrivals, self.profile.channels[0].sends
        return self.measures().result(arrivals, users, notes, lasted=lasted, reads_codes=reads)


def _allow_connections() -> None:
    """As many open files as the system lets this process have."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
