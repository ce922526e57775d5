"""libfaketime moves a real process, and what it does not move is found out."""

import asyncio
import json
import shutil
import socket
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from otpspec.clock import JumpingClock, Reading, find_clock
from otpspec.errors import ClockError, TargetError
from otpspec.faketime import Faketime, FaketimeHook, find_library
from otpspec.launch import Launched, launched
from otpspec.witness import DateHeader, date_of

HERE = Path(__file__).parent
WAIT = timedelta(seconds=20)
NODE = """
const http = require("http"), codes = {};
http.createServer((asked, answer) => {
  let body = "";
  asked.on("data", part => body += part);
  asked.on("end", () => {
    if (asked.url == "/codes") { codes["1"] = Date.now(); answer.end('{"code": "1"}'); }
    else if (asked.url == "/verify") {
      answer.statusCode = Date.now() - codes[body] < 600000 ? 200 : 410; answer.end("{}");
    } else {
      answer.end(JSON.stringify({now: Date.now() / 1000, monotonic: performance.now() / 1000}));
    }
  });
}).listen(+process.argv[1], "127.0.0.1");
"""
linux = pytest.mark.skipif(sys.platform != "linux", reason="libfaketime is loaded on Linux only")
pytestmark = linux


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def uvicorn(port: int, app: str = "clock_apps:asgi") -> list[str]:
    options = ["--port", str(port), "--lifespan", "off", "--log-level", "warning"]
    return [sys.executable, "-m", "uvicorn", "--app-dir", str(HERE), app, *options]


def node(port: int) -> list[str]:
    found = shutil.which("node")
    if found is None:
        pytest.skip("there is no node on this machine")
    return [found, "-e", NODE, str(port)]


class Target:
    """A process under libfaketime, and what moves its time."""

    def __init__(self, url: str, faketime: Faketime, process: Launched) -> None:
        self.url = url
        self.faketime = faketime
        self.process = process
        self.http = httpx.AsyncClient(base_url=url, trust_env=False)

    async def headers(self) -> Mapping[str, str]:
        return (await self.http.get("/time")).headers

    async def told(self) -> dict[str, float]:
        return json.loads((await self.http.get("/time")).content)  # type: ignore[no-any-return]

    async def read(self) -> Reading:
        return Reading((await self.told())["now"])

    def hook(self, *, by_date: bool) -> FaketimeHook:
        read = DateHeader(self.headers, self.url) if by_date else self.read
        return FaketimeHook(self.faketime, read)

    async def off(self) -> float:
        """How far its time is from ours."""
        return (await self.told())["now"] - time.time()


@asynccontextmanager
async def running(
    command: Any = uvicorn, rate: float = 1.0, *, reached: bool = True
) -> AsyncIterator[Target]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"

    async def ready() -> bool:
        async with httpx.AsyncClient(trust_env=False) as http:
            try:
                return bool(await http.get(url))
            except httpx.TransportError:
                return False

    with Faketime(find_library(), rate) as faketime:
        extra = faketime.environment() if reached else {}
        async with launched(
            command(port),
            folder=HERE,
            env={},
            extra_env=extra,
            ready=ready,
            wait=WAIT,
            on_end=faketime.clean,
        ) as process:
            target = Target(url, faketime, process)
            async with target.http:
                yield target


def find(target: Target, *, by_date: bool) -> Any:
    return find_clock(target.hook(by_date=by_date))


@pytest.mark.parametrize("command", [uvicorn, node])
def test_a_process_sees_each_jump_at_its_next_request(command: Any) -> None:
    async def run() -> None:
        async with running(command) as target:
            assert abs(await target.off()) < 0.5
            before = (await target.told())["monotonic"], time.monotonic()
            moved = 0.0
            for seconds in (600.0, 600.5, 0.25, 0.001, 86_400.0, 0.125, 1.0):
                target.faketime.advance(seconds)
                moved += seconds
                assert abs(await target.off() - moved) < 0.05
            after = (await target.told())["monotonic"], time.monotonic()
            assert abs((after[0] - before[0]) - (after[1] - before[1])) < 0.5  # it stays real

    asyncio.run(run())


@pytest.mark.parametrize("command", [uvicorn, node])
def test_a_code_expires_by_the_clock_that_jumps_with_the_date_header_as_witness(
    command: Any,
) -> None:
    async def run() -> list[int]:
        async with running(command) as target:
            clock = await find(target, by_date=True)
            assert isinstance(clock, JumpingClock)
            code = (await target.http.post("/codes")).json()["code"]
            statuses = []
            for seconds in (599.0, 2.0):
                await clock._advance(seconds)
                statuses.append((await target.http.post("/verify", content=code)).status_code)
            await clock.check()
            return statuses

    began = time.monotonic()
    assert asyncio.run(run()) == [200, 410]
    assert time.monotonic() - began < 20


def test_a_time_endpoint_is_a_witness_without_a_delay() -> None:
    async def run() -> float:
        async with running() as target:
            began = time.monotonic()
            clock = await find(target, by_date=False)
            for _ in range(50):
                await clock._advance(60.5)
                await clock.check()
            return time.monotonic() - began

    assert asyncio.run(run()) < 3


def test_a_worker_process_that_the_command_starts_is_moved_with_it() -> None:
    def two_workers(port: int) -> list[str]:
        return [*uvicorn(port), "--workers", "2"]

    async def run() -> None:
        async with running(two_workers) as target:
            await find(target, by_date=True)
            target.faketime.advance(591.0)
            for _ in range(10):
                async with httpx.AsyncClient(base_url=target.url, trust_env=False) as http:
                    now = json.loads((await http.get("/time")).content)["now"]
                assert abs(now - time.time() - 600) < 0.1

    asyncio.run(run())


