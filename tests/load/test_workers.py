"""Several processes: nothing is lost or shared that may not be, and who is lost is named."""

import os
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest

from otpspec.errors import OtpspecError
from otpspec.load import LoadRun, Progress, run
from otpspec.outcome import Verdict

from .counting import ENROLLED, PROFILE, Counting, given

Load = Callable[..., LoadRun]


@pytest.fixture
def counting() -> Iterator[Counting]:
    target = Counting()
    yield target
    target.close()


@pytest.fixture
def load(counting: Counting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """Runs a load of several processes against a target that counts."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))  # the load processes inherit it

    def start(cards: str = ENROLLED, *, seconds: float = 2.0, **more: Any) -> LoadRun:
        profile = tmp_path / "acs.toml"
        profile.write_text(PROFILE.format(cards=cards))
        lasts = timedelta(seconds=seconds)
        mix = "everyone:RIGHT"
        return run(str(profile), base_url=counting.url, duration=lasts, mix=mix, **more)

    return start


def processes() -> list[psutil.Process]:
    """All load processes that this one has started."""
    found = psutil.Process().children(recursive=True)
    return [p for p in found if "otpspec.load" in p.cmdline()]


@pytest.mark.parametrize("count", [2, 3])
def test_every_request_of_every_worker_is_counted_once(
    load: Load, counting: Counting, count: int
) -> None:
    found = load(processes=count, users=2 * count).load

    assert found.requests == counting.asked["start"] + counting.asked["verify"]
    assert {one.operation: one.count for one in found.operations} == {
        "start": counting.asked["start"],
        "verify": counting.asked["verify"],
    }
    assert found.requests == found.judged == sum(worker.requests for worker in found.workers)
    assert [worker.number for worker in found.workers] == list(range(1, count + 1))
    assert min(worker.requests for worker in found.workers) > 0
    assert found.failures == 0
    whole = found.behaviours["right_first_time"]  # without those that the end has cut short
    assert counting.asked["verify"] - 2 * count <= whole <= counting.asked["verify"]
    assert not [n for n in found.notes if "lost" in n]


def test_workers_share_one_schedule(load: Load, counting: Counting) -> None:
    found = load(processes=2, rate="80/s", seconds=3.0).load

    assert found.arrivals == "open: 80/s, constant"
    assert found.schedule is not None
    assert abs(found.schedule.due - 240) <= 4  # each ends within a moment of the other
    assert counting.asked["start"] == found.schedule.begun
    for worker in found.workers:
        assert abs(worker.requests - 240) <= 20  # two requests a journey, half of the journeys


def test_no_two_workers_share_a_card(load: Load, counting: Counting) -> None:
    found = load(given(5), processes=2, users=6)

    assert set(counting.askers) == {"c1", "c2", "c3", "c4", "c5"}
    assert [len(askers) for askers in counting.askers.values()] == [1] * 5
    assert len(set.union(*counting.askers.values())) == 2
    assert found.load.failures == 0


@pytest.mark.parametrize(
    ("cards", "said"),
    [
        (
            given(2),
            "2 cards cannot be dealt out among 3 workers: no two share one.\n"
            "  profile   {profile}, [cards]\n"
            "Try: fewer workers, or more cards.",
        ),
        (
            given(4) + "\n[cards]\nmax_locked = 2",
            "cards.max_locked = 2 cannot be dealt out among 3 workers: each must be able to lock "
            "one.\n"
            "  profile   {profile}, cards.max_locked\n"
            "Try: fewer workers, or more cards.",
        ),
    ],
)
def test_what_cannot_be_dealt_out_is_said(
    load: Load, tmp_path: Path, cards: str, said: str
) -> None:
    if "max_locked" in cards:
        rows, _, table = cards.partition("\n[cards]\n")
        cards = f"[cards]\n{table}\n{rows}"

    with pytest.raises(OtpspecError) as caught:
        load(cards, processes=3)

    assert str(caught.value) == said.format(profile=tmp_path / "acs.toml")


def test_worker_that_is_killed_is_named_and_the_others_go_on(
    load: Load, counting: Counting
) -> None:
    killed: list[int] = []
    asked: list[int] = []

    def kill(told: Progress) -> None:
        if told.requests and not killed:
            victim = processes()[-1]
            killed.append(victim.pid)
            victim.kill()
        asked.append(counting.asked["verify"])

    found = load(processes=2, users=4, seconds=7.0, on_progress=kill)

    (lost,) = [worker for worker in found.load.workers if worker.lost_s is not None]
    (left,) = [worker for worker in found.load.workers if worker.lost_s is None]
    assert lost.pid == killed[0]
    assert not found.complete
    assert not found.interrupted
    assert lost.lost_s is not None
    assert 0 < lost.measured_s <= lost.lost_s < left.measured_s
    assert lost.requests > 0
    assert found.load.requests == lost.requests + left.requests
    said = (
        rf"worker {lost.number} \({re.escape(lost.host)}, process {lost.pid}\) was lost at "
        rf"{lost.lost_s:.1f} s: what it measured until {lost.measured_s:.1f} s is in; what it "
        r"asked after that is in no figure, and was judged by nobody"
    )
    assert [note for note in found.load.notes if re.fullmatch(said, note)]
    users = [point.users for point in found.load.timeline]
    assert users[-1] == 4  # the other has taken its part over
    assert asked[-1] > asked[0]


def test_worker_that_is_lost_before_the_run_begins_ends_it(load: Load) -> None:
    def kill() -> None:
        while len(found := processes()) < 2:
            time.sleep(0.01)
        found[1].kill()

    threading.Thread(target=kill, daemon=True).start()

    with pytest.raises(OtpspecError, match=r"^A worker was lost before the run began: .+\.$"):
        load(processes=2, seconds=30.0)


def test_interrupt_ends_all_of_them_with_what_was_measured(
    begin: Callable[..., Any], serve: Callable[..., Any], tmp_path: Path
) -> None:
    server = serve()
    words = ("load", "safekey-reference", "--base-url", server.url, "--for", "60s")
    command = begin(*words, "--processes", "2", cwd=tmp_path)
    children = _of(command, 5)  # the master, two workers, and what reads the codes of each
    time.sleep(3)
    began = time.monotonic()

    command.send_signal(signal.SIGINT)
    out, err = command.communicate(timeout=20)

    assert time.monotonic() - began < 5
    assert command.returncode == 130
    assert "Interrupted: the report holds what was measured so far." in err
    assert "answers judged" in out
    assert psutil.wait_procs(children, timeout=3)[1] == []


def _of(command: Any, count: int) -> list[psutil.Process]:
    """Its processes, as soon as there are so many."""
    ends = time.monotonic() + 30
    while len(found := psutil.Process(command.pid).children(recursive=True)) < count:
        assert time.monotonic() < ends, found
        time.sleep(0.05)
    return found


def test_workers_end_when_their_master_is_killed(
    begin: Callable[..., Any], serve: Callable[..., Any], tmp_path: Path
) -> None:
    server = serve()
    words = ("load", "safekey-reference", "--base-url", server.url, "--for", "60s")
    command = begin(*words, "--processes", "2", cwd=tmp_path)
    children = _of(command, 5)
    (master,) = psutil.Process(command.pid).children()

    master.kill()
    _, err = command.communicate(timeout=20)

    assert command.returncode == 2
    assert "The load process ended without a result." in err
    assert psutil.wait_procs(children, timeout=10)[1] == []


def test_broken_rule_is_found_and_no_secret_leaves_a_worker(
    serve: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve("--mutant", "csc-ignored")
    monkeypatch.setenv("OTPSPEC_TEST_TOKEN", server.token)

    found = run(
        "safekey-reference",
        base_url=server.url,
        users=6,
        processes=2,
        duration=timedelta(seconds=3),
    )

    broken = {rule.id: rule for rule in found.rules if rule.verdict is Verdict.BROKEN}
    assert {"CSC-2", "LOAD-1", "LOAD-2"} <= set(broken)
    assert 1 <= len(broken["CSC-2"].evidence) <= 2
    shown = [e.request for e in broken["CSC-2"].evidence[0].exchanges if e.operation == "verify"]
    assert shown
    assert all('"otc":"•••"' in text for text in shown)
    assert found.load.failures == sum(worker.failures for worker in found.load.workers) > 0


def test_cores_are_counted_where_no_number_is_given(
    load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2})

    found = load(processes=-1, users=3, seconds=1.5)

    assert len(found.load.workers) == 3
