"""A history, as columns: one row an operation, in the order of the file.

    card      which card, from 0; its name stands in `History.names`
    challenge which transaction, by a number of its own; NO_CHALLENGE: the operation is of the card
    code      which code was sent or tried: a token; NO_CODE: not known, or none
    kind      KINDS[kind]
    detail    start, amend: whether the 3CSC will be asked for, ASKED[detail];
              verify: what was sent as the 3CSC, CSCS[detail];
              change_contact: 1 with proof, 0 without
    outcomes  what the answer may mean: bit i stands for OUTCOMES[i]; 0: no answer came
    called    seconds of target time
    returned  seconds of target time; infinite where no answer came
    seen      start, resend, amend: when the message was seen; infinite where it was not

Codes are tokens: only whether two are equal matters. A file never says what a code was, unless its
writer put it there.
"""

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from math import inf
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from otpspec.model import (
    Amend,
    Cancel,
    ChangeContact,
    Csc,
    Malformed,
    Operation,
    Resend,
    Start,
    Unlock,
    Verify,
)
from otpspec.outcome import Outcome

KINDS = (
    *("start", "verify", "malformed", "resend"),
    *("amend", "cancel", "unlock", "change_contact"),
)
START, VERIFY, MALFORMED, RESEND, AMEND, CANCEL, UNLOCK, CHANGE_CONTACT = range(8)
OUTCOMES = tuple(Outcome)
CSCS = tuple(Csc)
ASKED = (False, True, None)
NO_CODE = 0
NO_CHALLENGE = 0xFFFFFFFF

OF_THE_CARD = frozenset({UNLOCK, CHANGE_CONTACT})
"""The kinds that concern no transaction."""

ROW = np.dtype(
    [
        ("card", "<u4"),
        ("challenge", "<u4"),
        ("code", "<u4"),
        ("outcomes", "<u2"),
        ("kind", "u1"),
        ("detail", "u1"),
        ("called", "<f8"),
        ("returned", "<f8"),
        ("seen", "<f8"),
    ]
)
"""One row, 40 bytes: what a packed file consists of."""

Rows = npt.NDArray[np.void]

BIT = {outcome: 1 << i for i, outcome in enumerate(OUTCOMES)}


def mask(outcomes: Iterable[Outcome]) -> int:
    """A set of outcomes as bits."""
    return sum(BIT[outcome] for outcome in set(outcomes))


def unmask(bits: int) -> frozenset[Outcome]:
    """Bits as a set of outcomes."""
    found = _UNMASKED.get(bits)
    if found is None:
        found = frozenset(outcome for outcome in OUTCOMES if bits & BIT[outcome])
        _UNMASKED[bits] = found
    return found


_UNMASKED: dict[int, frozenset[Outcome]] = {}


class Call(msgspec.Struct, frozen=True, gc=False):
    """One operation on a card: when it was called and answered, and what the answer may mean."""

    operation: Operation
    called: float  # seconds of target time
    returned: float | None = None  # None: no answer came
    outcomes: AbstractSet[Outcome] | None = None  # None: no answer came
    row: int = -1  # where it stands in its history


@dataclass(frozen=True)
class History:
    """All operations of a file, or of a run."""

    rows: Rows
    names: Sequence[str]  # of the cards, by number
    source: str = ""
    first_line: int = 1
    """The line, or the number, of the first row in its source."""

    def __len__(self) -> int:
        return len(self.rows)

    def calls(self, indices: npt.NDArray[np.integer[Any]]) -> list[Call]:
        """These rows, as the model sees them."""
        rows = self.rows.take(indices).tolist()
        return [call_of(row, index) for row, index in zip(rows, indices.tolist(), strict=True)]


def call_of(row: Sequence[float], index: int = -1) -> Call:
    """A row of `ROW`, as the model sees it."""
    _, challenge, code, outcomes, kind, detail, called, returned, seen = row
    operation = _operation(
        int(kind),
        int(challenge),
        None if code == NO_CODE else str(code),
        int(detail),
        None if seen == inf else seen,
    )
    if not outcomes:
        return Call(operation, called, None, None, index)
    return Call(operation, called, returned, unmask(int(outcomes)), index)


def _operation(
    kind: int, challenge: int, code: str | None, detail: int, seen: float | None
) -> Operation:
    match kind:
        case 0:
            return Start(challenge, code, ASKED[detail], seen)
        case 1:
            return Verify(challenge, "" if code is None else code, CSCS[detail])
        case 2:
            return Malformed(challenge)
        case 3:
            return Resend(challenge, code, seen)
        case 4:
            return Amend(challenge, code, ASKED[detail], seen)
        case 5:
            return Cancel(challenge)
        case 6:
            return Unlock()
        case _:
            return ChangeContact(proven=bool(detail))
