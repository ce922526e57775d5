"""An app in this process sees held time, whatever it is made of, and the harness real time."""

import asyncio
import functools
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from otpspec import realtime
from otpspec.clock import IdleSelector, JumpingClock, find_clock
from otpspec.errors import ClockError, TargetError
from otpspec.frozen import FrozenApp, FrozenHook, FrozenTime
from otpspec.inprocess import is_wsgi
from otpspec.witness import DateHeader

sys.path.insert(0, str(Path(__file__).parent))  # where clock_apps is, as a user's app would be

REAL = (datetime,)  # where freezegun does not look
EVERY = ("clock_apps:asgi", "clock_apps:starlette", "clock_apps:wsgi")
BASE = "http://app.test"


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    """After each test time is real again, and no thread is left."""
    threads = set(threading.enumerate())
    reals = (time.time, time.monotonic, datetime, threading._time, asyncio.BaseEventLoop.time)  # type: ignore[attr-defined]
    yield
    assert (
        time.time,
        time.monotonic,
        sys.modules["datetime"].datetime,
        threading._time,  # type: ignore[attr-defined]
        asyncio.BaseEventLoop.time,
    ) == reals
    end = time.monotonic() + 5
    while (left := set(threading.enumerate()) - threads) and time.monotonic() < end:
        time.sleep(0.02)
    assert not left


def told(app: FrozenApp, path: str = "/time") -> dict[str, float]:
    async def ask() -> Any:
        async with httpx.AsyncClient(transport=app.transport(), base_url=BASE) as http:
            return (await http.get(path)).json()

    return asyncio.run(ask())  # type: ignore[no-any-return]


def hook_of(app: FrozenApp, http: httpx.AsyncClient) -> FrozenHook:
    async def headers() -> Any:
        return (await http.get("/time")).headers

    return FrozenHook(app, DateHeader(headers, BASE))


def on_a_jumping_clock(
    name: str, main: Callable[[JumpingClock, httpx.AsyncClient], Any], stuck_after: float = 20
) -> Any:
    """Run on a loop whose clock jumps an app's time."""
    selector = IdleSelector(timedelta(seconds=stuck_after))

    async def started(app: FrozenApp) -> Any:
        async with httpx.AsyncClient(transport=app.transport(), base_url=BASE) as http:
            clock = await find_clock(hook_of(app, http))
            assert isinstance(clock, JumpingClock)
            selector.on_idle = clock.idle
            return await main(clock, http)

    with (
        FrozenApp(name) as app,
        asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selector)) as runner,
    ):
        return runner.run(started(app))


# --- what the app sees --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "path"), [*((name, "/time") for name in EVERY), (EVERY[1], "/thread/time")]
)
def test_an_app_sees_its_time_held_and_moved_in_every_way_of_asking(name: str, path: str) -> None:
    before = realtime.now().timestamp()
    with FrozenApp(name) as app:
        first = told(app, path)
        threading.Event().wait(0.3)
        assert told(app, path) == first
        for key in ("now", "time_ns", "datetime"):
            assert before - 0.001 <= first[key] <= before + 5
        app.time.advance(600)
        app.time.advance(0.5)
        later = told(app, path)

    assert set(first) == {"now", "time_ns", "datetime", "naive", "monotonic", "from_import"}
    assert {key: round(later[key] - first[key], 3) for key in first} == dict.fromkeys(first, 600.5)


@pytest.mark.parametrize("name", EVERY)
def test_a_code_expires_by_jumps_and_the_run_takes_real_time(name: str) -> None:
    async def main(clock: JumpingClock, http: httpx.AsyncClient) -> tuple[list[int], float]:
        began = clock.now()
        code = (await http.post("/codes")).json()["code"]
        statuses = []
        for age in (599, 601):
            await clock.sleep_until(began + timedelta(seconds=age))
            assert clock.now() == began + timedelta(seconds=age)
            statuses.append((await http.post("/verify", content=code)).status_code)
        await clock.check()
        return statuses, (clock.now() - began).total_seconds()

    began = realtime.monotonic()
    statuses, slept = on_a_jumping_clock(name, main)

    assert statuses == [200, 410]
    assert slept == 601
    assert realtime.monotonic() - began < 10


