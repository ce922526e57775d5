"""The words for what an endpoint answered, and for what a rule's check came to."""

from collections.abc import Set as AbstractSet
from enum import StrEnum


class Outcome(StrEnum):
    """What one answer of the target means.

    An answer is read as a *set* of outcomes, since many targets give several states one answer.
    """

    APPROVED = "approved"  # verify: the code (and the 3CSC) are right; shares a set with nothing
    DONE = "done"  # any operation but verify: it was carried out
    WRONG_OTC = "wrong_otc"  # denied: the OTC is wrong, and may be tried again
    WRONG_CSC = "wrong_csc"  # denied: the 3CSC is wrong or missing
    EXPIRED = "expired"  # denied: the code's validity has ended
    LOCKED = "locked"  # denied: the card is locked
    VOID = "void"  # denied: the transaction is dead (used, voided, cancelled) or never was
    DENIED = "denied"  # denied: the caller has not proved that they may do this
    MALFORMED = "malformed"  # refused unread: the input is not of the right form
    THROTTLED = "throttled"  # judges nothing: too many requests
    UNAVAILABLE = "unavailable"  # judges nothing: the target failed
    UNKNOWN = "unknown"  # judges nothing: no pattern of the profile matches the answer


SUCCESS: AbstractSet[Outcome] = frozenset({Outcome.APPROVED, Outcome.DONE})
"""The outcomes that let something through; an answer never mixes them with others."""

SILENT: AbstractSet[Outcome] = frozenset({Outcome.THROTTLED, Outcome.UNAVAILABLE, Outcome.UNKNOWN})
"""The outcomes that judge nothing: an answer that may be one of them is inconclusive."""

REFUSED: AbstractSet[Outcome] = frozenset(Outcome) - SUCCESS - SILENT
"""Every way of saying no. A check that expects only "no" uses this."""


class Verdict(StrEnum):
    """What the check of a rule came to."""

    PASSED = "passed"
    BROKEN = "broken"
    NOT_APPLICABLE = "not_applicable"
    INCONCLUSIVE = "inconclusive"


def judge(outcomes: AbstractSet[Outcome], allowed: AbstractSet[Outcome]) -> Verdict:
    """Judge an answer's set of outcomes against those that are allowed here.

    *Broken* only if no outcome of the set is allowed. An answer that may be throttling, a failure
    of the target, or one that the profile cannot read, says nothing: *inconclusive*.
    """
    if not outcomes or outcomes & SILENT:
        return Verdict.INCONCLUSIVE
    return Verdict.PASSED if outcomes & allowed else Verdict.BROKEN
