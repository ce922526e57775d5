"""What does a whole history come to? Most cards at a glance, the rest one by one."""

import multiprocessing
import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from otpspec.history import Call, History
from otpspec.linearize.certify import Array
from otpspec.linearize.quick import by_card, undecided
from otpspec.linearize.search import Legality, search
from otpspec.linearize.shrink import smallest
from otpspec.linearize.words import lines, sentence
from otpspec.policy import Policy

BUDGET = 100_000
"""How many steps of the model one card may cost beyond one for each operation: some seconds."""

EXPLAINED = 5
"""How many broken cards come with their smallest history."""

_WORTH_A_PROCESS = 100_000  # operations to search; below it, starting processes costs more


@dataclass(frozen=True)
class Broken:
    """A card whose answers no order allows."""

    card: str
    operations: int  # that the card's history has
    smallest: tuple[Call, ...] = ()  # those that are still broken when no other is left
    lines: tuple[str, ...] = ()  # each of them in words
    words: str = ""  # why no order allows them, in a sentence
    whole: bool = True  # False: the budget ended before nothing more could be left out


@dataclass(frozen=True)
class Judged:
    """What a history came to."""

    operations: int
    cards: int
    broken: list[Broken] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)  # cards that were out of budget
    searched: int = 0  # cards that could not be decided at a glance

    @property
    def legality(self) -> Legality:
        """Broken if any card is, unknown if any is that, else legal."""
        if self.broken:
            return Legality.BROKEN
        return Legality.UNKNOWN if self.unknown else Legality.LEGAL


def judge(
    history: History,
    policy: Policy,
    *,
    budget: int = BUDGET,
    explain: int = EXPLAINED,
    processes: int | None = None,
) -> Judged:
    """Judge every card of a history.

    `explain`: how many broken cards come with their smallest history. `processes`: at most so many
    at once; None: as many as there are cores.
    """
    order = by_card(history)
    left = undecided(history, policy, order)
    ordered = np.ascontiguousarray(history.rows["card"]).take(order)
    places = [
        order[begin:end]
        for begin, end in zip(
            np.searchsorted(ordered, left, "left"),
            np.searchsorted(ordered, left, "right"),
            strict=True,
        )
    ]
    found = _search_all(history, places, policy, budget, processes)
    broken: list[Broken] = []
    unknown: list[str] = []
    zero = float(history.rows["called"].min(initial=np.inf))
    for card, rows, legality in zip(left.tolist(), places, found, strict=True):
        name = history.names[card]
        if legality is Legality.UNKNOWN:
            unknown.append(name)
        elif legality is Legality.BROKEN:
            calls = history.calls(rows) if len(broken) < explain else []
            broken.append(_explained(name, len(rows), calls, policy, budget, zero))
    cards = int((ordered[1:] != ordered[:-1]).sum()) + min(len(ordered), 1)
    return Judged(len(history), cards, broken, unknown, len(left))


def judge_card(
    policy: Policy, calls: Iterable[Call], *, card: str = "", budget: int = BUDGET
) -> Judged:
    """Judge the calls on one card."""
    calls = list(calls)
    match search(policy, calls, budget=budget).legality:
        case Legality.BROKEN:
            zero = min(call.called for call in calls)
            broken = [_explained(card, len(calls), calls, policy, budget, zero)]
            return Judged(len(calls), 1, broken, searched=1)
        case Legality.UNKNOWN:
            return Judged(len(calls), 1, unknown=[card], searched=1)
    return Judged(len(calls), 1, searched=1)


def _explained(
    card: str, operations: int, calls: Sequence[Call], policy: Policy, budget: int, zero: float
) -> Broken:
    if not calls:
        return Broken(card, operations)
    kept, whole = smallest(policy, calls, budget=budget)
    if not kept:
        return Broken(card, operations, whole=False)
    told, words = lines(kept, zero=zero), sentence(policy, kept, zero=zero)
    return Broken(card, operations, tuple(kept), tuple(told), words, whole)


def _search_all(
    history: History, places: list[Array], policy: Policy, budget: int, processes: int | None
) -> list[Legality]:
    count = min(processes or len(os.sched_getaffinity(0)), len(places))
    if count < 2 or sum(map(len, places)) < _WORTH_A_PROCESS:
        return _search_each(history, places, policy, budget)
    # Not forked: a fork of a process that has threads may hang.
    context = multiprocessing.get_context("spawn")
    shares = [places[start :: count * 4] for start in range(count * 4)]
    found: list[Legality] = [Legality.UNKNOWN] * len(places)
    with ProcessPoolExecutor(count, mp_context=context) as pool:
        works = [pool.submit(_search_share, *_share(history, s), policy, budget) for s in shares]
        for start, work in enumerate(works):
            found[start :: count * 4] = work.result()
    return found


def _share(history: History, places: list[Array]) -> tuple[History, list[int]]:
    """The rows of some cards as a history of its own, and how many each card has."""
    rows = history.rows[np.concatenate(places)] if places else history.rows[:0]
    return History(rows, ()), [len(place) for place in places]


def _search_share(
    history: History, sizes: list[int], policy: Policy, budget: int
) -> list[Legality]:
    ends = np.cumsum(sizes)
    places = [np.arange(end - size, end) for end, size in zip(ends, sizes, strict=True)]
    return _search_each(history, places, policy, budget)


def _search_each(
    history: History, places: list[Array], policy: Policy, budget: int
) -> list[Legality]:
    return [search(policy, history.calls(rows), budget=budget).legality for rows in places]
