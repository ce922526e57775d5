"""The target's command is started, waited for, and ended with all that it has started."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from otpspec.errors import TargetError
from otpspec.launch import MAX_OUTPUT, Launched, launched

WAIT = timedelta(seconds=20)
UNJUDGED = "No rule was checked, so this says nothing about the target.\n"


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


async def never() -> bool:
    return False


def exists(path: Path) -> Callable[[], object]:
    async def ready() -> bool:
        return path.exists()

    return ready


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def until(what: Callable[[], bool], seconds: float = 10) -> bool:
    end = time.monotonic() + seconds
    while not what() and time.monotonic() < end:
        time.sleep(0.02)
    return what()


def launch(code: str, folder: Path, wait: timedelta = WAIT) -> str:
    """The error of a command that does not come up."""

    async def run() -> None:
        async with launched(python(code), folder=folder, env={}, ready=never, wait=wait):
            pass

    with pytest.raises(TargetError) as raised:
        asyncio.run(run())
    return str(raised.value)


def where(code: str, folder: Path) -> str:
    return f"  command   {sys.executable} -c '{code}'\n  folder    {folder}\n"


def test_a_command_runs_in_its_folder_with_its_environment(tmp_path: Path) -> None:
    code = "import os, time; open('up', 'w').write(str(dict(os.environ))); time.sleep(60)"
    more = {"BOTH": "extra", "GONE": None}
    os.environ["GONE"] = "from the harness"

    async def run() -> int:
        async with launched(
            python(code),
            folder=tmp_path,
            env={"OURS": "ours", "BOTH": "env"},
            extra_env=more,
            ready=exists(tmp_path / "up"),
            wait=WAIT,
        ) as target:
            assert os.getpgid(target.pid) == target.pid
            assert os.getsid(target.pid) != os.getsid(0)
            return target.pid

    try:
        pid = asyncio.run(run())
    finally:
        del os.environ["GONE"]

    seen = eval((tmp_path / "up").read_text())
    assert (seen["OURS"], seen["BOTH"], seen["PATH"]) == ("ours", "extra", os.environ["PATH"])
    assert "GONE" not in seen
    assert not alive(pid)


def test_a_command_that_ends_shows_its_last_lines_and_exit_code(tmp_path: Path) -> None:
    code = "import sys; [print(n) for n in range(99)]; sys.exit(3)"

    shown = "".join(f"  output    {n}\n" for n in range(79, 99))
    assert launch(code, tmp_path) == (
        "The target's command ended before it was up (exit code 3).\n"
        + where(code, tmp_path)
        + shown
        + UNJUDGED
        + "Try: run the command yourself, in that folder; check the profile's [launch]."
    )


def test_a_command_that_a_signal_ends_says_which(tmp_path: Path) -> None:
    code = "import os; os.kill(os.getpid(), 9)"

    found = launch(code, tmp_path)

    assert found.startswith("The target's command ended before it was up (signal SIGKILL).\n")
    assert "  output    (none)\n" in found


def test_a_command_that_does_not_come_up_is_ended_when_the_wait_is_over(tmp_path: Path) -> None:
    code = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"

    found = launch(code, tmp_path, timedelta(seconds=1.5))

    pid = next(line.split()[1] for line in found.splitlines() if line.startswith("  output"))
    assert not alive(int(pid))
    assert found == (
        "The target is not up 1.5 s after its command was started.\n"
        + where(code, tmp_path)
        + f"  output    {pid}\n"
        + UNJUDGED
        + "Try: check ready in the profile's [launch], and whether the command listens at "
        "target.base_url; give it more time with wait."
    )


@pytest.mark.parametrize(
    ("command", "folder", "why"),
    [
        (["no-such-command"], ".", "No such file or directory"),
        (["/etc"], ".", "Permission denied"),
        ([sys.executable], "no-such-folder", "No such file or directory"),
    ],
)
def test_a_command_that_cannot_be_started_says_why(
    tmp_path: Path, command: list[str], folder: str, why: str
) -> None:
    with (
        pytest.raises(TargetError) as raised,
        Launched(command, folder=tmp_path / folder, env={}),
    ):
        pass

    assert str(raised.value) == (
        f"The target's command cannot be started ({why}).\n"
        f"  command   {command[0]}\n  folder    {tmp_path / folder}\n"
        "Try: check command and folder in the profile's [launch]."
    )


def test_a_server_that_is_there_already_is_not_taken_for_the_command(tmp_path: Path) -> None:
    async def run() -> None:
        up = exists(tmp_path)
        async with launched(["started"], folder=tmp_path, env={}, ready=up, wait=WAIT):
            pass

    with pytest.raises(TargetError) as raised:
        asyncio.run(run())

    assert str(raised.value) == (
        "Something answers at the target's address before its command is started.\n"
        "  command   started\n"
        "Try: end the server that is there, or give the command another port."
    )


def test_a_probe_that_hangs_is_cut_off_with_the_wait(tmp_path: Path) -> None:
    async def hangs() -> bool:
        await asyncio.sleep(3600)
        return True

    async def run() -> None:
        with Launched(python("import time; time.sleep(60)"), folder=tmp_path, env={}) as target:
            await target.until_up(hangs, timedelta(seconds=0.5))

    with pytest.raises(TargetError, match=r"The target is not up 0\.5 s after"):
        asyncio.run(run())


GROUP = """
import os, signal, subprocess, sys, time
ignore = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
child = subprocess.Popen([sys.executable, "-c", ignore + "open('child', 'w'); time.sleep(60)"])
while not os.path.exists("child"): time.sleep(0.01)
open("pids", "w").write(str(child.pid)); time.sleep(60)
"""


def test_all_that_the_command_has_started_ends_with_it(tmp_path: Path) -> None:
    with Launched(python(GROUP), folder=tmp_path, env={}) as target:
        pids = tmp_path / "pids"
        assert until(lambda: pids.exists() and pids.read_text() != "")
        child = int(pids.read_text())
        began = time.monotonic()

    assert until(lambda: not alive(target.pid) and not alive(child), 1)
    assert 4.5 < time.monotonic() - began < 8  # the child ignores SIGTERM: it has its five seconds


def test_a_command_that_has_ended_long_ago_is_not_looked_for_again(tmp_path: Path) -> None:
    with Launched(python(""), folder=tmp_path, env={}) as target:
        assert until(lambda: not alive(target.pid))
        with pytest.raises(TargetError, match=r"ended while it was needed \(exit code 0\)"):
            target.check()
    target.end()


def test_output_without_end_does_not_fill_the_disk(tmp_path: Path) -> None:
    code = "import sys\nwhile True: sys.stdout.write('line\\n' * 100_000); open('x', 'w')"
    with Launched(python(code), folder=tmp_path, env={}) as target:
        assert until((tmp_path / "x").exists)
        os.kill(target.pid, signal.SIGCONT)
        time.sleep(2.5)
        os.kill(target.pid, signal.SIGSTOP)
        time.sleep(1.2)
        size = os.fstat(target._output.fileno()).st_size
        os.kill(target.pid, signal.SIGCONT)
        tail = target.tail()

    assert size <= MAX_OUTPUT
    assert len(tail) == 20
    assert tail[5] == "line"


def test_output_in_an_error_is_redacted(tmp_path: Path) -> None:
    def redact(text: str) -> str:
        return text.replace("secret", "***")

    with Launched(python("print('secret')"), folder=tmp_path, env={}, redact=redact) as target:
        assert until(lambda: not alive(target.pid))
        with pytest.raises(TargetError) as raised:
            target.check()

    assert "  output    ***\n" in str(raised.value)


@pytest.mark.skipif(sys.platform != "linux", reason="prctl(2) is Linux's")
def test_a_command_does_not_outlive_a_harness_that_is_killed(tmp_path: Path) -> None:
    harness = (
        "import sys, time; from pathlib import Path; from otpspec.launch import Launched\n"
        "with Launched([sys.executable, '-c', 'import time; time.sleep(60)'], folder=Path('.'),"
        " env={}) as target:\n"
        "    print(target.pid, flush=True); time.sleep(60)"
    )
    process = subprocess.Popen(python(harness), stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout:
        target = int(process.stdout.readline())
        assert alive(target)
        process.kill()
        process.wait(5)

    assert until(lambda: not alive(target))
