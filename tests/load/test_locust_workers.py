"""Our users under Locust's own flags for several processes, for tables, and for shapes."""

import csv
import json
import os
import re
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import environment

from otpspec_scenarios import load

from .counting import ENROLLED, PROFILE, Counting, given

FILE = str(Path(str(load.__file__)).with_name("locustfile.py"))


@pytest.fixture
def counting() -> Iterator[Counting]:
    target = Counting()
    yield target
    target.close()


@pytest.fixture
def profile(tmp_path: Path) -> Callable[..., str]:
    def write(cards: str = ENROLLED) -> str:
        path = tmp_path / "acs.toml"
        mix = "\n[load.mix]\nright_first_time = 1\n"  # what races send is counted apart
        path.write_text(PROFILE.format(cards=cards) + mix)
        return str(path)

    return write


def words(*more: str, file: str = FILE) -> list[str]:
    return [sys.executable, "-m", "locust", "-f", file, "--headless", "--only-summary", *more]


def started(*more: str, file: str = FILE) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        words(*more, file=file),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment()},
    )


def locust(*more: str, file: str = FILE) -> "subprocess.CompletedProcess[str]":
    process = started("-u", "4", "-r", "4", "-t", "5s", *more, file=file)
    out, err = process.communicate(timeout=90)
    return subprocess.CompletedProcess([], process.returncode, out, err)


def told(printed: str) -> dict[str, int]:
    """Requests by operation, of what Locust prints with --json: a worker prints nothing, "[]"."""
    rows = json.loads("[" + printed.rpartition("\n[\n")[2])
    return {row["name"]: row["num_requests"] for row in rows}


@pytest.mark.parametrize("rate", [(), ("--otp-rate", "100/s")], ids=["closed", "open"])
def test_every_request_of_every_worker_is_in_locusts_statistics(
    counting: Counting, profile: Callable[..., str], rate: tuple[str, ...]
) -> None:
    done = locust(
        *("--otp-target", profile(), "--host", counting.url, "--stop-timeout", "3"),
        *("--processes", "2", "--json", *rate),
    )

    assert "did not say" not in done.stderr
    found = told(done.stdout)
    assert {name: found[name] for name in ("start", "verify")} == {
        "start": counting.asked["start"],
        "verify": counting.asked["verify"],
    }
    assert len(set.union(*counting.askers.values())) == 2


def test_workers_of_locust_share_one_schedule(
    counting: Counting, profile: Callable[..., str]
) -> None:
    locust(
        *("--otp-target", profile(), "--host", counting.url, "--processes", "2"),
        *("--otp-rate", "60/s", "-u", "2", "-r", "2", "-t", "8s"),
    )

    over = counting.starts[-1] - 0.5
    asked = [at for at in counting.starts if over - 2 <= at < over]
    assert 96 <= len(asked) <= 144  # two seconds of it, and neither half nor twice as much


def test_no_two_workers_of_locust_share_a_card(
    counting: Counting, profile: Callable[..., str]
) -> None:
    locust("--otp-target", profile(given(5)), "--host", counting.url, "--processes", "2")

    assert set(counting.askers) == {"c1", "c2", "c3", "c4", "c5"}
    assert [len(askers) for askers in counting.askers.values()] == [1] * 5


@pytest.mark.parametrize(("cards", "refused"), [(ENROLLED, False), (given(4), True)])
def test_late_worker_is_given_users_where_nothing_had_to_be_dealt_out(
    counting: Counting, profile: Callable[..., str], unused_port: int, cards: str, refused: bool
) -> None:
    port = str(unused_port)
    first = started("--worker", "--master-port", port)
    master = started(
        *("--master", "--master-bind-port", port, "--host", counting.url),
        *("--otp-target", profile(cards), "-u", "4", "-r", "4", "-t", "20s"),
    )
    assert master.stderr is not None
    for line in master.stderr:  # from then on Locust gives users to who comes
        if "All users spawned" in line or "Spawning is complete" in line:
            break
    ends = time.monotonic() + 30
    while not counting.starts:
        assert time.monotonic() < ends
        time.sleep(0.05)
    time.sleep(3.5)  # and once its master has heard from the first that it has them

    late = started("--worker", "--master-port", port)
    _, err = late.communicate(timeout=60)
    master.communicate(timeout=60)
    first.communicate(timeout=60)

    said = "This worker came after the run had begun, and cards had been dealt out."
    assert (said in err) is refused
    assert (late.returncode == 2) is refused
    assert len(set.union(*counting.askers.values())) == (1 if refused else 2)


