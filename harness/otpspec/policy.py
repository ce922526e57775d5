"""The numbers and switches that a target promises."""

from datetime import timedelta
from typing import Literal

import msgspec

CscAsked = Literal["never", "sometimes", "always"]


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """What a target promises; the defaults are the policy `safekey`.

    Sources: the SafeKey rules. Where they are silent (how many tries, what counts as one), the
    default is said here and each value is a switch that a profile may set.
    """

    validity: timedelta = timedelta(minutes=10)
    """How long a code lives, from its arrival. SafeKey: "valid only for 10 minutes"."""

    tolerance: timedelta = timedelta(seconds=1)
    """How much longer than `validity` a code may be accepted: many servers keep whole seconds."""

    digits: int = 6
    """How many characters a code has. OWASP ASVS 5.0 6.5.4: at least 20 bits."""

    alphabet: Literal["digits", "letters"] = "digits"
    """What the characters of a code are."""

    max_wrong: int = 3
    """N: the N-th wrong code locks the card. SafeKey: "several times"."""

    csc: CscAsked = "sometimes"
    """When the 3CSC is asked for. SafeKey: sometimes."""

    wrong_csc: Literal["void", "retry"] = "void"
    """What a wrong 3CSC does. SafeKey: the entire transaction starts again."""

    wrong_csc_counts: bool = True
    """Whether a wrong or missing 3CSC counts as a wrong try; else it could be guessed."""

    success_clears_count: bool = True
    """Whether an approval sets the count of wrong tries back to zero."""

    resend: Literal["rotate", "reuse"] = "rotate"
    """Whether a resend makes a new code, or repeats the one that is alive."""


POLICIES: dict[str, Policy] = {"safekey": Policy()}
"""The ready-made policies, by name."""
