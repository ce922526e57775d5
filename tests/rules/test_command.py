"""otpspec rules: the catalogue in a terminal of 80 columns, and one rule explained."""

from collections.abc import Callable
from typing import Any

import pytest

from otpspec.rules import RULES, STANDARDS

Run = Callable[..., Any]


def test_catalogue_has_every_rule_within_80_columns(otpspec: Run) -> None:
    done = otpspec("rules", COLUMNS="80")

    assert done.code == 0
    assert max(map(len, done.out.splitlines())) <= 80
    listed = [line.split()[0] for line in done.out.splitlines() if line.strip()]
    assert [word for word in listed if word in RULES] == list(RULES)


def test_rule_is_explained_whole(otpspec: Run) -> None:
    done = otpspec("rules", "expiry-2", COLUMNS="80")

    assert done.code == 0
    assert [line.rstrip() for line in done.out.splitlines()] == [
        "EXPIRY-2 MUST  (core)",
        "  rule         the right code is refused after its validity",
        '  source       SafeKey: "valid only for 10 minutes"',
        "               OWASP ASVS 5.0 6.5.5: an out-of-band code lives ten minutes at",
        "               most",
        "               NIST SP 800-63B-4 3.1.3.2: invalid unless completed within ten",
        "               minutes",
        "               OWASP Transaction Authorization Cheat Sheet 2.9: credentials are",
        "               valid for a limited time only",
        "  in the field CVE-2024-8122: WSO2 Identity Server sent codes that never expired",
        "               CVE-2026-8760: a plugin's codes had no end",
        "  needs        [clock], or the patience of a little more than policy.validity",
        "  what is done right code is refused after its validity",
        "               edge is where it is declared (Tries codes at staggered ages, each",
        "               on a card of its own, and measures where they die.)",
        "  catches      never-expires: A code never dies of age.",
        "               dies-late: A code lives for 1.05 of its validity.",
        "               whole-minutes: Age is counted in whole minutes, and compared by",
        "               `>`: ten minutes last until 10:59.",
        "               sweeper-every-30s: A code dies when the sweeper next comes by,",
        "               every 30 seconds.",
        "  check        otpspec check PROFILE -k EXPIRY-2",
    ]


@pytest.mark.parametrize("rule_id", ["ISSUE-1", "RACE-3", "LOAD-1", "INPUT-1"])
def test_every_rule_says_what_is_done_within_80_columns(otpspec: Run, rule_id: str) -> None:
    done = otpspec("rules", rule_id, COLUMNS="80")

    assert done.code == 0
    assert "  what is done " in done.out
    assert max(map(len, done.out.splitlines())) <= 80


def test_rule_of_load_is_judged_by_a_load_run(otpspec: Run) -> None:
    done = otpspec("rules", "LOAD-2")

    assert "a load run judges it: otpspec load PROFILE" in done.out
    assert "otpspec check" not in done.out


@pytest.mark.parametrize("name", [name for name in STANDARDS if name != "profile"])
def test_standard_lists_its_rules_with_their_clauses(otpspec: Run, name: str) -> None:
    done = otpspec("rules", "--standard", name, COLUMNS="80")

    assert done.code == 0
    assert max(map(len, done.out.splitlines())) <= 80
    words = done.out.split()
    for rule in RULES.values():
        clauses = [s.clause for s in rule.citations if s.standard == name]
        assert (rule.id in words) == bool(clauses)
        if name == "psd2":
            assert all(clause in done.out for clause in clauses)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("EXPIRY-22",), "There is no rule EXPIRY-22; did you mean EXPIRY-2?\n"),
        (("--standard", "asvs"), "There is no standard asvs; did you mean owasp-asvs?\n"),
    ],
)
def test_unknown_name_is_refused_with_what_was_meant(
    otpspec: Run, words: tuple[str, ...], message: str
) -> None:
    done = otpspec("rules", *words)

    assert (done.code, done.out, done.err) == (2, "", message)
