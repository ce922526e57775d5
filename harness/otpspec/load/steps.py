"""What a journey may ask for, and what it is sent back."""

from collections.abc import Callable, Generator
from enum import StrEnum
from typing import Any, NamedTuple, TypeVar

import msgspec

from otpspec.model import Csc


class Challenge(msgspec.Struct, frozen=True):
    """A transaction that waits for its code, as the payer knows it."""

    number: int  # the card's n-th
    otc: str  # what the message said
    csc_required: bool
    surely_expired: float  # from then on it must be refused: seconds of target time


class Start(msgspec.Struct, frozen=True):
    """Start a transaction, and read its message: answered with its Challenge."""

    csc: bool  # whether it should be one that asks for the 3CSC


class TryStart(msgspec.Struct, frozen=True):
    """Start a transaction that is expected to be refused: answered with the outcomes."""


class Verify(msgspec.Struct, frozen=True):
    """Send a code: answered with the outcomes."""

    challenge: Challenge
    otc: str
    csc: Csc


class Resend(msgspec.Struct, frozen=True):
    """Have the code sent again, and read its message: answered with the Challenge as it is now."""

    challenge: Challenge


class Amend(msgspec.Struct, frozen=True):
    """Change the amount, and read the message: answered with the Challenge as it is now."""

    challenge: Challenge


class Cancel(msgspec.Struct, frozen=True):
    """Give the transaction up: answered with the outcomes."""

    challenge: Challenge


class ChangeContact(msgspec.Struct, frozen=True):
    """Have the codes sent elsewhere from now on: answered with the outcomes."""

    proven: bool  # whether the payer proves who asks


class Unlock(msgspec.Struct, frozen=True):
    """Have support unlock the card: answered with the outcomes."""


class WaitUntil(msgspec.Struct, frozen=True):
    """Go on at a time, in seconds of target time: answered with None.

    The journey is set aside meanwhile, so that its user goes on with another card.
    """

    when: float


class Pause(msgspec.Struct, frozen=True):
    """Go on after so many seconds of target time; else as WaitUntil."""

    seconds: float


class Edge(StrEnum):
    """Where an age lies to the end of a code's life, which is known as an interval only."""

    BEFORE = "before"  # surely alive
    WITHIN = "within"  # nobody can say: the rules allow both answers
    AFTER = "after"  # surely dead, tolerance included


class WaitFor(msgspec.Struct, frozen=True):
    """Go on near the end of a code's life; else as WaitUntil."""

    challenge: Challenge
    edge: Edge
    seconds: float = 0.0  # of target time, from the edge: earlier with BEFORE, later with AFTER


class Together(msgspec.Struct, frozen=True):
    """Ask for several operations so that their requests are released together.

    Answered with the outcomes of each, in their order. Each is one request, and is sent over a
    connection of its own.
    """

    steps: "tuple[Verify | Cancel | Unlock, ...]"


Step = (
    Start
    | TryStart
    | Verify
    | Resend
    | Amend
    | Cancel
    | ChangeContact
    | Unlock
    | WaitUntil
    | Pause
    | WaitFor
    | Together
)

Journey = Generator[Step, Any, None]
"""One customer's way through: yields what to ask, and is sent the answer as each step says.

Where no answer comes, or a start, a resend or an amendment is refused, the journey ends there: it
is closed.
"""

NEEDS = {
    "csc": "the target asks for the 3CSC",
    "expiry": "the run is longer than a code's life",
    "old age": "the run is longer than three lives of a code",
    "contact": "the profile has [operations.change_contact] and cards that are made up",
    "race": "verify is one request, without an adapter, so that several can be released together",
}
"""What a behaviour may need besides operations ("resend", "unlock"): what must be so."""

_Behaviour = TypeVar("_Behaviour", bound=Callable[..., Journey])


def needs(*words: str) -> Callable[[_Behaviour], _Behaviour]:
    """Say what there must be for a behaviour to begin: words of NEEDS, or names of operations."""

    def mark(behaviour: _Behaviour) -> _Behaviour:
        behaviour.needs = words  # type: ignore[attr-defined]
        return behaviour

    return mark


class Share(NamedTuple):
    """A behaviour and how often it is met. What it needs is said by `needs` on it."""

    weight: float
    behaviour: Callable[..., Journey]

    @property
    def name(self) -> str:
        """The behaviour's, as it stands in results."""
        return getattr(self.behaviour, "__name__", "journey")

    @property
    def needs(self) -> tuple[str, ...]:
        """What there must be for it to begin."""
        found: tuple[str, ...] = getattr(self.behaviour, "needs", ())
        return found
