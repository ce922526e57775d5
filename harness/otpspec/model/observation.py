"""What an answer came to, once it was judged."""

from enum import StrEnum

import msgspec

_NO_CHANCES: frozenset[str] = frozenset()


class Judgement(StrEnum):
    """What an answer came to."""

    LEGAL = "legal"
    BROKEN = "broken"
    SILENT = "silent"  # no answer, or one that judges nothing


class Observation(msgspec.Struct, frozen=True, gc=False):
    """One answer, judged."""

    judgement: Judgement
    chances: frozenset[str] = _NO_CHANCES
    """The rules that this answer could have broken: empty where it was silent."""

    rule: str = ""  # broken: the rule
    expected: tuple[str, ...] = ()  # broken: the outcomes that were legal, sorted; or other words
    got: tuple[str, ...] = ()  # broken: the outcomes that the answer may mean, sorted
    because: str = ""  # broken: why only that was legal

    @property
    def headline(self) -> str:
        """'EXPIRY-2: approved, expected expired': the same for each answer of this kind."""
        if self.judgement is not Judgement.BROKEN:
            return str(self.judgement)
        expected, got = " or ".join(self.expected), " or ".join(self.got)
        return f"{self.rule}: {got}, expected {expected}".replace("_", " ")

    def __str__(self) -> str:
        return f"{self.headline}: {self.because}" if self.because else self.headline
