"""A judged history in, one self-contained HTML page out: each broken card in words, and drawn."""

from collections.abc import Callable
from dataclasses import dataclass

from otpspec.history import Call
from otpspec.linearize import Broken, Judged, Legality, contradicting, names_of
from otpspec.outcome import Verdict
from otpspec.results import Evidence, Exchange
from otpspec_reports import figure, html

MOST_CARDS = 20
"""The most broken cards that the page explains."""

MOST_LINES = 60
"""The most operations of one that it tells in words."""

_VERDICTS = {
    Legality.LEGAL: Verdict.PASSED,
    Legality.BROKEN: Verdict.BROKEN,
    Legality.UNKNOWN: Verdict.INCONCLUSIVE,
}


@dataclass(frozen=True, kw_only=True)
class Told:
    """A broken card, as the page tells it."""

    card: str
    operations: int
    words: str
    lines: list[str]
    lines_left_out: int
    places: str  # where they stand in the file: "lines 4, 5, 6"
    whole: bool
    drawn: figure.Timeline | None


def render(
    found: Judged,
    *,
    history: str,
    policy: str,
    took_s: float,
    zero: float,
    redact: Callable[[str], str],
    places: Callable[[Broken], str],
) -> str:
    """What a history came to, as one page.

    `zero`: from when on times are counted. `redact` hides what may be a card's number; `places`
    says where a card's smallest history stands in the file.
    """
    explained = [one for one in found.broken if one.smallest or not one.whole][:MOST_CARDS]
    return (
        html.pages()
        .get_template("judged.html.j2")
        .render(
            verdict=_VERDICTS[found.legality],
            legality=str(found.legality),
            found=found,
            history=redact(history),
            policy=redact(policy),
            took_s=took_s,
            told=[_told(one, zero, redact, places) for one in explained],
            unknown=[redact(card) for card in found.unknown[:MOST_CARDS]],
            styles=html.styles(),
            security_policy=html.security_policy([]),
        )
    )


def evidence(broken: Broken, *, zero: float) -> Evidence:
    """A card's smallest history as evidence: what its timeline is drawn from."""
    calls = broken.smallest
    end = max((c.called if c.returned is None else c.returned for c in calls), default=zero)
    return Evidence(
        scenario="judge",
        verdict=Verdict.BROKEN,
        reason=broken.words,
        exchanges=[
            _exchange(call, name.removeprefix("the "), zero, end)
            for name, call in zip(names_of(calls), calls, strict=True)
        ],
        contradiction=contradicting(calls) if calls else [],
    )


def _exchange(call: Call, name: str, zero: float, end: float) -> Exchange:
    """A call as an exchange; a history knows no request and no status, only whether one came."""
    answered = call.returned is not None
    return Exchange(
        operation=type(call.operation).__name__.lower(),
        label=name,
        request="",
        status=0 if answered else None,
        answer="",
        outcomes=sorted(call.outcomes or ()),
        called_s=call.called - zero,
        returned_s=(end if call.returned is None else call.returned) - zero,
    )


def _told(
    one: Broken, zero: float, redact: Callable[[str], str], places: Callable[[Broken], str]
) -> Told:
    return Told(
        card=redact(one.card),
        operations=one.operations,
        words=one.words,
        lines=list(one.lines[:MOST_LINES]),
        lines_left_out=max(len(one.lines) - MOST_LINES, 0),
        places=places(one),
        whole=one.whole,
        drawn=figure.timeline(evidence(one, zero=zero)),
    )
