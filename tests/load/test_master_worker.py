"""A master and workers that are started one by one, as on several hosts."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import psutil
import pytest
from tests.conftest import COMMAND, environment

from otpspec.load.team import Hello

HELLO = Hello(
    host="here", pid=1, otpspec="1.2", locust="2.9", profile="ab12", base_url="http://127.0.0.1:1"
)


class Told:
    """A command under way, and what it says on stderr."""

    def __init__(self, *words: str, cwd: Path) -> None:
        cwd.mkdir(exist_ok=True)
        self.folder = cwd
        self._log = (cwd / "stderr").open("w+")
        self.process = subprocess.Popen(
            [COMMAND, "load", "safekey-reference", *words],
            stdout=subprocess.DEVNULL,
            stderr=self._log,
            env=environment(),
            cwd=cwd,
        )

    @property
    def err(self) -> str:
        """What it said up to now."""
        return (self.folder / "stderr").read_text()

    @property
    def results(self) -> dict[str, Any]:
        """What it wrote."""
        text = (self.folder / "otpspec-report" / "results.json").read_text()
        found: dict[str, Any] = json.loads(text)
        return found

    def until(self, said: str, within_s: float = 30.0) -> None:
        """Wait until it has said something."""
        ends = time.monotonic() + within_s
        while said not in self.err:
            assert self.process.poll() is None, self.err
            assert time.monotonic() < ends, self.err
            time.sleep(0.02)

    def end(self) -> None:
        """Leave nothing behind."""
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(10)
        self._log.close()


@pytest.fixture
def command(tmp_path: Path) -> Iterator[Callable[..., Told]]:
    begun: list[Told] = []

    def begin(*words: str) -> Told:
        begun.append(Told(*words, cwd=tmp_path / str(len(begun))))
        return begun[-1]

    yield begin
    for one in begun:
        one.end()


@pytest.fixture
def master(command: Callable[..., Told], unused_port: int) -> Callable[..., Told]:
    """Begins a master: master(server, "--for", "3s")."""

    def begin(server: Any, *words: str) -> Told:
        port = ("--master-bind-port", str(unused_port))
        one = command("--base-url", server.url, "--master", *port, *words)
        one.until("the master listens on")
        return one

    return begin


@pytest.fixture
def worker(command: Callable[..., Told], unused_port: int) -> Callable[..., Told]:
    """Begins a worker: worker(server)."""

    def begin(server: Any, *words: str) -> Told:
        port = ("--master-port", str(unused_port))
        return command("--base-url", server.url, "--worker", *port, *words)

    return begin


def test_two_workers_do_what_their_master_says(
    serve: Callable[..., Any],
    master: Callable[..., Told],
    worker: Callable[..., Told],
    unused_port: int,
) -> None:
    server = serve()
    one = master(server, "--expect-workers", "2", "--for", "3s", "--rate", "50/s")
    workers = [worker(server), worker(server)]

    assert [w.process.wait(40) for w in workers] == [0, 0]
    assert one.process.wait(20) in (0, 3)

    load = one.results["load"]
    assert load["arrivals"] == "open: 50/s, constant"
    assert load["failures"] == 0
    assert [w["requests"] > 50 for w in load["workers"]] == [True, True]
    assert load["requests"] == load["judged"] == sum(w["requests"] for w in load["workers"])
    where = f"127.0.0.1:{unused_port}"
    assert one.err.splitlines()[0] == f"the master listens on {where}, for 2 workers"
    assert workers[0].err.splitlines() == [
        f"connected to the master at {where}, waiting for the run to begin",
        "the run is over: its results are the master's",
    ]
    assert not (workers[0].folder / "otpspec-report" / "results.json").exists()


def test_worker_with_another_profile_is_refused_and_so_is_the_run(
    serve: Callable[..., Any], master: Callable[..., Told], worker: Callable[..., Told]
) -> None:
    server = serve()
    one = master(server)

    other = worker(server, "--set", "policy.validity=59s")

    assert other.process.wait(40) == 2
    assert one.process.wait(20) == 2
    for err in (one.err, other.err):
        assert "does not fit its master, and was refused." in err
        assert "  profile   another text, other cards, or other changes (--set)" in err


def test_refusal_says_what_differs_and_what_to_do() -> None:
    worker = msgspec.structs.replace(
        HELLO, host="there", pid=7, otpspec="1.1", profile="cd", base_url="http://127.0.0.1:2"
    )

    assert HELLO.refusal(HELLO) == ""
    assert HELLO.refusal(worker) == (
        "The worker on there (process 7) does not fit its master, and was refused.\n"
        "  otpspec   1.1 at the worker, 1.2 at the master\n"
        "  base_url  http://127.0.0.1:2 at the worker, http://127.0.0.1:1 at the master\n"
        "  profile   another text, other cards, or other changes (--set)\n"
        "Try: the same version, profile, --base-url and --set at both."
    )


def test_master_does_not_wait_for_ever(
    serve: Callable[..., Any], master: Callable[..., Told], unused_port: int
) -> None:
    one = master(serve(), "--expect-workers", "2", "--expect-workers-max-wait", "1")

    assert one.process.wait(30) == 2
    assert one.err.splitlines()[1:] == [
        f"0 of 2 workers came to 127.0.0.1:{unused_port} in 1 s.",
        "Try: otpspec load PROFILE --worker --master-host HOST --master-port PORT at each of "
        "them, or fewer with --expect-workers.",
    ]


def test_worker_that_comes_too_late_is_refused_and_the_run_goes_on(
    serve: Callable[..., Any], master: Callable[..., Told], worker: Callable[..., Told]
) -> None:
    server = serve()
    one = master(server, "--for", "6s", "--users", "2")
    first = worker(server)
    time.sleep(1)
    late = worker(server)

    assert late.process.wait(40) == 2
    assert late.err.splitlines()[-2:] == [
        "The run has its 1 workers already, and takes no more.",
        "Try: --expect-workers at the master, for the next run.",
    ]
    assert first.process.wait(40) == 0
    assert one.process.wait(20) in (0, 3)
    assert one.results["complete"]
    assert len(one.results["load"]["workers"]) == 1


def test_worker_that_loses_its_master_writes_what_it_measured_itself(
    serve: Callable[..., Any], master: Callable[..., Told], worker: Callable[..., Told]
) -> None:
    server = serve()
    one = master(server, "--for", "60s", "--users", "2")
    left = worker(server)
    time.sleep(5)
    children = psutil.Process(one.process.pid).children(recursive=True)

    for process in (psutil.Process(one.process.pid), *children):
        process.kill()

    assert left.process.wait(30) in (1, 3)
    assert "The master was lost: the report holds this worker's part." in left.err
    load = left.results["load"]
    assert load["judged"] > 0
    assert load["failures"] == 0
    assert [n for n in load["notes"] if n.endswith("these are the measures of one worker only")]
    assert not left.results["complete"]


def test_worker_that_loses_its_master_before_the_run_says_so(
    serve: Callable[..., Any],
    master: Callable[..., Told],
    worker: Callable[..., Told],
    unused_port: int,
) -> None:
    server = serve()
    one = master(server, "--expect-workers", "2")
    left = worker(server)
    left.until("waiting for the run to begin")

    for process in psutil.Process(one.process.pid).children(recursive=True):
        process.kill()

    assert left.process.wait(30) == 2
    assert left.err.splitlines()[-1] == (
        f"The master at 127.0.0.1:{unused_port} was lost before the run began."
    )


def test_worker_that_someone_ends_is_named_and_all_that_it_measured_is_in(
    serve: Callable[..., Any], master: Callable[..., Told], worker: Callable[..., Told]
) -> None:
    server = serve()
    one = master(server, "--for", "7s", "--users", "4", "--expect-workers", "2")
    workers = [worker(server), worker(server)]
    for each in workers:
        each.until("waiting for the run to begin")
    time.sleep(4)

    workers[0].process.send_signal(signal.SIGINT)

    assert workers[0].process.wait(10) == 130
    assert workers[1].process.wait(40) == 0
    assert one.process.wait(20) in (0, 3)
    notes = one.results["load"]["notes"]
    assert [n for n in notes if "was ended at" in n and n.endswith("by someone")]
    assert len(one.results["load"]["workers"]) == 2


def test_worker_without_a_master_says_where_it_looked(
    reference_server: Any, unused_port: int, tmp_path: Path
) -> None:
    code = (
        "import sys, otpspec.load.worker as worker; worker.CONNECT_S = 0.5; "
        "from otpspec.load.child import main; main()"
    )
    order = {
        "profile": "safekey-reference",
        "base_url": reference_server.url,
        "changes": [],
        "users": 1,
        "spawn_rate": 1.0,
        "duration_s": 1.0,
        "seed": 0,
        "mix": "",
        "role": "worker",
        "host": "127.0.0.1",
        "port": unused_port,
    }

    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment()},
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(order) + "\n")
        process.stdin.flush()
        said = json.loads(process.stdout.readline())

    assert said["text"] == (
        f"No master answers at 127.0.0.1:{unused_port}.\n"
        "Try: otpspec load PROFILE --master there, and that its port can be reached."
    )


def test_port_that_is_taken_is_said(
    serve: Callable[..., Any], master: Callable[..., Told], command: Callable[..., Told]
) -> None:
    server = serve()
    one = master(server)
    port = one.err.partition("127.0.0.1:")[2].partition(",")[0]

    other = command("--base-url", server.url, "--master", "--master-bind-port", port)

    assert other.process.wait(30) == 2
    assert other.err.splitlines()[-2:] == [
        f"No master can listen on 127.0.0.1:{port} (its port is in use).",
        "Try: --master-bind-host and --master-bind-port.",
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--master", "--worker"], "Invalid value for --master, --worker: a process is one of"),
        (
            ["--worker", "--processes", "2"],
            "Invalid value for --processes: goes with neither --master nor --worker: start one "
            "worker for each core instead",
        ),
        (["--expect-workers", "2"], "Invalid value for --expect-workers: goes with --master only"),
        (["--master-port", "2"], "Invalid value for --master-port: goes with --worker only"),
        (
            ["--worker", "--rate", "3/s"],
            "Invalid value for --rate: is the master's to say: leave it out at a worker",
        ),
        (
            ["--worker", "--for", "3s"],
            "Invalid value for --for: is the master's to say: leave it out at a worker",
        ),
    ],
)
def test_options_that_do_not_go_together_are_said(
    otpspec: Callable[..., Any], words: list[str], said: str
) -> None:
    done = otpspec("load", "safekey-reference", *words)

    assert done.code == 2
    assert said in done.err
