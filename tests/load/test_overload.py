"""Servers that break only while they are busy, and the strict one beside them."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from otpspec.load import LoadRun, run
from otpspec.outcome import Verdict
from otpspec.profile.mix import SHIPPED
from otpspec.results import RuleResult

FAST = ("--clock-rate", "300")  # ten minutes pass in two seconds
CROWD = 48
"""Users of whom more than 24 are always asking something."""


@pytest.fixture
def load(
    serve: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., dict[str, RuleResult]]:
    """Loads a reference server of the test's own; the verdicts."""

    def start(*options: str, seconds: float = 5.0, **more: Any) -> dict[str, RuleResult]:
        server = serve(*FAST, *options)
        monkeypatch.setenv("OTPSPEC_TEST_TOKEN", server.token)
        lasts = timedelta(seconds=seconds)
        found: LoadRun = run("safekey-reference", base_url=server.url, duration=lasts, **more)
        return {rule.id: rule for rule in found.rules}

    return start


def test_everyone_of_the_day_comes_to_an_end_and_the_strict_server_is_not_accused(
    serve: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(*FAST)
    monkeypatch.setenv("OTPSPEC_TEST_TOKEN", server.token)
    monkeypatch.syspath_prepend(str(Path(__file__).parent))  # the load process inherits it
    lasts, each = timedelta(seconds=12), "everyone:EACH"

    found = run("safekey-reference", base_url=server.url, users=8, duration=lasts, mix=each)

    assert set(found.load.behaviours) == set(SHIPPED)
    assert not [note for note in found.load.notes if "no message came" in note]
    broken = {r.id: r.reason for r in found.rules if r.verdict is Verdict.BROKEN}
    assert broken == {}
    assert found.load.failures == 0
    assert {"CONTACT-1", "CONTACT-2", "CONTACT-3", "EXPIRY-1", "RACE-1", "RACE-2"} <= {
        rule.id for rule in found.rules if rule.verdict is Verdict.PASSED
    }


@pytest.mark.parametrize(
    ("mutant", "rules"),
    [
        ("csc-unchecked-in-a-crowd", {"LOAD-1", "LOAD-2", "CSC-2"}),
        ("otc-unchecked-in-a-crowd", {"LOAD-1", "LOAD-2", "VERIFY-2"}),
        ("expiry-unchecked-in-a-crowd", {"LOAD-1", "EXPIRY-2"}),
    ],
)
def test_server_that_is_careless_in_a_crowd_is_caught(
    load: Callable[..., dict[str, RuleResult]], mutant: str, rules: set[str]
) -> None:
    found = load("--mutant", mutant, users=CROWD)

    broken = {rule for rule, result in found.items() if result.verdict is Verdict.BROKEN}
    assert broken >= rules
    assert ("LOAD-2" in broken) is ("LOAD-2" in rules)


def test_flash_crowd_catches_it_on_top_of_a_rate_that_does_not(
    load: Callable[..., dict[str, RuleResult]],
) -> None:
    options = ("--mutant", "otc-unchecked-in-a-crowd")

    quiet = load(*options, rate="20/s", seconds=3.0)
    crowded = load(*options, rate="20/s", crowd="150@1s,150@2s", seconds=4.0)

    assert quiet["LOAD-2"].verdict is not Verdict.BROKEN
    assert crowded["LOAD-2"].verdict is Verdict.BROKEN


@pytest.mark.parametrize(
    ("mutant", "rule"),
    [
        ("used-read-then-written", "RACE-1"),
        ("count-read-then-written", "RACE-2"),
        ("old-contact-copied", "CONTACT-3"),
    ],
)
def test_server_is_caught_by_what_no_single_answer_shows(
    load: Callable[..., dict[str, RuleResult]], mutant: str, rule: str
) -> None:
    found = load("--mutant", mutant, users=12)

    assert found[rule].verdict is Verdict.BROKEN
    evidence = found[rule].evidence[0]
    assert evidence.exchanges
    if rule.startswith("RACE"):
        assert evidence.measured["overlap"].count("in flight at once") == 1
        lanes = {exchange.lane for exchange in evidence.exchanges} - {""}
        assert len(lanes) >= 2
        assert evidence.releases_s
        assert found["LOAD-1"].verdict is Verdict.PASSED  # no user's own traffic shows it


def test_code_that_goes_to_the_old_contact_only_is_seen_although_none_comes(
    load: Callable[..., dict[str, RuleResult]],
) -> None:
    found = load("--mutant", "old-contact-used", users=12, seconds=9.0)  # a message may take five

    assert found["CONTACT-3"].verdict is Verdict.BROKEN
    assert found["CONTACT-3"].evidence[0].expected == (
        "a code at the new contact: the contact was changed before the transaction was started"
    )
