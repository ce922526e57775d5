"""Locust's own page, in a real browser: what its documentation says of it is so with our users."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import environment

from otpspec_scenarios import load

from .browser import CHROMIUM, REQUIRED, Page

FILE = str(Path(str(load.__file__)).with_name("locustfile.py"))

pytestmark = pytest.mark.skipif(
    CHROMIUM is None and not REQUIRED, reason="chromium is not installed"
)


@pytest.fixture
def page(tmp_path: Path, unused_port: int) -> Iterator[Callable[..., Page]]:
    """Locust with its page, and the page in a browser: page(url, "--processes", "2")."""
    begun: list[Any] = []

    def open_(host: str, *words: str) -> Page:
        web = ("--web-host", "127.0.0.1", "--web-port", str(unused_port))
        log = (tmp_path / "log").open("w")
        locust = subprocess.Popen(
            [sys.executable, "-m", "locust", "-f", FILE, "--host", host, *web, *words],
            stdout=log,
            stderr=log,
            env={**os.environ, **environment()},
        )
        begun.append(locust)
        ends = time.monotonic() + 30
        while socket.socket().connect_ex(("127.0.0.1", unused_port)):
            assert locust.poll() is None, (tmp_path / "log").read_text()
            assert time.monotonic() < ends
            time.sleep(0.05)
        page = Page(tmp_path, f"http://127.0.0.1:{unused_port}/")
        begun.append(page)
        return page

    yield open_
    for one in reversed(begun):
        if isinstance(one, Page):
            one.close()
        else:
            one.terminate()
            one.wait(20)


def start(page: Page, users: int) -> None:
    """Start a run from the page."""
    page.type("userCount", str(users))
    page.type("spawnRate", str(users))
    page.click("start")


@pytest.mark.parametrize("processes", [(), ("--processes", "2")], ids=["one process", "workers"])
def test_run_from_the_page_shows_failures_by_their_rule(
    serve: Callable[..., Any], page: Callable[..., Page], processes: tuple[str, ...]
) -> None:
    server = serve("--mutant", "used-code-accepted")
    shown = page(server.url, *processes)
    if processes:
        shown.reads(r"Workers\s+2")

    start(shown, 6)
    shown.reads(r"Status\s+RUNNING\s+Users\s+6\b")
    shown.reads(r"POST\s+verify\s+[1-9]\d*\s+[1-9]")  # requests, and failures among them
    shown.click("failures")

    shown.reads(r"[1-9]\d*\s+POST\s+verify\s+REPLAY-1: approved, expected void")
    assert "EXPIRY" not in shown.text()


def test_users_are_edited_while_they_run_and_a_run_is_started_again(
    serve: Callable[..., Any], page: Callable[..., Page]
) -> None:
    server = serve()
    shown = page(server.url)

    start(shown, 4)
    shown.reads(r"Status\s+RUNNING\s+Users\s+4\b")
    shown.click("edit")
    shown.type("userCount", "9")
    shown.type("spawnRate", "9")
    shown.click("update")
    shown.reads(r"Status\s+RUNNING\s+Users\s+9\b")
    shown.click("edit")
    shown.type("userCount", "2")
    shown.click("update")
    shown.reads(r"Status\s+RUNNING\s+Users\s+2\b")
    shown.click("stop")
    shown.reads(r"Status\s+STOPPED")
    shown.click("new")
    start(shown, 5)
    shown.reads(r"Status\s+RUNNING\s+Users\s+5\b")
    shown.reads(r"POST\s+verify\s+[1-9]\d*\s+0\b")
    shown.click("failures")

    assert "POST" not in shown.text()


def test_tables_and_the_report_are_downloaded(
    serve: Callable[..., Any], page: Callable[..., Page]
) -> None:
    server = serve("--mutant", "used-code-accepted")
    shown = page(server.url)
    start(shown, 6)
    shown.click("failures")
    shown.reads("REPLAY-1")
    shown.click("download data")
    shown.reads("Download Report")

    links = shown.run("[...document.querySelectorAll('a')].map(one => one.href)")
    read = {}
    for link in links:
        kind = link.rpartition(":")[2].partition("/")[2].partition("?")[0]
        if kind:
            with urllib.request.urlopen(link, timeout=20) as answer:
                read[kind] = answer.read().decode()

    assert "POST,verify," in read["stats/requests/csv"]
    assert "REPLAY-1: approved, expected void" in read["stats/failures/csv"]
    assert "REPLAY-1: approved, expected void" in read["stats/report"]


def test_target_that_cannot_be_used_is_said_on_the_page_which_stays(
    page: Callable[..., Page], serve: Callable[..., Any]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        free = taken.getsockname()[1]
    shown = page(f"http://127.0.0.1:{free}")

    start(shown, 2)
    shown.reads(r"Status\s+STOPPED")
    shown.click("exceptions")
    shown.reads(r"cannot be read \(connection refused\)")
    shown.click("new")
    shown.type("host", serve().url)
    start(shown, 3)

    shown.reads(r"Status\s+RUNNING\s+Users\s+3\b")
