"""How each page shows a known failure, and one whose entry is at fault."""

import io
import re
from itertools import product
from xml.etree import ElementTree as ET

import pytest
from rich.console import Console

from otpspec.outcome import Verdict
from otpspec.results import KnownFailure, Results, RuleResult
from otpspec_reports import Conclusion, conclude, html, junit, markdown, table

from . import samples
from .samples import BROKEN, INCONCLUSIVE, PASSED, poisoned, results, rule

KNOWN = KnownFailure(reason="the sweeper", until="2027-01-31")
PAST = KnownFailure(reason="the sweeper", until="2026-01-31", fault="still broken after it")
MENDED = KnownFailure(reason="the sweeper", fault="passes again; remove it from known.toml")


def known() -> RuleResult:
    """The broken rule of STYLE.md's example, known."""
    return samples.rule(
        verdict=BROKEN, reason="approved", evidence=samples.expiry_2().evidence, known=KNOWN
    )


def shown(run: Results) -> str:
    screen = io.StringIO()
    Console(file=screen, width=80).print(table(run))
    return screen.getvalue()


def the_case(of: Results) -> ET.Element:
    (case,) = ET.fromstring(junit.render(of)).iter("testcase")
    return case


def test_terminal_tells_the_reason_and_not_the_whole_account() -> None:
    assert shown(results([known()])) == (
        "✗ EXPIRY-2  MUST    broken, known   the right code is refused after its validit…\n"
        "\n"
        "known failures\n"
        "  the sweeper (until 2027-01-31)\n"
        "    EXPIRY-2\n"
        "\n"
        "  EXPIRY-2: broken, but known; it does not fail the run\n"
        "conformant, with 1 known failure: 0 passed, 1 broken (1 known), 0 not \n"
        "applicable, 0 inconclusive\n"
    )


def test_terminal_gives_the_account_of_a_rule_past_its_date() -> None:
    text = shown(results([rule("A-1", BROKEN, "s", known=PAST)]))

    assert text.startswith("✗ A-1  MUST    broken          s\n\nA-1 MUST  broken\n")
    assert "  known     the sweeper (until 2026-01-31)\n" in text
    assert "known failures" not in text


def test_terminal_marks_a_rule_that_passes_again() -> None:
    text = shown(results([rule("A-1", PASSED, "s", known=MENDED)]))

    assert text == (
        "✓ A-1  MUST    passed, known   s\n"
        "\n"
        "  A-1: passes again; remove it from known.toml\n"
        "1 known failure passes again: 1 passed, 0 broken, 0 not applicable, 0 \n"
        "inconclusive\n"
    )


def test_markdown_tells_the_reason_last_and_gives_no_account() -> None:
    text = markdown.render(results([known(), rule("A-1", INCONCLUSIVE)]))

    assert re.findall(r"^\| (A-1|EXPIRY-2)", text, re.MULTILINE) == ["A-1", "EXPIRY-2"]
    assert "| ✗ broken, known | " in text
    assert "| known: the sweeper (until 2027-01-31); approved |\n" in text
    assert "**expected**" not in text
    assert "> EXPIRY-2: broken, but known; it does not fail the run\n" in text


def test_markdown_tells_what_fails_the_run_first() -> None:
    text = markdown.render(
        results([known(), rule("A-1", INCONCLUSIVE), rule("A-2", PASSED, known=MENDED)])
    )

    assert text.startswith("## ❌ 1 known failure passes again: acs-staging\n")
    assert re.findall(r"^\| (A-\d|EXPIRY-2)", text, re.MULTILINE) == ["A-2", "A-1", "EXPIRY-2"]
    assert (
        "| ✓ passed, known | the right code is refused after its validity (10 minutes) "
        "| passes again; remove it from known.toml; known: the sweeper |\n"
    ) in text


