"""The page in a real browser, from a file: charts are drawn, buttons work, nothing complains."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from otpspec_reports.html import render

from .samples import everything, expiry_2, poisoned, race_2, results

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--enable-logging=stderr", "--virtual-time-budget=3000", "--dump-dom",
)  # fmt: skip

REQUIRED = "OTPSPEC_REQUIRE_BROWSER" in os.environ  # CI: a missing browser is no excuse

pytestmark = pytest.mark.skipif(
    CHROMIUM is None and not REQUIRED, reason="chromium is not installed"
)


class Browser:
    """A Chromium with an empty profile for each page."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def load(
        self, html: str, *, fragment: str = "", then: str = "", width: int = 1280
    ) -> tuple[str, list[str]]:
        """The page's elements after its scripts (and `then`) ran, and what its console said."""
        if then:
            html = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", html)
            html = html.replace("</body>", f"<script>{then}</script></body>")
        page = self.directory / "page.html"
        page.write_text(html, encoding="utf-8")
        profile = self.directory / "profile"
        shutil.rmtree(profile, ignore_errors=True)
        done = subprocess.run(
            [str(CHROMIUM), *FLAGS, f"--user-data-dir={profile}",
             f"--window-size={width},900", f"{page.as_uri()}{fragment}"],
            capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip
        return done.stdout, re.findall(r"CONSOLE.*", done.stderr)


@pytest.fixture
def browser(tmp_path: Path) -> Browser:
    return Browser(tmp_path)


def test_both_charts_are_drawn_and_nothing_complains(browser: Browser) -> None:
    dom, console = browser.load(render(everything()))

    assert dom.count("<canvas") == 2
    assert console == []


def test_a_complaint_would_be_seen(browser: Browser) -> None:
    _, console = browser.load("<body></body>", then="nothing.of.the.kind")

    assert len(console) == 1
    assert "nothing is not defined" in console[0]


def test_the_charts_have_ink(browser: Browser) -> None:
    count = """
      for (const canvas of document.querySelectorAll("canvas")) {
        const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        canvas.dataset.ink = data.filter((value, at) => at % 4 === 3 && value > 0).length;
      }"""
    dom, _ = browser.load(render(everything()), then=f"setTimeout(() => {{{count}}}, 500)")

    inks = [int(ink) for ink in re.findall(r'data-ink="(\d+)"', dom)]
    assert len(inks) == 2
    assert min(inks) > 2_000


@pytest.mark.parametrize(
    "hostile", ["<script>alert(1)</script>", "\"'><svg onload=alert(1)>", "</script>{{x}}\x1b"]
)
def test_hostile_text_runs_nothing_and_breaks_nothing(browser: Browser, hostile: str) -> None:
    spoken = "window.alert = () => { document.documentElement.dataset.hacked = 'yes' };"
    html = render(poisoned(everything(), hostile)).replace(
        "<head>", f"<head><script>{spoken}</script>"
    )

    dom, _ = browser.load(html, then="1")
    _, console = browser.load(render(poisoned(everything(), hostile)))

    assert "data-hacked" not in dom
    assert dom.count("<canvas") == 2
    assert console == []


def test_the_security_policy_stops_a_script_that_is_not_ours(browser: Browser) -> None:
    html = render(results()).replace("</main>", "<script>document.title = 'taken'</script></main>")

    dom, console = browser.load(html)

    assert "<title>conformant" in dom
    assert "Content Security Policy" in console[0]


def test_a_filter_shows_the_rules_of_one_verdict(browser: Browser) -> None:
    dom, console = browser.load(
        render(everything()), then="document.querySelector('[data-show=broken]').click()"
    )

    rules = re.findall(r'<details class="rule (\w+)"[^>]*?( hidden="")?>', dom)
    assert {verdict for verdict, hidden in rules if not hidden} == {"broken"}
    assert "3 rules shown" in dom
    assert re.search(r'data-show="broken"[^>]*aria-pressed="true"', dom)
    assert console == []


def test_a_link_to_a_folded_rule_opens_it(browser: Browser) -> None:
    dom, _ = browser.load(render(everything()), fragment="#LOCKOUT-9")

    assert re.search(r'<details class="rule passed" id="LOCKOUT-9"[^>]* open=""', dom)
    assert not re.search(r'<details class="rule passed" id="LOCKOUT-1"[^>]* open=""', dom)


def test_the_replay_command_gets_a_button_that_copies_it(browser: Browser) -> None:
    click = """
      Object.defineProperty(navigator, "clipboard", { value: {
        writeText: async (text) => { document.documentElement.dataset.copied = text; } } });
      document.querySelector(".broken .copy").click();"""
    dom, _ = browser.load(render(everything()), then=click)

    assert 'data-copied="otpspec check acs.toml -k EXPIRY-2 --seed 7"' in dom


def test_the_page_fits_a_narrow_screen(browser: Browser) -> None:
    measure = """
      const root = document.documentElement;
      root.dataset.beyond = root.scrollWidth - root.clientWidth;
      root.dataset.width = innerWidth;"""

    dom, _ = browser.load(
        render(everything()), then=f"setTimeout(() => {{{measure}}}, 500)", width=500
    )

    assert 'data-width="500"' in dom
    assert 'data-beyond="0"' in dom


SEEN = """
  const seen = (all) => [...all].filter((one) => one.getBoundingClientRect().width > 0);
  const bars = seen(document.querySelectorAll("#RACE-2 .evidence-timeline > .timeline .call rect"));
  const box = document.querySelector("#RACE-2 .evidence-timeline").getBoundingClientRect();
  const words = seen(document.querySelectorAll("#RACE-2 .timeline text"));
  const out = [...bars, ...words].filter((one) => {
    const { left, right } = one.getBoundingClientRect();
    return left < box.left || right > box.right;
  });
  const small = Math.min(...words.map((one) => one.getBoundingClientRect().height));
  Object.assign(document.documentElement.dataset,
    { bars: bars.length, out: out.length, small: Math.floor(small) });"""


@pytest.mark.parametrize(("width", "bars"), [(1280, 34), (960, 34), (800, 34), (500, 34)])
def test_a_timeline_has_its_bars_and_its_words_within_its_box_and_to_be_read(
    browser: Browser, width: int, bars: int
) -> None:
    dom, _ = browser.load(
        render(results([expiry_2(), race_2(32)])),
        then=f"setTimeout(() => {{{SEEN}}}, 500)",
        width=width,
    )

    assert f'data-bars="{bars}"' in dom
    assert 'data-out="0"' in dom
    assert int(re.findall(r'data-small="(\d+)"', dom)[0]) >= 9


def test_words_do_not_run_into_one_another(browser: Browser) -> None:
    overlap = """
      const words = [...document.querySelectorAll(".timeline.on-wide text")]
        .map((one) => one.getBoundingClientRect());
      const touch = (a, b) => a.left < b.right && b.left < a.right
        && a.top + 3 < b.bottom && b.top + 3 < a.bottom;
      document.documentElement.dataset.touching =
        words.filter((a, i) => words.slice(i + 1).some((b) => touch(a, b))).length;"""

    dom, _ = browser.load(
        render(results([expiry_2(), race_2(32)])), then=f"setTimeout(() => {{{overlap}}}, 500)"
    )

    assert 'data-touching="0"' in dom
