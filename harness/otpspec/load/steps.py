"""What a journey may ask for, and what it is sent back."""

from collections.abc import Callable, Generator
from typing import Any, NamedTuple

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


class Unlock(msgspec.Struct, frozen=True):
    """Have support unlock the card: answered with the outcomes."""


class WaitUntil(msgspec.Struct, frozen=True):
    """Go on at a time, in seconds of target time: answered with None.

    The journey is set aside meanwhile, so that its user goes on with another card.
    """

    when: float


Step = Start | TryStart | Verify | Resend | Unlock | WaitUntil

Journey = Generator[Step, Any, None]
"""One customer's way through: yields what to ask, and is sent the answer as each step says.

Where no answer comes, or a start or a resend is refused, the journey ends there: it is closed.
"""


class Share(NamedTuple):
    """A behaviour and how often it is met."""

    weight: float
    behaviour: Callable[..., Journey]
    needs: tuple[str, ...] = ()
    """What there must be for it to begin: "csc" (the target asks for the 3CSC), "expiry" (a code's
    end can be waited for within the run), or an operation's name ("resend", "unlock")."""

    @property
    def name(self) -> str:
        """How the behaviour is called in reports."""
        return getattr(self.behaviour, "__name__", "journey")
