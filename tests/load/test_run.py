"""Real load runs against real reference servers, strict and broken on purpose."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from datetime import timedelta
from importlib import resources
from pathlib import Path
from typing import Any

import psutil
import pytest

from otpspec.errors import OtpspecError
from otpspec.load import LoadRun, Progress, run
from otpspec.load.slo import NOT_DECLARED
from otpspec.outcome import Verdict
from otpspec.results import RuleResult

FAST = ("--clock-rate", "60", "--validity", "60")  # a code lives for a second
CHANGES = ("policy.validity=60s",)


@pytest.fixture
def load(serve: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Callable[..., LoadRun]:
    """Runs a short load against a reference server of the test's own."""

    def start(*options: str, seconds: float = 4.0, **more: Any) -> LoadRun:
        server = serve(*options)
        monkeypatch.setenv("OTPSPEC_TEST_TOKEN", server.token)
        lasts = timedelta(seconds=seconds)
        return run("safekey-reference", base_url=server.url, users=4, duration=lasts, **more)

    return start


def rules(found: LoadRun) -> dict[str, RuleResult]:
    return {rule.id: rule for rule in found.rules}


def test_strict_server_is_clean_and_every_answer_is_judged(load: Callable[..., LoadRun]) -> None:
    told: list[Progress] = []

    found = load(*FAST, changes=CHANGES, seconds=5.0, on_progress=told.append)

    open_ = {r.id: r.reason for r in found.rules if r.verdict is not Verdict.PASSED}
    assert open_.pop("LOAD-3") == NOT_DECLARED
    rare = {"RACE-1", "RACE-2", "EXPIRY-1"}  # of which a slow machine has less
    assert open_.keys() <= rare
    assert all("are the least that says something" in reason for reason in open_.values())
    answers = sum(n for one in found.load.operations for n in one.outcomes.values())
    assert found.load.judged == found.load.requests == answers > 500
    assert found.load.failures == 0
    assert found.complete
    assert found.clock == "runs 60 times as fast as real time"
    assert {one.operation for one in found.load.operations} == {
        *("start", "verify", "resend", "unlock", "amend", "cancel", "change_contact")
    }
    assert len(told) >= 4
    assert told[-1].judged <= found.load.judged
    assert [(point.t_s, point.users) for point in found.load.timeline[:5]] == [
        *((0.0, 4), (1.0, 4), (2.0, 4), (3.0, 4), (4.0, 4))
    ]
    assert found.load.behaviours["right_first_time"] > found.load.behaviours["guesser"] > 0


@pytest.mark.parametrize(
    ("mutant", "rule"),
    [
        ("never-expires", "EXPIRY-2"),
        ("no-lock", "LOCKOUT-1"),
        ("csc-ignored", "CSC-2"),
        ("used-code-accepted", "REPLAY-1"),
    ],
)
def test_mutant_is_caught_by_the_rule_it_breaks(
    load: Callable[..., LoadRun], mutant: str, rule: str
) -> None:
    found = load(*FAST, "--mutant", mutant, changes=CHANGES)

    broken = {r.id: r for r in found.rules if r.verdict is Verdict.BROKEN}
    assert set(broken) >= {rule, "LOAD-1"}
    evidence = broken[rule].evidence[0]
    assert evidence.exchanges[-1].outcomes == evidence.got.partition(" (")[0].split()
    assert found.load.failures > 0
    assert ("LOAD-2" in broken) is (rule == "CSC-2")


def test_expiry_is_open_where_the_run_is_shorter_than_a_codes_life(
    load: Callable[..., LoadRun],
) -> None:
    found = load(seconds=1.5)

    assert rules(found)["EXPIRY-2"].verdict is Verdict.INCONCLUSIVE
    assert rules(found)["EXPIRY-2"].chances == 0
    assert "latecomer" not in found.load.behaviours
    assert found.clock == "real time"


def test_no_secret_stands_in_what_is_found(load: Callable[..., LoadRun]) -> None:
    found = load("--mutant", "csc-ignored", seconds=2.0)

    shown = [e.request for r in found.rules for v in r.evidence for e in v.exchanges]
    verifies = [text for text in shown if "/verify" in text]
    assert verifies
    assert all('"otc":"•••"' in text for text in verifies)


def test_target_that_is_not_there_is_said_to_be_so(
    monkeypatch: pytest.MonkeyPatch, unused_port: int
) -> None:
    monkeypatch.setenv("OTPSPEC_TEST_TOKEN", "any")

    with pytest.raises(OtpspecError) as caught:
        run(
            "safekey-reference",
            base_url=f"http://127.0.0.1:{unused_port}",
            duration=timedelta(seconds=30),
        )

    assert str(caught.value).startswith(
        f"The clock of http://127.0.0.1:{unused_port} cannot be read (connection refused)."
    )


