"""Did the target keep what it promises under load? LOAD-3: never a guess, in either direction.

Latency counts from when a request was due. A percentile says something once ten requests lie beyond
it: p99 takes a thousand. Below that a limit is not passed; it is broken only if so many requests
were over it that it would be, were all the missing ones fast.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from otpspec.load.histogram import Histogram, middle
from otpspec.load.recorder import Recorder
from otpspec.outcome import SILENT, Verdict
from otpspec.profile.goals import ERRORS, Goal
from otpspec.results import Evidence, Objective, RuleResult
from otpspec.rules import RULES

BEYOND = 10
"""So many requests must lie beyond a percentile, or be allowed to fail, for it to say something."""

NO_BUDGET_LEAST = 100
"""So many requests show that there are no errors, where none are allowed."""

NOT_DECLARED = (
    'nothing is declared; a line like p99 = "250ms" in the profile\'s [load.slo], or --slo, does'
)


class Run(NamedTuple):
    """What must be known of a run to say whether its figures are the target's."""

    open: bool  # whether journeys began when they were due, whatever the target did
    trusted: bool  # whether the generator kept its schedule
    late_ms: float = 0.0  # by how much at most it was late: so much of a latency may be its own


class _Measured(NamedTuple):
    requests: int
    over: int  # of them, how many are over the limit, or are errors
    value: float  # ms; of errors, a part of 1


def objectives(goals: Sequence[Goal], recorder: Recorder, run: Run) -> list[Objective]:
    """What each limit came to."""
    return [_objective(goal, recorder, run) for goal in goals]


def _objective(goal: Goal, recorder: Recorder, run: Run) -> Objective:
    measured = (_errors if goal.measure == ERRORS else _latency)(goal, recorder)
    verdict, reason = _verdict(goal, measured, recorder, run)
    return Objective(
        name=goal.name,
        limit=goal.text,
        measured=_words(goal, measured) if measured.requests else "",
        requests=measured.requests,
        needed=needed(goal),
        verdict=verdict,
        reason=reason,
    )


def needed(goal: Goal) -> int:
    """How many requests it takes before the limit can be passed."""
    if goal.measure == ERRORS:
        return math.ceil(BEYOND / goal.limit - 1e-6) if goal.limit else NO_BUDGET_LEAST
    if goal.quantile == 1.0:
        return NO_BUDGET_LEAST
    return math.ceil(BEYOND / (1 - goal.quantile) - 1e-6)


def _verdict(goal: Goal, measured: _Measured, recorder: Recorder, run: Run) -> tuple[Verdict, str]:
    least = needed(goal)
    timed = goal.measure != ERRORS
    if not measured.requests:
        what = f"no {goal.operation} was" if goal.operation else "nothing was"
        return Verdict.INCONCLUSIVE, f"{what} measured; {least:,} requests are the least"
    if timed and not run.trusted:
        later = goal._replace(limit=goal.limit + run.late_ms / 1e3)
        if _is_over(later, _latency(later, recorder), least):
            own = f"even less the {run.late_ms:,.0f}ms by which the generator was late at most"
            return Verdict.BROKEN, f"{_words(goal, measured)}, and {goal.text} is allowed; {own}"
        return Verdict.INCONCLUSIVE, "latency is not to be trusted: the generator was late"
    if _is_over(goal, measured, least):
        return Verdict.BROKEN, f"{_words(goal, measured)}, and {goal.text} is allowed"
    if measured.requests < least:
        more = least - measured.requests
        return Verdict.INCONCLUSIVE, (
            f"{measured.requests:,} requests are too few for it; {least:,} are the least, "
            f"{more:,} more"
        )
    if timed and not run.open:
        return Verdict.INCONCLUSIVE, (
            "a closed run asks less while the target is slow, so that its figures flatter: "
            "--rate keeps to a schedule"
        )
    if not run.trusted:
        return Verdict.INCONCLUSIVE, "the generator did not keep its schedule"
    return Verdict.PASSED, ""


def _is_over(goal: Goal, measured: _Measured, least: int) -> bool:
    """Whether the limit is broken, also if all the requests that are missing were good ones."""
    if measured.requests >= least:
        limit = goal.limit if goal.measure == ERRORS else goal.limit * 1e3
        return measured.value > limit
    allowed = goal.limit if goal.measure == ERRORS else 1 - goal.quantile
    return measured.over > allowed * least + 1e-6


def _latency(goal: Goal, recorder: Recorder) -> _Measured:
    whole = Histogram()
    for cell in recorder.cells.values():
        if goal.operation in ("", cell.operation):
            whole.merge(cell.due)
    over = sum(
        int(whole.counts[bucket])
        for bucket in np.flatnonzero(whole.counts).tolist()
        if min(middle(bucket), whole.largest) / 1e6 > goal.limit
    )
    value = whole.largest / 1e3 if goal.quantile == 1.0 else whole.percentiles(goal.quantile)[0]
    return _Measured(whole.count, over, value)


def _errors(goal: Goal, recorder: Recorder) -> _Measured:
    answered = silent = 0
    for cell in recorder.cells.values():
        if goal.operation in ("", cell.operation):
            answered += cell.count
            silent += cell.count if cell.outcomes & SILENT or not cell.outcomes else 0
    own = [goal.operation] if goal.operation else list(recorder.failed | recorder.lost)
    failed = sum(recorder.failed[name] for name in own)  # no answers are among them
    requests = answered + sum(recorder.lost[name] for name in own)
    over = min(silent + failed, requests)
    return _Measured(requests, over, over / requests if requests else 0.0)


def _words(goal: Goal, measured: _Measured) -> str:
    if goal.measure == ERRORS:
        return f"{measured.value * 100:.3g}%"
    if measured.value < 10:
        return f"{measured.value:.2f}ms"
    return f"{measured.value:,.1f}ms" if measured.value < 1000 else f"{measured.value / 1e3:,.2f}s"


# --- LOAD-3 ---------------------------------------------------------------------------------------


def rule_result(found: Sequence[Objective]) -> RuleResult:
    """The verdict on LOAD-3: broken if a limit is, and open if one could not be told."""
    rule = RULES["LOAD-3"]
    worst = (Verdict.BROKEN, Verdict.INCONCLUSIVE, Verdict.PASSED)
    verdicts = {one.verdict for one in found}
    verdict = next((v for v in worst if v in verdicts), Verdict.NOT_APPLICABLE)
    reasons = [f"{o.name}: {o.reason}" for o in found if o.verdict is verdict and o.reason]
    return RuleResult(
        id=rule.id,
        level=rule.level,
        statement=rule.statement,
        sources=list(rule.sources),
        verdict=verdict,
        reason="; ".join(reasons) if found else NOT_DECLARED,
        declared=bool(found),
        chances=min((one.requests for one in found), default=0),
        evidence=[_evidence(one) for one in found if one.verdict is not Verdict.PASSED],
    )


def _evidence(one: Objective) -> Evidence:
    return Evidence(
        scenario="load",
        verdict=one.verdict,
        reason=f"{one.name}: {one.reason}",
        expected=f"{one.name} at most {one.limit}",
        got=f"{one.measured or 'nothing'}, of {one.requests:,} requests",
    )
