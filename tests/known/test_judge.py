"""What a known failure makes of a verdict, day by day."""

from collections.abc import Container
from datetime import date, timedelta
from typing import Any

import pytest

from otpspec.known import Entry, Known, judge
from otpspec.outcome import Verdict
from otpspec.results import Environment, Evidence, KnownFailure, Results, RuleResult, Target
from otpspec_reports import Conclusion, Summary, conclude

BROKEN, PASSED = Verdict.BROKEN, Verdict.PASSED
LAST_DAY = date(2027, 1, 31)
A_DAY = timedelta(days=1)


def rule(verdict: Verdict, rule_id: str = "EXPIRY-2", **more: Any) -> RuleResult:
    """What a rule came to."""
    given = {"level": "MUST", "statement": "s", "sources": ["SafeKey"], "reason": "r", **more}
    return RuleResult(id=rule_id, verdict=verdict, **given)


def judged(
    *rules: RuleResult,
    entries: dict[str, Entry] | None = None,
    today: date = LAST_DAY,
    partly: Container[str] = (),
    **more: Any,
) -> Results:
    """The results of these rules, with EXPIRY-2 known until the last of January."""
    found = Results(
        otpspec_version="0.1.0",
        command="otpspec check acs.toml",
        started="2027-01-31T09:14:05+00:00",
        duration_s=1.0,
        seed=7,
        target=Target(name="acs", profile="acs.toml", base_url="http://127.0.0.1", clock="http"),
        policy={},
        environment=Environment(python="3.11.7", platform="Linux", cpus=4, packages={}),
        **{"complete": True, "rules": list(rules), **more},
    )
    if entries is None:
        entries = {"EXPIRY-2": Entry("the sweeper", LAST_DAY)}
    return judge(found, Known("known.toml", entries, today), partly=partly)


def summary(*rules: RuleResult, **more: Any) -> Summary:
    """What a run with these rules came to."""
    return conclude(judged(*rules, **more))


def faults(results: Results) -> list[str]:
    """What is wrong with the entries."""
    return [rule.known.fault for rule in results.rules if rule.known and rule.known.fault]


def test_broken_rule_that_is_known_fails_no_run() -> None:
    results = judged(rule(BROKEN), rule(PASSED, "EXPIRY-1"))

    assert results.rules[0].known == KnownFailure(reason="the sweeper", until="2027-01-31")
    assert results.rules[1].known is None
    assert results.notes == []
    came_to = conclude(results)
    assert came_to.conclusion is Conclusion.CONFORMANT
    assert came_to.line == (
        "conformant, with 1 known failure: "
        "1 passed, 1 broken (1 known), 0 not applicable, 0 inconclusive"
    )
    assert came_to.caveats == ["EXPIRY-2: broken, but known; it does not fail the run"]


def test_several_known_failures_are_counted() -> None:
    entries = {"EXPIRY-2": Entry("r"), "EXPIRY-3": Entry("r")}

    came_to = summary(rule(BROKEN), rule(BROKEN, "EXPIRY-3"), entries=entries)

    assert came_to.headline == "conformant, with 2 known failures"
    assert came_to.caveats == ["EXPIRY-2, EXPIRY-3: broken, but known; it does not fail the run"]


def test_another_broken_rule_still_fails_the_run_and_is_counted_alone() -> None:
    came_to = summary(rule(BROKEN), rule(BROKEN, "EXPIRY-3"))

    assert came_to.conclusion is Conclusion.BROKEN
    assert came_to.headline == "1 rule broken"
    assert "2 broken (1 known)" in came_to.tally


@pytest.mark.parametrize(
    ("today", "conclusion"),
    [
        (LAST_DAY - A_DAY, Conclusion.CONFORMANT),
        (LAST_DAY, Conclusion.CONFORMANT),
        (LAST_DAY + A_DAY, Conclusion.BROKEN),
    ],
)
def test_entry_holds_to_the_end_of_its_last_day(today: date, conclusion: Conclusion) -> None:
    assert summary(rule(BROKEN), today=today).conclusion is conclusion


def test_entry_past_its_date_says_the_date() -> None:
    results = judged(rule(BROKEN), today=LAST_DAY + A_DAY)

    told = "still broken after 2027-01-31; mend it, or give it a later date in known.toml"
    assert faults(results) == [told]
    came_to = conclude(results)
    assert came_to.line == ("1 rule broken: 0 passed, 1 broken, 0 not applicable, 0 inconclusive")
    assert came_to.caveats == [f"EXPIRY-2: {told}"]


def test_entry_without_a_date_never_ends() -> None:
    came_to = summary(rule(BROKEN), entries={"EXPIRY-2": Entry("r")}, today=date.max)

    assert came_to.conclusion is Conclusion.CONFORMANT


@pytest.mark.parametrize("today", [LAST_DAY, LAST_DAY + A_DAY])
def test_rule_that_passes_again_fails_the_run(today: date) -> None:
    came_to = summary(rule(PASSED), today=today)

    assert came_to.conclusion is Conclusion.BROKEN
    assert came_to.line == (
        "1 known failure passes again: 1 passed, 0 broken, 0 not applicable, 0 inconclusive"
    )
    assert came_to.caveats == ["EXPIRY-2: passes again; remove it from known.toml"]


