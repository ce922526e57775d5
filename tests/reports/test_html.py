"""The HTML page: one file, offline, and nothing that a target said does anything in it."""

import re
from html.parser import HTMLParser

import msgspec
import pytest

from otpspec.outcome import Verdict
from otpspec.results import Evidence, Exchange, RuleResult
from otpspec_reports.html import render

from . import samples
from .load_samples import load
from .samples import (
    BROKEN,
    INCONCLUSIVE,
    NOT_APPLICABLE,
    PASSED,
    everything,
    poisoned,
    results,
    rule,
)

HOSTILE = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror='alert(1)'>",
    "</script><script>alert(1)</script>",
    "</style></title><!--",
    "{{ 7 * 7 }}{% raw %}",
    "\x00\x1b[2J\u202e\ud800",
]


class Page(HTMLParser):
    """The elements of a page, each with the names of its attributes, and its words."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, tuple[str, ...]]] = []
        self.attributes: list[tuple[str, str]] = []
        self.words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, tuple(name for name, _ in attrs)))
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        if self.elements and self.elements[-1][0] not in {"script", "style"}:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_text_in_every_field_changes_no_element_of_the_page(hostile: str) -> None:
    harmless = Page(render(poisoned(everything(), "word")))

    page = Page(render(poisoned(everything(), hostile)))

    assert page.elements == harmless.elements


@pytest.mark.parametrize("hostile", HOSTILE[:3])
def test_hostile_text_is_shown_as_it_came(hostile: str) -> None:
    assert Page(render(poisoned(everything(), hostile))).text.count(hostile) > 100


def test_control_characters_are_written_out() -> None:
    html = render(poisoned(everything(), HOSTILE[-1]))

    assert r"\x00\x1b[2J\u202e\ud800" in html
    assert html.encode()
    assert not re.search(r"[\x00-\x08\x0b-\x1f\u202e]", html)


def test_the_page_asks_no_address_for_anything() -> None:
    page = Page(render(everything()))

    fetched = {"src", "srcset", "action", "data", "poster", "background", "ping", "formaction"}
    assert not [pair for pair in page.attributes if pair[0] in fetched]
    assert all(value.startswith("#") for name, value in page.attributes if name == "href")
    fetching = {"link", "iframe", "object", "embed", "base", "img", "image"}
    assert {tag for tag, _ in page.elements}.isdisjoint(fetching)


def test_no_address_stands_in_the_page_but_the_targets() -> None:
    html = render(everything(target=samples.results().target))

    addresses = set(re.findall(r"https?://[\w.:]+", html))
    assert addresses == {"http://127.0.0.1:8080"}
    assert not re.search(r"@import|url\((?!#)", html)


def test_only_scripts_of_ours_may_run() -> None:
    html = render(everything())

    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', html)
    assert policy.startswith("default-src &#39;none&#39;;")
    assert policy.count("sha256-") == html.count("<script>") == 2
    assert "unsafe-inline" not in policy.split("script-src")[1]


def test_the_licence_of_the_chart_library_goes_with_it() -> None:
    assert "Permission is hereby granted" in render(everything())


def test_a_run_without_load_carries_no_chart_library() -> None:
    html = render(results())

    assert "uPlot." not in html.replace('typeof uPlot === "undefined"', "")
    assert len(html) < 40_000


@pytest.mark.parametrize(
    ("rules", "headline"),
    [
        ([rule("A-1")], "conformant"),
        ([rule("A-1", BROKEN)], "1 rule broken"),
        ([rule("A-1", BROKEN), rule("A-2", BROKEN)], "2 rules broken"),
        ([rule("A-1"), rule("A-2", INCONCLUSIVE)], "inconclusive"),
        ([rule("A-1", NOT_APPLICABLE)], "nothing was checked"),
        ([], "nothing was checked"),
    ],
)
def test_the_headline_is_the_conclusion(rules: list[RuleResult], headline: str) -> None:
    html = render(results(rules))

    assert f"<h1>{headline}</h1>" in html
    assert f"<title>{headline}: acs-staging (otpspec)</title>" in html


def test_the_head_says_what_was_checked_and_how() -> None:
    text = Page(render(results())).text

    for said in (
        "acs-staging", "http://127.0.0.1:8080", "2 Mar 2026, 09:14:05 UTC", "took 12.4 s",
        "seed 7", "validity 10 min", "max wrong 3", "otpspec check acs.toml --seed 7",
    ):  # fmt: skip
        assert said in text


def test_an_interrupted_run_says_so_first() -> None:
    interrupted = "interrupted: holds what was measured so far"

    assert Page(render(everything(complete=False))).text.count(interrupted) == 1
    assert interrupted not in render(everything())


@pytest.mark.parametrize("verdict", list(Verdict))
def test_what_needs_reading_is_open_and_the_rest_is_folded(verdict: Verdict) -> None:
    html = render(results([rule("A-1", verdict)]))

    (details,) = re.findall(r'<details class="rule[^>]*>', html)
    assert (" open" in details) == (verdict in {BROKEN, INCONCLUSIVE})


@pytest.mark.parametrize("verdict", list(Verdict))
def test_a_verdict_is_told_by_symbol_and_word_and_not_by_colour_alone(verdict: Verdict) -> None:
    html = render(results([rule("A-1", verdict)]))

    badge = re.search(rf'<span class="badge {verdict}">(.*?)</span>\n', html)
    assert badge
    assert re.search(r'aria-hidden="true">[✓✗?-]<', badge[1])
    assert verdict.value.replace("_", " ") in badge[1]


def test_a_broken_rule_tells_expected_got_replay_and_what_was_measured() -> None:
    text = Page(render(results([samples.expiry_2()]))).text

    for said in (
        "expected refused 601.0 s after it was sent",
        "got approved (HTTP 200)",
        "replay otpspec check acs.toml -k EXPIRY-2 --seed 7",
        "last age accepted 600.98 to 601.02 s",
        "601.012 4 ms POST /transactions/7f3a/verify",
        "3 exchanges; hatched: time with none under way, drawn short.",
    ):
        assert said in text


def test_a_race_says_how_many_calls_were_in_flight() -> None:
    text = Page(render(results([samples.race_2(calls=32)]))).text

    assert "34 exchanges, at most 32 in flight at once" in text


def test_what_was_left_out_is_counted() -> None:
    long = Evidence(scenario="s", verdict=BROKEN, exchanges=[samples.denied(n) for n in range(200)])

    html = render(results([rule("A-1", BROKEN, evidence=[long] * 14)]))

    assert Page(html).text.count("158 exchanges between were left out") == 12
    assert "2 more scenarios were left out; results.json holds all." in html


def test_waivers_missing_waivers_and_a_lenient_should_are_said() -> None:
    text = Page(render(results([
        rule("A-1", NOT_APPLICABLE, core=True, waived="no such channel"),
        rule("A-2", NOT_APPLICABLE, core=True),
        rule("A-3", BROKEN, level="SHOULD"),
        rule("A-4"),
    ]))).text  # fmt: skip

    assert "waived: no such channel" in text
    assert text.count("not waived, though the policy's core asks for it: the run") == 1
    assert text.count("a SHOULD: it fails a run only with --strict") == 1


def test_chances_stand_by_the_rules_that_have_them() -> None:
    text = Page(render(everything())).text

    assert "LOAD-1 ✓ passed 18,204 every rule above" in text
    assert "12 answers could have broken it" in text


def test_load_figures_are_shown() -> None:
    text = Page(render(everything())).text

    for said in (
        "requests 36,003", "answers judged 35,864", "p99.9 165 ms", "mistypes then right 1,801",
        "The generator was 3.1 ms late", "verify 23,391 194.9 139 12.6 ms 26.5 ms 66.8 ms 176 ms",
    ):  # fmt: skip
        assert said in text


def test_a_load_run_that_got_no_answer_can_be_shown() -> None:
    silent = msgspec.structs.replace(
        load(), latency=None, operations=[], behaviours={}, timeline=[]
    )

    html = render(results(load=silent))

    assert '<section id="load"' in html
    assert "data-chart" not in html.split("<script>")[0]


def test_charts_have_a_table_that_stands_in_for_them() -> None:
    html = render(everything())

    assert "<noscript>" in html
    assert html.count("<caption>Each row is 6 seconds") == 1


def test_the_same_results_make_the_same_page() -> None:
    assert render(everything()) == render(everything())


def test_a_page_of_forty_rules_is_small() -> None:
    rules = everything().rules + [samples.passed("INPUT-3")] * 4
    assert len(rules) == 40

    assert len(render(results(rules, load=load())).encode()) < 260_000


def test_a_page_of_the_worst_run_is_bounded() -> None:
    shouting = Exchange(
        operation="verify", request="x" * 50_000, status=500, answer="y" * 50_000,
        outcomes=["unavailable"], called_s=0, returned_s=1,
    )  # fmt: skip
    evidence = Evidence(scenario="s", verdict=BROKEN, exchanges=[shouting] * 500, got="z" * 50_000)

    html = render(results([rule(f"A-{n}", BROKEN, evidence=[evidence] * 3) for n in range(40)]))

    assert len(html) < 3_000_000


def test_a_passed_rule_shows_the_exchanges_of_one_scenario_and_names_the_others() -> None:
    scenarios = [
        Evidence(scenario=f"scenario-{n}", verdict=PASSED, exchanges=[samples.denied(n)])
        for n in range(3)
    ]

    html = render(results([rule("A-1", evidence=scenarios)]))

    assert html.count('<table class="exchanges">') == 1
    assert all(f"<code>scenario-{n}</code>" in html for n in range(3))


def test_a_reason_that_was_told_already_is_not_told_again() -> None:
    evidence = [
        Evidence(scenario="s", verdict=BROKEN, reason=reason, expected=expected)
        for reason, expected in (("too late", "refused"), ("no proof", "refused: no proof"))
    ]

    text = Page(render(results([rule("A-1", BROKEN, reason="too late", evidence=evidence)]))).text

    assert text.count("too late") == 1
    assert text.count("no proof") == 1