def test_time_may_run_faster_and_still_be_moved() -> None:
    async def run() -> None:
        async with running(rate=60.0) as target:
            clock = await find(target, by_date=False)
            await clock._advance(600)
            before = (await target.read()).now
            await asyncio.sleep(1)
            assert 59 < (await target.read()).now - before < 65
            await clock.check()

    asyncio.run(run())


# --- what does not move -------------------------------------------------------------------------


def refused(command: Any = uvicorn, *, by_date: bool, reached: bool = True) -> list[str]:
    async def run() -> None:
        async with running(command, reached=reached) as target:
            await find(target, by_date=by_date)

    with pytest.raises(ClockError) as raised:
        asyncio.run(run())
    return str(raised.value).splitlines()


@pytest.mark.parametrize(("by_date", "step"), [(True, 9), (False, 3)])
def test_a_process_that_the_library_does_not_reach_is_found_out(by_date: bool, step: int) -> None:
    found = refused(by_date=by_date, reached=False)

    asked = f"The target's clock does not move: it was asked to go {step} s on, and went "
    assert found[0].startswith(asked)
    assert found[1:] == [
        "No rule was checked, so this says nothing about the target.",
        "Try: see that [launch] command starts the server itself, from a program that is linked "
        "dynamically (most Go programs are not) and not in a container; else give the target a "
        'test endpoint for its time (clock.kind = "http"), or let time be real.',
    ]


def test_a_server_that_shows_no_time_is_found_out() -> None:
    def dateless(port: int) -> list[str]:
        return [*uvicorn(port), "--no-date-header"]

    found = refused(dateless, by_date=True)

    assert found[0].startswith("The answers of http://127.0.0.1:")
    assert found[0].endswith(" have no Date header, so nobody sees whether its clock moves.")
    assert found[1:] == [
        "No rule was checked, so this says nothing about the target.",
        "Try: declare [clock.read] in the profile, a request whose answer shows the target's "
        "time; or let its server send the Date header.",
    ]


def test_a_date_header_that_is_no_date_is_found_out() -> None:
    with pytest.raises(ClockError) as raised:
        date_of({"date": "yesterday"}, "http://there")

    assert str(raised.value) == (
        'The Date header of http://there is no date: "yesterday".\n'
        "No rule was checked, so this says nothing about the target.\n"
        "Try: declare [clock.read] in the profile, a request whose answer shows the target's time."
    )


def test_a_date_header_is_read_as_it_is_written() -> None:
    found = date_of({"date": "Sun, 06 Nov 1994 08:49:37 GMT"}, "http://there")

    assert found == Reading(784111777.0, behind=2.0)


# --- the library itself -------------------------------------------------------------------------


def test_the_environment_is_what_was_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LD_PRELOAD", "/lib/other.so")
    monkeypatch.setenv("FAKETIME", "+1h")
    with Faketime(Path("/lib/faketime.so")) as faketime:
        found = faketime.environment()
        file = Path(found.pop("FAKETIME_TIMESTAMP_FILE") or "")
        assert file.read_text() == "+0.000000\n"
        faketime.advance(600.5)
        faketime.advance(0.25)
        assert file.read_text() == "+600.750000\n"

    assert found == {
        "FAKETIME": None,  # it would win over the file
        "LD_PRELOAD": "/lib/faketime.so:/lib/other.so",
        "FAKETIME_NO_CACHE": "1",
        "DONT_FAKE_MONOTONIC": "1",
    }
    assert not file.parent.exists()


def test_a_system_s_library_is_taken_before_pypi_s(tmp_path: Path) -> None:
    system = tmp_path / "libfaketimeMT.so.1"
    assert find_library([system]).name == "libfaketime.so.1"

    system.touch()

    assert find_library([system]) == system


def test_a_library_may_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named = tmp_path / "mine.so"
    monkeypatch.setenv("OTPSPEC_LIBFAKETIME", str(named))
    with pytest.raises(TargetError) as raised:
        find_library()
    assert str(raised.value) == (
        f"OTPSPEC_LIBFAKETIME names {named}, and there is no such file.\n"
        "Try: pip install 'otpspec[faketime]', or your system's package libfaketime."
    )

    named.touch()

    assert find_library() == named


def test_a_library_that_is_missing_is_said_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)

    with pytest.raises(TargetError) as raised:
        find_library([])

    assert str(raised.value) == (
        'clock.kind = "faketime" needs libfaketime, which is not installed.\n'
        "Try: pip install 'otpspec[faketime]', or your system's package libfaketime."
    )


def test_another_system_than_linux_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")

    with pytest.raises(TargetError) as raised:
        find_library()

    assert str(raised.value) == (
        'clock.kind = "faketime" works on Linux only, and this is darwin.\n'
        "Try: run it in a Linux container, or give the target a test endpoint for its time "
        '(clock.kind = "http").'
    )


def in_shared_memory() -> set[str]:
    return {path.name for path in Path("/dev/shm").iterdir()}


def test_a_process_that_was_killed_leaves_nothing_in_shared_memory(tmp_path: Path) -> None:
    code = "import time; time.time(); open('up', 'w'); time.sleep(60)"
    command = [sys.executable, "-c", code]
    with Faketime(find_library()) as faketime:
        extra = faketime.environment()
        started = Launched(command, folder=tmp_path, env={}, extra_env=extra, on_end=faketime.clean)
        with started as target:
            while not (tmp_path / "up").exists():
                time.sleep(0.02)
            left = {f"faketime_shm_{target.pid}", f"sem.faketime_sem_{target.pid}"}
            assert left <= in_shared_memory()

        assert not left & in_shared_memory()