def test_what_is_broken_and_what_passes_again_are_both_in_the_headline() -> None:
    entries = {"EXPIRY-2": Entry("r"), "EXPIRY-3": Entry("r")}

    came_to = summary(
        rule(PASSED), rule(PASSED, "EXPIRY-3"), rule(BROKEN, "EXPIRY-4"), entries=entries
    )

    assert came_to.headline == "1 rule broken, 2 known failures pass again"


@pytest.mark.parametrize("strict", [True, False])
def test_should_rule_that_is_known_needs_no_word_on_strict(strict: bool) -> None:
    came_to = summary(rule(BROKEN, level="SHOULD"), strict=strict)

    assert came_to.conclusion is Conclusion.CONFORMANT
    assert "1 broken (1 known)" in came_to.tally
    assert came_to.caveats == ["EXPIRY-2: broken, but known; it does not fail the run"]


@pytest.mark.parametrize(
    ("verdict", "headline"), [(BROKEN, "1 rule broken"), (PASSED, "1 known failure passes again")]
)
def test_entry_that_is_no_longer_true_fails_the_run_for_a_should_rule_too(
    verdict: Verdict, headline: str
) -> None:
    lenient = rule(BROKEN, "ISSUE-4", level="SHOULD")

    came_to = summary(rule(verdict, level="SHOULD"), lenient, today=LAST_DAY + A_DAY)

    assert came_to.conclusion is Conclusion.BROKEN
    assert came_to.headline == ("2 rules broken" if verdict is BROKEN else headline)
    assert came_to.caveats[0] == (
        "ISSUE-4: broken, but a SHOULD; it fails a run only with --strict"
    )


def test_rule_that_was_not_run_is_noted_and_the_verdict_stands() -> None:
    results = judged(rule(PASSED, "EXPIRY-1"))

    assert results.notes == ["known.toml: EXPIRY-2 not tested: not run"]
    assert conclude(results).headline == "conformant"


@pytest.mark.parametrize(
    ("verdict", "why", "headline"),
    [
        (Verdict.NOT_APPLICABLE, "not applicable", "nothing was checked"),
        (Verdict.INCONCLUSIVE, "inconclusive", "inconclusive"),
    ],
)
def test_rule_without_a_verdict_is_noted_and_the_verdict_stands(
    verdict: Verdict, why: str, headline: str
) -> None:
    results = judged(rule(verdict), today=LAST_DAY + A_DAY)

    assert results.notes == [f"known.toml: EXPIRY-2 not tested: {why}"]
    assert faults(results) == []
    assert conclude(results).headline == headline


def test_notes_tell_each_cause_once_after_those_of_the_run() -> None:
    entries = {rule_id: Entry("r") for rule_id in ("EXPIRY-2", "LOAD-1", "CSC-1", "EXPIRY-3")}

    results = judged(
        rule(BROKEN, "EXPIRY-3"), rule(Verdict.INCONCLUSIVE, "CSC-1"), entries=entries, notes=["n"]
    )

    assert results.notes == [
        "n",
        "known.toml: EXPIRY-2, LOAD-1 not tested: not run",
        "known.toml: CSC-1 not tested: inconclusive",
    ]


@pytest.mark.parametrize("how", [{"partly": {"EXPIRY-2"}}, {"complete": False}])
def test_part_of_a_rule_that_passes_proves_nothing(how: dict[str, Any]) -> None:
    results = judged(rule(PASSED), **how)

    assert faults(results) == []
    assert results.notes == [
        "known.toml: EXPIRY-2 not tested: passed as far as it was run, and only a part of it was"
    ]


@pytest.mark.parametrize("how", [{"partly": {"EXPIRY-2"}}, {"complete": False}])
def test_part_of_a_rule_that_is_broken_proves_that_it_is(how: dict[str, Any]) -> None:
    assert judged(rule(BROKEN), **how).notes == []
    assert len(faults(judged(rule(BROKEN), today=LAST_DAY + A_DAY, **how))) == 1


@pytest.mark.parametrize(
    ("reason", "fault"),
    [
        ("statistics run only with --deep", ""),
        ("the profile has no resend", "passes again; remove it from known.toml"),
    ],
)
def test_part_that_only_an_option_would_run_is_not_tested(reason: str, fault: str) -> None:
    evidence = [
        Evidence(scenario="a", verdict=PASSED),
        Evidence(scenario="b", verdict=Verdict.NOT_APPLICABLE, reason=reason),
    ]

    results = judged(rule(PASSED, evidence=evidence))

    assert "".join(faults(results)) == fault
    assert results.notes == (
        []
        if fault
        else ["known.toml: EXPIRY-2 not tested: passed, but a part of it runs only with --deep"]
    )


def test_order_of_the_rules_stays() -> None:
    results = judged(rule(PASSED, "EXPIRY-1"), rule(BROKEN), rule(PASSED, "EXPIRY-3"))

    assert [rule.id for rule in results.rules] == ["EXPIRY-1", "EXPIRY-2", "EXPIRY-3"]
