"""What no row of a history may be, however it was written."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from otpspec.errors import Problem
from otpspec.history.columns import (
    AMEND,
    ASKED,
    CSCS,
    KINDS,
    NO_CHALLENGE,
    NO_CODE,
    OF_THE_CARD,
    OUTCOMES,
    RESEND,
    START,
    VERIFY,
    Rows,
)

MOST_PROBLEMS = 20
"""How many lines are named; a file that is wrong throughout is told of in one screen."""


def check(rows: Rows, *, place: str, first: int) -> list[Problem]:
    """The rows that cannot be used. `first` is the number of the first one's `place`."""
    found: list[Problem] = []
    for wrong, text in _faults(rows):
        indices = np.flatnonzero(wrong)[:MOST_PROBLEMS].tolist()
        found += [Problem(f"{place} {first + index}", text) for index in indices]
    return found


def _faults(rows: Rows) -> Iterator[tuple[npt.NDArray[np.bool_], str]]:
    kind, called, returned = rows["kind"], rows["called"], rows["returned"]
    yield kind >= len(KINDS), f"no such operation; known: {', '.join(KINDS)}"
    yield ~np.isfinite(called), "called is no time"
    yield ~(returned >= called), "returned before it was called"
    yield ~(rows["seen"] >= called), "its message was seen before it was asked for"
    yield rows["outcomes"] >= 1 << len(OUTCOMES), "an answer that is not known"
    yield (rows["outcomes"] != 0) & np.isinf(returned), "an answer that never came"
    of_card = np.isin(kind, list(OF_THE_CARD))
    yield (
        ~of_card & (rows["challenge"] == NO_CHALLENGE),
        "no challenge; which transaction was it about?",
    )
    yield (
        of_card & (rows["challenge"] != NO_CHALLENGE),
        "a challenge, but the operation is about the card",
    )
    yield (kind == VERIFY) & (rows["code"] == NO_CODE), "no code; a verify tries one"
    sends = (kind == START) | (kind == AMEND)
    most = np.where(sends, len(ASKED), np.where(kind == VERIFY, len(CSCS), 2))
    yield rows["detail"] >= most, "a detail that is not known"
    told = np.isfinite(rows["seen"]) & ~(sends | (kind == RESEND))
    yield told, "seen, but no message was asked for"
    yield of_card & (rows["code"] != NO_CODE), "a code, but the operation takes none"
