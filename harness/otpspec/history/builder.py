"""Makes a history out of calls, as they are made."""

from math import inf
from typing import Any

import numpy as np

from otpspec.history.columns import (
    ASKED,
    CSCS,
    KINDS,
    NO_CHALLENGE,
    NO_CODE,
    ROW,
    Call,
    History,
    mask,
)
from otpspec.model import Amend, ChangeContact, Operation, Start, Verify

_KIND = {name.replace("_", ""): number for number, name in enumerate(KINDS)}
_CSC = {csc: number for number, csc in enumerate(CSCS)}
_ASKED = {asked: number for number, asked in enumerate(ASKED)}


class Tokens(dict[Any, int]):
    """Numbers for texts, in the order in which they are first met."""

    def __missing__(self, text: Any) -> int:
        """A number of its own for a text that is new."""
        number = self[text] = len(self)
        return number


class Builder:
    """Takes calls in any order, and keeps of a code only which others it equals."""

    def __init__(self) -> None:
        self._cards = Tokens()
        self._codes = Tokens({None: NO_CODE})
        self._rows: list[tuple[float, ...]] = []

    def add(self, card: str, call: Call) -> None:
        """Add a call on the card of that name."""
        operation = call.operation
        code = getattr(operation, "otc", getattr(operation, "code", None))
        answered = call.returned is not None and bool(call.outcomes)
        seen = getattr(operation, "seen", None)
        self._rows.append(
            (
                self._cards[card],
                getattr(operation, "challenge", NO_CHALLENGE),
                self._codes[code],
                mask(call.outcomes or ()) if answered else 0,
                _KIND[type(operation).__name__.lower()],
                _detail(operation),
                call.called,
                call.returned if answered and call.returned is not None else inf,
                inf if seen is None else seen,
            )
        )

    def history(self) -> History:
        """All that was added."""
        return History(np.array(self._rows, dtype=ROW), list(self._cards))


def _detail(operation: Operation) -> int:
    match operation:
        case Start(csc_required=asked) | Amend(csc_required=asked):
            return _ASKED[asked]
        case Verify(csc=csc):
            return _CSC[csc]
        case ChangeContact(proven=proven):
            return int(proven)
    return 0
