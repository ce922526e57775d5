"""What a person sees: 80 columns, colours on a terminal only, and a way out at any time."""

import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import COMMAND, environment
from tests.doctor.pasting import REFERENCE, changed
from tests.harness.scripted import scripted

Server = Any
Done = Any
PASTED = re.compile(r"^ {12}(\{ .*\},|\w+ = .*)$")


def test_page_is_at_most_80_columns_wide_but_for_what_is_pasted(
    otpspec: Callable[..., Done], reference_server: Server, tmp_path: Path
) -> None:
    text = changed(
        ('    { status = 403, json = { status = "wrong_csc" }, outcomes = "wrong_csc" },\n', "")
    )
    (tmp_path / "acs.toml").write_text(text)

    done = otpspec("doctor", "acs.toml", "--base-url", reference_server.url, COLUMNS="80")

    assert done.code == 3
    assert "\x1b" not in done.out
    wide = [line for line in done.out.splitlines() if len(line) > 80]
    assert [line for line in wide if not PASTED.match(line)] == []
    line = '            { status = 403, json = { status = "wrong_csc" }, outcomes = "wrong_csc" },'
    assert line in done.out.splitlines(), "it can be copied in one piece"
    assert done.out.startswith("otpspec doctor acs.toml\n")
    assert "No rule was judged: that is what otpspec check is for." in done.out
    assert f"  next      otpspec doctor acs.toml --base-url {reference_server.url}" in done.out


def test_a_step_reads_as_asked_answered_and_made_of_it(
    otpspec: Callable[..., Done], reference_server: Server
) -> None:
    words = ("doctor", "safekey-reference", "--base-url", reference_server.url)

    done = otpspec(*words, COLUMNS="80")

    begin = done.out.index("✓ verify, a wrong code")
    block = done.out[begin : done.out.index("\n\n", begin)]
    block = re.sub(r"transactions/[\w-]+", "transactions/ID", block)
    assert re.sub(r"\d+ ms", "1 ms", block) == (
        "✓ verify, a wrong code\n"
        "  asked     POST /transactions/ID/verify\n"
        '            {"otc": "•••"}\n'
        "  answer    HTTP 403, 1 ms\n"
        '            {"status": "wrong_otc", "tries_left": 2}\n'
        "  read as   wrong_otc, by answers[1]"
    )


def test_a_terminal_gets_colours(reference_server: Server, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 80, 0, 0))
    env = {k: v for k, v in environment().items() if k not in ("NO_COLOR", "COLUMNS")}
    words = [COMMAND, "doctor", "safekey-reference", "--base-url", reference_server.url]
    process = subprocess.Popen(
        words, stdout=theirs, stderr=subprocess.DEVNULL, env={**env, "TERM": "xterm"}, cwd=tmp_path
    )
    os.close(theirs)
    said = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
        said += piece
        if not piece:
            break
    os.close(ours)

    assert process.wait(30) == 0
    text = said.decode()
    assert "\x1b[32m✓ " in text
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
    assert max(map(len, plain.splitlines())) <= 80


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_visit_shows_what_was_tried(
    begin: Callable[..., "subprocess.Popen[str]"],
    reference_server: Server,
    tmp_path: Path,
    number: int,
) -> None:
    poll = changed(('query = { to = "{contact}" }', 'query = { to = "+9990000000000" }'))
    (tmp_path / "acs.toml").write_text(poll.replace('wait = "5s"', 'wait = "60s"'))
    process = begin("doctor", "acs.toml", "--base-url", reference_server.url, cwd=tmp_path)
    time.sleep(4)

    process.send_signal(number)
    out, _ = process.communicate(timeout=20)

    assert process.returncode == 130
    assert "✓ enroll" in out
    assert "The visit was cut short: this is what was tried." in out


def test_a_target_that_is_not_there_is_said_as_everywhere(otpspec: Callable[..., Done]) -> None:
    done = otpspec("doctor", "safekey-reference", "--base-url", "http://127.0.0.1:9")

    assert done.code == 2
    assert done.err.startswith("No answer from http://127.0.0.1:9 (connection refused).\n")
    assert done.out == ""


def test_mistakes_of_the_profile_are_said_all_at_once(
    otpspec: Callable[..., Done], tmp_path: Path
) -> None:
    text = REFERENCE.replace("base_url =", "base_ulr =").replace(
        'base = "safekey"', "validity = 300"
    )
    (tmp_path / "acs.toml").write_text(text)

    done = otpspec("doctor", "acs.toml", "--json")

    assert done.code == 2
    assert done.err.startswith("acs.toml: 2 problems\n")
    assert done.out == ""


def test_a_target_that_answers_nonsense_is_read_to_the_end(
    otpspec: Callable[..., Done], tmp_path: Path
) -> None:
    """Control characters of a stranger's must not reach the terminal."""
    with scripted(lambda asked: (500, b"\x1b[2J\x07boom\xff")) as server:
        words = ("--base-url", server.url, "--set", "clock.kind=real")
        done = otpspec("doctor", "safekey-reference", *words)

    assert done.code == 3
    assert "\x1b" not in done.out
    assert "\x07" not in done.out
    assert "the target failed at POST /cards: see its own log" in done.out


def test_data_is_the_same_as_the_page(
    otpspec: Callable[..., Done], reference_server: Server
) -> None:
    words = ("doctor", "safekey-reference", "--base-url", reference_server.url)

    found = json.loads(otpspec(*words, "--json").out)
    page = otpspec(*words).out

    assert found["format"] == 1
    assert [step["name"] for step in found["steps"]] == re.findall(r"(?m)^[✓✗!-] (.*)$", page)
