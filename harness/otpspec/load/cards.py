"""The cards of a load process: made known to the target ahead of need, each used by one journey."""

from collections import deque
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from otpspec.cards import Card, given_card, new_card
from otpspec.errors import TargetError
from otpspec.load.asks import values_of
from otpspec.load.card import MOST_POLLED, MOST_STARTS, LoadCard
from otpspec.load.hook import Hook
from otpspec.load.punctual import CARDS
from otpspec.outcome import SUCCESS, Outcome

if TYPE_CHECKING:
    from otpspec.load.world import World

AT_ONCE = 32
"""How many enrolments may be under way at a time."""

PAUSE_S = 0.2
"""How long after an enrolment without an answer the next is tried."""

Want = Callable[[LoadCard], None]


class Cards:
    """Who has which card."""

    def __init__(self, world: "World", *, reserve: int, share: tuple[int, int] = (0, 1)) -> None:
        """`reserve`: how many cards are to be free at a time, where the target enrols them.
        `share`: the n-th of so many processes, which have the profile's own cards among them.
        """
        index, count = share
        self._world = world
        self._reserve = reserve
        self._profile = profile = world.profile
        self._kinds = tuple(dict.fromkeys(channel.contact for channel in profile.channels))
        self._idle: deque[LoadCard] = deque()
        self._waiting: deque[tuple[float, Want]] = deque()
        self._enrolling = 0
        self._pausing = False
        self._given = list(enumerate(profile.cards, 1))[index::count]
        self._most_locked = profile.max_locked
        if profile.max_locked is not None:
            self._most_locked = profile.max_locked // count + (index < profile.max_locked % count)
        self.enrols = "enroll" in profile.operations or profile.makes_cards_up
        self.enrols &= not profile.cards
        polled = profile.channels[0].poll is not None and profile.channels[0].feed is None
        self._most_starts = MOST_POLLED if polled else MOST_STARTS
        self.made = 0
        self.locked = 0  # for good: given cards that nobody unlocks

    def prepare(self) -> None:
        """Begin to make ready what is needed."""
        for number, row in self._given:
            self._ready(given_card(row, number, self._kinds), unknown=True)
        self._more()

    @property
    def lacking(self) -> int:
        """How many cards of the reserve are not there yet."""
        return max(self._reserve - len(self._idle), 0) if self.enrols else 0

    def to_spare(self) -> bool:
        """Whether one may be held by who waits for a code's end.

        Of the profile's own cards a quarter is kept from them: else a run in real time would stand
        still for ten minutes, with all its cards in the hands of those who wait.
        """
        return self.enrols or 4 * len(self._idle) > len(self._profile.cards)

    def free(self) -> LoadCard | None:
        """A card that is free now, if nobody waits for one; else ask with `take`."""
        if not self._idle or self._waiting:
            return None
        if self.enrols and len(self._idle) <= self._reserve:
            self._more(1)
        return self._idle.popleft()

    def take(self, want: Want) -> None:
        """Give a card to who wants one, now or as soon as one is free."""
        card = self.free()
        if card is not None:
            want(card)
            return
        self._waiting.append((self._world.now(), want))
        self._more()

    def give(self, card: LoadCard) -> None:
        """A journey has ended, and its card can be used again unless it is worn."""
        if card.spent():
            self._renew(card)
        elif self.enrols and card.starts >= self._most_starts:
            self._put_away(card)
        else:
            self._arrived(card)

    def leave(self, card: LoadCard, *, answered: bool = True) -> None:
        """A journey was broken off: nobody knows what its card is in."""
        if self.enrols:
            self._put_away(card)
        elif answered:
            self._renew(card)
        else:  # what went unanswered may happen yet
            lasts = self._profile.timeout.total_seconds()
            self._world.engine.at(self._world.now() + lasts, lambda _: self._renew(card))

    def _put_away(self, card: LoadCard) -> None:
        self._world.desk.forgets(card.contact)
        self._more()

    def _renew(self, card: LoadCard) -> None:
        """Another card in its place; or the same, unlocked, where cards are given."""
        if self.enrols:
            self._put_away(card)
        elif not card.tracker.may_be_locked():
            self._ready(card.owner, unknown=True)
        elif "unlock" in self._profile.operations:
            self._unlock(card.owner)
        else:
            self.locked += 1
            self._check_locked()

    def _check_locked(self) -> None:
        most, cards = self._most_locked, len(self._given)
        alone = cards == len(self._profile.cards)
        if most is not None and self.locked >= most:
            whose = "cards.max_locked" if alone else "its part of cards.max_locked"
            who = "The run" if alone else "A worker"
            self._world.fail(
                TargetError(f"{who} has locked {self.locked} cards, as many as {whose}.")
            )
        elif self.locked >= cards:
            self._world.fail(
                TargetError(f"All {cards} cards of the profile are locked, and none is unlocked.")
            )

    def _unlock(self, owner: Card) -> None:
        def done(outcomes: frozenset[Outcome], captures: Mapping[str, Any], jar: Any) -> None:
            self._ready(owner, unknown=not outcomes & SUCCESS)

        def failed(why: str) -> None:
            self._world.engine.at(self._world.now() + PAUSE_S, lambda _: self._unlock(owner))

        Hook(self._world, "unlock", owner.values, done, failed).begin()

    def _ready(self, owner: Card, *, unknown: bool = False, jar: Any = None) -> None:
        card = LoadCard(owner, self._profile.policy, unknown=unknown)
        card.jar = jar
        self._world.desk.knows(owner.contact)
        self._arrived(card)

    def _arrived(self, card: LoadCard) -> None:
        if not self._waiting:
            self._idle.append(card)
            return
        since, want = self._waiting.popleft()
        self._world.punctual.waited(CARDS, since, self._world.now())
        want(card)

    # --- enrolling ------------------------------------------------------------------------------

    def _more(self, taken: int = 0) -> None:
        """Enrol as many as are wanted; so many of those that are free are about to be taken."""
        if not self.enrols or self._pausing or self._world.stopping:
            return
        wanted = len(self._waiting) + self._reserve + taken - len(self._idle) - self._enrolling
        for _ in range(min(wanted, AT_ONCE - self._enrolling)):
            self._enrol()

    def _enrol(self) -> None:
        owner = new_card(self._kinds)
        if self._profile.makes_cards_up:  # nobody has to be told of it
            self.made += 1
            self._ready(owner)
            return
        self._enrolling += 1

        def done(outcomes: frozenset[Outcome], captures: Mapping[str, Any], jar: Any) -> None:
            self._enrolling -= 1
            if outcomes & {Outcome.THROTTLED, Outcome.UNAVAILABLE}:
                why = " or ".join(sorted(outcomes))
                self._world.recorder.trouble[f"enroll was answered with {why}"] += 1
                self._pause()
                return
            if not outcomes & SUCCESS:
                self._refused(outcomes)
                return
            owner.values |= values_of("card", captures)
            self.made += 1
            self._ready(owner, jar=jar)
            self._more()

        def failed(why: str) -> None:
            self._enrolling -= 1
            self._pause()

        Hook(self._world, "enroll", owner.values, done, failed).begin()

    def _pause(self) -> None:
        """The target is in trouble: it is left alone for a moment."""
        if not self._pausing:
            self._pausing = True
            self._world.engine.at(self._world.now() + PAUSE_S, self._resume)

    def _resume(self, _: float) -> None:
        self._pausing = False
        self._more()

    def _refused(self, outcomes: frozenset[Outcome]) -> None:
        meant = " or ".join(sorted(outcomes)).replace("_", " ")
        self._world.fail(
            TargetError(
                f"The target does not enrol cards: {meant}.\n"
                f"  profile   {self._profile.source}, [operations.enroll]\n"
                "Try: otpspec check, which says more of a single answer."
            )
        )
