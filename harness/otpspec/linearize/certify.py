"""Is a history legal in one given order? All cards are asked at once, by vectors.

What a card is in after an operation follows from the answers: a wrong code that was answered as one
has counted, an approval has cleared the count and spent the transaction. So the count before each
operation is a running sum, the code in force the last one sent, and whether each answer was allowed
is seen everywhere at once; no card is replayed.

That makes a certificate: if every answer is allowed in the state that the answers before it lead
to, `model.step` allows the whole order. If one is not, nothing is proved: another order, or another
reading of an answer that may mean several things, may fit.
"""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from otpspec.history.columns import (
    AMEND,
    ASKED,
    BIT,
    CANCEL,
    CHANGE_CONTACT,
    CSCS,
    MALFORMED,
    NO_CODE,
    RESEND,
    START,
    UNLOCK,
    VERIFY,
    Rows,
)
from otpspec.model import Csc
from otpspec.outcome import Outcome
from otpspec.policy import Policy

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Array = npt.NDArray[Any]

APPROVED, DONE, DENIED = BIT[Outcome.APPROVED], BIT[Outcome.DONE], BIT[Outcome.DENIED]
WRONG_OTC, WRONG_CSC = BIT[Outcome.WRONG_OTC], BIT[Outcome.WRONG_CSC]
EXPIRED, LOCKED, VOID = BIT[Outcome.EXPIRED], BIT[Outcome.LOCKED], BIT[Outcome.VOID]
BAD_FORM = BIT[Outcome.MALFORMED]
_NOT_ASKED_FOR, _UNSURE = ASKED.index(False), ASKED.index(None)
_NOT_LOCKED = 0xFFFF ^ LOCKED
_RIGHT_CSC = CSCS.index(Csc.RIGHT)


@dataclass
class Table:
    """Operations that were answered, cards together, each card's in the order that is tried."""

    card: Array
    challenge: Array
    code: Array
    kind: Array
    detail: Array
    called: Floats
    returned: Floats
    seen: Floats
    outcomes: Array  # what the answer may mean
    read_as: Array  # the one outcome that it is taken to mean
    locks: Bools  # it was answered with LOCKED, and is itself the failure that locked
    start: Ints  # what the card's count was before its first row
    row: Ints  # where it stands in its history

    def __len__(self) -> int:
        return len(self.card)

    def take(self, order: Array) -> "Table":
        """These rows, in this order."""
        return Table(*(getattr(self, field.name).take(order) for field in fields(self)))


def table(rows: Rows, order: Array) -> Table:
    """Rows of a history in this order, each answer read as the first thing that it may mean."""
    rows = rows.take(order)  # of records, many times faster than rows[order]
    columns = {name: np.ascontiguousarray(rows[name]) for name in rows.dtype.names or ()}
    outcomes = columns["outcomes"]
    read_as = np.where(outcomes & WRONG_OTC, WRONG_OTC, outcomes & -outcomes)
    none = np.zeros(len(order), "i8")
    return Table(**columns, read_as=read_as, locks=none.astype(bool), start=none, row=order)


@dataclass
class Certificate:
    """What each operation may be answered in the state that the answers before it lead to."""

    allowed: Array
    failures: Ints  # before it
    may_lock: Bools  # it may count, so that it may be the failure that locks

    def fits(self, tried: Table) -> Bools:
        """Whether each answer, as it was read, is allowed."""
        fits: Bools = (tried.read_as & self.allowed) != 0
        return fits


def certify(tried: Table, policy: Policy) -> Certificate:
    """Try an order."""
    first = first_of_run(tried.card)
    allowed, may_lock = _allowed_unless_locked(tried, policy, first)
    failures = running_failures(policy, first, tried.start, tried.kind, tried.read_as, tried.locks)
    n = policy.max_wrong
    locked = (failures >= n) & (tried.kind != UNLOCK)
    allowed = np.where(locked, LOCKED, allowed)
    # The failure that locks may say so at once; then it is read as a lock that it made itself.
    allowed |= np.where(tried.locks & may_lock & (failures == n - 1), LOCKED, 0).astype("u2")
    return Certificate(allowed, failures, may_lock)


