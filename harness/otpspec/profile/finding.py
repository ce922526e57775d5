"""Which of the numbers in a message is its code, where the profile has no pattern of its own."""

import re
from collections.abc import Iterable
from typing import NamedTuple

_WORDS = r"(code|otp|pin|tan|password|passcode|kode|código|codice|token)"
BEFORE = re.compile(rf"{_WORDS}\W*(\w+\W+){{0,3}}$", re.IGNORECASE)
"""What stands before a code: "your code is", "OTP:"."""

_AFTER = re.compile(rf"\W*(\w+\W+){{0,4}}{_WORDS}\b", re.IGNORECASE)
UNIT = re.compile(r"\s*(min|sec|hour|day|EUR|USD|GBP|CHF|€|\$|£|Minuten|Sekunden)", re.IGNORECASE)
CURRENCY = re.compile(r"(EUR|USD|GBP|CHF|€|\$|£)\s*$")
REFERENCE = re.compile(
    r"(ref(erence)?|order|invoice|transaction|txn|no|nr|number|id|call|tel|phone|help|"
    r"ending( in| with)?|tail|card)[.:# ]*$",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"(://\S*|\d:|[=/])$")
"""A port, or a part of a link."""

_PART = re.compile(r"\d[ \u00a0-]$")
"""What stands before the later groups of a longer number, mostly a telephone's."""

_SPACED = re.compile(r"(?<![\w-])(\d{2,4}(?:[ \u00a0-]\d{2,4}){1,2})(?![\w-])")
"""A code as people read it: "567 890"; it is typed without what stands between."""


class Run(NamedTuple):
    """Characters of a text that the pattern finds, and how much they look like its code."""

    text: str
    rank: int


def codes_in(text: str, pattern: re.Pattern[str], digits: int, known: Iterable[str]) -> list[str]:
    """What is likeliest to be the code; several where nothing tells them apart, none where the
    pattern finds nothing.

    `digits`: the declared length. `known`: the card's numbers, whose last digits messages show.
    """
    found = [match for match in pattern.finditer(text) if match[1]]
    found += [match for match in _SPACED.finditer(text) if len(_typed(match[1])) == digits]
    if len(found) < 2:  # mostly there is one number, and nothing to choose
        return [_typed(match[1]) for match in found]
    tails = [re.sub(r"\D", "", number) for number in known]
    runs = []
    for match in found:
        code = _typed(match[1])
        shown = any(number.endswith(code) for number in tails)
        rank = _rank(text[: match.start(1)], text[match.end(1) :], shown=shown)
        runs.append(Run(code, rank + 100 * (len(code) == digits)))
    best = max(run.rank for run in runs)
    return list(dict.fromkeys(run.text for run in runs if run.rank == best))


def _typed(code: str) -> str:
    """A code as it is typed: digits stand together."""
    return re.sub(r"\D", "", code) if _SPACED.fullmatch(code) else code


def _rank(before: str, after: str, *, shown: bool) -> int:
    before, after = before[-60:], after[:60]
    line = before.rpartition("\n")[2]
    rank = 20 * bool(BEFORE.search(line)) + 10 * bool(_AFTER.match(after.partition("\n")[0]))
    rank += 15 * (not line.strip() and not after.partition("\n")[0].strip())
    rank -= 30 * bool(REFERENCE.search(line)) + 60 * bool(_ADDRESS.search(line))
    rank -= 30 * bool(_PART.search(line))
    rank -= 60 * bool(UNIT.match(after) or CURRENCY.search(line))
    return rank - 150 * shown
