"""Open runs against servers that stall: the schedule is kept, and latency counts from when due."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from otpspec.load import LoadRun, run

PROFILE = """
[target]
base_url = "http://127.0.0.1:1"
timeout = "5s"

[policy]
csc = "never"

[operations.enroll]
method = "POST"
path = "/cards"
capture = { id = "id" }
answers = [{ status = 200, outcomes = "done" }]

[operations.start]
method = "POST"
path = "/start/{card.id}"
capture = { id = "id" }
answers = [{ status = 200, json = { status = "ok" }, outcomes = "done" }]

[operations.verify]
method = "POST"
path = "/verify/{challenge.id}"
json = { otc = "{otc}" }
answers = [{ status = 200, json = { status = "ok" }, outcomes = "approved" }]

[inbox]
kind = "static"
otc = "123456"
"""


class Bank:
    """Says yes to everything; and nothing at all from one time to another."""

    def __init__(self, stall: tuple[float, float] = (0.0, 0.0)) -> None:
        self.stall = stall  # seconds after the first transaction
        self.starts: list[float] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with suppress(OSError), client:
            while data := client.recv(65536):
                if data.startswith(b"POST /start"):
                    self.starts.append(time.monotonic())
                if self.starts:
                    began, end = (self.starts[0] + after for after in self.stall)
                    if began <= time.monotonic() < end:
                        time.sleep(end - time.monotonic())
                body = b'{"status":"ok","id":"x1"}'
                client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 25\r\n\r\n" + body)

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def bank(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., tuple[Bank, Callable[..., LoadRun]]]]:
    made: list[Bank] = []
    monkeypatch.syspath_prepend(str(Path(__file__).parent))  # the load process inherits it

    def open_(*stall: float) -> tuple[Bank, Callable[..., LoadRun]]:
        profile = tmp_path / "bank.toml"
        profile.write_text(PROFILE)
        made.append(Bank(stall or (0.0, 0.0)))  # type: ignore[arg-type]

        def load(seconds: float, **more: Any) -> LoadRun:
            lasts, url = timedelta(seconds=seconds), made[-1].url
            mix = "everyone:RIGHT"
            return run(str(profile), base_url=url, duration=lasts, mix=mix, **more)

        return made[-1], load

    yield open_
    for one in made:
        one.close()


def test_schedule_is_kept_while_the_target_stalls(bank: Callable[..., Any]) -> None:
    target, load = bank(1.0, 2.0)

    found = load(3.0, rate="50/s").load

    assert found.arrivals == "open: 50/s, constant"
    assert found.schedule is not None
    assert found.schedule.due == 150
    asked = [at - target.starts[0] for at in target.starts]
    during = [at for at in asked if 1.1 <= at < 1.9]
    assert 36 <= len(during) <= 44  # 40 were due, and were asked
    assert found.judged == found.requests


def test_latency_counts_from_when_a_request_was_due(bank: Callable[..., Any]) -> None:
    _, load = bank(1.0, 2.0)

    found = load(3.0, rate="50/s", connections=2).load

    latency, sent = found.latency, found.latency_sent
    assert latency is not None
    assert sent is not None
    assert found.operations[0].operation == "start"
    assert found.operations[0].latency.p90_ms > 600  # a third of the starts waited for up to 1 s
    starts_sent = found.operations[0].latency_sent
    assert starts_sent is not None  # two connections were held up, and all others asked after it
    assert starts_sent.p90_ms < found.operations[0].latency.p90_ms - 300


def test_lack_of_connections_is_said_and_latency_not_trusted(bank: Callable[..., Any]) -> None:
    _, load = bank(1.0, 2.0)

    found = load(3.0, rate="50/s", connections=2).load

    assert not found.trusted
    assert found.notes[0] == "latency is not to be trusted: the generator did not keep its schedule"
    assert any("all connections were in use; --connections allows more" in n for n in found.notes)
    assert found.schedule is not None
    assert {limit.cause for limit in found.schedule.limits} >= {"connections"}


def test_lack_of_cards_is_said(bank: Callable[..., Any]) -> None:
    _, load = bank(0.5, 2.0)

    found = load(2.5, rate="50/s", cards=5).load

    assert any("no card was free; more cards, or a lower rate, would do" in n for n in found.notes)


def test_payers_think_between_an_answer_and_the_next_request(bank: Callable[..., Any]) -> None:
    _, load = bank()

    found = load(3.0, rate="20/s", think=timedelta(seconds=1)).load

    counts = {one.operation: one.count for one in found.operations}
    assert counts["start"] == 60
    assert 25 <= counts["verify"] <= 55  # those who began in the last second or so still think
    assert found.latency is not None
    assert found.latency.p50_ms < 200


def test_closed_run_says_that_it_is_one(bank: Callable[..., Any]) -> None:
    target, load = bank()

    found = load(1.0, users=3).load

    assert found.arrivals == "closed: 3 users"
    assert found.schedule is None
    assert found.behaviours["right_first_time"] > 50
    assert target.starts
