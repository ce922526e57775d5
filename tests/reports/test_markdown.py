"""The Markdown summary: for a job's page or a pull request, where it must do nothing but tell."""

import re

import pytest

from otpspec.results import Evidence
from otpspec_reports.markdown import render

from . import samples
from .samples import BROKEN, INCONCLUSIVE, NOT_APPLICABLE, everything, poisoned, results, rule


def test_a_run_that_conforms_is_two_lines() -> None:
    assert render(results()) == (
        "## ✅ conformant: acs-staging\n\n"
        "2 passed, 0 broken, 0 not applicable, 0 inconclusive. Target `http://127.0.0.1:8080`, "
        "2 Mar 2026, 09:14:05 UTC, took 12.4 s, seed 7, otpspec 0.1.0.\n"
    )


def test_a_broken_rule_is_told_in_full() -> None:
    text = render(results([samples.expiry_2(), samples.passed("EXPIRY-1")]))

    assert text.startswith("## ❌ 1 rule broken: acs-staging\n")
    assert (
        "| rule | level | verdict | what it asks | why |\n"
        "| --- | --- | --- | --- | --- |\n"
        "| EXPIRY-2 | MUST | ✗ broken | the right code is refused after its validity (10 minutes) "
        "| approved 601.0 s after it was sent |\n"
    ) in text
    assert (
        "- **expected** refused 601.0 s after it was sent\n"
        "- **got** approved (HTTP 200)\n"
        "- **replay** `otpspec check acs.toml -k EXPIRY-2 --seed 7`\n"
    ) in text
    assert "EXPIRY-1" not in text


def test_what_needs_reading_comes_first() -> None:
    text = render(results([
        rule("A-1", NOT_APPLICABLE, waived="why not"), rule("A-2", INCONCLUSIVE),
        rule("A-3", BROKEN),
    ]))  # fmt: skip

    assert re.findall(r"^\| (A-\d)", text, re.MULTILINE) == ["A-3", "A-2", "A-1"]
    assert "(waived: why not)" in text


@pytest.mark.parametrize(
    ("hostile", "written"),
    [
        ("a | b", r"a \| b"),
        ("`code`", r"\`code\`"),
        ("![x](y)", r"\!\[x\](y)"),
        ("<img src=x>", r"\<img src=x\>"),
        ("http://evil.example", r"http\://evil.example"),
        ("see WWW.evil.example", r"see WWW\.evil.example"),
        ("@everyone", "@\u200beveryone"),
        ("*_~$#&", r"\*\_\~\$\#\&"),
        ("two\nlines", "two lines"),
        ("back\\slash", r"back\\slash"),
        ("\x1b[2J", r"\\x1b\[2J"),
    ],
)
def test_hostile_text_means_itself(hostile: str, written: str) -> None:
    text = render(results([rule("A-1", BROKEN, reason=hostile)]))

    assert f"| {written} |\n" in text


@pytest.mark.parametrize(
    ("replay", "written"),
    [("a `b` c", "`` a `b` c ``"), ("``", "``` `` ```"), ("a | b", r"`a \| b`"), ("x", "`x`")],
)
def test_a_command_is_fenced_by_more_backticks_than_it_has(replay: str, written: str) -> None:
    evidence = Evidence(scenario="s", verdict=BROKEN, replay=replay)

    text = render(results([rule("A-1", BROKEN, evidence=[evidence])]))

    assert f"- **replay** {written}\n" in text


def test_every_row_of_a_table_has_as_many_cells_as_its_head() -> None:
    text = render(poisoned(everything(), "a | b `|` \\| \n| c |"))

    tables = re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)
    assert len(tables) == 2
    for table in tables:
        assert len({len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()}) == 1


def test_load_figures_are_shown() -> None:
    text = render(everything())

    assert "open: 100 journeys/s, for 2 min: 36,003 requests at 300.0/s, 139 failures" in text
    assert "| verify | 23,391 | 194.9 | 139 | 12.6 ms | 26.5 ms | 66.8 ms | 688 ms |" in text
    assert "> The generator was 3.1 ms late at worst: the figures are the target's." in text


def test_an_interrupted_run_says_so() -> None:
    assert "> interrupted: holds what was measured so far" in render(results(complete=False))


def test_a_comment_on_a_pull_request_can_hold_the_worst_run() -> None:
    loud = Evidence(
        scenario="s", verdict=BROKEN, expected="e" * 5_000, got="g" * 5_000, replay="r" * 5_000
    )
    rules = [
        rule(f"A-{n}", BROKEN, statement="s" * 200, reason="r" * 5_000, evidence=[loud] * 9)
        for n in range(120)
    ]

    text = render(results(rules))

    assert len(text) < 100_000
    assert "20 more rules are in the full report." in text


def test_the_same_results_make_the_same_summary() -> None:
    assert render(everything()) == render(everything())