def test_a_task_of_the_app_that_sleeps_does_not_hold_the_clock() -> None:
    """Its lifespan has one that sleeps for an hour."""

    async def main(clock: JumpingClock, http: httpx.AsyncClient) -> None:
        await clock.sleep_until(clock.now() + timedelta(days=1))

    began = realtime.monotonic()
    on_a_jumping_clock("clock_apps:starlette", main)

    assert realtime.monotonic() - began < 10


@pytest.mark.parametrize(("name", "path"), [(EVERY[1], "/thread/slow"), (EVERY[2], "/slow")])
def test_an_app_that_is_busy_in_a_thread_holds_the_clock(name: str, path: str) -> None:
    async def main(clock: JumpingClock, http: httpx.AsyncClient) -> float:
        began = clock.now()

        async def slow() -> float:
            await http.get(path)
            return (clock.now() - began).total_seconds()

        asking = asyncio.create_task(slow())
        await asyncio.sleep(0.05)
        await clock.sleep_until(began + timedelta(seconds=600))
        return await asking

    assert on_a_jumping_clock(name, main) == 0


def test_a_verdict_that_needed_a_jump_says_what_it_leans_on() -> None:
    async def main(clock: JumpingClock, http: httpx.AsyncClient) -> str:
        return clock.leans_on

    assert on_a_jumping_clock("clock_apps:asgi", main) == (
        "the app's Python time was moved by freezegun; a database or cache beside it keeps its own"
    )


def test_an_app_that_took_hold_of_a_function_of_the_real_time_is_named(tmp_path: Path) -> None:
    (tmp_path / "holds_time.py").write_text(
        "from datetime import datetime\n"
        "import time\n"
        "def made(at=datetime.utcnow, seconds=time.time): return at(), seconds()\n"
        "async def app(scope, receive, send): pass\n"
    )
    sys.path.insert(0, str(tmp_path))
    try:
        with FrozenApp("holds_time:app") as app:
            found = FrozenHook(app, None).leans_on  # type: ignore[arg-type]
    finally:
        sys.path.remove(str(tmp_path))
        del sys.modules["holds_time"]

    assert found == (
        "the app's Python time was moved by freezegun; a database or cache beside it keeps its "
        "own; what took hold of datetime.utcnow and time.time when the app was imported keeps "
        "real time, too"
    )


# --- what the harness sees ----------------------------------------------------------------------


def test_the_harness_keeps_real_time_while_the_app_s_is_held() -> None:
    with FrozenTime() as held:
        held.advance(86_400)
        began, wall = realtime.monotonic(), realtime.now()

        with pytest.raises(queue.Empty):
            queue.Queue[int]().get(timeout=0.1)
        never = threading.Condition()
        with never:
            assert not never.wait_for(lambda: False, 0.1)
        process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(5)"])
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.1)
        process.kill()
        process.wait()

        async def waits() -> None:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await asyncio.sleep(5)

        asyncio.run(waits())
        took, went = realtime.monotonic() - began, realtime.now() - wall

        assert 0.3 < took < 3
        assert abs(went.total_seconds() - took) < 0.1
        assert type(realtime.now()) is type(realtime.at(0.0)) is REAL[0]
        assert datetime.now(UTC) - realtime.now() > timedelta(hours=23)  # this is held


def test_local_time_is_the_machine_s_in_every_way_of_asking() -> None:
    asked: list[Any] = []

    def ask() -> None:  # in a thread: what pytest itself calls has real time
        naive, local = datetime.now(), time.localtime()
        asked.extend([(naive.hour, naive.minute), (local.tm_hour, local.tm_min)])
        asked.append(naive.timestamp() - time.time())

    with FrozenTime() as held:
        held.advance(3000)
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()

    assert asked[0] == asked[1]
    assert abs(asked[2]) < 1e-5


# --- requests -----------------------------------------------------------------------------------


def test_an_app_that_does_not_answer_is_no_answer_in_time() -> None:
    async def ask(app: FrozenApp) -> None:
        async with httpx.AsyncClient(transport=app.transport(), timeout=0.1) as http:
            await http.get(BASE + "/thread/slow")

    with (
        FrozenApp("clock_apps:starlette") as app,
        pytest.raises(httpx.ReadTimeout, match="no answer in time"),
    ):
        asyncio.run(ask(app))


def test_a_fault_of_the_app_is_an_answer_with_status_500() -> None:
    async def ask(app: FrozenApp) -> int:
        async with httpx.AsyncClient(transport=app.transport(), base_url=BASE) as http:
            return (await http.get("/breaks")).status_code

    with FrozenApp("clock_apps:starlette") as app:
        assert asyncio.run(ask(app)) == 500


