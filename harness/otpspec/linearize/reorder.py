"""Which other orders are worth a try, where the order of the calls does not fit?

Only the places where operations overlap leave a choice. Each such cluster that an answer
contradicts is put in another order: by its returns, by what its answers suggest, backwards, and
last in one that the search finds for it alone. All of them keep real time: nothing stands before
what had returned when it was called.

A card of a hundred thousand operations is not tried again for each of its clusters. It is cut into
pieces that no transaction reaches across, and only the pieces that do not fit are. What a piece
needs to know of those before it is the count; the whole is certified once more when all fit.
"""

from itertools import pairwise

import numpy as np

from otpspec.history import History
from otpspec.history.columns import NO_CHALLENGE, RESEND, START, UNLOCK
from otpspec.linearize.certify import (
    APPROVED,
    DONE,
    LOCKED,
    WRONG_CSC,
    WRONG_OTC,
    Array,
    Bools,
    Certificate,
    Ints,
    Table,
    certify,
    first_of_run,
    reread,
    running_failures,
)
from otpspec.linearize.search import Legality, search
from otpspec.model import State
from otpspec.policy import Policy

_REREADINGS = 4  # of the answers that may mean several things, in one order
_CALLS, _RETURNS, _SUGGESTED, _BACKWARDS = range(4)
_PASSES = 8  # over the pieces, each with the counts that the one before left
_ROUNDS = 8  # of new orders: a card has several clusters, and each has four
_FEW = 2000  # cards: one at a time is quicker than sorting
_HOT = 100  # operations; a card of fewer is searched whole, and faster
_SWAPS = 12  # of neighbours, every other pair at a time
_SEARCHED = 2000  # pieces at most
_BUDGET = 500  # steps for a piece


def reordered(
    history: History, tried: Table, found: Certificate, policy: Policy, at: Ints
) -> Array:
    """The cards that no order was found for, of those whose rows `at` holds.

    `tried` are all cards in the order of their calls, `found` what is allowed in it.
    """
    misfit = ~found.fits(tried)[at]
    pieces = _Pieces(history, tried.take(at), found.failures[at], policy)
    return pieces.reorder(misfit)


class _Pieces:
    """Cards, cut where no transaction and no cluster reaches across."""

    def __init__(self, history: History, tried: Table, failures: Ints, policy: Policy) -> None:
        self._history = history
        self._policy = policy
        self._hot = np.bincount(tried.card)[tried.card] >= _HOT
        self._cards = tried.card
        self._cluster = _clusters(tried)
        self._piece = _cut(tried, self._cluster)
        self._begin = np.flatnonzero(first_of_run(self._piece))
        self._first = first_of_run(tried.card)
        self._start = failures[self._begin]
        self._order = np.arange(len(tried))
        self._tried = tried

    def reorder(self, misfit: Bools) -> Array:
        """Find an order for each piece that does not fit; the cards for which none was found.

        How a piece is ordered may change the count with which the next begins: it is tried again.
        When none begins with another count any more, the pieces together are a certificate.
        """
        doubtful = np.unique(self._piece[misfit])
        lost = searched = np.empty(0, "i8")
        for _ in range(_PASSES):
            failed = self._try(doubtful)
            lost = np.union1d(np.setdiff1d(lost, doubtful), failed)
            doubtful = self._count_anew()
            if not len(doubtful):
                doubtful = self._search(np.setdiff1d(lost, searched))
                searched = lost
            if not len(doubtful):
                break
        return np.unique(self._cards[self._begin[np.union1d(lost, doubtful)]])

    def _try(self, doubtful: Array) -> Array:
        at = np.flatnonzero(np.isin(self._piece, doubtful))
        rows = self._order[at]
        tried = self._tried.take(rows)
        tried.card = self._piece[at]
        tried.start = self._start[tried.card]
        attempt = _Attempt(tried, self._cluster[at], self._policy)
        failed = attempt.fail()
        self._order[at] = rows[attempt.order]
        self._tried.read_as[rows], self._tried.locks[rows] = attempt.read_as, attempt.locks
        return failed

    def _count_anew(self) -> Array:
        """The pieces that now begin with another count."""
        tried = self._tried
        columns = [column.take(self._order) for column in (tried.kind, tried.read_as, tried.locks)]
        start = running_failures(self._policy, self._first, 0, *columns)[self._begin]
        changed = np.flatnonzero(start != self._start)
        self._start = start
        return changed

    def _search(self, failed: Array) -> Array:
        """Search an order for each of these pieces of a hot card; those for which one was found."""
        found = []
        for piece in failed[self._hot[self._begin[failed]]][:_SEARCHED]:
            begin, end = np.searchsorted(self._piece, [piece, piece + 1])
            rows = np.sort(self._order[begin:end])
            calls = self._history.calls(self._tried.row[rows])
            start = State(int(self._start[piece]))
            order = search(self._policy, calls, budget=_BUDGET, start=start)
            if order.legality is Legality.LEGAL:
                place = {call.row: row for call, row in zip(calls, rows, strict=True)}
                self._order[begin:end] = [place[call.row] for call in order.order]
                found.append(piece)
        return np.array(found, "i8")


def settle(tried: Table, policy: Policy) -> Bools:
    """Which answers are allowed in this order, each read in the way that fits best."""
    for _ in range(_REREADINGS):
        found = certify(tried, policy)
        fits = found.fits(tried)
        if fits.all() or not reread(tried, found, policy):
            return fits
    return certify(tried, policy).fits(tried)


