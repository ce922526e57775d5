"""A target that answers as a test wants it to, and the running of one scenario against it."""

import itertools
import random
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from otpspec import Trial
from otpspec.profile import load
from otpspec.runner import Finished, Runner, Scenario

from .samples import PROFILE, written
from .scripted import Asked, Said, Scripted, scripted

ANSWERS = {
    "enroll": "/cards",
    "start": "/transactions",
    "verify": "/verify",
    "outbox": "/outbox",
    "resend": "/resend",
}

RESEND = """
[operations.resend]
method = "POST"
path = "/transactions/{challenge.id}/resend"
answers = [{ status = 202, outcomes = "done" }, { status = 423, outcomes = "locked" }]
"""


class Bank:
    """Enrols cards, sends codes and approves the right ones; a test replaces single answers.

    `answers` is by operation: what it says, or a function of what was asked, None for no change.
    """

    def __init__(self, **answers: Said | Callable[[Asked], Said | None]) -> None:
        self.answers = answers
        self.messages: list[dict[str, Any]] = []
        self.codes: dict[str, str] = {}
        self.phones: dict[str, str] = {}
        self.text = "Code {code}."
        self.copies = 1
        self._ids = itertools.count(1)
        self._random = random.Random(5)

    def __call__(self, asked: Asked) -> Said:
        operation = next(o for o, path in reversed(ANSWERS.items()) if path in asked.target)
        wanted = self.answers.get(operation)
        said = wanted(asked) if callable(wanted) else wanted
        if said is not None:
            return said
        return getattr(self, "_" + operation)(asked)  # type: ignore[no-any-return]

    def _enroll(self, asked: Asked) -> Said:
        card = f"card-{next(self._ids)}"
        self.phones[card] = asked.json["phone"]
        return 201, {"card_id": card}

    def _start(self, asked: Asked) -> Said:
        transaction = f"tx-{next(self._ids)}"
        self.send(transaction, self.phones[asked.json["card"]])
        return 201, {"transaction_id": transaction}

    def send(self, transaction: str, phone: str) -> None:
        code = self.codes[transaction] = f"{self._random.randrange(10**6):06}"
        for _ in range(self.copies):
            text = self.text.format(code=code)
            self.messages.append({"seq": next(self._ids), "to": phone, "text": text})

    def _verify(self, asked: Asked) -> Said:
        right = self.codes[asked.target.split("/")[2]] == asked.json.get("otc")
        return (200, {"status": "approved"}) if right else (403, {"status": "wrong"})

    def _resend(self, asked: Asked) -> Said:
        transaction = asked.target.split("/")[2]
        self.send(transaction, next(reversed(self.phones.values())))
        return 202, {}

    def _outbox(self, asked: Asked) -> Said:
        to = parse_qs(urlsplit(asked.target).query)["to"][0]
        return 200, {"messages": [m for m in self.messages if m["to"] == to]}


Play = Callable[[Trial], Awaitable[None]]


def run_all(bank: Bank, *plays: Play, changes: tuple[str, ...] = ()) -> list[Finished]:
    """What scenarios that run at once come to at a bank."""
    with scripted(bank) as server:
        return play_at(server, *plays, changes=changes)


def play_at(server: Scripted, *plays: Play, changes: tuple[str, ...] = ()) -> list[Finished]:
    """The same at a server that runs."""
    quick = ("inbox.wait=150ms", "inbox.quiet=10ms")
    with tempfile.TemporaryDirectory() as folder:
        source = written(Path(folder), PROFILE + RESEND)
        profile = load(source, base_url=server.url, changes=[*quick, *changes])
    runner = Runner(profile, seed=7)
    runner.open()
    try:
        scenarios = [Scenario(f"{play.__name__}-{n}", (), play) for n, play in enumerate(plays)]
        runner.start(scenarios)
        return [runner.result(scenario) for scenario in scenarios]
    finally:
        runner.close()


def run(bank: Bank, play: Play, *changes: str) -> Finished:
    """What one scenario comes to at a bank."""
    return run_all(bank, play, changes=changes)[0]
