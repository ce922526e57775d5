"""Which words of an answer are the same the next time, and which were made for this one."""

import re
from collections.abc import Collection

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_DATE = re.compile(r"\d{4}-\d\d-\d\d|\d\d?:\d\d(:\d\d)?|\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d")
_TOKEN = re.compile(r"[0-9A-Za-z]+")
_HIDDEN = re.compile(r"[*•●…@]|\bx{3,}", re.IGNORECASE)  # "****1234", "p•••42@example.com"
_LONGEST = 80
_SHORTEST_OF_VARYING = 3  # a value of two characters stands in every other word

_CHANGING = re.compile(
    r"left|remain|tries|attempt|retr(y|ies)|count(er)?$|after|expir|ttl|time|date|stamp|"
    r"(^|_)at$|[a-z]At$|seconds|nonce|token|trace|serial|session|amount|phone|mobile|contact|"
    r"email|(^|_)url$|^path$|^instance$|version|(^|[_-])u?u?id$|[a-z]I[dD]$|(^|_)ref(erence)?$",
)


def changes(key: str) -> bool:
    """Whether a key of this name holds another value each time: an id, a time, a counter."""
    return _CHANGING.search(key) is not None


def looks_made(text: str) -> bool:
    """Whether a text has parts that look as if they were drawn or counted: ids, dates, digests."""
    if _UUID.search(text) or _DATE.search(text) or _HIDDEN.search(text):
        return True
    return any(map(_made, _TOKEN.findall(text)))


def _made(token: str) -> bool:
    if re.search(r"\d{5}", token):
        return True
    digits = sum(c.isdigit() for c in token)
    letters = len(token) - digits
    mixed = digits > 0 and letters > 0
    if mixed and len(token) >= 8 and re.fullmatch(r"[0-9a-f]+|[0-9A-F]+", token):
        return True
    return mixed and len(token) >= 12


def varies(text: str, varying: Collection[str]) -> bool:
    """Whether a text holds one of the values that are known to be this run's own."""
    low = text.casefold()
    return any(len(v) >= _SHORTEST_OF_VARYING and v.casefold() in low for v in varying)


def is_stable(text: str, varying: Collection[str]) -> bool:
    """Whether a text may stand in a pattern: words, that the next answer will have, too."""
    return (
        0 < len(text.strip()) <= _LONGEST
        and any(c.isalpha() for c in text)
        and not looks_made(text)
        and not varies(text, varying)
    )


def phrases(line: str, varying: Collection[str]) -> list[str]:
    """The parts of a line of prose that may stand in a pattern: sentences, without what varies.

    "The code is not correct. You have 2 tries left." gives its first sentence, and "tries left.".
    """
    found = []
    for sentence in re.split(r"(?<=[.!?])\s+", line.strip()):
        if is_stable(sentence, varying) and not re.search(r"\d", sentence):
            found.append(sentence)
            continue
        words, run = sentence.split(), list[str]()
        for word in [*words, "0"]:
            if re.search(r"\d", word) or not is_stable(f"a{word}", varying):
                piece = " ".join(run)
                if len(run) >= 2 and len(piece) >= 8 and is_stable(piece, varying):
                    found.append(piece)
                run = []
            else:
                run.append(word)
    return [phrase for phrase in found if len(phrase) >= 2]
