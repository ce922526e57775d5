"""The JUnit file: what CI servers read, and never greener than the run."""

from itertools import chain, combinations, product
from xml.etree import ElementTree as ET

import pytest

from otpspec.outcome import Verdict
from otpspec.results import Results
from otpspec_reports import Conclusion, conclude
from otpspec_reports.junit import render

from . import samples
from .samples import BROKEN, INCONCLUSIVE, NOT_APPLICABLE, everything, poisoned, results, rule

VERDICTS = list(chain.from_iterable(combinations(Verdict, n) for n in range(5)))
COMBINATIONS = list(product(VERDICTS, ("MUST", "SHOULD"), (True, False), (True, False)))


def parsed(of: Results) -> ET.Element:
    return ET.fromstring(render(of))


def the_case(of: Results) -> ET.Element:
    (case,) = parsed(of).iter("testcase")
    return case


@pytest.mark.parametrize(("verdicts", "level", "strict", "complete"), COMBINATIONS)
def test_counts_are_those_of_the_cases_and_green_means_conformant(
    verdicts: tuple[Verdict, ...], level: str, strict: bool, complete: bool
) -> None:
    rules = [rule(f"{v.name}-1", v, level=level, core=True) for v in verdicts]
    run = results(rules, strict=strict, complete=complete)

    root = parsed(run)

    for element in (root, *root):
        for attribute, tag in (("tests", "testcase"), ("failures", "failure"),
                               ("errors", "error"), ("skipped", "skipped")):  # fmt: skip
            assert int(element.get(attribute, "")) == len(list(element.iter(tag)))
    red = int(root.get("failures", "")) + int(root.get("errors", ""))
    assert (red == 0) == (conclude(run).conclusion is Conclusion.CONFORMANT)


def test_a_suite_is_a_family_and_a_case_is_a_rule() -> None:
    root = parsed(everything())

    suites = {suite.get("name"): len(suite.findall("testcase")) for suite in root}
    assert suites["otpspec.EXPIRY"] == 4
    assert suites["otpspec.LOCKOUT"] == 6
    assert sum(suites.values()) == len(everything().rules)
    (case,) = (one for one in root.iter("testcase") if "EXPIRY-2" in str(one.get("name")))
    assert case.get("classname") == "otpspec.EXPIRY"
    assert case.get("name") == "EXPIRY-2 the right code is refused after its validity (10 minutes)"
    assert case.get("time") == "0.840"


def test_a_broken_rule_is_a_failure_that_tells_how_to_see_it_again() -> None:
    failure = the_case(results([samples.expiry_2()])).find("failure")

    assert failure is not None
    assert failure.get("message") == "approved 601.0 s after it was sent"
    assert str(failure.text).splitlines() == [
        "rule      the right code is refused after its validity (10 minutes)",
        'source    SafeKey: "valid only for 10 minutes"; OWASP ASVS 5.0 6.5.5; NIST SP 800-63B-4',
        "scenario  conformance/test_expiry.py::test_right_code_is_refused_just_after_it_expires",
        "reason    its validity ended a second ago",
        "expected  refused 601.0 s after it was sent",
        "got       approved (HTTP 200)",
        "last age accepted 600.98 to 601.02 s",
        "first age refused none",
        "replay    otpspec check acs.toml -k EXPIRY-2 --seed 7",
    ]


def test_an_inconclusive_rule_is_an_error() -> None:
    case = the_case(results([rule("A-1", INCONCLUSIVE, reason="it did not overlap")]))

    error = case.find("error")
    assert error is not None
    assert error.get("message") == "it did not overlap"
    assert case.find("failure") is None


def test_a_rule_that_is_not_applicable_is_skipped_with_its_reason_and_its_waiver() -> None:
    waived = rule("A-2", NOT_APPLICABLE, reason="no 3CSC", core=True, waived="another channel")

    root = parsed(results([rule("A-1"), waived]))

    assert [one.get("message") for one in root.iter("skipped")] == [
        "no 3CSC (waived: another channel)"
    ]


def test_a_broken_should_passes_and_says_so() -> None:
    case = the_case(results([rule("A-1", BROKEN, "s", level="SHOULD", reason="no limit")]))

    assert case.get("name") == "A-1 s (SHOULD, broken)"
    assert case.find("failure") is None
    assert str(case.findtext("system-out")).startswith("no limit\n")


def test_a_broken_should_fails_a_strict_run() -> None:
    case = the_case(results([rule("A-1", BROKEN, "s", level="SHOULD")], strict=True))

    assert case.get("name") == "A-1 s"
    assert case.find("failure") is not None


def test_an_interrupted_run_is_an_error_though_every_rule_passed() -> None:
    root = parsed(results(complete=False))

    (error,) = root.iter("error")
    assert error.get("message") == "inconclusive"
    assert error.text == "interrupted: holds what was measured so far"


def test_properties_tell_target_seed_and_version() -> None:
    for suite in parsed(results()):
        assert suite[0].tag == "properties"
        told = {one.get("name"): one.get("value") for one in suite[0]}
        assert told["otpspec.target"] == "acs-staging"
        assert told["otpspec.base_url"] == "http://127.0.0.1:8080"
        assert told["otpspec.seed"] == "7"
        assert told["otpspec.version"] == "0.1.0"
        assert suite.get("timestamp") == "2026-03-02T09:14:05"


@pytest.mark.parametrize(
    "hostile", ["\x00\x08\x1b[31m\x7f", "\ud800\ufffe\uffff", "]]></failure>&<x a='\"'>", "\n\t\r"]
)
def test_no_text_breaks_the_file(hostile: str) -> None:
    root = parsed(poisoned(everything(), hostile))

    assert len(list(root.iter("testcase"))) == len(everything().rules)
    assert render(poisoned(everything(), hostile)).encode()


def test_markup_survives_as_text() -> None:
    case = the_case(results([rule("A-1", BROKEN, reason="<b> & ]]>")]))

    failure = case.find("failure")
    assert failure is not None
    assert failure.get("message") == "<b> & ]]>"


def test_the_same_results_make_the_same_file() -> None:
    assert render(everything()) == render(everything())
    assert render(everything()).startswith('<?xml version="1.0" encoding="UTF-8"?>\n<testsuites')
