"""A card of a load run: what the harness knows of it, and what was asked about it."""

from collections import deque
from typing import Any

import msgspec

from otpspec.cards import Card
from otpspec.load.shopper import Shopper
from otpspec.model import Tracker
from otpspec.outcome import Outcome
from otpspec.policy import Policy
from otpspec.profile import Request

MOST_STARTS = 120
"""After so many transactions a made-up card is put away, so that what is kept of it stays small."""

MOST_POLLED = 12
"""The same where its inbox is read by itself, all of it each time: it grows with each."""

OPEN = 8
"""So many transactions of a card are known at a time."""

_REMEMBERED = 32
"""How many of a card's latest exchanges are kept, in case one of them is evidence."""


class Told(msgspec.Struct, frozen=True, gc=False):
    """One request about a card and its answer, as they were: to be redacted before it is shown."""

    operation: str
    sent: bytes  # the request as it went over the wire
    status: int | None  # None: no answer came
    text: bytes  # the answer's body, or why there is none
    outcomes: frozenset[Outcome]
    called: float  # target time, in seconds
    returned: float

    @property
    def request(self) -> Request:
        """The request, read back from what was sent."""
        head, _, body = self.sent.partition(b"\r\n\r\n")
        line = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
        return Request(self.operation, line[0], " ".join(line[1:-1]), (), body)


class RacedTold(Told, frozen=True, gc=False):
    """One request of a race, released together with others."""

    lane: str = ""  # "connection 3"
    released: float | None = None  # when its last byte was sent; None: never
    silent_until: float = 0.0  # when it was last looked at, and had no answer


class LoadCard:
    """A card that one journey at a time uses."""

    __slots__ = (
        *("challenges", "codes", "contact", "heard", "history", "jar", "jars"),
        *("owner", "sent", "shopper", "starts", "tracker"),
    )

    def __init__(self, owner: Card, policy: Policy, *, unknown: bool = False) -> None:
        """`unknown`: whether others may have used it before."""
        self.owner = owner
        self.contact = owner.contact
        self.shopper: Shopper | None = None
        """Its holder, once a journey was begun with it."""

        self.tracker = Tracker(policy, unknown=unknown)
        self.challenges: dict[int, dict[str, Any]] = {}
        """What fills the places of a request, {card.…} too, for each challenge by its number."""

        self.sent: set[str] = set()  # codes and 3CSCs that were tried: not to be shown
        self.starts = 0
        self.history: deque[Told] = deque(maxlen=_REMEMBERED)
        self.codes: set[str] = set()
        """Every code that came in a message to this card."""

        self.heard = 0  # messages to it that were read
        self.jar: Any = None  # the cookies of its payer, once there are any
        self.jars: dict[int, Any] = {}  # those of its challenges

    def secrets(self) -> list[str]:
        """What must not be shown of its history."""
        return [*self.owner.secrets(), *self.codes, *self.sent]

    def spent(self) -> bool:
        """Whether it cannot be used as it is: locked, or not to be judged any more."""
        tracker = self.tracker
        return tracker.spent or tracker.may_be_locked()

    def wrong_csc(self) -> str:
        """A well-formed 3CSC that is not this card's."""
        right = self.owner.csc
        return right[:-1] + str((int(right[-1]) + 1) % 10)
