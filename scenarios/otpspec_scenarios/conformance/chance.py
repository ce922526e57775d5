"""How likely something is by chance alone: the statistics of the deep checks."""

import math
from collections.abc import Sequence

FALSE_ALARM = 1e-5
"""A sound target is accused by a statistical check in less than one run of 100,000."""


def at_least(successes: int, of: int) -> float:
    """The chance of so many heads or more in so many throws of a fair coin (exact)."""
    return float(sum(math.comb(of, k) for k in range(successes, of + 1)) / 2**of)


def uneven(counts: Sequence[int]) -> float:
    """The chance of counts as uneven as these, or more, where all are equally likely.

    Pearson's chi-square; its tail by Wilson and Hilferty's cube root, which is good to a few
    percent of its logarithm for the expected counts of 20 and more that are asked for here.
    """
    expected = sum(counts) / len(counts)
    statistic = sum((count - expected) ** 2 for count in counts) / expected
    freedom = len(counts) - 1
    spread = 2 / (9 * freedom)
    deviate = ((statistic / freedom) ** (1 / 3) - (1 - spread)) / math.sqrt(spread)
    return 0.5 * math.erfc(deviate / math.sqrt(2))
