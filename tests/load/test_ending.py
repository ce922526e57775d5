"""A run that is ended before its time: early, late, twice, at full speed: nothing is lost."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.conftest import environment

GOING = textwrap.dedent("""
    import sys
    from datetime import timedelta
    from otpspec.load import run

    found = run("safekey-reference", base_url=sys.argv[1], rate="3000/s",
                duration=timedelta(seconds=60), on_progress=lambda p: print("going", flush=True))
    print(found.complete, found.load.judged > 0, found.load.failures, flush=True)
""")


def until(seen: Callable[[], Any], within_s: float = 30.0) -> Any:
    """What is seen as soon as there is something."""
    ends = time.monotonic() + within_s
    while not (found := seen()):
        assert time.monotonic() < ends, "not seen in time"
        time.sleep(0.01)
    return found


def children(process: "subprocess.Popen[str]") -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


@pytest.mark.parametrize("times", [1, 2])
def test_full_speed_is_ended_in_time_with_what_was_measured(
    serve: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    server = serve()
    monkeypatch.setenv("OTPSPEC_TEST_TOKEN", server.token)
    words = [sys.executable, "-c", GOING, server.url]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "going\n"
    left = children(process)
    began = time.monotonic()

    for _ in range(times):
        process.send_signal(signal.SIGINT)
        time.sleep(0.2)
    out, _ = process.communicate(timeout=20)

    assert time.monotonic() - began < 5
    assert out.splitlines()[-1] == "False True 0"
    assert psutil.wait_procs(left, timeout=3)[1] == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("after_s", [0.0, 0.2, 0.4, 0.8])
def test_a_load_process_that_has_hardly_begun_is_ended_as_any_other(
    serve: Callable[..., Any],
    begin: Callable[..., Any],
    tmp_path: Path,
    number: signal.Signals,
    after_s: float,
) -> None:
    server = serve()
    words = ("load", "safekey-reference", "--base-url", server.url, "--for", "60s")
    process = begin(*words, cwd=tmp_path)
    left = until(lambda: children(process))
    time.sleep(after_s)
    began = time.monotonic()

    process.send_signal(number)
    _, err = process.communicate(timeout=20)

    assert time.monotonic() - began < 5
    assert process.returncode == 130
    assert "Interrupted" in err
    assert "Traceback" not in err
    assert psutil.wait_procs(left, timeout=3)[1] == []


def test_a_second_interrupt_does_not_lose_the_report(
    serve: Callable[..., Any], begin: Callable[..., Any], tmp_path: Path
) -> None:
    server = serve()
    words = ("load", "safekey-reference", "--base-url", server.url, "--for", "60s")
    process = begin(*words, cwd=tmp_path)
    sent = len(server.hook("/test/outbox")["messages"])
    until(lambda: len(server.hook("/test/outbox")["messages"]) > sent)
    time.sleep(2)  # until it was told how it goes, as once a second

    while process.poll() is None:  # whoever waits for the report presses it again and again
        process.send_signal(signal.SIGINT)
        time.sleep(0.01)

    assert process.returncode == 130
    assert (tmp_path / "otpspec-report" / "results.json").is_file()


def test_names_are_looked_up_in_a_process_that_gevent_has_patched() -> None:
    code = (
        "import otpspec.guard.verified as verified; import locust; "
        "verified.RESOLVE_SECONDS = 60.0; "
        "from otpspec.guard import Guard; from otpspec.guard.verified import Rules; "
        "print(Guard(Rules(), ['http://127.0.0.1:9']).addresses('127.0.0.1', 9))"
    )

    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=40,
        check=True,
        env={**os.environ, **environment()},
    )

    assert done.stdout == "[('127.0.0.1', 9)]\n"
