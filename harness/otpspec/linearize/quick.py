"""Which cards are legal at a glance? Those for which one of a few orders has a certificate.

First the order of the calls is tried, on all of them; then, where it does not fit, others
(`reorder`). What fits none is left to the search.

Operations that were not answered, or whose answer judges nothing, are taken never to have happened:
one may always assume that.
"""

import numpy as np

from otpspec.history import History
from otpspec.history.columns import BIT
from otpspec.linearize.certify import (
    APPROVED,
    Array,
    Bools,
    Certificate,
    Table,
    certify,
    first_of_run,
    table,
)
from otpspec.linearize.reorder import reordered
from otpspec.linearize.support import vectorised
from otpspec.outcome import SILENT
from otpspec.policy import Policy

_SILENT = sum(BIT[outcome] for outcome in SILENT)


def by_card(history: History) -> Array:
    """The places of the rows with each card's together, in the order of their calls."""
    card = np.ascontiguousarray(history.rows["card"])
    called = np.ascontiguousarray(history.rows["called"])
    order = np.arange(len(card)) if _rises(card) else _radix(card)
    card, called = card.take(order), called.take(order)
    if np.any((called[1:] < called[:-1]) & (card[1:] == card[:-1])):
        order = order[np.lexsort((called, card))]
    return order


def undecided(history: History, policy: Policy, order: Array) -> Array:
    """The cards that none of the few orders is legal for. `order` is that of `by_card`."""
    rows = history.rows
    if not vectorised(policy):
        return np.unique(rows["card"])
    outcomes = np.ascontiguousarray(rows["outcomes"]).take(order)
    silent = (outcomes == 0) | ((outcomes & _SILENT) != 0)
    tried = table(rows, order[~silent] if silent.any() else order)
    if not len(tried):
        return np.empty(0, "u4")
    found = certify(tried, policy)
    wrong = _cards(tried, ~found.fits(tried))
    endless = _cards(tried, _sees_a_lock_end(tried, found, policy))
    if len(wrong):
        at = np.flatnonzero(np.isin(tried.card, wrong))
        wrong = reordered(history, tried, found, policy, at)
    return np.union1d(wrong, endless)


def _sees_a_lock_end(tried: Table, found: Certificate, policy: Policy) -> Bools:
    """Where a card may be locked whose history is long enough for the lock to end by itself."""
    if policy.lock_for is None:
        return np.zeros(len(tried), bool)
    starts = np.flatnonzero(first_of_run(tried.card))
    lasted = np.maximum.reduceat(tried.returned, starts) - tried.called[starts]
    long = np.repeat(lasted >= policy.lock_for.total_seconds(), np.diff([*starts, len(tried)]))
    may_lock: Bools = (found.failures >= policy.max_wrong - 1) & (tried.read_as != APPROVED)
    return long & may_lock


def _cards(tried: Table, flags: Bools) -> Array:
    return np.unique(tried.card[flags])


def _rises(values: Array) -> bool:
    return bool(np.all(values[1:] >= values[:-1]))


def _radix(values: Array) -> Array:
    """A stable order of numbers of 32 bits: numpy sorts 16 bits at a time in linear time."""
    order = np.argsort(values.astype("u2"), kind="stable")
    if values.max() > 0xFFFF:
        order = order[np.argsort((values >> 16).astype("u2")[order], kind="stable")]
    return order
