"""One run of `otpspec check` against a stranger, with the profile of its shape."""

import json
import os
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .stranger import HERE, SUPPORT_TOKEN, TEXTGATE_USER, cards_csv, free_port, stranger

COMMAND = str(Path(sys.executable).with_name("otpspec"))
REAL_VALIDITY = "8"
"""Seconds, where nobody can move the time: a run takes two of them, and a little."""


@dataclass(frozen=True)
class Verdicts:
    """What a run came to."""

    code: int
    said: str = field(repr=False)
    rules: dict[str, dict[str, Any]] = field(repr=False)

    def of(self, verdict: str) -> dict[str, str]:
        """The rules of one verdict, each with its reason."""
        return {n: r["reason"] for n, r in self.rules.items() if r["verdict"] == verdict}

    @property
    def broken(self) -> set[str]:
        """The rules that are reported broken."""
        return set(self.of("broken"))


@dataclass(frozen=True)
class Run:
    """A check that is under way."""

    process: subprocess.Popen[str]
    folder: Path

    def end(self, *, timeout: float = 150) -> Verdicts:
        """Wait for its verdicts."""
        out, err = self.process.communicate(timeout=timeout)
        file = self.folder / "otpspec-report" / "results.json"
        assert file.exists(), out + err
        rules = {rule["id"]: rule for rule in json.loads(file.read_text())["rules"]}
        return Verdicts(self.process.returncode, out + err, rules)


class Setup:
    """What a server is started with, and the profile and options of its check."""

    def __init__(self, shape: str, folder: Path, odd: str, changes: Sequence[str]) -> None:
        self.shape = shape
        self.server: list[str] = []
        self.check = [f"--set={change}" for change in changes]
        self._profile = (HERE / f"{shape}.toml").read_text()
        if shape != "json200":
            self._inboxes(two="two-channels" in odd)
            if not any(change.startswith("policy.validity") for change in changes):
                self.server += ["--validity", REAL_VALIDITY]
                self.check += [f"--set=policy.validity={REAL_VALIDITY}s"]
        if shape == "form":
            self.server += ["--cards", str(cards_csv(folder))]
        (folder / f"{shape}.toml").write_text(self._profile)

    def _inboxes(self, *, two: bool) -> None:
        kind, usual = ("smtp", "127.0.0.1:1025") if self.shape == "acsform" else SMS
        listen = f"127.0.0.1:{free_port()}"
        self._profile = self._profile.replace(usual, listen)
        self.server += [f"--{kind}", listen if kind == "smtp" else f"http://{listen}"]
        if two:
            listen = f"127.0.0.1:{free_port()}"
            self._profile = self._profile.replace("[inbox]", "[[inbox]]")
            self._profile += f'\n[[inbox]]\nkind = "sms"\nlisten = "{listen}"\nquiet = "600ms"\n'
            self.server += ["--sms", f"http://{listen}"]


SMS = ("sms", "127.0.0.1:8026")


@contextmanager
def checking(
    shape: str,
    folder: Path,
    *,
    bug: str = "",
    odd: str = "",
    args: Sequence[str] = (),
    changes: Sequence[str] = (),
    select: str = "",
) -> Iterator[Run]:
    """Begin a check of a stranger; both end with the block."""
    setup = Setup(shape, folder, odd, changes)
    faults = [
        word for kind, name in (("--bug", bug), ("--odd", odd)) if name for word in (kind, name)
    ]
    with stranger(shape, *setup.server, *faults, *args) as server:
        words = [f"{shape}.toml", "--base-url", server.url, "--seed", "7", *setup.check]
        words += ["-k", select or "not race"]  # races have tests of their own
        with begun(words, folder) as run:
            yield run


@contextmanager
def begun(words: Sequence[str], folder: Path) -> Iterator[Run]:
    """Begin `otpspec check` with these words; it ends with the block."""
    process = subprocess.Popen(
        [COMMAND, "check", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=_environment(),
        cwd=folder,
    )
    try:
        yield Run(process, folder)
    finally:
        if process.poll() is None:
            process.terminate()
            process.communicate(timeout=15)


def _environment() -> dict[str, str]:
    ours = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "OTPSPEC_"))}
    basic = b64encode(TEXTGATE_USER.encode()).decode()
    tokens = {"ACS_SUPPORT_TOKEN": SUPPORT_TOKEN, "TEXTGATE_BASIC": basic}
    return {**ours, **tokens, "COLUMNS": "120", "NO_COLOR": "1"}
