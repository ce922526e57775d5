"""How sure a number of rounds makes: of a race that shows in a part of them, and of chance."""

import math
import re
from collections.abc import Sequence
from typing import NamedTuple

_POWER = re.compile(r"(\d+(?:\.\d+)?)%/(\d+(?:\.\d+)?)%")


class Power(NamedTuple):
    """A race that shows in `share` of all rounds is seen with probability `sure`."""

    sure: float
    share: float

    @classmethod
    def parse(cls, text: str) -> "Power":
        """Read a text like "95%/5%". Raises ValueError with what to write instead."""
        match = _POWER.fullmatch(text.replace(" ", ""))
        sure, share = (float(part) / 100 for part in match.groups()) if match else (0.0, 0.0)
        if not (0 < sure < 1 and 0 < share < 1):
            raise ValueError(
                f'"{text}" is not a power; write it like "95%/5%": seen with 95 % probability '
                "where it shows in 5 % of rounds"
            )
        return cls(sure, share)

    @property
    def rounds(self) -> int:
        """How many clean rounds that takes."""
        return math.ceil(math.log(1 - self.sure) / math.log(1 - self.share) - 1e-9)

    def __str__(self) -> str:
        """'95%/5%'."""
        return f"{100 * self.sure:g}%/{100 * self.share:g}%"


def share_seen(clean: int, sure: float) -> float:
    """In which share of rounds a race would have to show, to be seen that surely in so many."""
    return 1.0 if clean < 1 else 1 - (1 - sure) ** (1 / clean)


def distribution(chances: Sequence[float]) -> list[float]:
    """How likely 0, 1, 2, … successes are of tries with these chances (exact)."""
    found = [1.0]
    for chance in chances:
        found = [
            (found[n] if n < len(found) else 0.0) * (1 - chance)
            + (found[n - 1] * chance if n else 0.0)
            for n in range(len(found) + 1)
        ]
    return found


def at_least(successes: int, chances: Sequence[float]) -> float:
    """The chance of so many successes or more, of tries with these chances (exact).

    Its terms are added from the smallest on, and none is taken from 1: it is as right far out in
    the tail as it is in the middle.
    """
    return math.fsum(sorted(distribution(chances)[max(successes, 0) :]))


def alarm(chances: Sequence[float], false_alarm: float) -> int:
    """The least number of successes that chance reaches less often than `false_alarm`.

    One more than there are tries, where no number is that unlikely.
    """
    return next(n for n in range(len(chances) + 2) if at_least(n, chances) < false_alarm)


def share_caught(successes: int, tries: int, sure: float) -> float | None:
    """The least chance of a success at which so many or more are seen that surely.

    None where that many cannot be: the tries are too few to tell anything.
    """
    if successes > tries:
        return None
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if at_least(successes, [middle] * tries) < sure:
            low = middle
        else:
            high = middle
    return high