def reread(tried: Table, found: Certificate, policy: Policy) -> bool:
    """Read the answers anew in the light of a certificate; whether any is now read otherwise."""
    could_lock = found.may_lock & (found.failures == policy.max_wrong - 1)
    locks = (
        could_lock
        & ((tried.outcomes & LOCKED) != 0)
        & ((found.allowed & tried.outcomes & _NOT_LOCKED) == 0)
    )
    legal = tried.outcomes & (found.allowed | np.where(locks, LOCKED, 0).astype("u2"))
    # LOCKED counts only where it `locks`; anything else is preferred.
    best = legal & -legal
    for preferred in (LOCKED, EXPIRED, VOID, WRONG_CSC, WRONG_OTC):  # the last one wins
        best = np.where(legal & preferred, preferred, best)
    read_as = np.where(legal, best, tried.read_as).astype("u2")
    locks &= read_as == LOCKED
    changed = bool(np.any(read_as != tried.read_as) or np.any(locks != tried.locks))
    tried.read_as, tried.locks = read_as, locks
    return changed


def running_failures(
    policy: Policy, first: Bools, start: Ints | int, kind: Array, read_as: Array, locks: Bools
) -> Ints:
    """The count before each operation: a running sum that starts anew where it is cleared.

    `first` begins a card, with `start` as its count.
    """
    counted = (read_as == WRONG_OTC) | locks
    if policy.wrong_csc_counts:
        counted |= read_as == WRONG_CSC
    if policy.malformed_counts:
        counted |= read_as == BAD_FORM
    cleared = (kind == UNLOCK) & (read_as == DONE)
    if policy.success_clears_count:
        cleared |= read_as == APPROVED
    begins = first * start
    total = np.cumsum(counted + begins)
    before = total - counted
    base = (before - begins) * first
    base[1:] = np.maximum(base[1:], cleared[:-1] * total[:-1])
    failures: Ints = before - np.maximum.accumulate(base)
    return failures


def _allowed_unless_locked(tried: Table, policy: Policy, first: Bools) -> tuple[Array, Bools]:
    """What may be answered on a card that is not locked, and whether it may count as a failure."""
    allowed = np.full(len(tried), DONE, "u2")  # a start, an unlocking, a change with proof
    may_lock = np.zeros(len(tried), bool)
    unproven = (tried.kind == CHANGE_CONTACT) & (tried.detail == 0)
    allowed[unproven], may_lock[unproven] = DENIED, True
    # Where something voids all transactions of the card, its place in the card's order matters.
    voiding = (tried.read_as == DONE) & np.isin(tried.kind, (UNLOCK, CHANGE_CONTACT))
    voided_at = _latest_before(voiding) if voiding.any() else None
    group, order = _by_challenge(tried, first)
    found, counts = _transactions(group, policy, voided_at, order)
    if order is None:
        of_one = (tried.kind != UNLOCK) & (tried.kind != CHANGE_CONTACT)
        return np.where(of_one, found, allowed).astype("u2"), np.where(of_one, counts, may_lock)
    of_one = (group.kind != UNLOCK) & (group.kind != CHANGE_CONTACT)
    allowed[order[of_one]], may_lock[order[of_one]] = found[of_one], counts[of_one]
    return allowed, may_lock


def _by_challenge(tried: Table, first: Bools) -> tuple[Table, Array | None]:
    """The table with each transaction's rows together; None: it was so already."""
    falls = tried.challenge[1:] < tried.challenge[:-1]
    if not np.any(falls & ~first[1:]):
        return tried, None
    key = np.cumsum(first) << 32 | tried.challenge
    order = np.argsort(key, kind="stable")
    return tried.take(order), order


