"""The server as a process: it says where it listens, serves, and ends when told to."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from .bank import code_in

PATH = os.pathsep.join(each for each in sys.path if each)


@contextmanager
def server(*options: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "otpspec_reference", "--port", "0", *options]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("OTPSPEC_")}
    process = subprocess.Popen(
        command,
        env={**clean, "PYTHONPATH": PATH, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().rstrip("\n")


def address(line: str) -> str:
    match = re.fullmatch(r"otpspec reference server on (http://127\.0\.0\.1:\d+)", line)
    assert match is not None, line
    return match[1]


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_one_transaction_through_and_a_signal_ends_it_with_0(ending: signal.Signals) -> None:
    token = {"X-Test-Token": "from-the-environment"}
    with server("--test-hooks", OTPSPEC_TEST_TOKEN="from-the-environment") as process:
        with httpx.Client(base_url=address(said(process)), headers=token) as client:
            card = {"pan": "4" * 16, "csc": "123", "phone": "+491701234321", "passphrase": "x"}
            card_id = client.post("/cards", json=card).json()["card_id"]
            payment = {"amount": "12.34", "currency": "EUR", "merchant": "Shop"}
            started = client.post("/transactions", json={"card_id": card_id, **payment}).json()
            (message,) = client.get("/test/outbox").json()["messages"]
            path = f"/transactions/{started['transaction_id']}/verify"
            approved = client.post(path, json={"otc": code_in(message["text"])})
            assert approved.json()["status"] == "approved"

            told = time.monotonic()
            process.send_signal(ending)  # while the connection is open

            assert process.wait(timeout=10) == 0
            assert time.monotonic() - told < 3
        out, err = process.communicate()
        assert (out, err) == ("", "")


def test_answers_are_not_held_back_by_nagle() -> None:
    with (
        server() as process,
        httpx.Client(base_url=address(said(process))) as client,
    ):
        client.get("/health")
        began = time.perf_counter()
        for _ in range(20):
            client.get("/health")

        assert (time.perf_counter() - began) / 20 < 0.03  # held back, each takes 40 ms


def test_random_token_is_printed_once() -> None:
    with server("--test-hooks") as process:
        url, (words, _, token) = address(said(process)), said(process).rpartition(" ")

        assert words == "test token"
        headers = {"X-Test-Token": token}
        assert httpx.get(url + "/test/clock", headers=headers).status_code == 200


def test_without_hooks_the_random_token_is_supports() -> None:
    with server() as process:
        url, (words, _, token) = address(said(process)), said(process).rpartition(" ")

        assert words == "support token"
        headers = {"Authorization": f"Bearer {token}"}
        answer = httpx.post(url + "/support/cards/nobody/unlock", headers=headers)
        assert answer.json() == {"status": "unknown_card"}


def test_mutant_says_what_is_broken_and_what_it_comes_with() -> None:
    with server("--mutant", "lock-ends-too-soon", "--lock-for", "8s") as process:
        address(said(process))

        assert said(process) == (
            "mutant lock-ends-too-soon (LOCKOUT-6): A lock is over after half of its declared time."
        )
        assert said(process) == "with --lock-for 8s"


def test_bad_command_line_ends_with_2_and_says_why() -> None:
    with server("--mutant", "no-luck") as process:
        out, err = process.communicate(timeout=10)

        assert (process.returncode, out) == (2, "")
        assert "--mutant no-luck  no such mutant; did you mean no-lock?" in err
