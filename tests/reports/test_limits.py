"""The limits of a load run, and who came in it, in every report."""

from xml.etree import ElementTree as ET

import msgspec
import pytest

from otpspec.outcome import Verdict
from otpspec.results import LoadResult, Objective, Results
from otpspec_reports import html, junit, markdown
from otpspec_reports.conclusion import Conclusion, conclude, fails
from otpspec_reports.people import who_came

from .load_samples import load
from .samples import results, rule

OBJECTIVES = [
    Objective(
        name="p99", limit="250ms", measured="612ms", requests=36_003, needed=1000,
        verdict=Verdict.BROKEN, reason="612ms, and 250ms is allowed",
    ),
    Objective(
        name="verify.p99.9", limit="1s", measured="700ms", requests=391, needed=10_000,
        verdict=Verdict.INCONCLUSIVE, reason="391 requests are too few for it",
    ),
    Objective(
        name="errors", limit="0.1%", measured="0.01%", requests=36_003, needed=10_000,
        verdict=Verdict.PASSED,
    ),
]  # fmt: skip


def loaded() -> LoadResult:
    return msgspec.structs.replace(
        load(),
        objectives=OBJECTIVES,
        mix={"right_first_time": 90.0, "guesser": 4.0, "sprayer": 3.5, "replayer": 2.5},
        mix_source="a day at a bank",
        left_out={"late_csc": "the target asks for the 3CSC"},
    )


def run() -> Results:
    return results([rule("LOAD-1")], load=loaded())


def test_who_came_is_said_in_a_sentence() -> None:
    assert who_came(loaded()) == (
        "a day at a bank: 90 % right first time, 4 % guesser, 3.5 % sprayer, 1 more; "
        "left out: late csc"
    )


def test_broken_limit_of_ones_own_fails_the_run_though_it_is_a_should() -> None:
    should = rule("LOAD-3", level="SHOULD", verdict=Verdict.BROKEN, reason="p99: too slow")
    declared = msgspec.structs.replace(should, declared=True)

    assert not fails(should, strict=False)
    assert fails(declared, strict=False)
    assert conclude(results([declared])).conclusion is Conclusion.BROKEN
    assert conclude(results([declared])).caveats == []


def test_junit_has_a_case_for_each_limit() -> None:
    root = ET.fromstring(junit.render(run()).partition("\n")[2])

    (suite,) = [one for one in root if one.get("name") == "otpspec.slo"]
    cases = {case.get("name"): case for case in suite.iter("testcase")}
    failure = cases["p99 at most 250ms"].find("failure")
    assert failure is not None
    assert failure.get("message") == "612ms, and 250ms is allowed"
    assert failure.text == "measured 612ms, of 36,003 requests"
    assert cases["verify.p99.9 at most 1s"].find("error") is not None
    assert cases["errors at most 0.1%"].find("failure") is None
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("3", "1", "1")


def test_markdown_has_a_row_for_each_limit() -> None:
    page = markdown.render(run())

    assert "| p99 | ❌ broken | 612ms, and 250ms is allowed | 250ms | 612ms | 36,003 |" in (
        page.replace("✗", "❌")
    )
    assert "Mix: a day at a bank" in page


@pytest.mark.parametrize("word", ["612ms", "250ms", "verify.p99.9", "a day at a bank", "late csc"])
def test_page_shows_limits_and_mix(word: str) -> None:
    assert word in html.render(run())