def test_a_body_may_wait_for_something_of_the_harness() -> None:
    async def ask(app: FrozenApp) -> int:
        gate = asyncio.Event()

        async def body() -> Any:
            yield b"00"
            await gate.wait()
            yield b"0000"

        async with httpx.AsyncClient(transport=app.transport(), base_url=BASE) as http:
            await http.post("/codes")
            asking = asyncio.create_task(http.post("/verify", content=body()))
            await asyncio.sleep(0.05)
            assert not asking.done()
            gate.set()
            return (await asking).status_code

    import clock_apps

    clock_apps.codes.clear()
    with FrozenApp("clock_apps:asgi") as app:
        assert asyncio.run(ask(app)) == 200


# --- starting and ending ------------------------------------------------------------------------


def test_the_lifespan_runs_in_held_time_and_is_ended() -> None:
    import clock_apps

    with FrozenApp("clock_apps:starlette") as app:
        assert clock_apps.started == [told(app)["now"]]

    assert clock_apps.started == []


def test_an_app_that_does_not_start_says_why_and_leaves_time_real() -> None:
    with pytest.raises(TargetError) as raised, FrozenApp("clock_apps:does_not_start"):
        pass

    assert str(raised.value) == (
        "The app does not start (ConnectionError: no database).\n"
        "Try: start it as you do otherwise, and see what it says."
    )


def test_an_app_that_says_that_its_start_failed_is_believed() -> None:
    why = r"does not start \(RuntimeError: no mail server\)"
    with pytest.raises(TargetError, match=why), FrozenApp("clock_apps:says_that_it_failed"):
        pass


def test_an_app_that_passes_over_its_lifespan_runs_without() -> None:
    with FrozenApp("clock_apps:passes_over") as app:
        assert "now" in told(app)


def test_a_function_that_is_no_app_says_what_it_takes() -> None:
    with pytest.raises(TargetError) as raised, FrozenApp("clock_apps:not_an_app"):
        pass

    assert str(raised.value) == (
        "The app takes (): neither (scope, receive, send), as ASGI has it, nor (environ, "
        "start_response), as WSGI has it.\n"
        "Try: name the app itself, not a function that makes it."
    )


def test_an_app_whose_own_clock_does_not_move_is_found_out() -> None:
    """As an app that asks another machine for the time."""

    async def find(app: FrozenApp) -> None:
        async with httpx.AsyncClient(transport=app.transport(), base_url=BASE) as http:
            await find_clock(hook_of(app, http))

    with FrozenApp("clock_apps:asgi") as app:
        app.time.advance = lambda seconds: None  # type: ignore[method-assign]
        with pytest.raises(ClockError) as raised:
            asyncio.run(find(app))

    assert str(raised.value) == (
        "The target's clock does not move: it was asked to go 9 s on, and went 0.0 s.\n"
        "No rule was checked, so this says nothing about the target.\n"
        "Try: the app may keep time in another way than by Python's time and datetime: give it a "
        'test endpoint for its time (clock.kind = "http"), or let time be real.'
    )


class _Asgi:
    async def __call__(self, scope: Any, receive: Any, send: Any) -> None: ...


class _Wsgi:
    def __call__(self, environ: Any, start_response: Any) -> Any: ...


def _wrapped(scope: Any, receive: Any, send: Any) -> Any: ...


def _with_more(environ: Any, start_response: Any, *, exc_info: Any = None) -> Any: ...


async def _any(*args: Any) -> None: ...


@pytest.mark.parametrize(
    ("app", "wsgi"),
    [
        (_Asgi(), False),
        (_wrapped, False),
        (_any, False),
        (functools.partial(_wrapped), False),
        (_Wsgi(), True),
        (_with_more, True),
        (functools.partial(_with_more, exc_info=1), True),
    ],
)
def test_asgi_and_wsgi_are_told_apart_by_what_they_take(app: Any, wsgi: bool) -> None:
    assert is_wsgi(app) is wsgi


def test_apps_of_the_frameworks_are_told_apart() -> None:
    import flask
    from starlette.applications import Starlette

    assert is_wsgi(flask.Flask("an-app"))  # Locust has it installed
    assert not is_wsgi(Starlette())