def test_junit_skips_a_known_failure_with_its_reason_and_keeps_its_account() -> None:
    case = the_case(results([known()]))

    (skipped,) = case
    assert (skipped.tag, skipped.get("type")) == ("skipped", "known")
    assert skipped.get("message") == "known failure: the sweeper (until 2027-01-31)"
    assert "\ngot       approved (HTTP 200)\n" in str(skipped.text)


@pytest.mark.parametrize(("verdict", "entry"), [(BROKEN, PAST), (PASSED, MENDED)])
@pytest.mark.parametrize("level", ["MUST", "SHOULD"])
def test_junit_fails_a_rule_whose_entry_is_at_fault(
    verdict: Verdict, entry: KnownFailure, level: str
) -> None:
    case = the_case(results([rule("A-1", verdict, "s", level=level, known=entry)]))

    (failure,) = case
    assert case.get("name") == "A-1 s"
    assert (failure.tag, failure.get("type")) == ("failure", "known")
    assert failure.get("message") == entry.fault
    assert "known     the sweeper" in str(failure.text)


@pytest.mark.parametrize(
    ("verdict", "entry", "level", "strict", "complete"),
    list(product(Verdict, (None, KNOWN, PAST, MENDED), ("MUST", "SHOULD"), (0, 1), (0, 1))),
)
def test_junit_is_green_where_the_run_is(
    verdict: Verdict, entry: KnownFailure | None, level: str, strict: int, complete: int
) -> None:
    rules = [rule("A-1", verdict, level=level, known=entry), rule("A-2")]
    run = results(rules, strict=bool(strict), complete=bool(complete))

    root = ET.fromstring(junit.render(run))

    red = int(root.get("failures", "")) + int(root.get("errors", ""))
    assert (red == 0) == (conclude(run).conclusion is Conclusion.CONFORMANT)


def test_html_folds_a_known_failure_and_tells_its_reason() -> None:
    page = html.render(results([known()]))

    assert "<h1>conformant, with 1 known failure</h1>" in page
    (details,) = re.findall(r"<details class=\"rule[^>]*>", page)
    assert 'class="rule broken known"' in details
    assert " open" not in details
    assert "</span> broken, known</span>" in page
    assert '<span class="reason">known: the sweeper (until 2027-01-31)</span>' in page
    assert "fails a run only with --strict" not in page


@pytest.mark.parametrize(("verdict", "entry"), [(BROKEN, PAST), (PASSED, MENDED)])
def test_html_opens_a_rule_whose_entry_is_at_fault(verdict: Verdict, entry: KnownFailure) -> None:
    page = html.render(results([rule("A-1", verdict, level="SHOULD", known=entry)]))

    (details,) = re.findall(r"<details class=\"rule[^>]*>", page)
    assert " open" in details
    assert f'<span class="reason fault">{entry.fault}</span>' in page
    assert "fails a run only with --strict" not in page


@pytest.mark.parametrize("verdict", [INCONCLUSIVE, Verdict.NOT_APPLICABLE])
def test_entry_that_was_not_tested_changes_no_page(verdict: Verdict) -> None:
    with_entry = results([rule("A-1", verdict, known=KNOWN)])
    without = results([rule("A-1", verdict)])

    assert shown(with_entry) == shown(without)
    assert html.render(with_entry) == html.render(without)
    assert markdown.render(with_entry) == markdown.render(without)
    assert junit.render(with_entry) == junit.render(without)


@pytest.mark.parametrize("hostile", ["<script>alert(1)</script>", "a | b\n`c`", "\x1b[2J\u202e"])
def test_text_of_the_file_does_nothing_in_any_page(hostile: str) -> None:
    run = poisoned(results([known(), rule("A-1", PASSED, known=MENDED)]), hostile)

    assert "<script>alert" not in html.render(run)
    assert "\x1b" not in shown(run) + html.render(run) + markdown.render(run)
    assert len(list(ET.fromstring(junit.render(run)).iter("testcase"))) == 2
    rows = [line for line in markdown.render(run).splitlines() if line.startswith("|")]
    assert len({len(re.findall(r"(?<!\\)\|", row)) for row in rows}) == 1
