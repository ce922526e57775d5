"""How an answer's set of outcomes is judged."""

import itertools

import pytest

from otpspec.outcome import REFUSED, SILENT, SUCCESS, Outcome, Verdict, judge

O, V = Outcome, Verdict  # noqa: E741 - a table is read by its shape

TABLE = [
    # the answer may mean        allowed is           so it is
    ({O.APPROVED}, {O.APPROVED}, V.PASSED),
    ({O.APPROVED}, REFUSED, V.BROKEN),
    ({O.APPROVED}, {O.DONE}, V.BROKEN),
    ({O.DONE}, {O.DONE}, V.PASSED),
    ({O.DONE}, {O.APPROVED}, V.BROKEN),
    ({O.DONE}, REFUSED, V.BROKEN),
    ({O.WRONG_OTC}, REFUSED, V.PASSED),
    ({O.WRONG_OTC}, {O.APPROVED}, V.BROKEN),
    ({O.WRONG_OTC}, {O.LOCKED}, V.BROKEN),
    ({O.WRONG_OTC, O.LOCKED}, {O.LOCKED}, V.PASSED),
    ({O.EXPIRED, O.VOID, O.LOCKED}, {O.EXPIRED}, V.PASSED),
    ({O.EXPIRED, O.VOID}, {O.LOCKED, O.WRONG_CSC}, V.BROKEN),
    ({O.EXPIRED, O.VOID}, {O.APPROVED, O.VOID}, V.PASSED),
    ({O.MALFORMED}, REFUSED, V.PASSED),
    ({O.DENIED}, REFUSED, V.PASSED),
    ({O.LOCKED}, set(), V.BROKEN),
    (set(), REFUSED, V.INCONCLUSIVE),
    (set(), set(), V.INCONCLUSIVE),
]


@pytest.mark.parametrize(("outcomes", "allowed", "verdict"), TABLE)
def test_broken_only_if_no_outcome_is_allowed(
    outcomes: set[Outcome], allowed: set[Outcome], verdict: Verdict
) -> None:
    assert judge(outcomes, allowed) is verdict


@pytest.mark.parametrize("silent", sorted(SILENT))
@pytest.mark.parametrize("other", [None, *Outcome])
def test_an_answer_that_may_judge_nothing_judges_nothing(
    silent: Outcome, other: Outcome | None
) -> None:
    outcomes = {silent} | ({other} if other else set())

    for allowed in ({O.APPROVED}, REFUSED, SILENT, set(Outcome), set()):
        assert judge(outcomes, allowed) is Verdict.INCONCLUSIVE


def test_every_set_that_says_something_passes_or_breaks() -> None:
    saying = [outcome for outcome in Outcome if outcome not in SILENT]

    for outcome, allowed in itertools.product(saying, saying):
        expected = Verdict.PASSED if outcome is allowed else Verdict.BROKEN
        assert judge({outcome}, {allowed}) is expected


def test_outcomes_are_a_success_a_refusal_or_silent() -> None:
    assert {O.APPROVED, O.DONE} == SUCCESS
    assert {O.THROTTLED, O.UNAVAILABLE, O.UNKNOWN} == SILENT
    assert {
        O.WRONG_OTC, O.WRONG_CSC, O.EXPIRED, O.LOCKED, O.VOID, O.DENIED, O.MALFORMED,
    } == REFUSED  # fmt: skip
    assert set(Outcome) == SUCCESS | SILENT | REFUSED
