"""--plan says what a check takes, sends nothing, and a check then takes just that."""

import re
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.cards.bank import bank, profile

Otpspec = Callable[..., Any]

JUMPS = "  lasts     as long as its requests do: the clock jumps\n"


def planned(text: str, name: str) -> int:
    """A number of the plan."""
    found = re.search(rf"^  {name} +(?:about )?([\d,]+)", text, re.MULTILINE)
    assert found is not None, text
    return int(found[1].replace(",", ""))


@pytest.mark.parametrize(
    "words",
    [
        ("-k", "(LOCKOUT or EXPIRY or CONTACT or REPLAY) and not race"),
        ("-k", "PRIVACY-3 or ISSUE-5 or PRIVACY-2", "--deep"),
    ],
)
def test_check_takes_what_the_plan_says(
    otpspec: Otpspec, tmp_path: Path, words: tuple[str, ...]
) -> None:
    with bank() as ours:
        given = ("safekey-reference", "--base-url", ours.url, "--seed", "7", *words)
        plan = otpspec("check", *given, "--plan")
        assert not ours.asked
        done = otpspec("check", *given)
        asked, messages, cards = ours.operations, ours.messages, ours.known()

    assert plan.code == 0
    assert done.code in (0, 3), done.err
    assert planned(plan.out, "requests") == len(asked) - 1  # one card is enrolled to look for it
    assert planned(plan.out, "cards") == len(cards) - 1
    assert planned(plan.out, "messages") == messages


def test_one_rule_takes_no_more_of_the_given_cards_than_the_plan_says(
    otpspec: Otpspec, tmp_path: Path
) -> None:
    with bank() as ours:
        ours.enrol(14)
        words = ("check", str(profile(tmp_path, ours)), "-k", "LOCKOUT-4", "--seed", "7")
        plan = otpspec(*words, "--plan")
        assert not ours.asked
        assert not (tmp_path / "acs.cards.json").exists()
        done = otpspec(*words)
        asked, messages = ours.operations, ours.messages

    assert done.code == 0, done.err
    first = f"card 1 (…{ours.rows[0]['pan'][-4:]})"
    assert plan.out == (
        f"plan for {tmp_path / 'acs.toml'}: nothing was sent\n"
        "  scenarios 1\n"
        "  cards     14, at most 2 in one scenario\n"
        f"  locks     {first}\n"
        f"  requests  {len(asked)}, and those that read messages and clock\n"
        f"  messages  {messages} to phone: they may cost money\n" + JUMPS
    )
    assert messages <= 5  # one for each card that was cleaned, and the scenario's own
    assert '"card 1 (' in (tmp_path / "acs.cards.json").read_text()


def test_many_rules_take_about_what_the_plan_says(otpspec: Otpspec, tmp_path: Path) -> None:
    with bank() as ours:
        ours.enrol(14)
        words = ("check", str(profile(tmp_path, ours)), "-k", "LOCKOUT or test_contact or REPLAY")
        plan = otpspec(*words, "--plan")
        done = otpspec(*words)
        asked, messages = ours.operations, ours.messages

    assert done.code == 0, done.err
    assert "  requests  about " in plan.out
    assert "  messages  about " in plan.out
    assert planned(plan.out, "requests") == pytest.approx(len(asked), rel=0.1)
    assert planned(plan.out, "messages") == pytest.approx(messages, rel=0.1)


def test_plan_needs_nobody_who_answers(otpspec: Otpspec) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        url = f"http://127.0.0.1:{gone.getsockname()[1]}"
    done = otpspec("check", "safekey-reference", "--base-url", url, "--plan", COLUMNS="80")

    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("plan for safekey-reference: nothing was sent\n  scenarios ")
    assert done.out.endswith(JUMPS)
    assert re.search(r"^  cards +\d+ are enrolled\n  locks +\d+ of them are locked", done.out, re.M)
    assert all(len(line) <= 80 for line in done.out.splitlines())
    assert not done.folder.exists()


@pytest.mark.parametrize(
    ("more", "lasts"),
    [
        ((), "10 min 31 s of waiting, and the requests"),
        (("--max-wait", "5m"), "0 s of waiting, and the requests"),
        (
            ("--set", "target.max_rate=6/m"),
            "10 min 31 s of waiting and 1 min 20 s of requests at 6/m, partly at once",
        ),
    ],
)
def test_plan_says_how_long_it_lasts_where_nobody_moves_the_clock(
    otpspec: Otpspec, more: tuple[str, ...], lasts: str
) -> None:
    words = ("check", "safekey-reference", "-k", "EXPIRY-5", "--set", "clock.kind=real")
    done = otpspec(*words, "--plan", *more)

    assert done.code == 0
    assert done.out.splitlines()[-1] == f"  lasts     {lasts}"


def test_too_few_cards_are_said_by_plan_and_check_alike(otpspec: Otpspec, tmp_path: Path) -> None:
    with bank() as ours:
        ours.enrol(2)
        path = profile(tmp_path, ours, without=("enroll", "unlock"))
        words = ("check", str(path), "-k", "LOCKOUT-1")
        plan = otpspec(*words, "--plan", COLUMNS="80")
        done = otpspec(*words, COLUMNS="80")
        asked = ours.asked

    assert (plan.code, done.code) == (2, 2)
    assert plan.out.startswith("plan for ")
    assert done.err == plan.err
    assert done.err == (
        "The check needs 5 cards, and the profile has 2; it locks 2 for good.\n"
        "Nothing was sent.\n"
        "Try: list more in [cards]; add [operations.unlock], so that a card can be used again; "
        "or check fewer rules with -k.\n"
    )
    assert not asked
    assert not (tmp_path / "acs.cards.json").exists()


def test_no_more_cards_are_locked_for_good_than_allowed(otpspec: Otpspec, tmp_path: Path) -> None:
    with bank() as ours:
        ours.enrol(8)
        cards = 'csv = "cards.csv"\nmax_locked = 1'
        path = profile(tmp_path, ours, without=("enroll", "unlock"), cards=cards)
        done = otpspec("check", str(path), "-k", "LOCKOUT-1")
        asked = ours.asked
        with_unlock = otpspec("check", str(profile(tmp_path, ours, cards=cards)), "-k", "LOCKOUT-1")

    assert done.code == 2
    assert done.err == (
        "The check would lock 2 cards for good, and cards.max_locked is 1.\n"
        "Nothing was sent.\n"
        "Try: add [operations.unlock]; leave rules out with -k; or raise cards.max_locked.\n"
    )
    assert not asked
    assert with_unlock.code == 0, with_unlock.err