def _transactions(
    group: Table, policy: Policy, voided_at: Ints | None, order: Array | None
) -> tuple[Array, Bools]:
    """What each operation on a transaction may be answered, and whether it may count."""
    kind, read_as, here = group.kind, group.read_as, np.arange(len(group))
    first = first_of_run(group.card) | first_of_run(group.challenge)
    begin = np.maximum.accumulate(np.where(first, here, 0))
    done = read_as == DONE
    begins = done & (kind == START)
    again = (kind == AMEND) | (kind == RESEND) if policy.resend == "rotate" else kind == AMEND
    renews = done & again
    started = _latest_before(begins)
    begun = started >= begin
    sent = np.maximum(started, _latest_before(renews)) if renews.any() else started
    asked = started
    if (amended := done & (kind == AMEND)).any():
        asked = np.maximum(started, _latest_before(amended))
    dead, late = _deaths(group, policy, begin, begun)
    if voided_at is not None:
        place = here if order is None else order
        voided = begun & (voided_at[place] > place[started])
        dead, late = dead | voided, late & ~voided
    age_at_most = group.returned - group.called[sent]
    may_be_old = age_at_most >= policy.validity.total_seconds()
    lives_at_most = policy.validity.total_seconds() + policy.tolerance.total_seconds()
    old = group.called - group.seen[sent] >= lives_at_most
    alive, counts = _alive(group, policy, group.code[sent], group.detail[asked])
    allowed = np.where(old, EXPIRED, np.where(may_be_old, alive | EXPIRED, alive))
    allowed = np.where(late, EXPIRED, allowed)
    allowed = np.where(dead, np.where(may_be_old, VOID | EXPIRED, VOID), allowed)
    allowed = np.where(begun, allowed, VOID | EXPIRED)
    allowed = np.where(kind == START, np.where(begun, 0, DONE), allowed)  # twice: not for vectors
    return allowed.astype("u2"), counts & begun & ~dead & ~late & ~old


def _deaths(group: Table, policy: Policy, begin: Ints, begun: Bools) -> tuple[Bools, Bools]:
    """Whether the transaction was dead before, and whether it had been called expired only."""
    read_as = group.read_as
    kills = (read_as == APPROVED) | ((read_as == DONE) & (group.kind == CANCEL))
    if policy.wrong_csc == "void":
        kills |= read_as == WRONG_CSC
    dead = _latest_before(kills) >= begin
    expires = (read_as == EXPIRED) & begun
    if not expires.any():
        return dead, np.zeros(len(group), bool)
    return dead, (_latest_before(expires) >= begin) & ~dead


def _alive(group: Table, policy: Policy, code: Array, asked: Array) -> tuple[Array, Bools]:
    """What may be answered about a transaction that lives, and whether it may count."""
    kind = group.kind
    right, unknown = group.code == code, code == NO_CODE
    satisfied = (group.detail == _RIGHT_CSC) | (asked == _NOT_ASKED_FOR)
    may_be_right, may_be_wrong = right | unknown, ~right | unknown
    verify = np.where(may_be_wrong, WRONG_OTC, 0)
    verify |= np.where(may_be_right & (satisfied | (asked == _UNSURE)), APPROVED, 0)
    verify |= np.where(may_be_right & ~satisfied, WRONG_CSC, 0)
    other = np.where(kind == MALFORMED, BAD_FORM, DONE)
    tries = kind == VERIFY
    fails = may_be_wrong | (may_be_right & ~satisfied & policy.wrong_csc_counts)
    counts = (tries & fails) | ((kind == MALFORMED) & policy.malformed_counts)
    return np.where(tries, verify, other), counts


def first_of_run(values: Array) -> Bools:
    first = np.ones(len(values), bool)
    np.not_equal(values[1:], values[:-1], out=first[1:])
    return first


def _latest_before(flags: Bools) -> Ints:
    """The place of the latest row before each that is flagged; -1 where there is none."""
    latest = np.full(len(flags), -1, "i8")
    if len(flags):
        places = np.where(flags[:-1], np.arange(len(flags) - 1), -1)
        np.maximum.accumulate(places, out=latest[1:])
    return latest
