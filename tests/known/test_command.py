"""otpspec check --known against real servers, and -k with the id of one rule."""

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

Run = Callable[..., Any]
Server = Any

REASON = "the sweeper runs every 30 s; ticket PAY-1234"
EXPIRY = ("EXPIRY-2", "EXPIRY-3", "EXPIRY-4")  # what never-expires breaks


@pytest.fixture(scope="module")
def never_expires(serve: Callable[..., Server]) -> Server:
    """A server whose codes never die of age."""
    return serve("--mutant", "never-expires")


@pytest.fixture
def known(tmp_path: Path) -> Callable[..., list[str]]:
    """Writes known.toml: the words of the command that name it."""

    def write(*rules: str, until: str = "") -> list[str]:
        more = f"until = {until}\n" if until else ""
        text = "".join(f'[{rule}]\nreason = "{REASON}"\n{more}\n' for rule in rules)
        (tmp_path / "known.toml").write_text(text)
        return ["--known", "known.toml"]

    return write


def check(otpspec: Run, server: Server, *words: str) -> Any:
    return otpspec("check", "safekey-reference", "--base-url", server.url, "--seed", "7", *words)


def one_line(text: str) -> str:
    return " ".join(text.split())


def test_known_failures_fail_no_run(
    otpspec: Run, never_expires: Server, known: Callable[..., list[str]]
) -> None:
    done = check(otpspec, never_expires, *known(*EXPIRY, until="2999-12-31"))

    assert (done.code, done.err) == (0, "")
    assert re.search(r"^✗ EXPIRY-2 +MUST +broken, known ", done.out, re.MULTILINE)
    assert (
        f"\nknown failures\n  {REASON} (until 2999-12-31)\n    EXPIRY-2, EXPIRY-3, EXPIRY-4\n"
    ) in done.out
    assert "\n  expected  " not in done.out
    assert "conformant, with 3 known failures: " in done.out
    assert done.rule("EXPIRY-2")["known"] == {"reason": REASON, "until": "2999-12-31", "fault": ""}
    suite = ET.parse(done.folder / "junit.xml").getroot()
    assert (suite.get("failures"), suite.get("errors")) == ("0", "0")
    skipped = [one.get("message") for one in suite.iter("skipped")]
    assert skipped.count(f"known failure: {REASON} (until 2999-12-31)") == 3


def test_what_is_not_in_the_file_fails_the_run_as_ever(
    otpspec: Run, never_expires: Server, known: Callable[..., list[str]]
) -> None:
    done = check(otpspec, never_expires, *known("EXPIRY-2"), "-k", "EXPIRY")

    assert done.code == 1
    assert "\n2 rules broken: " in done.out
    assert "\nEXPIRY-3 MUST  broken\n" in done.out
    assert "\nEXPIRY-2 MUST  broken\n" not in done.out


def test_rule_that_passes_again_fails_the_run(
    otpspec: Run, reference_server: Server, known: Callable[..., list[str]]
) -> None:
    done = check(otpspec, reference_server, *known("EXPIRY-2"), "-k", "EXPIRY")

    assert done.code == 1
    assert re.search(r"^✓ EXPIRY-2 +MUST +passed, known ", done.out, re.MULTILINE)
    assert "\n  EXPIRY-2: passes again; remove it from known.toml\n" in done.out
    assert "\n1 known failure passes again: " in done.out


def test_entry_past_its_date_fails_the_run(
    otpspec: Run, never_expires: Server, known: Callable[..., list[str]]
) -> None:
    done = check(otpspec, never_expires, *known("EXPIRY-2", until="2020-02-29"), "-k", "EXPIRY-2")

    assert done.code == 1
    assert f"  known     {REASON} (until 2020-02-29)\n" in done.out
    assert (
        "EXPIRY-2: still broken after 2020-02-29; mend it, or give it a later date in known.toml"
    ) in one_line(done.out)


@pytest.mark.parametrize("left_out", [("-k", "EXPIRY"), ("--standard", "pci-dss")])
def test_entry_whose_rule_was_not_run_is_noted(
    otpspec: Run,
    reference_server: Server,
    known: Callable[..., list[str]],
    left_out: tuple[str, str],
) -> None:
    done = check(otpspec, reference_server, *known("RESEND-2"), *left_out)

    assert done.code == 0
    assert "  note  known.toml: RESEND-2 not tested: not run\n" in done.out


