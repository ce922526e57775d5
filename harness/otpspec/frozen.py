"""A Python app whose time is freezegun's: it stands still, and is moved by jumps.

The app runs on an event loop in a thread of its own. On the harness's own loop a timer of the app
(a task that sleeps an hour between two clean-ups) would hold the harness's clock for as long, and
an app that blocks would block the harness with it.

The app is imported before its time is held: frameworks build on the real `datetime` class while
they are imported, and refuse freezegun's. What an app itself took hold of by then, beyond the
names of its modules (`default_factory=datetime.utcnow`), stays real; `holders` finds it.

While time is held, all of this process sees it held, except what asks otpspec.realtime, event
loops, and the libraries in KEEPS_REAL_TIME. A thread of the app that sleeps sleeps for real.
"""

import asyncio
import gc
import queue
import subprocess
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from datetime import date, datetime, timedelta
from email.utils import formatdate
from types import BuiltinFunctionType, FrameType, TracebackType
from typing import Any, ClassVar

import httpx
from freezegun import freeze_time

from otpspec import realtime
from otpspec.burst import Landed, Shot
from otpspec.clock import Reading
from otpspec.inprocess import App, find_app, started

KEEPS_REAL_TIME = ("_pytest", "pytest", "pytest_benchmark", "httpcore", "rich", "aiosmtpd")
"""Libraries that the harness itself uses, by the first letters of their modules' names.

freezegun gives real time to whatever is called within five calls of these. So nothing may stand
here that calls an app: httpx, otpspec, asyncio, anyio or threading would give a small app real
time, and a larger one held time."""

_TIMEOUT = 10.0  # seconds for an answer where the client sets no time-out
_STOP = 40.0  # seconds for the app's thread to end


class FrozenTime:
    """This process's time, held still for as long as the block lasts, and moved by `advance`."""

    _real: ClassVar[tuple[Any, ...]] = (time.monotonic,)

    def __enter__(self) -> "FrozenTime":
        # naive local times and time.localtime() must agree, so both are the machine's zone
        zone = timedelta(seconds=-time.timezone)
        self._freezer = freeze_time(tz_offset=zone)
        self._freezer.ignore = KEEPS_REAL_TIME  # without freezegun's defaults: they have threading
        self._time: Any = self._freezer.start()
        self._loop_time = asyncio.BaseEventLoop.time
        asyncio.BaseEventLoop.time = _loop_time  # type: ignore[method-assign]
        # what waits with a time-out of its own would wait for ever
        for module, name in ((threading, "_time"), (queue, "time"), (subprocess, "_time")):
            setattr(module, name, self._real[0])
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        asyncio.BaseEventLoop.time = self._loop_time  # type: ignore[method-assign]
        self._freezer.stop()

    def advance(self, seconds: float) -> None:
        """Move it forward."""
        self._time.tick(timedelta(seconds=seconds))


def _loop_time(self: asyncio.BaseEventLoop) -> float:
    """Timers of event loops are real. freezegun has a switch for this, which fails under uvloop."""
    return realtime.monotonic()


