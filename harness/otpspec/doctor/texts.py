"""A message's text: which parts of it may be the code, and what it says besides."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import NamedTuple

from otpspec.policy import Policy
from otpspec.profile.finding import BEFORE, CURRENCY, REFERENCE, UNIT

_DIGITS = r"(?<![\w+#*•…])(?<!\d[.,:/-])(\d{3,4}[ -]\d{3,4}|\d{3,12})(?![\w%])(?![.,:/-]\d)"
_GROUPS = r"(?<![\w-])([A-Z0-9]{2,6}(?:-[A-Z0-9]{2,6}){1,3})(?![\w-])"
_MIXED = r"(?<![\w@./-])((?=[A-Za-z]*\d)(?=\d*[A-Za-z])[A-Za-z0-9]{4,12})(?![\w@/-])"
_CAPITALS = r"(?<![\w-])([A-Z]{4,12})(?![\w-])"
_TIME = re.compile(r"(\d{1,5})\s*(second|sec|s|minute|min|m|hour|h|Minute|Sekunde)\w*\b")
_UNITS = {"s": 1, "m": 60, "h": 3600}


class Candidate(NamedTuple):
    """A part of a text that may be the code, and the pattern that would find it."""

    code: str
    pattern: str
    rank: float


def candidates(text: str, policy: Policy) -> list[Candidate]:
    """Parts of a message that may be its code, the likeliest first."""
    found: dict[str, Candidate] = {}
    for code, start, end in _parts(text):
        rank = _rank(text, code, start, end, policy)
        if rank > 0 and (code not in found or rank > found[code].rank):
            found[code] = Candidate(code, pattern_for(text, code, start), rank)
    return sorted(found.values(), key=lambda one: -one.rank)


def _parts(text: str) -> Iterator[tuple[str, int, int]]:
    for pattern in (_DIGITS, _GROUPS, _MIXED, _CAPITALS):
        for match in re.finditer(pattern, text):
            yield match[1], match.start(1), match.end(1)


def _rank(text: str, code: str, start: int, end: int, policy: Policy) -> float:
    plain = re.sub(r"[ -]", "", code)
    before, after = text[max(0, start - 40) : start], text[end : end + 12]
    alone = not text[:start].rpartition("\n")[2].strip() and not after.partition("\n")[0].strip()
    rank = 5.0 + 30 * (len(plain) == policy.digits) + 20 * (alphabet_of(plain) == policy.alphabet)
    rank += 25 * bool(BEFORE.search(before)) + 20 * alone
    rank -= 60 * bool(UNIT.match(after) or CURRENCY.search(before))
    rank -= 30 * bool(REFERENCE.search(before))
    if plain.isalpha() and "-" not in code:  # a word in capitals is seldom a code
        rank -= 40 if len(plain) != policy.digits or policy.alphabet == "digits" else 10
    return rank - 10 * (len(plain) < 4)


def alphabet_of(code: str) -> str:
    """What the characters of a code are, in the words of policy.alphabet."""
    plain = "".join(c for c in code if c.isalnum())
    if plain.isdigit():
        return "digits"
    return "letters" if plain.isalpha() else "alphanumeric"


def shape_of(code: str) -> str:
    """A regular expression for codes that look like this one."""
    shape = ""
    for run in re.findall(r"[A-Za-z0-9]+|[^A-Za-z0-9]+", code):
        length = f"{{{len(run)}}}" if len(run) > 1 else ""
        if not run.isalnum():
            shape += re.escape(run).replace("\\ ", " ").replace("\\-", "-")
        elif run.isdigit():
            shape += rf"\d{length}"
        else:
            upper, lower = run.upper() == run, run.lower() == run
            letters = "A-Z" if upper else ("a-z" if lower else "A-Za-z")
            more = "0-9" if any(c.isdigit() for c in code) else ""
            shape += f"[{letters}{more}]{length}"
    return shape


def pattern_for(text: str, code: str, start: int) -> str:
    """A pattern for inbox.code whose first match in this text is the code."""
    shape = shape_of(code)
    simple = rf"\b({shape})\b"
    if _first(simple, text) == (code, start):
        return simple
    line = text[:start].rpartition("\n")[2]
    words = re.findall(r"[^\W\d_]+|[^\w\s]+", line)
    for count in (1, 2, 3, 4):
        ahead = r"\s*".join(re.escape(word) for word in words[-count:])
        ahead = rf"\b{ahead}" if words and words[-count:][0].isalpha() else ahead
        if len(words) >= count and _first(rf"{ahead}\s*({shape})\b", text) == (code, start):
            return rf"{ahead}\s*({shape})\b"
    after = re.match(r"\s*([^\W\d_]+|[^\w\s]+)", text[start + len(code) :])
    behind = rf"\b({shape})\s*{re.escape(after[1])}" if after else simple
    return behind if _first(behind, text) == (code, start) else rf"(?m)^\s*({shape})\s*$"


def _first(pattern: str, text: str) -> tuple[str, int] | None:
    match = re.search(pattern, text)
    return (match[1], match.start(1)) if match else None


def masked(text: str, *codes: str) -> str:
    """A text whose codes and digits are hidden, and whose shape can still be seen."""
    for code in sorted((code for code in codes if code), key=len, reverse=True):
        text = text.replace(code, re.sub(r"[^\W_]", "•", code))
    return re.sub(r"\d", "•", text)


def in_words(code: str) -> str:
    """A code without what it is: "6 digits", "8 letters (••••-••••)"."""
    plain = "".join(c for c in code if c.isalnum())
    what = {"digits": "digits", "letters": "letters"}.get(alphabet_of(plain), "letters and digits")
    shown = f" ({masked(code, code)})" if plain != code else ""
    return f"{len(plain)} {what}{shown}"


def spans_named(text: str) -> list[timedelta]:
    """The lengths of time that a text names: "valid for 10 minutes"."""
    return [
        timedelta(seconds=int(number) * _UNITS[unit[0].lower()])
        for number, unit in _TIME.findall(text)
    ]


_LEFT = re.compile(
    r"(\d{1,3})\s+(?:more\s+|remaining\s+)?(?:tries|try|attempts?|chances?)\b(?:\s+(?:left|remain\w*))?",
    re.IGNORECASE,
)
_LEFT_KEY = re.compile(r"left|remain", re.IGNORECASE)


def tries_left(text: str) -> int | None:
    """How many tries a sentence says are left."""
    match = _LEFT.search(text)
    return int(match[1]) if match else None


def counts_tries(key: str) -> bool:
    """Whether a field of this name says how many tries are left."""
    return _LEFT_KEY.search(key) is not None
