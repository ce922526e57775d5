"""A customer with one card: makes the steps of a journey, and knows no network and no clock."""

import random
import string
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet

from otpspec.load import steps
from otpspec.load.steps import Challenge, Edge
from otpspec.model import Csc
from otpspec.policy import Policy

CSC_ASKED = 0.25
"""Where the 3CSC is asked for sometimes: the part of the transactions that are of that kind."""


class Shopper:
    """What a behaviour is given. Its methods make steps; the behaviour yields them."""

    def __init__(
        self,
        policy: Policy,
        rng: random.Random,
        *,
        operations: AbstractSet[str],
        codes: Callable[[], AbstractSet[str]],
        sizes: Sequence[int] = (2,),
    ) -> None:
        """`sizes`: how many requests are released together, one of them each time."""
        self.policy = policy
        self.rng = self._rng = rng
        self._sizes = sizes
        self._operations = operations
        self._codes = codes  # every code that the card has had: no wrong one is among them

    def can(self, operation: str) -> bool:
        """Whether the target offers an operation."""
        return operation in self._operations

    def start(self, *, csc: bool | None = None) -> steps.Start:
        """A transaction. `csc`: whether one that asks for the 3CSC; None: as it comes."""
        if self.policy.csc != "sometimes":
            return steps.Start(self.policy.csc == "always")
        return steps.Start(self._rng.random() < CSC_ASKED if csc is None else csc)

    def try_start(self) -> steps.TryStart:
        """A transaction that is expected to be refused."""
        return steps.TryStart()

    def verify(self, challenge: Challenge, otc: str, *, csc: Csc = Csc.RIGHT) -> steps.Verify:
        """A code, with the 3CSC where it is asked for."""
        return steps.Verify(challenge, otc, csc if challenge.csc_required else Csc.NOT_ASKED)

    def resend(self, challenge: Challenge) -> steps.Resend:
        """The code once more."""
        return steps.Resend(challenge)

    def amend(self, challenge: Challenge) -> steps.Amend:
        """Another amount for the same transaction."""
        return steps.Amend(challenge)

    def cancel(self, challenge: Challenge) -> steps.Cancel:
        """The end of a transaction, as its payer wants it."""
        return steps.Cancel(challenge)

    def change_contact(self, *, proven: bool = True) -> steps.ChangeContact:
        """Another contact for the card. `proven`: whether with the right proof of who asks."""
        return steps.ChangeContact(proven)

    def unlock(self) -> steps.Unlock:
        """A call to support."""
        return steps.Unlock()

    def together(self, *asked: steps.Verify | steps.Cancel | steps.Unlock) -> steps.Together:
        """Several operations at once: their requests are released together."""
        return steps.Together(asked)

    def race_size(self) -> int:
        """How many requests are to be released together, this time."""
        return self._rng.choice(self._sizes)

    def wait_until(self, when: float) -> steps.WaitUntil:
        """A pause until `when`, in seconds of target time."""
        return steps.WaitUntil(when)

    def pause(self, seconds: float) -> steps.Pause:
        """A pause of so many seconds of target time."""
        return steps.Pause(seconds)

    def wait_for(self, challenge: Challenge, edge: Edge, share: float = 0.0) -> steps.WaitFor:
        """A pause until the code is about to die, may have died, or has died.

        `share`: how far from that edge, as a part of the validity.
        """
        return steps.WaitFor(challenge, edge, share * self.policy.validity.total_seconds())

    def wrong(self) -> str:
        """A well-formed code that is not, and never was, one of the card's."""
        alphabet = string.digits if self.policy.alphabet == "digits" else string.ascii_uppercase
        while True:
            code = "".join(self._rng.choices(alphabet, k=self.policy.digits))
            if code not in self._codes():
                return code
