"""Histories to measure the judge with: legal ones, made by playing the rules with a seed.

A card starts a transaction, tries two wrong codes or none, the right one, and a used one now and
then. Each operation has an instant at which it happens; a call and a return lie around it, and for
a share of the operations they lie so wide that it overlaps its neighbour, whichever came first.
"""

import numpy as np

from otpspec.history.columns import ASKED, BIT, CSCS, ROW, START, VERIFY, History
from otpspec.model import Csc
from otpspec.outcome import Outcome

_STORY = (
    # kind, is the code right, outcome: five operations, twice over, are ten
    (START, True, Outcome.DONE),
    (VERIFY, False, Outcome.WRONG_OTC),
    (VERIFY, False, Outcome.WRONG_OTC),
    (VERIFY, True, Outcome.APPROVED),
    (VERIFY, True, Outcome.VOID),
)
STEP = 0.2  # seconds between the instants of two operations of a card
NARROW = 0.04  # how far call and return are from the instant
WIDE = 0.5  # the same at most, for an operation that may overlap its neighbours


def make(
    *, cards: int, operations: int, overlap: float, over: float = 3600.0, seed: int = 7
) -> History:
    """A legal history, in the order of the calls.

    `overlap`: about how many operations overlap another, from 0 to 1. `over`: in how many seconds
    the cards begin, one after another.
    """
    random = np.random.default_rng(seed)
    per_card = operations // cards
    count = cards * per_card
    turn = np.tile(np.arange(per_card), cards)
    card = np.repeat(np.arange(cards), per_card)
    part = turn % len(_STORY)
    rows = np.zeros(count, dtype=ROW)
    rows["card"], rows["challenge"] = card, turn // len(_STORY)
    rows["kind"] = np.array([kind for kind, _, _ in _STORY])[part]
    right = np.array([right for _, right, _ in _STORY])[part]
    rows["code"] = 1 + rows["challenge"] % 900_000 * 2 + ~right
    rows["outcomes"] = np.array([BIT[outcome] for _, _, outcome in _STORY])[part]
    plain = CSCS.index(Csc.NOT_ASKED)
    rows["detail"] = np.where(rows["kind"] == START, ASKED.index(False), plain)
    begun = np.sort(random.random(cards)) * over
    at = 1.0 + turn * STEP + begun[card]
    # A verify overlaps its neighbour where one of the two is wide; a start is asked for alone.
    wide = (random.random(count) < 0.75 * overlap) & (part > 0)
    before = np.where(wide & (part > 1), WIDE, NARROW) * random.random(count)
    after = np.where(wide & (part < 4), WIDE, NARROW) * random.random(count)
    rows["called"], rows["returned"] = at - before, at + after
    rows["seen"] = np.where(rows["kind"] == START, rows["returned"], np.inf)
    names = [f"card-{number}" for number in range(cards)]
    return History(rows[np.argsort(rows["called"], kind="stable")], names)


def overlapping(history: History) -> float:
    """Of how many operations another one on the same card was under way, from 0 to 1."""
    rows = history.rows[np.lexsort((history.rows["called"], history.rows["card"]))]
    same = rows["card"][1:] == rows["card"][:-1]
    meets = same & (rows["called"][1:] <= rows["returned"][:-1])
    touched = np.zeros(len(rows), dtype=bool)
    touched[1:] |= meets
    touched[:-1] |= meets
    return float(touched.mean())
