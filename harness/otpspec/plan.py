"""What a check would do, found out without sending anything.

The scenarios themselves are run, against a target that is the model of the rules, with a clock that
only jumps: whatever they ask for is counted.
"""

import itertools
import random
from dataclasses import dataclass, field
from datetime import timedelta

from otpspec.clock import Reading
from otpspec.model import State
from otpspec.profile import Message, Profile

_BEGAN = 1_700_000_000.0  # any time will do


@dataclass
class Tally:
    """What was asked for."""

    requests: int = 0
    messages: int = 0
    cards: dict[str, int] = field(default_factory=dict)
    """How many cards each scenario took."""

    locks: dict[str, int] = field(default_factory=dict)
    """How many cards each scenario left locked or with wrong tries counted."""

    waits: timedelta = timedelta(0)
    """How long the longest scenario waits, in the target's time."""


class _NoTime:
    """A clock that stands still between two jumps."""

    leans_on = ""
    hint = ""

    def __init__(self) -> None:
        self._now = _BEGAN

    async def read(self) -> Reading:
        """Read it."""
        return Reading(self._now, 0.0)

    async def advance(self, seconds: float) -> Reading:
        """Move it."""
        self._now += seconds
        return Reading(self._now, 0.0)


class _Bank:
    """The target, by the model: what is answered to each operation on each card."""

    def __init__(self, profile: Profile, tally: Tally) -> None:
        self.profile = profile
        self.tally = tally
        self.states: dict[int, State] = {}
        self.messages: dict[str, list[Message]] = {}
        self._numbers = itertools.count(1)
        self._rng = random.Random(0)  # noqa: S311 - to be the same every time
