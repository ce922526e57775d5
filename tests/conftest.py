"""What the tests share: real servers, each a process of its own, and the real command."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

pytest_plugins = ["pytester"]

TOKEN = "a-token-of-the-tests"
COMMAND = str(Path(sys.executable).with_name("otpspec"))


def pytest_configure() -> None:
    """Ctrl-C reaches the processes of tests that were begun in the background, too: a shell has
    such tests ignore it, and whatever they start would inherit that."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@dataclass(frozen=True)
class Server:
    """A reference server that listens, with its test hooks on."""

    url: str
    process: subprocess.Popen[str]
    token: str = TOKEN

    def hook(self, path: str, body: Any = None, *, method: str | None = None) -> Any:
        """Ask one of its test hooks, behind the back of the harness."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"X-Test-Token": self.token, "Content-Type": "application/json"}
        asked = urllib.request.Request(self.url + path, data, headers, method=method)
        with urllib.request.urlopen(asked, timeout=5) as answer:
            return json.load(answer)


@dataclass(frozen=True)
class Done:
    """What a run of the command came to."""

    code: int
    out: str
    err: str
    folder: Path

    @property
    def results(self) -> dict[str, Any]:
        """What it wrote."""
        found: dict[str, Any] = json.loads((self.folder / "results.json").read_text())
        return found

    def rule(self, rule_id: str) -> dict[str, Any]:
        """The result of one rule."""
        return next(rule for rule in self.results["rules"] if rule["id"] == rule_id)


def environment(**more: str) -> dict[str, str]:
    """The tests' environment with a token, and without what would change a run."""
    ours = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "OTPSPEC_"))}
    return {**ours, "OTPSPEC_TEST_TOKEN": TOKEN, "COLUMNS": "100", "NO_COLOR": "1", **more}


def end(process: subprocess.Popen[str]) -> None:
    """End a process that a test has started."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(5)
    for stream in (process.stdout, process.stderr):
        if stream:
            stream.close()


@pytest.fixture(scope="session")
def serve() -> Iterator[Callable[..., Server]]:
    """Starts reference servers on free ports: serve("--mutant", "never-expires")."""
    started: list[subprocess.Popen[str]] = []

    def start(*options: str) -> Server:
        words = [sys.executable, "-m", "otpspec_reference", "--port", "0", "--test-hooks", *options]
        process = subprocess.Popen(
            words, stdout=subprocess.PIPE, text=True, env=environment(), cwd=Path(__file__).parent
        )
        started.append(process)
        assert process.stdout is not None
        first = process.stdout.readline().strip()
        assert first.startswith("otpspec reference server on http://127.0.0.1:"), first
        return Server(first.rpartition(" ")[2], process)

    yield start
    for process in started:
        end(process)


@pytest.fixture(scope="session")
def reference_server(serve: Callable[..., Server]) -> Server:
    """The strict reference server. Its clock is moved by whoever has the lease."""
    return serve()


@pytest.fixture
def otpspec(tmp_path: Path) -> Callable[..., Done]:
    """Runs the real command to its end: otpspec("check", "safekey-reference")."""

    def run(*words: str, cwd: Path = tmp_path, timeout: float = 60, **more: str) -> Done:
        done = subprocess.run(
            [COMMAND, *words],
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            env=environment(**more),
            cwd=cwd,
        )
        return Done(done.returncode, done.stdout, done.stderr, cwd / "otpspec-report")

    return run


@pytest.fixture(scope="session")
def begin() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Begins the real command, for tests that do not wait for it: begin("check", …, cwd=…)."""
    begun: list[subprocess.Popen[str]] = []

    def start(*words: str, cwd: Path) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [COMMAND, *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(),
            cwd=cwd,
            start_new_session=True,  # so that a test can see whether it leaves any process behind
        )
        begun.append(process)
        return process

    yield start
    for process in begun:
        end(process)
