"""A card of a load run: what the harness knows of it, and what was asked about it."""

from collections import deque
from typing import Any, NamedTuple

from otpspec.cards import new_card
from otpspec.model import Tracker
from otpspec.outcome import Outcome
from otpspec.policy import Policy
from otpspec.profile import Request

MOST_STARTS = 12
"""After so many transactions a card is put away: its inbox would grow with each."""

_REMEMBERED = 60
"""How many of a card's latest exchanges are kept, in case one of them is evidence."""


class Told(NamedTuple):
    """One request about a card and its answer, as they were: to be redacted before it is shown."""

    request: Request
    status: int | None  # None: no answer came
    text: bytes  # the answer's body, or why there is none
    outcomes: frozenset[Outcome]
    called: float  # target time, in seconds
    returned: float


class LoadCard:
    """A card that one user owns."""

    __slots__ = ("_codes", "challenges", "history", "owner", "seen", "sent", "starts", "tracker")

    def __init__(self, policy: Policy) -> None:
        self.owner = new_card()
        self.tracker = Tracker(policy)
        self.challenges: dict[int, dict[str, Any]] = {}
        """What fills the places {challenge.…}, for each challenge by its number."""
        self.seen: set[str] = set()  # ids of messages that were read
        self.sent: set[str] = set()  # codes and 3CSCs that were tried: not to be shown either
        self.starts = 0
        self.history: deque[Told] = deque(maxlen=_REMEMBERED)
        self._codes: set[str] = set()

    def codes(self) -> set[str]:
        """Every code that came in a message to this card."""
        return self._codes

    def learn(self, code: str) -> None:
        """Remember a code that came in a message."""
        self._codes.add(code)

    def secrets(self) -> list[str]:
        """What must not be shown of its history."""
        return [*self.owner.secrets(), *self._codes, *self.sent]

    def worn(self) -> bool:
        """Whether it is to be put away: locked, much used, or not to be judged any more."""
        tracker = self.tracker
        return self.starts >= MOST_STARTS or tracker.spent or tracker.may_be_locked()

    def wrong_csc(self) -> str:
        """A well-formed 3CSC that is not this card's."""
        right = self.owner.csc
        return right[:-1] + str((int(right[-1]) + 1) % 10)
