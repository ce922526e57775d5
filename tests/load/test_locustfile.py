"""The same people under Locust's own command line."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from otpspec_scenarios import load

FILE = Path(str(load.__file__)).with_name("locustfile.py")


def locust(*options: str, token: str) -> "subprocess.CompletedProcess[str]":
    words = [sys.executable, "-m", "locust", "-f", str(FILE), "--headless", "--only-summary"]
    return subprocess.run(
        [*words, "-u", "4", "-r", "4", "-t", "3s", *options],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "OTPSPEC_TEST_TOKEN": token},
    )


def test_strict_server_is_clean(serve: Callable[..., Any]) -> None:
    server = serve()

    done = locust("--otp-target", "safekey-reference", "--host", server.url, token=server.token)

    assert done.returncode == 0, done.stderr
    assert "verify" in done.stdout + done.stderr
    assert "Error report" not in done.stdout + done.stderr


def test_broken_rule_is_a_failure_with_its_name(serve: Callable[..., Any]) -> None:
    server = serve("--mutant", "used-code-accepted")

    done = locust("--otp-target", "safekey-reference", "--host", server.url, token=server.token)

    assert done.returncode == 1
    assert "POST verify: REPLAY-1: approved, expected void" in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("safekey-refernce", "did you mean safekey-reference?"),
        ("safekey-reference", "cannot be read (connection refused)"),
    ],
)
def test_target_that_cannot_be_used_ends_locust_with_2(
    target: str, said: str, unused_port: int
) -> None:
    done = locust(
        *("--otp-target", target, "--host", f"http://127.0.0.1:{unused_port}"), token="any"
    )

    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
