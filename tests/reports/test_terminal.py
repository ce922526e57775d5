"""The terminal's table: what matters, at 80 columns, with or without colour."""

import io
import re
import shlex

import pytest
from rich.console import Console

from otpspec.results import Evidence, Results
from otpspec_reports import table
from otpspec_reports.terminal import continued

from . import samples
from .samples import BROKEN, INCONCLUSIVE, NOT_APPLICABLE, everything, poisoned, results, rule


def shown(run: Results, *, width: int = 80, colour: bool = False) -> str:
    screen = io.StringIO()
    Console(
        file=screen,
        width=width,
        force_terminal=colour,
        color_system="truecolor" if colour else None,
    ).print(table(run))
    return screen.getvalue()


def test_a_run_that_conforms_is_a_line_for_each_rule_and_one_to_close() -> None:
    assert shown(results()) == (
        "✓ EXPIRY-1   MUST    passed          the right code is accepted until T\n"
        "✓ LOCKOUT-1  MUST    passed          N wrong codes lock the card: the right one…\n"
        "\n"
        "conformant: 2 passed, 0 broken, 0 not applicable, 0 inconclusive\n"
    )


def test_a_broken_rule_has_a_block_as_the_style_page_shows_it() -> None:
    assert (
        "\n"
        "EXPIRY-2 MUST  broken\n"
        "  rule      the right code is refused after its validity (10 minutes)\n"
        '  source    SafeKey: "valid only for 10 minutes"; OWASP ASVS 5.0 6.5.5; NIST SP\n'
        "            800-63B-4\n"
        "  expected  refused 601.0 s after it was sent\n"
        "  got       approved (HTTP 200)\n"
        "  measured  last age accepted 600.98 to 601.02 s; first age refused none\n"
        "  replay    otpspec check acs.toml -k EXPIRY-2 --seed 7\n"
        "\n"
        "1 rule broken: 0 passed, 1 broken, 0 not applicable, 0 inconclusive\n"
    ) in shown(results([samples.expiry_2()]))


def test_a_broken_rule_without_a_finding_tells_its_reason() -> None:
    text = shown(results([rule("A-1", BROKEN, "s", level="SHOULD", reason="1,000 starts")]))

    assert "\nA-1 SHOULD  broken\n  rule      s\n" in text
    assert "  reason    1,000 starts\n" in text


def test_findings_with_one_replay_tell_it_once() -> None:
    evidence = [
        Evidence(scenario="s", verdict=BROKEN, expected="refused", got=got, replay="otpspec again")
        for got in ("approved", "done")
    ]

    assert (
        "  expected  refused\n"
        "  got       approved\n"
        "  expected  refused\n"
        "  got       done\n"
        "  replay    otpspec again\n"
        "\n"
    ) in shown(results([rule("A-1", BROKEN, evidence=evidence)]))


def test_findings_beyond_three_are_counted() -> None:
    evidence = [
        Evidence(scenario="s", verdict=BROKEN, expected="refused", got=f"approved {n}")
        for n in range(5)
    ]

    text = shown(results([rule("A-1", BROKEN, evidence=[*evidence, evidence[0]])]))

    assert text.count("  expected  refused\n") == 3
    assert "  and       2 more ways; the report shows each\n" in text


def test_a_reason_is_told_once_with_the_rules_that_it_holds_for() -> None:
    rules = [
        rule("A-1", INCONCLUSIVE, reason="nothing overlapped"),
        rule("A-2", INCONCLUSIVE, reason="nothing overlapped"),
        rule("A-3", NOT_APPLICABLE, reason="no 3CSC", waived="another channel"),
    ]

    assert (
        "\n"
        "inconclusive\n"
        "  nothing overlapped\n"
        "    A-1, A-2\n"
        "\n"
        "not applicable\n"
        "  no 3CSC (waived: another channel)\n"
        "    A-3\n"
    ) in shown(results(rules))


def test_load_figures_fit() -> None:
    assert (
        "load\n"
        "  open: 100 journeys/s, for 2 min: 36,003 requests at 300.0/s, 139 failures,\n"
        "  35,864 answers judged\n"
        "  note  The generator was 3.1 ms late at worst: the figures are the target's.\n"
    ) in shown(everything())
    assert re.search(
        r"^  verify +23,391 +194\.9 +139 +12\.6 +26\.5 +66\.8 +176 +688 *$",
        shown(everything()),
        re.MULTILINE,
    )


@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_line_is_wider_than_the_screen(width: int) -> None:
    assert max(map(len, shown(everything(), width=width).splitlines())) <= width


def test_colour_adds_nothing_but_colour() -> None:
    coloured = shown(everything(), colour=True)

    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == shown(everything())


def test_markup_and_escapes_of_a_target_are_shown_and_do_nothing() -> None:
    text = shown(poisoned(results([samples.expiry_2()]), "[red]x[/red]\x1b[2J\n\u202e"))

    assert r"[red]x[/red]\x1b[2J \u202e" in text
    assert "\x1b" not in text


def test_notes_and_caveats_stand_before_the_closing_line() -> None:
    text = shown(results(complete=False, notes=["The clock was moved by someone else."]))

    assert text.endswith(
        "\n"
        "  note  The clock was moved by someone else.\n"
        "  interrupted: holds what was measured so far\n"
        "inconclusive: 2 passed, 0 broken, 0 not applicable, 0 inconclusive\n"
    )


def test_a_run_that_checked_nothing_says_so() -> None:
    assert shown(results([])) == (
        "\n"
        "  no rule came to a verdict, so this says nothing about the target\n"
        "nothing was checked: 0 passed, 0 broken, 0 not applicable, 0 inconclusive\n"
    )


COMMANDS = [
    "otpspec check acs.toml -k EXPIRY-2 --seed 7",
    "otpspec check 'a directory/with spaces/in its name.toml' -k \"EXPIRY-2 or RACE-2\" --seed 7",
    "otpspec check acs.toml --note it\\'s --note 'two  spaces'",
    "otpspec " + " ".join(f"--option-{n} value" for n in range(12)),
]


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("width", [20, 40, 68])
def test_a_long_command_can_be_copied_whole(command: str, width: int) -> None:
    lines = continued(command, width)

    assert shlex.split("\n".join(lines).replace("\\\n", "")) == shlex.split(command)
    assert all(line.endswith(" \\") for line in lines[:-1])


def test_a_command_of_unmatched_quotes_is_still_shown() -> None:
    assert continued('a "b c', 4) == ["a \\", '  "b \\', "  c"]
