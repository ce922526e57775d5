"""Who came in a load run, in a sentence."""

from otpspec.results import LoadResult

MOST_NAMED = 3
"""So many behaviours are named, the commonest first; the page has them all."""


def who_came(load: LoadResult) -> str:
    """'a day at a bank: 66 % right first time, …, and 21 more; left out: contact thief'."""
    commonest = sorted(load.mix.items(), key=lambda item: -item[1])
    named = [f"{part:.3g} % {_plain(name)}" for name, part in commonest[:MOST_NAMED]]
    if len(commonest) > MOST_NAMED:
        named.append(f"{len(commonest) - MOST_NAMED} more")
    told = f"{load.mix_source}: {', '.join(named)}"
    left_out = ", ".join(map(_plain, load.left_out))
    return f"{told}; left out: {left_out}" if left_out else told


def _plain(name: str) -> str:
    return name.replace("_", " ")
