"""No code, 3CSC, card number or token leaves the harness: every text written passes here."""

import re
import threading

_CARD_NUMBER = re.compile(r"(?<!\d)\d(?:[ -]?\d){12,18}(?!\d)")
_MASK = "•••"


class Redactor:
    """Knows the secrets of a run and takes them out of texts."""

    def __init__(self) -> None:
        self._secrets: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        self._lock = threading.Lock()

    def learn(self, *secrets: object) -> None:
        """Remember values that must never be written; values that are not text are ignored."""
        new = {secret for secret in secrets if isinstance(secret, str) and secret.strip()}
        with self._lock:
            if not new <= self._secrets:
                self._secrets |= new
                self._pattern = None

    def __call__(self, text: str) -> str:
        """The text without secrets and without anything that looks like a card number."""
        text = self._compiled().sub(_MASK, text)
        return _CARD_NUMBER.sub(lambda m: _MASK if _is_card_number(m[0]) else m[0], text)

    def _compiled(self) -> re.Pattern[str]:
        with self._lock:
            if self._pattern is None:
                self._pattern = re.compile("|".join(_alternatives(self._secrets)) or "(?!)")
            return self._pattern


def _alternatives(secrets: set[str]) -> list[str]:
    """Longest first. Short ones (a 3CSC) only where they stand alone, not inside other numbers."""
    ordered = sorted(secrets, key=lambda secret: (-len(secret), secret))
    return [
        re.escape(s) if len(s) >= 6 else rf"(?<![0-9A-Za-z]){re.escape(s)}(?![0-9A-Za-z])"
        for s in ordered
    ]


def _is_card_number(text: str) -> bool:
    """Luhn's check, ISO/IEC 7812-1 annex B."""
    digits = [int(c) for c in text if c.isdigit()]
    doubled = [d * 2 - 9 * (d > 4) for d in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0
