"""Where journeys begin: one after the other for each user, or when the schedule says so."""

import heapq
import itertools
import random
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from gevent.event import Event

from otpspec.load.card import LoadCard
from otpspec.load.journey import Play
from otpspec.load.steps import Share

if TYPE_CHECKING:
    from otpspec.load.world import World

MOST_WAITING = 25
"""How many of a user's journeys may be set aside at a time."""

PAUSE_S = 0.2
"""How long a user rests whose last call got no answer, so that it does not spin."""


def _begun(slot: "Slot | Stream", world: "World", share: Share, due: float, card: LoadCard) -> None:
    """Begin a journey with a card."""
    shopper = card.shopper or world.holder(card)
    Play(world, slot, share.name, share.behaviour(shopper), card).resume(None, due)


class Slot:
    """A closed loop: a user's next journey begins when its last has ended."""

    def __init__(self, world: "World", rng: random.Random) -> None:
        self._world = world
        self._rng = rng
        self._waiting: list[tuple[float, int, Play]] = []
        self._order = itertools.count()
        self.calls = 0
        """Requests of it that are under way."""

        self.stopping = False
        self.over = Event()
        """Set once it is at rest, after `stop`."""

    def begin(self, now: float) -> None:
        """Begin a journey, or go on with one whose time has come."""
        if self.stopping:
            self.over.set()
        elif self._waiting and self._waiting[0][0] <= now:
            heapq.heappop(self._waiting)[2].resume(None, now)
        else:
            world = self._world
            may_wait = len(self._waiting) < MOST_WAITING and world.cards.to_spare()
            share = world.plan.pick(self._rng, may_wait=may_wait)
            card = world.cards.free()
            if card is None:
                world.cards.take(partial(self._got, share))
            else:
                _begun(self, world, share, now, card)

    def _got(self, share: Share, card: LoadCard) -> None:
        if self.stopping:
            self._world.cards.give(card)
            self.over.set()
            return
        _begun(self, self._world, share, self._world.now(), card)

    def free(self, now: float, *, stumbled: bool = False) -> None:
        """A journey has ended. `stumbled`: for want of an answer."""
        if stumbled and not self.stopping:
            self._world.engine.at(now + PAUSE_S, self.begin)
        else:
            self.begin(now)

    def set_aside(self, play: Play, when: float) -> None:
        """A journey goes on at a time; the user goes on with another."""
        heapq.heappush(self._waiting, (when, next(self._order), play))
        self.begin(self._world.now())

    def stop(self) -> None:
        """Begin nothing any more; what is under way is waited for."""
        self.stopping = True
        if not self.calls:
            self.over.set()


class Stream:
    """Open arrivals: journeys begin when they are due."""

    def __init__(self, world: "World", rng: random.Random) -> None:
        self._world = world
        self._rng = rng
        self._times: Iterator[float] = iter(())
        self._next = float("inf")
        self.calls = 0
        self.stopping = False
        self.under_way = 0
        self.most_under_way = 0

    def share(self, part: float) -> None:
        """This process's part of the journeys is so much, from now on."""
        arrivals, world = self._world.plan.arrivals, self._world
        assert arrivals is not None  # noqa: S101 - a closed run has no stream
        if part <= 0:
            self._next = float("inf")
            return
        after = max(world.now() - world.began, 0.0)
        self._times = arrivals.times(self._rng, share=part, after=after)
        self._next = world.began + next(self._times)

    def ticked(self, now: float) -> None:
        """Begin what is due."""
        due = self._next
        if due > now or self.stopping:
            return
        world, rng, times, began = self._world, self._rng, self._times, self._world.began
        punctual, plan = world.punctual, world.plan
        cards = world.cards
        take, free, enrols = cards.take, cards.free, cards.enrols
        while due <= now:
            punctual.due += 1
            punctual.acted(due, world.now())
            self.under_way += 1
            share, card = plan.pick(rng, may_wait=enrols or cards.to_spare()), free()
            if card is None:
                take(partial(self._got, share, due))
            else:
                self._got(share, due, card)
            due = began + next(times)
        self._next = due
        self.most_under_way = max(self.most_under_way, self.under_way)

    def _got(self, share: Share, due: float, card: LoadCard) -> None:
        self._world.punctual.begun += 1
        _begun(self, self._world, share, due, card)

    def free(self, now: float, *, stumbled: bool = False) -> None:
        """A journey has ended."""
        self.under_way -= 1

    def set_aside(self, play: Play, when: float) -> None:
        """A journey goes on at a time."""
        self._world.engine.at(when, partial(self._again, play))

    def _again(self, play: Play, due: float) -> None:
        self._world.punctual.acted(due, self._world.now())
        play.resume(None, due)

    def stop(self) -> None:
        """Begin nothing any more."""
        self.stopping = True