class FrozenApp:
    """The app of "package.module:app", running with its time held, for as long as the block lasts.

    Raises TargetError where there is no such app, or it does not start.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> "FrozenApp":
        before = holders()
        app = find_app(self._name)
        self.held_real = sorted({name for key, (name, _) in holders().items() if key not in before})
        self._loop = asyncio.SelectorEventLoop()
        self._thread = threading.Thread(target=self._run, name="otpspec app", daemon=True)
        self._stop = asyncio.Event()
        self.time = FrozenTime()
        self.time.__enter__()
        try:
            self._thread.start()
            up: Future[httpx.ASGITransport] = Future()
            self._served = asyncio.run_coroutine_threadsafe(self._serve(app, up), self._loop)
            self._asgi = up.result()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._end()

    def transport(self) -> "AppTransport":
        """An httpx transport to the app; each client may have one."""
        return AppTransport(self._asgi, self._loop)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.get_loop().run_forever()

    async def _serve(self, app: App, up: Future[httpx.ASGITransport]) -> None:
        try:
            async with started(app) as transport:
                up.set_result(transport)
                await self._stop.wait()
        except BaseException as error:
            if up.done():
                raise
            up.set_exception(error)

    def _end(self) -> None:
        try:
            if self._thread.is_alive():
                self._loop.call_soon_threadsafe(self._stop.set)
                self._served.exception(_STOP)  # what goes wrong at the app's end is not ours
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(_STOP)
            self.time.__exit__(None, None, None)


class AppTransport(httpx.AsyncBaseTransport):
    """Carries requests from the harness's event loop to the app's, as a server would.

    httpx's own transport knows no time-out: without one, a request to an app that is busy in a
    thread would not hold the harness's clock, and an app that hangs would hang the run.
    """

    def __init__(self, asgi: httpx.ASGITransport, loop: asyncio.AbstractEventLoop) -> None:
        self._asgi = asgi
        self._loop = loop

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request to the app. Raises httpx.ReadTimeout where no answer comes in time."""
        body = await request.aread()  # here, since it may wait for something of this loop
        copy = httpx.Request(request.method, request.url, headers=request.headers, content=body)
        timeout = request.extensions.get("timeout", {}).get("read", _TIMEOUT)
        answer = asyncio.run_coroutine_threadsafe(self._answer(copy), self._loop)
        try:
            async with asyncio.timeout(timeout):
                status, headers, said = await asyncio.wrap_future(answer)
        except TimeoutError as error:
            raise httpx.ReadTimeout("no answer in time", request=request) from error
        return httpx.Response(
            status, headers=headers, stream=httpx.ByteStream(said), request=request
        )

    async def fire(self, shots: Sequence[Shot], *, timeout_s: float) -> list[Landed]:
        """Send requests that the app begins to handle in the same pass of its event loop."""
        gate = asyncio.Event()
        began: list[float] = []

        def release() -> None:
            began.append(realtime.monotonic())
            gate.set()

        async def land(request: httpx.Request) -> Landed:
            answer = asyncio.run_coroutine_threadsafe(self._held(request, gate), self._loop)
            response, error = None, ""
            try:
                async with asyncio.timeout(timeout_s):
                    status, headers, said = await asyncio.wrap_future(answer)
                response = httpx.Response(status, headers=headers, content=said)
            except TimeoutError:
                error = "no answer in time"
            start = began[0]
            answered = realtime.monotonic()
            return Landed(response, error, True, False, start, start, start, answered)

        landing = [asyncio.ensure_future(land(shot.request)) for shot in shots]
        await asyncio.sleep(0)  # each has been handed over
        self._loop.call_soon_threadsafe(release)
        return list(await asyncio.gather(*landing))

    async def _held(
        self, request: httpx.Request, gate: asyncio.Event
    ) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        copy = httpx.Request(
            request.method, request.url, headers=request.headers, content=request.content
        )
        await gate.wait()
        return await self._answer(copy)

    async def _answer(self, request: httpx.Request) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        response = await self._asgi.handle_async_request(request)
        headers = list(response.headers.raw)
        if "date" not in response.headers:  # every server adds one: the time as the app sees it
            headers.append((b"date", formatdate(time.time(), usegmt=True).encode()))
        assert isinstance(response.stream, httpx.AsyncByteStream)  # noqa: S101
        return response.status_code, headers, b"".join([part async for part in response.stream])


class FrozenHook:
    """Moves the time of an app in this process; between two jumps it stands still."""

    hint = (
        "the app may keep time in another way than by Python's time and datetime: give it a test "
        'endpoint for its time (clock.kind = "http"), or let time be real.'
    )

    def __init__(self, app: FrozenApp, read: Callable[[], Awaitable[Reading]]) -> None:
        self._app = app
        self._read = read
        self.leans_on = (
            "the app's Python time was moved by freezegun; a database or cache beside it keeps its "
            "own"
        )
        if app.held_real:
            self.leans_on += (
                f"; what took hold of {' and '.join(app.held_real)} when the app was imported "
                "keeps real time, too"
            )

    async def read(self) -> Reading:
        """Read the app's clock. Raises ClockError where it shows none."""
        return replace(await self._read(), rate=0.0)

    async def advance(self, seconds: float) -> Reading:
        """Move the app's clock."""
        self._app.time.advance(seconds)
        return await self.read()


def holders() -> dict[int, tuple[str, object]]:
    """What holds a function that tells the time where freezegun does not look: in defaults of
    fields and columns, in closures. A module's own names it does replace.

    Two calls, before and after an import, tell what the import has added.
    """
    found: dict[int, tuple[str, object]] = {}
    for thing in gc.get_objects():  # each access to datetime.now makes an object of its own
        is_clock = type(thing) is BuiltinFunctionType and thing.__self__ in (datetime, date)
        if is_clock and thing.__name__ in ("now", "utcnow", "today"):
            found[id(thing)] = (f"datetime.{thing.__name__}", thing)
    functions = (time.time, time.time_ns, time.monotonic)
    for function in functions:
        for holder in gc.get_referrers(function):
            is_module = isinstance(holder, dict) and "__name__" in holder
            if not is_module and not isinstance(holder, FrameType) and holder is not functions:
                found[id(holder)] = (f"time.{function.__name__}", holder)
    return found
