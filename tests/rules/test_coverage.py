"""otpspec check --standard: only its rules, and a verdict for each of its clauses."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from rich.console import Console

from otpspec.cli import coverage
from otpspec.outcome import Verdict
from otpspec.policy import POLICIES, Policy
from otpspec.results import RuleResult
from otpspec.rules import RULES, STANDARDS

PSD2 = POLICIES["psd2"]


def result(rule_id: str, verdict: Verdict) -> RuleResult:
    """What a rule came to."""
    rule = RULES[rule_id]
    return RuleResult(
        id=rule.id,
        level=rule.level,
        statement=rule.statement,
        sources=list(rule.sources),
        verdict=verdict,
    )


def row(clause: str, *results: RuleResult, policy: Policy = PSD2) -> coverage.Row:
    """One clause of PSD2."""
    rows = coverage.coverage("psd2", results, policy)
    return next(row for row in rows if row.clause == clause)


@pytest.mark.parametrize("name", STANDARDS)
def test_every_rule_of_a_standard_stands_at_a_clause(name: Any) -> None:
    listed = {rule_id for ids in coverage.clauses(name).values() for rule_id in ids}

    assert listed == {rule.id for rule in coverage.rules_of(name)}


def test_clauses_come_as_their_standard_numbers_them() -> None:
    assert coverage.in_order(["2.10", "11.2.4", "2.9", "2.2.1"]) == [
        "2.2.1",
        "2.9",
        "2.10",
        "11.2.4",
    ]
    assert list(coverage.clauses("psd2"))[:4] == ["4(1)", "4(2)(b)", "4(3)(a)", "4(3)(b)"]


def test_clause_has_the_worst_verdict_of_its_rules() -> None:
    found = row("4(3)(b)", result("LOCKOUT-1", Verdict.PASSED), result("CSC-7", Verdict.BROKEN))

    assert found == coverage.Row("4(3)(b)", ("LOCKOUT-1", "CSC-7"), Verdict.BROKEN)


def test_rule_that_was_not_checked_is_named_beside_a_verdict() -> None:
    found = row("4(3)(b)", result("LOCKOUT-1", Verdict.PASSED))

    assert (found.verdict, found.note) == (Verdict.PASSED, "CSC-7 not checked")


def test_clause_without_a_checked_rule_has_no_verdict() -> None:
    assert row("4(3)(b)").verdict is None


def test_clause_is_broken_where_the_policy_promises_less() -> None:
    policy = Policy(max_wrong=7, tells_wrong_element=False)

    found = row("4(3)(b)", result("LOCKOUT-1", Verdict.PASSED), policy=policy)

    assert found.verdict is Verdict.BROKEN
    assert found.note == "the policy must promise max_wrong at most 5; CSC-7 not checked"
    assert not coverage.within("psd2", policy)
    assert coverage.within("psd2", PSD2)


@pytest.mark.parametrize("name", STANDARDS)
def test_table_keeps_within_80_columns(name: Any) -> None:
    results = [result(rule_id, Verdict.INCONCLUSIVE) for rule_id in list(RULES)[::2]]
    console = Console(width=80, record=True, file=None, quiet=False)

    with console.capture() as capture:
        console.print(coverage.table(name, coverage.coverage(name, results, Policy(digits=4))))

    assert max(map(len, capture.get().splitlines())) <= 80
    assert all(clause in capture.get() for clause in STANDARDS[name].beyond)


def test_check_of_a_standard_runs_its_rules_alone(
    otpspec: Callable[..., Any], reference_server: Any
) -> None:
    done = otpspec(
        *("check", "safekey-reference", "--base-url", reference_server.url),
        *("--standard", "PCI-DSS", "--inconclusive", "warn"),
    )

    assert done.code == 0, done.out + done.err
    assert done.results["standard"] == "pci-dss"
    ids = {rule["id"] for rule in done.results["rules"]}
    assert ids <= {rule.id for rule in coverage.rules_of("pci-dss")}
    assert "LOCKOUT-1" in ids
    assert re.search(r"^ *8\.3\.4 +LOCKOUT-1, LOCKOUT-6 +passed", done.out, re.MULTILINE)
    assert "not to be seen from outside\n  8.3.2  " in done.out


def test_check_fails_where_the_policy_promises_less_than_the_standard(
    otpspec: Callable[..., Any], reference_server: Any
) -> None:
    done = otpspec(
        *("check", "safekey-reference", "--base-url", reference_server.url),
        *("--standard", "psd2", "-k", "VERIFY-1 or LOCKOUT-1"),
    )

    assert done.code == 1
    assert {rule["id"] for rule in done.results["rules"]} <= {"LOCKOUT-1"}
    told = " ".join(done.out.split())
    assert "4(3)(a) CSC-3 broken: the policy must promise tells_wrong_element = false" in told
    assert "promises less than psd2 asks for" in done.err


def test_check_without_a_standard_says_nothing_of_clauses(
    otpspec: Callable[..., Any], reference_server: Any
) -> None:
    done = otpspec(
        "check", "safekey-reference", "--base-url", reference_server.url, "-k", "VERIFY-1"
    )

    assert done.results["standard"] == ""
    assert "clause" not in done.out


def test_unknown_standard_is_refused_before_anything_is_sent(otpspec: Callable[..., Any]) -> None:
    done = otpspec("check", "safekey-reference", "--standard", "psd3")

    assert (done.code, done.err) == (2, "There is no standard psd3; did you mean psd2?\n")
