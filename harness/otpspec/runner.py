"""Runs scenarios, all at once, on one event loop in a thread of its own."""

import asyncio
import hashlib
import random
import secrets
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from otpspec.clock import IdleSelector, JumpingClock, RealClock, find_clock
from otpspec.errors import ClockError, OtpspecError, TargetError
from otpspec.outcome import Verdict
from otpspec.profile import Profile
from otpspec.redact import Redactor
from otpspec.target import Answer, HttpTimeHook, Session, client
from otpspec.trial import Trial
from otpspec.verdicts import Broken, Inconclusive, NotApplicable

STUCK_AFTER = timedelta(seconds=5)
"""How long nothing may happen, with nothing left that could wake a scenario."""

_CLOSING = 5.0  # seconds for what is under way to end, when a run is cut short
_T = TypeVar("_T")


@dataclass(frozen=True)
class Scenario:
    """A coroutine that takes a trial, and the rules that it proves."""

    id: str
    rules: tuple[str, ...]
    run: Callable[[Trial], Awaitable[None]]


@dataclass(frozen=True)
class Finished:
    """What a scenario came to."""

    scenario: Scenario
    verdict: Verdict
    reason: str = ""
    measured: dict[str, str] = field(default_factory=dict)  # what, and how much
    expected: str = ""
    got: str = ""
    error: BaseException | None = None
    answers: list[Answer] = field(default_factory=list)
    began: datetime = datetime.min  # in the target's time
    duration_s: float = 0.0  # in real time


