"""Limits that were declared: kept, broken, or not to be told; never a guess."""

import time
from typing import Any

import pytest

from otpspec.load.card import Told
from otpspec.load.recorder import Recorder
from otpspec.load.slo import NOT_DECLARED, Run, needed, objectives, rule_result
from otpspec.model import Judgement, Observation
from otpspec.outcome import Outcome, Verdict
from otpspec.profile.goals import Goal, merged, of_command, of_table
from otpspec.results import Objective

OPEN = Run(open=True, trusted=True)
LEGAL, SILENT = Observation(Judgement.LEGAL), Observation(Judgement.SILENT)
BROKEN = Observation(Judgement.BROKEN, frozenset({"CSC-2"}), "CSC-2")
APPROVED = frozenset({Outcome.APPROVED})


def measured(
    *latencies_ms: tuple[int, float], operation: str = "verify", recorder: Recorder | None = None
) -> Recorder:
    """So many answers that took so long each."""
    recorder = recorder or Recorder()
    told = Told(operation, b"", 200, b"{}", APPROVED, 0.0, 0.0)
    for count, ms in latencies_ms:
        for _ in range(count):
            recorder.answered(told, LEGAL, ms / 1e3, ms / 1e3, time.monotonic())
    return recorder


def judged(recorder: Recorder, *limits: str, run: Run = OPEN) -> list[Objective]:
    return objectives(of_command(limits), recorder, run)


def one(recorder: Recorder, limit: str, *, run: Run = OPEN) -> tuple[Verdict, str, str]:
    (found,) = judged(recorder, limit, run=run)
    return found.verdict, found.measured, found.reason


def test_percentile_within_its_limit_is_kept() -> None:
    recorder = measured((995, 10.0), (5, 900.0))

    verdict, value, reason = one(recorder, "p99=250ms")

    assert (verdict, reason) == (Verdict.PASSED, "")
    assert value.startswith(("9.9", "10.0"))


def test_percentile_over_its_limit_is_broken() -> None:
    recorder = measured((980, 10.0), (20, 900.0))

    verdict, value, reason = one(recorder, "p99=250ms")

    assert verdict is Verdict.BROKEN
    assert reason == f"{value}, and 250ms is allowed"


@pytest.mark.parametrize(
    ("limit", "least"),
    [("p50=1s", 20), ("p99=1s", 1000), ("p99.9=1s", 10_000), ("errors=0.1%", 10_000)],
)
def test_so_many_requests_are_the_least_for_a_limit(limit: str, least: int) -> None:
    (goal,) = of_command([limit])

    assert needed(goal) == least


def test_too_few_requests_tell_nothing_and_the_number_is_said() -> None:
    assert one(measured((200, 10.0)), "p99.9=1s") == (
        Verdict.INCONCLUSIVE,
        "10.0ms",
        "200 requests are too few for it; 10,000 are the least, 9,800 more",
    )


def test_too_few_requests_break_a_limit_that_no_further_one_could_mend() -> None:
    slow, few = measured((189, 10.0), (11, 2000.0)), measured((190, 10.0), (10, 2000.0))

    assert one(slow, "p99=250ms")[0] is Verdict.BROKEN  # 11 of 1,000 are too many, too
    assert one(few, "p99=250ms")[0] is Verdict.INCONCLUSIVE


def test_operation_that_was_not_asked_for_is_not_measured() -> None:
    assert one(measured((2000, 10.0)), "unlock.p50=1s") == (
        *(Verdict.INCONCLUSIVE, ""),
        "no unlock was measured; 20 requests are the least",
    )


def test_limit_of_an_operation_is_that_operations() -> None:
    recorder = measured((1000, 500.0))
    measured((1000, 10.0), operation="start", recorder=recorder)

    assert one(recorder, "start.p99=250ms")[0] is Verdict.PASSED
    assert one(recorder, "verify.p99=250ms")[0] is Verdict.BROKEN
    assert one(recorder, "p99=250ms")[0] is Verdict.BROKEN


def test_closed_run_passes_no_limit_of_time_but_may_break_it() -> None:
    closed = Run(open=False, trusted=True)

    assert one(measured((1000, 10.0)), "p99=250ms", run=closed)[::2] == (
        Verdict.INCONCLUSIVE,
        "a closed run asks less while the target is slow, so that its figures flatter: --rate "
        "keeps to a schedule",
    )
    assert one(measured((1000, 900.0)), "p99=250ms", run=closed)[0] is Verdict.BROKEN
    assert one(measured((100, 1.0)), "errors=0%", run=closed)[0] is Verdict.PASSED


def test_generator_that_was_late_passes_nothing() -> None:
    late = Run(open=True, trusted=False, late_ms=50.0)

    assert one(measured((1000, 10.0)), "p99=250ms", run=late)[::2] == (
        Verdict.INCONCLUSIVE,
        "latency is not to be trusted: the generator was late",
    )
    assert one(measured((10_000, 10.0)), "errors=0.1%", run=late)[::2] == (
        Verdict.INCONCLUSIVE,
        "the generator did not keep its schedule",
    )


