"""A transaction that waits for its code, and when that code lives."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from otpspec.cards import Card
from otpspec.policy import Policy


@dataclass(frozen=True)
class Challenge:
    """A transaction that waits for its code, as the harness knows it.

    The code's life began somewhere between `sent_earliest` (start was called) and `sent_latest`
    (its message was seen), in the target's time.
    """

    card: Card
    captures: dict[str, Any] = field(repr=False)  # renewed by what later answers hold
    otc: str = field(repr=False)
    message: str = field(repr=False)  # the text in which the code came
    csc_required: bool
    sent_earliest: datetime
    sent_latest: datetime
    policy: Policy = field(repr=False)
    jar: Any = field(default=None, repr=False)  # the cookies of the payer's session
    home: Any = field(default=None, repr=False)  # the session in which it was started

    @property
    def surely_alive(self) -> datetime:
        """Until then the code must be accepted: the early end of its validity."""
        return self.sent_earliest + self.policy.validity

    @property
    def surely_expired(self) -> datetime:
        """From then on the code must be refused: the late end of its validity, with tolerance."""
        return self.sent_latest + self.policy.validity + self.policy.tolerance

    def values(self) -> dict[str, Any]:
        """What fills the places {challenge.…} of a request."""
        return {f"challenge.{key}": value for key, value in self.captures.items()}
