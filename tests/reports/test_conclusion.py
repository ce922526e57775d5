"""What a run came to: the exit code and every headline hang on it."""

import pytest
from msgspec.structs import replace

from otpspec.outcome import Verdict
from otpspec.results import RuleResult, Worker
from otpspec_reports import Conclusion, conclude

from .load_samples import load
from .samples import BROKEN, INCONCLUSIVE, NOT_APPLICABLE, PASSED, results, rule


def test_all_passed_is_conformant() -> None:
    summary = conclude(results([rule("A-1"), rule("A-2")]))

    assert summary.conclusion is Conclusion.CONFORMANT
    assert summary.line == "conformant: 2 passed, 0 broken, 0 not applicable, 0 inconclusive"
    assert summary.caveats == []


def test_a_waived_rule_keeps_a_run_conformant() -> None:
    waived = rule("A-2", NOT_APPLICABLE, core=True, waived="not on this channel")

    summary = conclude(results([rule("A-1"), waived]))

    assert summary.line == "conformant: 1 passed, 0 broken, 1 not applicable, 0 inconclusive"


def test_a_rule_of_the_core_that_nobody_waived_makes_a_run_inconclusive() -> None:
    summary = conclude(results([rule("A-1"), rule("A-2", NOT_APPLICABLE, core=True)]))

    assert summary.conclusion is Conclusion.INCONCLUSIVE
    assert summary.caveats == [
        "A-2: not applicable and not waived, though the policy's core asks for it"
    ]


def test_a_rule_beyond_the_core_needs_no_waiver() -> None:
    summary = conclude(results([rule("A-1"), rule("A-2", NOT_APPLICABLE)]))

    assert summary.conclusion is Conclusion.CONFORMANT


@pytest.mark.parametrize(("broken", "headline"), [(1, "1 rule broken"), (2, "2 rules broken")])
def test_a_broken_must_is_counted_in_the_headline(broken: int, headline: str) -> None:
    summary = conclude(results([rule(f"A-{n}", BROKEN) for n in range(broken)]))

    assert summary.conclusion is Conclusion.BROKEN
    assert summary.headline == headline


def test_broken_outweighs_inconclusive_and_interrupted() -> None:
    rules = [rule("A-1", BROKEN), rule("A-2", INCONCLUSIVE)]

    assert conclude(results(rules, complete=False)).conclusion is Conclusion.BROKEN


def test_a_broken_should_is_said_and_fails_only_a_strict_run() -> None:
    rules = [rule("A-1"), rule("A-2", BROKEN, level="SHOULD")]

    lenient, strict = conclude(results(rules)), conclude(results(rules, strict=True))

    assert lenient.conclusion is Conclusion.CONFORMANT
    assert "1 broken (1 SHOULD)" in lenient.line
    assert lenient.caveats == ["A-2: broken, but a SHOULD; it fails a run only with --strict"]
    assert strict.conclusion is Conclusion.BROKEN
    assert strict.caveats == []


@pytest.mark.parametrize("rules", [[], [rule("A-1", NOT_APPLICABLE)]])
def test_a_run_without_a_verdict_checked_nothing(rules: list[RuleResult]) -> None:
    summary = conclude(results(rules))

    assert summary.conclusion is Conclusion.NOTHING_CHECKED
    assert summary.headline == "nothing was checked"
    assert summary.caveats == ["no rule came to a verdict, so this says nothing about the target"]


def test_an_interrupted_run_is_never_conformant() -> None:
    summary = conclude(results([rule("A-1", PASSED)], complete=False))

    assert summary.conclusion is Conclusion.INCONCLUSIVE
    assert summary.caveats == ["interrupted: holds what was measured so far"]


@pytest.mark.parametrize("verdict", list(Verdict))
def test_the_tally_counts_every_verdict(verdict: Verdict) -> None:
    summary = conclude(results([rule("A-1", verdict)]))

    words = verdict.value.replace("_", " ")
    assert f"1 {words}" in summary.tally
    assert sum(int(part.split()[0]) for part in summary.tally.split(", ")) == 1


def test_a_run_that_lost_workers_is_not_whole_and_names_them() -> None:
    def worker(number: int, lost_s: float | None) -> Worker:
        given = {"host": "here", "pid": number, "requests": 9, "judged": 9, "failures": 0}
        return Worker(number=number, cpu_s=0.1, measured_s=2.0, lost_s=lost_s, **given)  # type: ignore[arg-type]

    workers = [worker(1, 3.0), worker(2, None), worker(3, 2.5)]
    one = results([rule("A-1")], load=replace(load(), workers=workers[:2]), complete=False)
    two = results([rule("A-1")], load=replace(load(), workers=workers), complete=False)

    assert conclude(one).conclusion is Conclusion.INCONCLUSIVE
    assert conclude(one).caveats == [
        "not whole: worker 1 was lost, and what it asked last is in no figure"
    ]
    assert conclude(two).caveats == [
        "not whole: workers 1, 3 were lost; what they asked last is in no figure"
    ]
