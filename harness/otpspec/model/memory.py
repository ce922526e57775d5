"""What is remembered of a card to name the rule that a contradiction breaks.

The verdict itself needs none of this: it follows from the states alone. Where several states are
possible, what is remembered follows the answers that came, so that a name is the likeliest one.
"""

import math
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from otpspec.model.operation import Amend, Malformed, Operation, Resend, Start, Unlock, Verify
from otpspec.outcome import SILENT, SUCCESS, Outcome
from otpspec.policy import Policy

KEPT = 16
"""How many challenges, and how many failures, are remembered; the oldest are forgotten first."""


class Past:
    """One challenge's past."""

    __slots__ = ("amended", "resent", "rotated", "tries", "wrong_csc")

    def __init__(self) -> None:
        self.rotated: set[str] = set()  # codes that a resend has replaced
        self.amended: set[str] = set()  # codes that a change of amount or payee has replaced
        self.resent = False
        self.tries = 0  # wrong OTCs that were answered as such
        self.wrong_csc = False


class Failure(NamedTuple):
    """A counted failure: on which challenge, by the 3CSC or by the OTC, after a resend or not."""

    challenge: int
    by_csc: bool
    resent: bool


class Memory:
    """One card's past, as far as names need it."""

    __slots__ = (
        "_max_wrong",
        "_voids",
        "after_void",
        "blameless",
        "challenges",
        "first_called",
        "malformed",
        "newest",
        "streak",
        "uncleared",
        "unlocked",
    )

    def __init__(self, policy: Policy) -> None:
        self._max_wrong = policy.max_wrong
        self._voids = policy.wrong_csc == "void"
        self.challenges: dict[int, Past] = {}  # those of which there is something to remember
        self.first_called = math.inf  # the card's first start, in target time
        self.newest = -1  # the highest number of a challenge that was ever asked for
        self.streak: list[Failure] = []  # since the count was last cleared
        self.uncleared = 0
        """The count as it would stand if success cleared nothing, as far as was not disproved."""
        self.blameless = True  # nothing but right codes was sent since the count was last cleared
        self.malformed = 0  # malformed tries since the count was last cleared
        self.unlocked = (
            False  # support has unlocked the card, and it has not been seen at work since
        )
        self.after_void = False  # a 3CSC voided a transaction, and none was approved since

    def note(
        self, operation: Operation, called: float, outcomes: AbstractSet[Outcome] | None
    ) -> None:
        """Remember an operation and its answer."""
        answered = outcomes if outcomes is not None and not outcomes & SILENT else frozenset()
        works = answered and Outcome.LOCKED not in answered
        if works and self.uncleared >= self._max_wrong and isinstance(operation, Start | Verify):
            self.uncleared = len(self.streak)  # success has cleared the count
        if isinstance(operation, Verify):
            self._verified(operation.challenge, answered)
        elif isinstance(operation, Start):
            self._started(operation.challenge, called)
        elif isinstance(operation, Malformed):
            self.malformed += 1
            self.blameless = False
        elif isinstance(operation, Unlock) and answered & SUCCESS:
            self._cleared()
            self.unlocked, self.uncleared, self.after_void = True, 0, False

    def replaced(self, operation: Resend | Amend, codes: AbstractSet[str]) -> None:
        """Remember the codes that a resend or a change of the transaction has replaced."""
        past = self._past(operation.challenge)
        if past is None:
            return
        if isinstance(operation, Resend):
            past.resent = True
            past.rotated |= codes
        else:
            past.amended |= codes

    def _started(self, number: int, called: float) -> None:
        self.newest = max(self.newest, number)
        self.first_called = min(self.first_called, called)

    def _verified(self, number: int, answered: AbstractSet[Outcome]) -> None:
        if Outcome.APPROVED in answered:
            self._cleared()
            self.unlocked = self.after_void = False
            return
        self.blameless = False
        if Outcome.WRONG_CSC in answered:
            self._failed(number, by_csc=True)
        elif Outcome.WRONG_OTC in answered:
            self._failed(number, by_csc=False)

    def _failed(self, number: int, *, by_csc: bool) -> None:
        past = self._past(number)
        self.streak.append(Failure(number, by_csc, past is not None and past.resent))
        del self.streak[:-KEPT]
        self.uncleared += 1
        self.after_void = by_csc and self._voids
        if len(self.streak) > 1:
            self.unlocked = False
        if past is not None:
            past.wrong_csc |= by_csc
            past.tries += not by_csc

    def _past(self, number: int) -> Past | None:
        """A challenge's past, to be written to; None where there never was such a challenge."""
        past = self.challenges.get(number)
        if past is None and number <= self.newest:
            past = self.challenges[number] = Past()
            if len(self.challenges) > KEPT:
                del self.challenges[next(iter(self.challenges))]
        return past

    def _cleared(self) -> None:
        self.streak.clear()
        self.malformed = 0
        self.blameless = True