def test_too_few_cards_for_the_workers_end_locust_with_2(
    counting: Counting, profile: Callable[..., str]
) -> None:
    done = locust("--otp-target", profile(given(1)), "--host", counting.url, "--processes", "2")

    assert done.returncode == 2
    assert "1 cards cannot be dealt out among 2 workers: no two share one." in done.stderr
    assert not counting.asked


def test_master_and_workers_that_are_started_one_by_one(
    serve: Callable[..., Any], unused_port: int
) -> None:
    server = serve("--mutant", "used-code-accepted")
    port = str(unused_port)
    workers = [started("--worker", "--master-port", port) for _ in range(2)]

    done = locust(
        *("--master", "--master-bind-port", port, "--expect-workers", "2"),
        *("--host", server.url, "-t", "8s"),
    )

    for worker in workers:
        worker.communicate(timeout=20)
    assert done.returncode == 1
    assert "POST verify: REPLAY-1: approved, expected void" in done.stdout + done.stderr


def test_worker_of_another_version_is_refused(
    serve: Callable[..., Any], unused_port: int, tmp_path: Path
) -> None:
    server = serve()
    port = str(unused_port)
    other = tmp_path / "other.py"
    other.write_text(
        textwrap.dedent("""
            import otpspec.load.team as team
            from otpspec_scenarios.load.locustfile import *
            team.metadata = type("Old", (), {"version": staticmethod(lambda name: "0.0.1")})
        """)
    )
    worker = started("--worker", "--master-port", port, file=str(other))

    done = locust("--master", "--master-bind-port", port, "--host", server.url)

    _, err = worker.communicate(timeout=20)
    assert (done.returncode, worker.returncode) == (2, 2)
    for said in (done.stderr, err):
        assert "does not fit its master, and was refused." in said
        assert re.search(r"  otpspec   0\.0\.1 at the worker, \S+ at the master", said)


def test_tables_are_written_with_csv(serve: Callable[..., Any], tmp_path: Path) -> None:
    server = serve("--mutant", "used-code-accepted")

    done = locust(
        "--host", server.url, "--csv", str(tmp_path / "run"), "--html", str(tmp_path / "page.html")
    )

    assert "REPLAY-1: approved, expected void" in (tmp_path / "page.html").read_text()
    assert done.returncode == 1
    failures = list(csv.DictReader((tmp_path / "run_failures.csv").open()))
    errors = {row["Error"] for row in failures}
    assert "REPLAY-1: approved, expected void" in errors
    assert {error.partition(":")[0] for error in errors} <= {"REPLAY-1", "RACE-1"}
    stats = {row["Name"]: row for row in csv.DictReader((tmp_path / "run_stats.csv").open())}
    assert int(stats["verify"]["Request Count"]) > int(stats["verify"]["Failure Count"]) > 0


SHAPE = """
import gevent
from locust import LoadTestShape, events
from otpspec.load.user import session_of
from otpspec_scenarios.load.locustfile import *

class Steps(LoadTestShape):
    def tick(self):
        for until, users in ((2, 3), (4, 6), (6, 2)):
            if self.get_run_time() < until:
                return users, 10
        return None

@events.init.add_listener
def watch(environment, **_):
    seen = []
    def look():
        while True:
            gevent.sleep(0.02)
            session = session_of(environment)
            if session is not None and session.users and session.users not in seen[-1:]:
                seen.append(session.users)
    gevent.spawn(look)
    @environment.events.quitting.add_listener
    def say(**_):
        print("USERS", seen, flush=True)
"""


def test_shape_says_how_many_users_there_are(serve: Callable[..., Any], tmp_path: Path) -> None:
    server = serve()
    file = tmp_path / "shape.py"
    file.write_text(SHAPE)

    process = started("--host", server.url, file=str(file))
    out, err = process.communicate(timeout=60)

    assert process.returncode == 0, err
    (said,) = [line for line in out.splitlines() if line.startswith("USERS")]
    seen = json.loads(said.removeprefix("USERS "))
    levels = [users for users in seen if users in (3, 6, 2)]
    assert [n for i, n in enumerate(levels) if n != levels[i - 1] or i == 0][-3:] == [3, 6, 2], seen
    assert max(seen) == 6