def test_generator_that_was_late_accuses_only_of_more_than_its_own() -> None:
    late = Run(open=True, trusted=False, late_ms=700.0)

    assert one(measured((1000, 900.0)), "p99=250ms", run=late)[0] is Verdict.INCONCLUSIVE
    verdict, value, reason = one(measured((1000, 2000.0)), "p99=250ms", run=late)
    assert verdict is Verdict.BROKEN
    assert reason == (
        f"{value}, and 250ms is allowed; even less the 700ms by which the generator was late at "
        "most"
    )


def test_errors_are_no_answers_answers_that_say_nothing_and_broken_rules() -> None:
    recorder = measured((9_960, 1.0))
    failed = Told("verify", b"", 503, b"", frozenset({Outcome.UNAVAILABLE}), 0.0, 0.0)
    for _ in range(10):
        recorder.answered(failed, SILENT, 0.001, 0.001, time.monotonic())
        recorder.answered(
            Told("verify", b"", 200, b"", APPROVED, 0.0, 0.0),
            BROKEN,
            0.001,
            0.001,
            time.monotonic(),
        )
        recorder.unanswered("verify", measured=True)

    (found,) = judged(recorder, "errors=0.1%")

    assert (found.requests, found.measured) == (9_990, "0.3%")
    assert (found.verdict, found.reason) == (Verdict.BROKEN, "0.3%, and 0.1% is allowed")


def test_no_errors_at_all_may_be_asked_for() -> None:
    assert one(measured((99, 1.0)), "errors=0%")[0] is Verdict.INCONCLUSIVE
    assert one(measured((100, 1.0)), "errors=0%")[0] is Verdict.PASSED
    recorder = measured((20, 1.0))
    recorder.unanswered("verify", measured=True)
    assert one(recorder, "errors=0%")[0] is Verdict.BROKEN


def test_slowest_of_all_may_be_limited() -> None:
    recorder = measured((200, 1.0), (1, 500.0))

    assert one(recorder, "max=400ms")[:2] == (Verdict.BROKEN, "500.0ms")


def test_rule_is_not_applicable_where_nothing_is_declared() -> None:
    found = rule_result([])

    assert (found.verdict, found.reason, found.declared) == (
        *(Verdict.NOT_APPLICABLE, NOT_DECLARED, False),
    )
    assert "[load.slo]" in NOT_DECLARED


def test_rule_is_as_bad_as_its_worst_limit() -> None:
    recorder = measured((1000, 400.0))

    found = rule_result(judged(recorder, "p99=250ms", "p50=1s", "p99.9=1s"))

    assert (found.verdict, found.declared) == (Verdict.BROKEN, True)
    assert found.reason.startswith("p99: ")
    assert [(e.expected, e.verdict) for e in found.evidence] == [
        ("p99 at most 250ms", Verdict.BROKEN),
        ("p99.9 at most 1s", Verdict.INCONCLUSIVE),
    ]
    assert rule_result(judged(recorder, "p50=1s")).verdict is Verdict.PASSED


# --- how limits are written -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "goal"),
    [
        ("p99", ("", "p99", 0.99)),
        ("p99.9", ("", "p99.9", 0.999)),
        ("p999", ("", "p99.9", 0.999)),
        ("p9999", ("", "p99.99", 0.9999)),
        ("verify.p99.9", ("verify", "p99.9", 0.999)),
        ("p5", ("", "p5", 0.05)),
        ("max", ("", "max", 1.0)),
    ],
)
def test_percentiles_are_read(name: str, goal: tuple[str, str, float]) -> None:
    found = Goal.parse(name, "250ms")

    assert (found.operation, found.measure, found.quantile, found.limit) == (*goal, 0.25)


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("p99", '"p99" is no limit; write it like "verify.p99=250ms"'),
        ("p99=250", '250 has no unit; write "250s"'),
        ("p99=0ms", '"0ms" is no time that a request may take; write it like "250ms"'),
        ("p00=1s", "p00 is not measured; did you mean p90?"),
        ("q=1s", "q is not measured; known: p50, p90, p95, p99, p99.9, max, errors"),
        ("verfy.p99=1s", "verfy is no operation; did you mean verify?"),
        ("errors=1", '"1" is no part of all requests; write it like "0.1%"'),
        ("errors=101%", '"101%" is no part of all requests; write it like "0.1%"'),
    ],
)
def test_limits_that_are_none_say_what_to_write(word: str, text: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        of_command([word])

    assert str(caught.value) == text


def test_dotted_keys_of_toml_are_read_as_they_were_meant() -> None:
    table: dict[str, Any] = {"p99": {"9": "1s"}, "verify": {"p99": "200ms", "errors": "1%"}}

    found = dict(of_table(table))

    assert [goal.name for goal in found.values() if isinstance(goal, Goal)] == [
        *("p99.9", "verify.p99", "verify.errors"),
    ]


def test_limit_of_the_command_line_takes_the_place_of_the_profiles() -> None:
    found = merged(of_command(["p99=1s", "p50=1s"]), of_command(["p99=250ms"]))

    assert {goal.name: goal.text for goal in found} == {"p99": "250ms", "p50": "1s"}
