"""A judged history in, one self-contained HTML page out: each broken card in words, and drawn."""

from collections.abc import Sequence
from dataclasses import dataclass

from otpspec.outcome import Verdict
from otpspec.results import Evidence
from otpspec_reports import figure, html

MOST_CARDS = 20
"""The most broken cards that the page tells of."""

MOST_LINES = 60
"""The most operations of one that it tells in words."""


@dataclass(frozen=True, kw_only=True)
class Card:
    """A broken card, with its smallest history."""

    name: str  # redacted
    operations: int
    why: str  # a sentence; empty where it was not looked for, or the budget ended first
    lines: Sequence[str]  # the operations of its smallest history, in words
    places: str  # where they stand in the file: "lines 4, 5, 6"
    whole: bool  # False: the budget ended before nothing more could be left out
    evidence: Evidence

    @property
    def drawn(self) -> figure.Timeline | None:
        """Its timeline."""
        return figure.timeline(self.evidence)


@dataclass(frozen=True, kw_only=True)
class Page:
    """What a history came to, as its page tells it; every text is redacted."""

    history: str
    policy: str
    verdict: str  # legal | broken | unknown
    operations: int
    cards: int
    broken: int
    told: Sequence[Card]  # those that are explained
    unknown: Sequence[str]  # cards that were out of budget
    took_s: float


_LOOKS = {"legal": Verdict.PASSED, "broken": Verdict.BROKEN, "unknown": Verdict.INCONCLUSIVE}


def render(page: Page) -> str:
    """The page."""
    return (
        html.pages()
        .get_template("judged.html.j2")
        .render(
            page=page,
            look=_LOOKS[page.verdict],
            told=page.told[:MOST_CARDS],
            unknown=page.unknown[:MOST_CARDS],
            MOST_LINES=MOST_LINES,
            styles=html.styles(),
            security_policy=html.security_policy([]),
        )
    )
