"""An exchange in words: its bar's label, what a pointer is told of it, and why it is marked."""

from collections import Counter
from collections.abc import Sequence

from otpspec.outcome import Verdict
from otpspec.results import Evidence, Exchange
from otpspec_reports.figures import at, duration
from otpspec_reports.lanes import ended, marked
from otpspec_reports.visible import one_line

LABEL, TITLE, LANE = 40, 110, 14
"""The most characters of each: what a target chose may be long."""

_ONE_BY_ONE = 3  # contradicting exchanges that are told each by itself
_OUTCOMES = 60


def label(exchange: Exchange, most: int = LABEL) -> str:
    """What it was, and what it came to: 'wrong code: wrong otc'."""
    return _clip(f"{name(exchange)}: {meant(exchange)}", most)


def title(exchange: Exchange) -> str:
    """All that is known of it, but for its request and its answer."""
    status = f" (HTTP {exchange.status})" if exchange.status else ""  # 0: a history has none
    took = duration(ended(exchange) - exchange.called_s)
    lane = f"; {lane_name(exchange)}" if exchange.lane else ""
    when = f"{at(exchange.called_s)} to {at(ended(exchange))} s, {took}{lane}"
    about = f"{name(exchange)}: {meant(exchange)}{status}"
    return f"{_clip(about, TITLE - len(when) - 2)}; {when}"


def lane_name(exchange: Exchange) -> str:
    """The lane's name, as it is written beside it."""
    return _clip(one_line(exchange.lane), LANE)


def name(exchange: Exchange) -> str:
    """What it was: 'the third wrong code', or else its operation."""
    return one_line(exchange.label or exchange.operation)


def meant(exchange: Exchange) -> str:
    """What its answer may mean."""
    if exchange.status is None:
        return f"no answer in {duration(ended(exchange) - exchange.called_s)}"
    words = " or ".join(exchange.outcomes).replace("_", " ")
    return _clip(one_line(words), _OUTCOMES) or "not read"


def contradiction(evidence: Evidence) -> str:
    """What is marked, in a sentence; or, where nothing is and a reader looks for it, why not."""
    found = [evidence.exchanges[place] for place in marked(evidence)]
    if not found:
        return _unmarked(evidence) if evidence.verdict is Verdict.INCONCLUSIVE else ""
    if len(found) <= _ONE_BY_ONE:
        return f"Marked: {'; '.join(map(_alone, found))}."
    return f"Marked: {_together(found)}."


def _unmarked(evidence: Evidence) -> str:
    looked_at = [one for one in evidence.exchanges if one.unanswered_s is not None]
    if len(evidence.releases_s) != 1 or not looked_at:
        return "Nothing is marked: no answer here contradicts the rule."
    count = surely_at_once(looked_at)
    were = "was" if count == 1 else "were"
    of = f"{count:,} of {len(looked_at):,} requests"
    return f"Nothing is marked: at most {of} {were} surely in flight at once."


def surely_at_once(exchanges: Sequence[Exchange]) -> int:
    """The most that were surely in flight at one moment: released, and seen to have no answer."""
    edges = [(one.called_s, 0) for one in exchanges]
    edges += [(one.unanswered_s, 1) for one in exchanges if one.unanswered_s is not None]
    flying = most = 0
    for _, is_end in sorted(edges):
        flying += -1 if is_end else 1
        most = max(most, flying)
    return most


def _alone(exchange: Exchange) -> str:
    lane = f" ({lane_name(exchange)})" if exchange.lane else ""
    sent = f"{_clip(name(exchange), LABEL)}{lane}, sent at {at(exchange.called_s)} s"
    if exchange.status is None:
        return f"{sent}, had no answer"
    return f"{sent}, was answered {meant(exchange)} at {at(ended(exchange))} s"


def _together(exchanges: Sequence[Exchange]) -> str:
    """'verify: wrong otc (31), verify: approved (1), between 2.000 and 2.049 s'."""
    kinds = Counter(map(label, exchanges)).most_common()
    parts = [f"{kind} ({count:,})" for kind, count in kinds[:4]]
    if kinds[4:]:
        parts.append(f"others ({sum(count for _, count in kinds[4:]):,})")
    begin, end = min(e.called_s for e in exchanges), max(map(ended, exchanges))
    return f"{', '.join(parts)}, between {at(begin)} and {at(end)} s"


def _clip(text: str, most: int) -> str:
    """The text, or as much of its beginning as there is room for."""
    return text if len(text) <= most else text[: max(most - 1, 0)].rstrip() + "…"