def test_target_that_answers_nothing_ends_the_run(
    monkeypatch: pytest.MonkeyPatch, unused_port: int, tmp_path: Path
) -> None:
    monkeypatch.setenv("OTPSPEC_TEST_TOKEN", "any")
    profile = tmp_path / "acs.toml"
    shipped = resources.files("otpspec.profile") / "shipped" / "safekey-reference.toml"
    profile.write_text(shipped.read_text("utf-8").partition("\n[clock]")[0])
    began = time.monotonic()

    with pytest.raises(OtpspecError) as caught:
        run(
            str(profile),
            base_url=f"http://127.0.0.1:{unused_port}",
            duration=timedelta(seconds=60),
        )

    assert time.monotonic() - began < 20
    assert str(caught.value) == (
        f"http://127.0.0.1:{unused_port}: no answer: 50 calls in a row came to nothing "
        "(the last: no answer to enroll (connection refused)).\n"
        f"  profile   {profile}, target.base_url\n"
        "No rule was checked, so this says nothing about the target.\n"
        "Try: start the target, or give its address."
    )


def test_target_that_dies_ends_the_run_with_what_was_measured(
    serve: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve()
    monkeypatch.setenv("OTPSPEC_TEST_TOKEN", server.token)

    def kill(progress: Progress) -> None:
        if progress.elapsed_s >= 1.0:
            server.process.kill()

    found = run(
        "safekey-reference",
        base_url=server.url,
        users=4,
        duration=timedelta(seconds=60),
        on_progress=kill,
    )

    assert not found.complete
    assert found.load.judged > 0
    assert "has stopped answering: 50 calls in a row came to nothing" in found.load.notes[0]
    assert rules(found)["LOAD-1"].verdict is not Verdict.BROKEN


def test_wrong_token_is_said_to_be_so(
    serve: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve()
    monkeypatch.setenv("OTPSPEC_TEST_TOKEN", "not-the-token")

    with pytest.raises(OtpspecError, match=r"cannot be read \(HTTP 401\)"):
        run("safekey-reference", base_url=server.url, duration=timedelta(seconds=5))


def test_mix_that_is_not_there_is_said_to_be_so(load: Callable[..., LoadRun]) -> None:
    with pytest.raises(OtpspecError, match=r"No mix of behaviours is named 'nobody\.at\.home:DAY'"):
        load(mix="nobody.at.home:DAY", seconds=1.0)


def test_profile_that_cannot_be_used_says_what_is_wrong() -> None:
    with pytest.raises(OtpspecError, match="did you mean safekey-reference"):
        run("safekey-refernce", duration=timedelta(seconds=1))


SCRIPT = """
    import sys
    from datetime import timedelta
    from otpspec.load import run

    found = run("safekey-reference", base_url=sys.argv[1], users=4,
                duration=timedelta(seconds=60), on_progress=lambda p: print("going", flush=True))
    print(found.complete, found.load.judged > 0, found.load.failures, flush=True)
"""


@pytest.fixture
def started(
    serve: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> "subprocess.Popen[str]":
    """A process with a load run that is under way."""
    server = serve()
    monkeypatch.setenv("OTPSPEC_TEST_TOKEN", server.token)
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(SCRIPT))
    words = [sys.executable, str(script), server.url]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "going\n"
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_ends_the_run_in_time_with_what_was_measured(
    started: "subprocess.Popen[str]", number: signal.Signals
) -> None:
    children = psutil.Process(started.pid).children()
    began = time.monotonic()

    started.send_signal(number)
    out, _ = started.communicate(timeout=20)

    assert time.monotonic() - began < 5
    assert out.splitlines()[-1] == "False True 0"
    assert children
    assert not [child for child in children if child.is_running()]


def test_load_process_ends_when_who_started_it_is_killed(
    started: "subprocess.Popen[str]",
) -> None:
    (child,) = psutil.Process(started.pid).children()

    started.kill()
    started.communicate(timeout=20)

    assert psutil.wait_procs([child], timeout=5)[1] == []


def test_nothing_but_the_load_process_imports_locust() -> None:
    code = (
        "import sys, otpspec, otpspec.load, otpspec.cli; "
        "print([m for m in ('locust', 'gevent', 'httptools') if m in sys.modules])"
    )

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )

    assert done.stdout.strip() == "[]"
