"""Codes come from a process of its own, whatever kind of inbox they come to."""

import smtplib
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gevent
import pytest

from otpspec.errors import TargetError
from otpspec.load.codes import Desk
from otpspec.load.post import order
from otpspec.profile import load

PROFILE = """
[target]
base_url = "http://127.0.0.1:1"

[operations.enroll]
method = "POST"
path = "/cards"
answers = [{ status = 200, outcomes = "done" }]

[operations.start]
method = "POST"
path = "/start"
answers = [{ status = 200, outcomes = "done" }]

[operations.verify]
method = "POST"
path = "/verify"
answers = [{ status = 200, outcomes = "approved" }]

[inbox]
wait = "2s"
"""


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Callable[[str], Desk]]:
    made: list[Desk] = []
    faults: list[Exception] = []

    def open_(inbox: str) -> Desk:
        path = tmp_path / "bank.toml"
        path.write_text(PROFILE + inbox)
        profile = load(str(path))
        made.append(Desk(profile, order(profile, str(path), None), faults.append))
        made[-1].open()
        return made[-1]

    yield open_
    for one in made:
        one.close()
    assert faults == []


def asked(desk: Desk, contact: str, *, lasts: float = 8.0) -> Any:
    """The code that the desk gives, and when it was seen."""
    found: list[tuple[str | None, float]] = []
    desk.ask({}, contact, None, lambda code, seen: found.append((code, seen)))
    deadline = time.monotonic() + lasts
    while not found and time.monotonic() < deadline:
        desk.ticked(time.monotonic())
        gevent.sleep(0.005)
    return found[0]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
    return port


def test_mail_is_taken_by_the_other_process_and_pushed(desk: Callable[[str], Desk]) -> None:
    port = free_port()
    one = desk(f'kind = "smtp"\nlisten = "127.0.0.1:{port}"\n')
    before = time.monotonic()
    with smtplib.SMTP("127.0.0.1", port) as client:
        text = "Subject: Code\r\n\r\nYour code is 482910.\r\n"
        client.sendmail("bank@example.com", ["payer1@example.com"], text)

    code, seen = asked(one, "payer1@example.com")

    assert code == "482910"
    assert before <= seen <= time.monotonic()
    assert one.waits.count == 1


def test_file_is_read_by_the_other_process(desk: Callable[[str], Desk], tmp_path: Path) -> None:
    log = tmp_path / "messages.log"
    one = desk(f'kind = "file"\npath = "{log}"\n')
    with log.open("a") as file:
        file.write("your code is 123456, +9991234567\n")

    assert asked(one, "+9991234567")[0] == "123456"


def test_code_that_does_not_come_is_given_up_in_time(
    desk: Callable[[str], Desk], tmp_path: Path
) -> None:
    one = desk(f'kind = "file"\npath = "{tmp_path / "none.log"}"\n')
    began = time.monotonic()

    code, _ = asked(one, "+9990000000")

    assert code is None
    assert 1.5 < time.monotonic() - began < 4.0


def test_inbox_that_cannot_be_had_is_said_to_be_so(desk: Callable[[str], Desk]) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(TargetError, match=r"127\.0\.0\.1"),
    ):
        desk(f'kind = "smtp"\nlisten = "127.0.0.1:{taken.getsockname()[1]}"\n')
