"""No code, 3CSC, card number or token leaves the harness: every text written passes here."""

import json
import re
import threading
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

_DIGITS = re.compile(r"\d+(?:[ -]\d+)*")
_SHORTEST = 3
_MASK = "•••"
_SHORT = 6
_WORD = re.compile(r"[0-9A-Za-z]+")
_Span = tuple[int, int]


class Redactor:
    """Knows the secrets of a run and takes them out of texts.

    Secrets of six characters and more are found anywhere; shorter ones (a 3CSC) only where they
    stand alone, since three digits are a part of many numbers. A run learns hundreds of secrets:
    they are looked up by length, which costs the same for one and for a million.
    """

    def __init__(self) -> None:
        self._long: dict[int, set[str]] = {}
        self._phrases: set[str] = set()  # short, and not one word
        self._words: set[str] = set()  # short
        self._lock = threading.Lock()

    def learn(self, *secrets: object) -> None:
        """Remember values that must never be written.

        Values that are not text, and texts of one or two characters, are ignored: a report
        without any 1 would be none.
        """
        for secret in secrets:
            if isinstance(secret, str) and len(secret.strip()) >= _SHORTEST:
                with self._lock:
                    for spelling in _spellings(secret):
                        self._keep(spelling)

    def _keep(self, secret: str) -> None:
        if len(secret) >= _SHORT:
            self._long.setdefault(len(secret), set()).add(secret)
        else:
            (self._words if _WORD.fullmatch(secret) else self._phrases).add(secret)

    def own(self, text: str) -> str:
        """A sentence of the harness's own without card numbers and secrets of six characters.

        It quotes nothing that was sent or answered, and its figures ("601.0 s after it was sent")
        must stay, also where they happen to be some card's 3CSC.
        """
        with self._lock:
            text = _masked(text, self._long_secrets(text))
            return _DIGITS.sub(lambda run: _masked(run[0], _card_numbers(run[0])), text)

    def __call__(self, text: str) -> str:
        """The text without secrets and without anything that looks like a card number."""
        if not text:
            return text
        text = self.own(text)
        with self._lock:
            text = _masked(text, self._short_phrases(text))
            return _masked(text, self._short_words(text))  # last: by now each stands alone

    def _long_secrets(self, text: str) -> list[_Span]:
        return [
            (start, start + length)
            for length, known in self._long.items()
            for start in range(len(text) - length + 1)
            if text[start : start + length] in known
        ]

    def _short_phrases(self, text: str) -> list[_Span]:
        found = (re.finditer(re.escape(phrase), text) for phrase in self._phrases)
        return [m.span() for matches in found for m in matches]

    def _short_words(self, text: str) -> list[_Span]:
        return [m.span() for m in _WORD.finditer(text) if m[0] in self._words]


def _spellings(secret: str) -> set[str]:
    """A secret as it is, and as it stands in JSON and in a URL."""
    if secret.isascii() and secret.isalnum():
        return {secret}
    as_json = {json.dumps(secret, ensure_ascii=escaped)[1:-1] for escaped in (False, True)}
    return {secret, quote(secret, safe=""), quote_plus(secret), *as_json}


def _masked(text: str, spans: Iterable[_Span]) -> str:
    """The text with these parts masked, those that overlap as one."""
    pieces, end = [], 0
    for start, stop in sorted(spans):
        if start >= end:
            pieces += [text[end:start], _MASK]
        end = max(end, stop)
    return "".join([*pieces, text[end:]])


def _card_numbers(run: str) -> list[_Span]:
    """The card numbers in a run of digits, which may stand in groups, and beside other numbers."""
    groups = [m.span() for m in re.finditer(r"\d+", run)]
    found = []
    for first, (start, _) in enumerate(groups):
        length = 0
        for begin, end in groups[first:]:
            length += end - begin
            if length > 19:
                break
            if length >= 13 and _is_card_number(run[start:end]):
                found.append((start, end))
    return found


def _is_card_number(text: str) -> bool:
    """Luhn's check, ISO/IEC 7812-1 annex B."""
    digits = [int(c) for c in text if c.isdigit()]
    doubled = [d * 2 - 9 * (d > 4) for d in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0