def _cut(tried: Table, cluster: Ints) -> Ints:
    """A number for each piece of a card that no transaction and no cluster reaches across."""
    first = first_of_run(tried.card)
    key = np.cumsum(first) << 32 | tried.challenge
    order = np.argsort(key, kind="stable")
    begins = first_of_run(key[order])
    ends = np.append(begins[1:], True)
    mine = tried.challenge[order] != NO_CHALLENGE
    reach = np.zeros(len(tried) + 1, "i8")
    reach[order[begins & mine] + 1] += 1
    reach[order[ends & mine] + 1] -= 1
    across = np.cumsum(reach)[:-1] > 0
    return np.cumsum(first | (first_of_run(cluster) & ~across)) - 1


class _Attempt:
    """The pieces that the order of their calls does not fit, in one order after another."""

    def __init__(self, tried: Table, cluster: Ints, policy: Policy) -> None:
        self._tried, self._policy = tried, policy
        self._place = np.arange(len(tried))  # where each row was to begin with
        self._cluster = np.cumsum(first_of_run(cluster)) - 1
        self._choice = np.zeros(len(tried), "i8")
        self._several = np.bincount(self._cluster) > 1
        self._given_up: list[Array] = []
        self.order = np.arange(len(tried))
        """The order that was found, where one was."""
        self.read_as, self.locks = tried.read_as.copy(), tried.locks.copy()

    def fail(self) -> Array:
        """The pieces that no order was found for."""
        for _ in range(_ROUNDS):
            if not len(self._tried):
                break
            misfit = ~settle(self._tried, self._policy)
            wrong = np.unique(self._tried.card[misfit])
            hopeless = self._blame(misfit)
            self._given_up.append(hopeless)
            self._keep(np.setdiff1d(wrong, hopeless))
            self._reorder()
        return np.unique(np.concatenate([*self._given_up, self._tried.card]))

    def _keep(self, wrong: Array) -> None:
        """Go on with these pieces; the order of the others stands."""
        kept = np.isin(self._tried.card, wrong)
        found = self._place[~kept]
        self.order[np.sort(found)] = found
        self.read_as[found], self.locks[found] = (
            self._tried.read_as[~kept],
            self._tried.locks[~kept],
        )
        places = np.flatnonzero(kept)
        self._tried, self._cluster = self._tried.take(places), self._cluster[places]
        self._place = self._place[places]

    def _blame(self, misfit: Bools) -> Array:
        """Choose another order for each cluster that is at fault; the pieces that have none left.

        An answer that is not allowed where nothing overlaps it is the fault of the last cluster
        before it.
        """
        tried, places = self._tried, np.arange(len(self._tried))
        latest = np.maximum.accumulate(np.where(self._several[self._cluster], places, -1))
        blamed = np.flatnonzero(misfit)
        at_fault = latest[blamed]
        nobody = (at_fault < 0) | (tried.card[at_fault] != tried.card[blamed])
        clusters = np.unique(self._cluster[at_fault[~nobody]])
        self._choice[clusters] += 1
        spent = self._choice[self._cluster[at_fault]] > _BACKWARDS
        return np.unique(tried.card[blamed[nobody | spent]])

    def _reorder(self) -> None:
        """Put each cluster into the order that was chosen for it, as far as real time allows."""
        tried, choice = self._tried, self._choice[self._cluster]
        key = np.where(choice == _RETURNS, tried.returned, tried.called)
        order = np.lexsort((tried.called, key, self._cluster))
        early = np.where(choice == _BACKWARDS, -tried.called, _suggestion(tried))
        early = np.where(choice >= _SUGGESTED, early, 0)
        _swap(order, tried, early, self._cluster)
        self._tried = tried.take(order)
        self._place = self._place[order]


def _swap(order: Ints, tried: Table, early: Array, cluster: Ints) -> None:
    """Move what should come early forward, past what it overlaps: so real time is kept."""
    for turn in range(_SWAPS):
        left, right = order[turn % 2 : -1 : 2], order[turn % 2 + 1 :: 2]
        swaps = (early[right] < early[left]) & (cluster[right] == cluster[left])
        swaps &= tried.returned[left] >= tried.called[right]
        left[swaps], right[swaps] = right[swaps], left[swaps]


def _suggestion(tried: Table) -> Ints:
    """What must have come early, from what was answered: the wrong code before the lock."""
    read_as = tried.read_as
    place = np.full(len(tried), 4)
    for outcome, early in ((WRONG_OTC, 2), (WRONG_CSC, 3), (APPROVED, 3), (LOCKED, 5)):
        place[read_as == outcome] = early
    done = read_as == DONE
    place[done & (tried.kind == START)] = 0
    place[done & (tried.kind == RESEND)] = 1
    place[done & (tried.kind == UNLOCK)] = 6
    return place


def _clusters(tried: Table) -> Ints:
    """A number for each run of operations that overlap; `tried` is in the order of the calls."""
    apart = first_of_run(tried.card)
    starts = np.flatnonzero(apart)
    if len(starts) <= _FEW:
        until = np.empty(len(tried))
        for begin, end in pairwise([*starts, len(tried)]):
            np.maximum.accumulate(tried.returned[begin:end], out=until[begin:end])
    else:
        until = _running_max(tried.returned, np.cumsum(apart))
    apart[1:] |= tried.called[1:] > until[:-1]
    return np.cumsum(apart) - 1


def _running_max(values: Array, group: Ints) -> Array:
    """The greatest value of each group so far; groups are numbered in rising order."""
    order = np.argsort(values, kind="stable")
    rank = np.empty(len(values), "i8")
    rank[order] = np.arange(len(values))
    lifted = group * len(values)
    top: Array = values[order[np.maximum.accumulate(lifted + rank) - lifted]]
    return top