def test_part_of_a_rule_that_passes_is_noted(
    otpspec: Run, reference_server: Server, known: Callable[..., list[str]]
) -> None:
    done = check(otpspec, reference_server, *known("EXPIRY-2"), "-k", "edge_is_where")

    assert done.code == 0
    assert [rule["id"] for rule in done.results["rules"]] == ["EXPIRY-2"]
    assert done.results["notes"] == [
        "known.toml: EXPIRY-2 not tested: passed as far as it was run, and only a part of it was"
    ]


def test_rule_with_statistics_is_not_mended_without_deep(
    otpspec: Run, reference_server: Server, known: Callable[..., list[str]]
) -> None:
    done = check(otpspec, reference_server, *known("ISSUE-2"), "-k", "ISSUE-2")

    assert done.code == 0
    assert done.results["notes"] == [
        "known.toml: ISSUE-2 not tested: passed, but a part of it runs only with --deep"
    ]


def test_clause_of_a_standard_says_that_its_failure_is_known(
    otpspec: Run, never_expires: Server, known: Callable[..., list[str]]
) -> None:
    done = check(
        otpspec, never_expires, *known(*EXPIRY), "--standard", "owasp-asvs",
        "--inconclusive", "warn",
    )  # fmt: skip

    assert done.code == 0
    assert re.search(r"^ *6\.5\.5 .*broken: EXPIRY-2 known", done.out, re.MULTILINE)


def test_file_with_mistakes_is_refused_before_anything_is_sent(
    otpspec: Run, tmp_path: Path
) -> None:
    (tmp_path / "known.toml").write_text('[EXPIRY-22]\nreason = ""\n')

    done = otpspec(
        "check", "safekey-reference", "--base-url", "http://127.0.0.1:9", "--known", "known.toml"
    )

    assert (done.code, done.out) == (2, "")
    assert done.err == (
        "known.toml: 2 problems\n"
        "  EXPIRY-22         is not in the rule catalogue; did you mean EXPIRY-2?\n"
        "  EXPIRY-22.reason  empty; say why the rule is known to be broken\n"
    )
    assert not done.folder.exists()


# --- -k with a rule's id ------------------------------------------------------------------------


@pytest.mark.parametrize("words", ["LOCKOUT-1", "lockout-1", " LOCKOUT-1 "])
def test_id_of_a_rule_selects_that_rule_alone(
    otpspec: Run, reference_server: Server, words: str
) -> None:
    done = check(otpspec, reference_server, "-k", words)

    assert done.code == 0
    assert [rule["id"] for rule in done.results["rules"]] == ["LOCKOUT-1"]


def test_other_words_are_pytests_own(otpspec: Run, reference_server: Server) -> None:
    done = check(otpspec, reference_server, "-k", "LOCKOUT-1 or VERIFY-1")

    ids = {rule["id"] for rule in done.results["rules"]}
    assert {"LOCKOUT-1", "LOCKOUT-10", "VERIFY-1"} <= ids


def test_rule_that_no_check_judges_is_not_selected(otpspec: Run, reference_server: Server) -> None:
    done = check(otpspec, reference_server, "-k", "load-1")

    assert (done.code, done.out) == (2, "")
    assert done.err == "No rule is selected by -k 'load-1'.\nTry: otpspec rules\n"


def test_rule_of_another_standard_is_refused_before_anything_is_sent(otpspec: Run) -> None:
    done = otpspec("check", "safekey-reference", "-k", "verify-1", "--standard", "psd2")

    assert (done.code, done.out) == (2, "")
    assert done.err == "VERIFY-1 is no rule of psd2.\nTry: otpspec rules --standard psd2\n"


def test_replay_line_repeats_its_rule_alone_and_shows_it_as_it_is(
    otpspec: Run, never_expires: Server, known: Callable[..., list[str]]
) -> None:
    words = known("EXPIRY-2", until="2020-02-29")
    told = check(otpspec, never_expires, *words, "-k", "EXPIRY-2").rule("EXPIRY-2")
    replay = next(one["replay"] for one in told["evidence"] if one["replay"])

    done = otpspec(*shlex.split(replay)[1:])

    assert done.code == 1
    assert [rule["id"] for rule in done.results["rules"]] == ["EXPIRY-2"]
    assert done.rule("EXPIRY-2")["known"] is None
