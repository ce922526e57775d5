"""From `otpspec init` to true verdicts on a JSON API that it has never seen: by its questions."""

import os
import pty
import re
import select
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import COMMAND, environment
from tests.stand_ins.started import CLOCK, stand_in

Run = Callable[..., Any]
KEY = "a-key-of-the-tests"
SERVER = ["--names", "other", "--token", KEY, "--validity", "300", "--digits", "8"]
SERVER += ["--max-wrong", "4", "--lock-for", "1800", "--csc-from", "100"]

ANSWERS = {
    "base_url": "",  # its own
    "validity": "5m",
    "digits": "8",
    "max_wrong": "4",
    "lock": "30m",
    "csc": "sometimes",
    "inbox": "http",
    "poll": "GET /v2/_sms/{contact}",
    "messages": "@",
    "message_id": "n",
    "message_text": "body",
    "header": "X-Api-Key: {env.SHOP_KEY}",
    "enroll": 'PUT /v2/clients {"mobile": "{card.phone}", "secNo": "{card.csc}"}',
    "card_id": "client.no",
    "start": 'POST /v2/orders {"order": {"client": "{card.id}", "sum": "{amount}"}}',
    "started": "ok=true",
    "transaction_id": "order.no",
    "verify": 'POST /v2/orders/check {"order": "{challenge.id}", "pin": "{otc}", "secNo": "{csc}"}',
    "approved": "200 ok=true paid=true",
    "wrong": "why=WRONG_CODE",
    "wrong_csc": "why=WRONG_CSC",
    "malformed": "why=MALFORMED",
    "locked": "why=LOCKED",
    "expired": "why=GONE",
    "used": "why=GONE",
    "resend": "-",
    "unlock": "-",
}
"""The API, as its documentation says it: in the order of the questions."""


class Terminal:
    """`otpspec init` on a terminal, and someone who types."""

    def __init__(self, folder: Path, *words: str) -> None:
        ours, theirs = pty.openpty()
        self._ours, self.text = ours, ""
        self.process = subprocess.Popen(
            [COMMAND, "init", *words],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=folder,
            env=environment(COLUMNS="80", TERM="dumb"),
            start_new_session=True,
        )
        os.close(theirs)

    def until(self, pattern: str) -> str:
        """Read until something is said; all that was said since the last time."""
        begin = len(self.text)
        while not re.search(pattern, self.text[begin:]):
            ready, _, _ = select.select([self._ours], [], [], 20)
            assert ready, f"nothing after: {self.text[begin:]}"
            try:
                self.text += os.read(self._ours, 4096).decode().replace("\r\n", "\n")
            except OSError:  # the other side has ended
                break
        return self.text[begin:]

    def type(self, line: str) -> None:
        """Type a line."""
        os.write(self._ours, line.encode() + b"\n")

    def end(self) -> int:
        """Its exit code."""
        code = self.process.wait(20)
        os.close(self._ours)
        return code


PROMPT = r"\]: $"


def judged(otpspec: Run) -> dict[str, str]:
    """The verdicts of a check with acs.toml."""
    done = otpspec("check", "acs.toml", "--set", CLOCK, "--seed", "7", timeout=120, SHOP_KEY=KEY)
    return {rule["id"]: rule["verdict"] for rule in done.results["rules"]}


def test_answers_on_a_terminal_make_a_profile_with_true_verdicts(
    otpspec: Run, tmp_path: Path
) -> None:
    with stand_in("json_api", *SERVER) as url:
        terminal = Terminal(tmp_path)
        for name, answer in {**ANSWERS, "base_url": url}.items():
            said = terminal.until(PROMPT)
            if name == "start":  # what cannot be used is asked for again
                terminal.type("orders")
                said = terminal.until(PROMPT)
                assert 'Error: "orders" is not a request; write it like: POST /payments' in said
            terminal.type(answer)
        said = terminal.until(r"check acs\.toml\n")

        assert terminal.end() == 0
        assert said.endswith("Next:\n  otpspec doctor acs.toml\n  otpspec check acs.toml\n")
        verdicts = judged(otpspec)

    assert {n for n, v in verdicts.items() if v in ("broken", "inconclusive")} == set()
    expected = (
        "ISSUE-2 DELIVER-3 VERIFY-1 VERIFY-5 EXPIRY-1 EXPIRY-2 LOCKOUT-1 LOCKOUT-2 LOCKOUT-3 "
    )
    expected += "LOCKOUT-6 CSC-1 CSC-2 CSC-5 CSC-7 REPLAY-1 BINDING-1 INPUT-1 INPUT-6"
    assert {n for n, v in verdicts.items() if v == "passed"} >= set(expected.split())


def test_the_same_answers_as_options_make_the_same_profile_and_find_what_is_broken(
    otpspec: Run, tmp_path: Path
) -> None:
    options = [f"--{name.replace('_', '-')}={answer}" for name, answer in ANSWERS.items() if answer]
    with stand_in("json_api", *SERVER, "--max-wrong", "6") as url:
        begun = otpspec("init", "--base-url", url, *options)
        assert (begun.code, begun.err) == (0, "")
        verdicts = judged(otpspec)

    broken = {n for n, v in verdicts.items() if v == "broken"}
    assert {"LOCKOUT-1", "LOCKOUT-3", "ISSUE-5"} <= broken
    assert {n for n in broken if not n.startswith(("LOCKOUT", "ISSUE-5", "RACE", "CSC-7"))} == set()
    assert verdicts["VERIFY-1"] == verdicts["EXPIRY-2"] == verdicts["CSC-2"] == "passed"


def test_a_question_that_an_option_answers_is_not_asked(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, "--base-url", "http://127.0.0.1:1", "--validity", "5m")

    first = terminal.until(PROMPT)

    assert first == ("As it is declared to your users.\nHow many digits has a code? [6]: ")
    terminal.type("\x04")  # Ctrl-D
    terminal.until(r"Interrupted before anything was measured\.")
    assert terminal.end() == 130
    assert not (tmp_path / "acs.toml").exists()


@pytest.mark.parametrize("words", [["--yes"], ["--from", "json-api"]])
def test_nothing_is_asked_where_a_template_or_yes_says_so(tmp_path: Path, words: list[str]) -> None:
    terminal = Terminal(tmp_path, *words)

    said = terminal.until(r"check acs\.toml\n")

    assert said.startswith("acs.toml: a profile for http://127.0.0.1:8080, begun with json-api.\n")
    assert terminal.end() == 0