class Runner:
    """Runs scenarios against a target. Open it first, close it in any case.

    `on_finished` is called on the runner's thread as each scenario ends.
    """

    def __init__(
        self,
        profile: Profile,
        seed: int | None = None,
        on_finished: Callable[[Finished], None] = lambda finished: None,
        *,
        deep: bool = False,
    ) -> None:
        self.profile = profile
        self.seed = secrets.randbelow(1_000_000) if seed is None else seed
        self.redact = Redactor()
        self.redact.learn(*profile.secrets)
        self.clock: RealClock | JumpingClock = RealClock()
        self._on_finished = on_finished
        self._deep = deep
        self._selector = IdleSelector(STUCK_AFTER)
        self._loop = asyncio.SelectorEventLoop(self._selector)
        self._thread = threading.Thread(target=self._loop.run_forever, name="otpspec", daemon=True)
        self._futures: dict[str, Future[Finished]] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._hook: HttpTimeHook | None = None
        self._codes_seen: list[str] = []

    def open(self) -> None:
        """Find the target and its clock.

        Raises TargetError, ClockError: what is wrong, and what to try.
        """
        self._thread.start()
        self._selector.on_stuck = self._end_stuck
        try:
            self._wait(self._prepare())
        except BaseException:  # Ctrl-C, too, must not keep the clock's lease
            self.close()
            raise

    async def _prepare(self) -> None:
        self._http = client(self.profile)
        if self.profile.clock.kind == "http":
            self._hook = HttpTimeHook(self.profile, self._http)
            await self._hook.lease()
        self.clock = await find_clock(self._hook)
        if isinstance(self.clock, JumpingClock):
            self._selector.on_idle = self.clock.idle
        await Session(self.profile, self.clock, self._http).probe(self.redact)

    def start(self, scenarios: Iterable[Scenario]) -> None:
        """Start scenarios, all at once."""
        scenarios = list(scenarios)
        self._futures |= {scenario.id: Future() for scenario in scenarios}
        self._loop.call_soon_threadsafe(self._start_tasks, scenarios)

    def _start_tasks(self, scenarios: list[Scenario]) -> None:
        for scenario in scenarios:
            task = self._loop.create_task(self._run(scenario))
            self._running.add(task)
            task.add_done_callback(partial(self._ended, scenario))

    def _ended(self, scenario: Scenario, task: asyncio.Task[None]) -> None:
        """A fault of the harness itself must not leave pytest waiting for ever."""
        self._running.discard(task)
        if not self._futures[scenario.id].done():
            error = asyncio.CancelledError() if task.cancelled() else task.exception()
            self._futures[scenario.id].set_exception(error or RuntimeError("no result"))

    def result(self, scenario: Scenario) -> Finished:
        """Wait for a scenario to end; one that was not started is started now, and runs alone."""
        if scenario.id not in self._futures:
            self.start([scenario])
        return self._futures[scenario.id].result()

    def close(self) -> None:
        """End what is under way, give the clock's lease back, stop the thread."""
        if not self._thread.is_alive():
            return
        with suppress(TimeoutError, OtpspecError):
            self._wait(self._end(), timeout=_CLOSING)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_CLOSING)
        if not self._thread.is_alive():
            self._loop.close()

    async def _end(self) -> None:
        running = list(self._running)
        for task in running:
            task.cancel("the run was ended before it finished")
        await asyncio.gather(*running, return_exceptions=True)
        if self._hook:
            await self._hook.release()
        await self._http.aclose()

    def _end_stuck(self) -> None:
        for task in self._running:
            task.cancel("it waits for something that cannot happen any more")

    def _wait(self, coroutine: Coroutine[Any, Any, _T], timeout: float | None = None) -> _T:
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        try:
            return future.result(timeout)
        except BaseException:
            future.cancel()  # nobody waits for it any more
            raise

    async def _run(self, scenario: Scenario) -> None:
        began, started = self.clock.now(), time.monotonic()
        async with client(self.profile) as http:
            session = Session(self.profile, self.clock, http)
            rng = self._rng(scenario)
            trial = Trial(
                self.profile,
                self.clock,
                session,
                self.redact,
                rng,
                self._codes_seen,
                deep=self._deep,
            )
            verdict, error = await self._judge(scenario, trial)
        broken = error if isinstance(error, Broken) else None
        finished = Finished(
            scenario,
            verdict,
            reason=self._reason(error),
            measured=trial.notes.measured,
            expected=broken.expected if broken else "",
            got=broken.got if broken else "",
            error=error,
            answers=session.answers,
            began=began,
            duration_s=time.monotonic() - started,
        )
        self._futures[scenario.id].set_result(finished)
        self._on_finished(finished)

    async def _judge(
        self, scenario: Scenario, trial: Trial
    ) -> tuple[Verdict, BaseException | None]:
        try:
            try:
                await scenario.run(trial)
                if trial.notes.checked_refusal and not trial.notes.saw_approval:
                    await trial.control()
                if not trial.notes.checks:
                    raise Inconclusive("the scenario judged nothing")
            finally:
                if isinstance(self.clock, JumpingClock):
                    await self.clock.check()
        except Broken as error:
            return Verdict.BROKEN, error
        except NotApplicable as error:
            return Verdict.NOT_APPLICABLE, error
        except (Exception, asyncio.CancelledError, SystemExit, KeyboardInterrupt) as error:
            return Verdict.INCONCLUSIVE, error  # the last two would end the thread of all others
        return Verdict.PASSED, None

    def _rng(self, scenario: Scenario) -> random.Random:
        """The scenario's own random numbers: the same for the same seed, whatever else runs."""
        digest = hashlib.sha256(f"{self.seed}:{scenario.id}".encode()).digest()
        return random.Random(digest)  # noqa: S311 - to be repeated, not to be secret

    def _reason(self, error: BaseException | None) -> str:
        if isinstance(error, (Broken, NotApplicable, Inconclusive)):
            return self.redact.own(error.because if isinstance(error, Broken) else str(error))
        return self.redact(_fault(error))


def _fault(error: BaseException | None) -> str:
    """Why a scenario came to no verdict of its own."""
    match error:
        case None:
            return ""
        case TargetError() | ClockError():
            return str(error).partition("\n")[0]  # what to try is for a run that ends there
        case asyncio.CancelledError():
            return str(error) or "the run was ended before it finished"
        case _:
            return f"the scenario itself failed: {type(error).__name__}: {error}"
