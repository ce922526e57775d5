"""The reference server in this process, its cards enrolled beforehand: whatever is asked of it is
counted, and a test sees what it keeps of a card."""

import csv
import json
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from tests.conftest import TOKEN

from otpspec.cards import new_card
from otpspec_reference import Settings, create_app

Row = dict[str, str]

MERCHANT = {"amount": "12.00", "currency": "GBP", "merchant": "Hand"}


@dataclass(frozen=True)
class Asked:
    """One request that came."""

    method: str
    path: str
    at: float  # seconds of a clock that nobody sets
    host: str  # as the caller names it


@dataclass
class Counter:
    """Notes every request before the app sees it."""

    app: ASGIApp
    asked: list[Asked] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Note it, and pass it on."""
        if scope["type"] == "http":
            host = dict(scope["headers"]).get(b"host", b"").decode()
            self.asked.append(Asked(scope["method"], scope["path"], time.monotonic(), host))
        await self.app(scope, receive, send)


class Bank:
    """A server that listens, and the hand with which a test uses its cards before a run."""

    def __init__(self, url: str, app: Any, counter: Counter) -> None:
        self.url = url
        self._app = app
        self._counter = counter
        self.rows: list[Row] = []

    # --- what was asked of it, and what it keeps -----------------------------------------------

    @property
    def asked(self) -> list[Asked]:
        """Every request so far."""
        return list(self._counter.asked)

    @property
    def operations(self) -> list[Asked]:
        """The requests of operations: without inbox and clock, and the look whether it is there."""
        return [a for a in self.asked if not a.path.startswith("/test/") and a.path != "/"]

    @property
    def messages(self) -> int:
        """How many messages it has sent so far."""
        return int(self._app.state.outbox._seq)

    def sent(self, to: str) -> list[str]:
        """The texts of the messages to a contact, the oldest first."""
        return [message.text for message in self._app.state.outbox.messages(to)]

    def kept(self, row: Row) -> Any:
        """What it keeps of a card: failures, locked_at, phone."""
        return self._app.state.safekey.store.cards[row["id"]]

    def locked(self) -> list[Row]:
        """The cards that are locked, of those that were enrolled by hand."""
        safekey = self._app.state.safekey
        return [row for row in self.rows if safekey.store.cards[row["id"]].locked_at is not None]

    def known(self) -> list[Any]:
        """All that it keeps of cards, also of those that a run has enrolled."""
        return list(self._app.state.safekey.store.cards.values())

    # --- by hand -------------------------------------------------------------------------------

    def enrol(self, count: int, *, phone: str | None = None) -> list[Row]:
        """Cards that the server knows, as the rows of a list; `phone`: the same for all."""
        for _ in range(count):
            row = {key[5:]: str(value) for key, value in new_card().values.items()}
            row |= {"phone": phone} if phone else {}
            row["id"] = self.ask("/cards", row)["card_id"]
            self.rows.append(row)
        return self.rows

    def fail(self, row: Row, times: int) -> None:
        """Send so many codes that are surely wrong: yesterday's run, or someone's hand."""
        started = self.ask("/transactions", {**MERCHANT, "card_id": row["id"]})
        right = self._app.state.outbox.messages(row["phone"])[-1].text
        wrong = next(c for c in ("000000", "111111") if c not in right)
        path = f"/transactions/{started['transaction_id']}/verify"
        for _ in range(times):
            self.ask(path, {"otc": wrong})

    def lock(self, *rows: Row) -> None:
        """Lock cards."""
        for row in rows:
            self.fail(row, self._app.state.settings.max_wrong)
            assert self.kept(row).locked_at is not None

    def ask(self, path: str, body: Mapping[str, str]) -> Any:
        """One request by hand; it is not counted."""
        before = len(self._counter.asked)
        sent = urllib.request.Request(self.url + path, json.dumps(body).encode())
        sent.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(sent, timeout=5) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as refused:
            with refused:
                return json.load(refused)
        finally:
            del self._counter.asked[before:]


@contextmanager
def bank(**settings: Any) -> Iterator[Bank]:
    """A server for as long as the block lasts."""
    app = create_app(Settings(test_hooks=True, test_token=TOKEN, **settings))
    counter = Counter(app)
    with served(counter) as url:
        yield Bank(url, app, counter)


@contextmanager
def served(app: ASGIApp) -> Iterator[str]:
    """An app that listens in a thread of its own; its URL."""
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="error", lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    until = time.monotonic() + 10
    while not server.started:
        assert time.monotonic() < until, "the server did not start"
        time.sleep(0.005)
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        listening.close()


# --- profiles ---------------------------------------------------------------------------------


def profile(
    folder: Path,
    at: Bank,
    *changes: tuple[str, str],
    without: Sequence[str] = ("enroll",),
    cards: str = 'csv = "cards.csv"',
    rows: list[Row] | None = None,
    edit: Callable[[str], str] = lambda text: text,
) -> Path:
    """The shipped profile, with the bank's cards in a file beside it.

    `changes` replace texts, `without` names operations that are left out.
    """
    shipped = resources.files("otpspec.profile") / "shipped" / "safekey-reference.toml"
    text = shipped.read_text("utf-8")
    for operation in without:
        began = text.index(f"[operations.{operation}]")
        ended = min(found for mark in ("\n[", "\n# ---") if (found := text.find(mark, began)) > 0)
        text = text[:began] + text[ended + 1 :]
    pieces = (
        ("http://127.0.0.1:8000", at.url),
        ("[amounts]", f"[cards]\n{cards}\n\n[amounts]"),
        ('quiet = "250ms"', 'quiet = "60ms"'),  # so many cards of one contact wait for each other
        *changes,
    )
    for old, new in pieces:
        assert text.count(old) == 1, f"{old!r} is in the profile {text.count(old)} times"
        text = text.replace(old, new)
    path = folder / "acs.toml"
    path.write_text(edit(text), encoding="utf-8")
    if cards:
        listed(folder / "cards.csv", at.rows if rows is None else rows)
    return path


def listed(path: Path, rows: Sequence[Row]) -> None:
    """The cards as a file."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def verdicts(results: Mapping[str, Any]) -> dict[str, str]:
    """Each rule's verdict."""
    return {rule["id"]: rule["verdict"] for rule in results["rules"]}


def unsound(results: Mapping[str, Any]) -> dict[str, str]:
    """The rules that did not pass though they could, and why."""
    found = (r for r in results["rules"] if r["verdict"] in ("broken", "inconclusive"))
    return {rule["id"]: f"{rule['verdict']}: {rule['reason']}" for rule in found}
