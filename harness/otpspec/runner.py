"""Runs scenarios, all at once, on one event loop in a thread of its own."""

import asyncio
import hashlib
import random
import secrets
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from otpspec import realtime
from otpspec.clock import IdleSelector, JumpingClock, RealClock, TrialClock, Turns
from otpspec.errors import ClockError, OtpspecError, TargetError
from otpspec.judging import Notes
from otpspec.outcome import Verdict
from otpspec.profile import Profile
from otpspec.redact import Redactor
from otpspec.target import Answer
from otpspec.trial import Trial
from otpspec.verdicts import Broken, Inconclusive, NotApplicable
from otpspec.world import LONGEST_WAIT, Live, WorldOf

AT_ONCE = 6
"""How many scenarios are under way at once, where time cannot be moved: see Turns."""

STUCK_AFTER = timedelta(seconds=5)
"""How long nothing may happen, with nothing left that could wake a scenario."""

_CLOSING = 5.0  # seconds for what is under way to end, when a run is cut short
_CLEANING = 30.0  # the same, where cards are to be unlocked
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
    ended: datetime = datetime.min
    cards: int = 0  # how many it took
    duration_s: float = 0.0  # in real time


class Runner:
    """Runs scenarios against a target. Open it first, close it in any case.

    `on_finished` is called on the runner's thread as each scenario ends. `max_wait` is how long one
    may wait in real time. `needs` and `lasts` are what a plan has found out: how many of the
    profile's own cards each takes, and for how long. `world` makes what they happen in: by default
    the target itself.
    """

    def __init__(
        self,
        profile: Profile,
        seed: int | None = None,
        on_finished: Callable[[Finished], None] = lambda finished: None,
        *,
        deep: bool = False,
        max_wait: timedelta = LONGEST_WAIT,
        needs: Mapping[str, int] | None = None,
        lasts: Mapping[str, timedelta] | None = None,
        world: WorldOf | None = None,
    ) -> None:
        self.profile = profile
        self.seed = secrets.randbelow(1_000_000) if seed is None else seed
        self.redact = Redactor()
        self.redact.learn(*profile.secrets, profile.target.ownership_token)
        made = world(self.redact) if world else None
        self._world = made or Live(profile, self.redact, needs=needs, max_wait=max_wait)
        self._on_finished = on_finished
        self._deep = deep
        self._max_wait = max_wait
        self._lasts = lasts or {}
        self._selector = IdleSelector(STUCK_AFTER)
        self._loop = asyncio.SelectorEventLoop(self._selector)
        self._thread = threading.Thread(target=self._loop.run_forever, name="otpspec", daemon=True)
        self._futures: dict[str, Future[Finished]] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._codes_seen: list[str] = []
        self._turns = Turns(AT_ONCE)

    @property
    def clock(self) -> RealClock | JumpingClock:
        """The target's clock."""
        return self._world.clock

    @property
    def notes(self) -> list[str]:
        """What a reader of the results must know of the run."""
        return self._world.notes()

    @property
    def version(self) -> str:
        """The target's build, as it says itself."""
        return self._world.version

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
        await self._world.open()
        if isinstance(self.clock, JumpingClock):
            self._selector.on_idle = self.clock.idle

    def start(self, scenarios: Iterable[Scenario]) -> None:
        """Start scenarios, all at once."""
        soon = timedelta(0)  # who waits longest gets the cards first
        scenarios = sorted(scenarios, key=lambda s: self._lasts.get(s.id, soon), reverse=True)
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
            self._wait(self._end(), timeout=_CLEANING if self.profile.cards else _CLOSING)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_CLOSING)
        if not self._thread.is_alive():
            self._loop.close()

    async def _end(self) -> None:
        running = list(self._running)
        for task in running:
            task.cancel("the run was ended before it finished")
        await asyncio.gather(*running, return_exceptions=True)
        await self._world.close()

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
        end_turn = _nothing
        began, started = self.clock.now(), realtime.monotonic()
        session = self._world.session()
        notes, taken = Notes(), 0
        try:
            if isinstance(self.clock, RealClock):
                end_turn = await self._turns.begin()
                began, started = self.clock.now(), realtime.monotonic()
            async with self._world.cards.lease(scenario.id) as lease:
                rng = self._rng(scenario)
                trial = self._world.trial(session, rng, lease, self._codes_seen, deep=self._deep)
                patience = self._max_wait if self._world.in_real_time else None
                clock = trial.clock = TrialClock(self.clock, patience, end_turn)
                notes = trial.notes
                verdict, error = await self._judge(scenario, trial)
                taken = len(trial.cards)
                if clock.slept and self.clock.leans_on:
                    notes.measured["leans on"] = self.clock.leans_on
                with suppress(OtpspecError):  # an inbox that fails now changes no verdict
                    for card in trial.cards:
                        await trial.settle(card)
        except (Inconclusive, asyncio.CancelledError) as caught:  # it never got its cards
            verdict, error = Verdict.INCONCLUSIVE, caught
        finally:
            end_turn()
            await session.aclose()
        broken = error if isinstance(error, Broken) else None
        finished = Finished(
            scenario,
            verdict,
            reason=self._reason(error, notes.measured.get("leans on", "")),
            measured=notes.measured,
            expected=broken.expected if broken else "",
            got=broken.got if broken else "",
            error=error,
            answers=session.answers,
            began=began,
            ended=self.clock.now(),
            cards=taken,
            duration_s=realtime.monotonic() - started,
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

    def _reason(self, error: BaseException | None, leans_on: str) -> str:
        if isinstance(error, Broken) and leans_on:
            return self.redact.own(f"{error.because} ({leans_on})")
        if isinstance(error, (Broken, NotApplicable, Inconclusive)):
            return self.redact.own(error.because if isinstance(error, Broken) else str(error))
        return self.redact(_fault(error))


def _nothing() -> None:
    """The end of a turn that nobody has to wait for: a clock that jumps makes no code old."""


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
