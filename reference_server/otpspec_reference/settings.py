"""What the server promises: the numbers and switches of its policy."""

import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum

CSC_FROM = Decimal("100.00")
"""The amount from which `sometimes` asks for the 3CSC, whatever the currency."""


class CscPolicy(StrEnum):
    """For which transactions the three-digit card security code (3CSC) is asked."""

    NEVER = "never"
    SOMETIMES = "sometimes"  # from CSC_FROM
    ALWAYS = "always"


class Deliver(StrEnum):
    """Where a code goes."""

    PHONE = "phone"  # and to the e-mail address where there is no phone
    BOTH = "both"


class Resend(StrEnum):
    """What a resend sends."""

    ROTATE = "rotate"  # a new code, with a validity of its own; the earlier one is dead
    REUSE = "reuse"  # the same code again, which lives no longer for it


class Alphabet(StrEnum):
    """What a code is made of."""

    DIGITS = "digits"
    LETTERS = "letters"  # A to Z


@dataclass(frozen=True, slots=True)
class StartLimit:
    """At most so many transactions of one card in any such span of time."""

    starts: int
    within: timedelta


def new_token() -> str:
    """A secret that nobody guesses (128 bits)."""
    return secrets.token_urlsafe(16)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """A server's policy. The defaults are SafeKey's, which gives no `max_wrong`: it is 3."""

    validity: timedelta = timedelta(minutes=10)
    max_wrong: int = 3
    digits: int = 6
    alphabet: Alphabet = Alphabet.DIGITS
    csc: CscPolicy = CscPolicy.SOMETIMES
    deliver: Deliver = Deliver.PHONE
    resend: Resend = Resend.ROTATE
    lock_for: timedelta | None = None  # None: until support unlocks
    max_starts: StartLimit | None = None
    max_resends: int | None = None
    merge_failures: bool = False
    hide_unknown_cards: bool = False

    clock_rate: float = 1.0
    test_hooks: bool = False
    test_token: str = field(default_factory=new_token, repr=False)
    support_token: str | None = field(default=None, repr=False)  # None: the test token
    mutant: str | None = None

    def __post_init__(self) -> None:
        """Raises ValueError for an empty token: it would let everybody in."""
        if self.test_token == "" or self.support_token == "":  # that is the point
            raise ValueError("a token is empty; give one, or leave it out for a random one")
