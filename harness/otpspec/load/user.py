"""A Locust user that plays journeys: the bridge between Locust and the judge."""

import itertools
import logging
import random
from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

import gevent
from gevent.event import Event
from locust import User, task
from locust.env import Environment
from locust.exception import StopUser
from locust.user.task import LOCUST_STATE_STOPPING

from otpspec.errors import OtpspecError, TargetError
from otpspec.exchange import guard
from otpspec.load import clock
from otpspec.load.connection import Place
from otpspec.load.payer import Payer
from otpspec.load.plan import Plan
from otpspec.load.recorder import HOPELESS, Recorder
from otpspec.load.steps import Share
from otpspec.profile import Request, load

logger = logging.getLogger(__name__)


class Session:
    """One test run in one process: what its users share."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.recorder = Recorder()
        self.over = Event()
        """Set when the run cannot go on; `failure` says why."""

        self.failure: Exception | None = None
        self.numbers = itertools.count()

    def fail(self, why: Exception) -> None:
        """End the run. The first reason stands."""
        if self.failure is None:
            self.failure = why
        self.over.set()


_sessions: "WeakKeyDictionary[Environment, Session]" = WeakKeyDictionary()


def begin(environment: Environment, session: Session) -> None:
    """Give the users of an environment their session, before they are spawned."""
    _sessions[environment] = session


def set_up(
    environment: Environment, *, target: str, base_url: str | None, seed: int, mix: Sequence[Share]
) -> None:
    """Read the profile and the target's clock for a run that Locust's own command line starts.

    Where the target cannot be used, the run ends at once with a message and exit code 2.
    """
    _sessions.pop(environment, None)  # of an earlier run
    options = environment.parsed_options
    duration = None if options is None else options.run_time
    try:
        profile = load(target, base_url=base_url)
        place = Place(profile.origin, guard(profile))
        reading = clock.read(profile, place)
        rate = 1.0 if reading is None else reading.rate
        plan = Plan(profile, place, mix, seed=seed, rate=rate, duration_s=duration or None)
    except OtpspecError as error:
        _give_up(environment, error)
        return
    session = Session(plan)
    begin(environment, session)

    def watch() -> None:
        session.over.wait()
        if session.failure is not None:
            _give_up(environment, session.failure)

    gevent.spawn(watch)


def _give_up(environment: Environment, why: Exception) -> None:
    logger.error("%s", why)
    environment.process_exit_code = 2
    if environment.runner is not None:
        gevent.spawn(environment.runner.quit)


class OtpUser(User):
    """A payer of the session that `begin` has given its environment."""

    abstract = True
    _session: Session | None = None
    _payer: Payer | None = None

    def on_start(self) -> None:
        """Make the user's payer, with random choices of its own."""
        self._session = session = _sessions.get(self.environment)
        if session is None:
            return  # set_up has said why; Locust would print an exception that is raised here
        number = f"{getattr(self.environment.runner, 'worker_index', 0)} {next(session.numbers)}"
        self._payer = Payer(
            session.plan,
            session.recorder,
            random.Random(f"{session.plan.seed} {number}"),  # noqa: S311 - to be repeated
            report=self._fire,
            stopping=lambda: session.over.is_set() or self._state == LOCUST_STATE_STOPPING,
        )

    def on_stop(self) -> None:
        """Hang up."""
        if self._payer is not None:
            self._payer.close()

    @task
    def journey(self) -> None:
        """One journey of the mix."""
        session, payer = self._session, self._payer
        if session is None or payer is None:
            raise StopUser
        try:
            payer.play()
        except OtpspecError as error:
            session.fail(error)
        if session.recorder.hopeless():
            session.fail(hopeless(session))
        if session.over.is_set():
            raise StopUser

    def _fire(
        self, request: Request, seconds: float, length: int, error: Exception | None, measured: bool
    ) -> None:
        fields: dict[str, Any] = {
            "request_type": request.method if measured else "(hook)",
            "name": request.operation,
            "response_time": seconds * 1e3,
            "response_length": length,
            "exception": error,
            "context": {},
        }
        self.environment.events.request.fire(**fields)


def hopeless(session: Session) -> TargetError:
    """What to say of a target that does not answer."""
    profile, ever = session.plan.profile, session.recorder.ever_answered
    why = next(reversed(session.recorder.trouble), "no answer")
    head = f"{profile.base_url} has stopped answering" if ever else f"{profile.base_url}: no answer"
    lines = [
        f"{head}: {HOPELESS} calls in a row came to nothing (the last: {why}).",
        f"  profile   {profile.source}, target.base_url",
    ]
    if not ever:
        lines.append("No rule was checked, so this says nothing about the target.")
    return TargetError("\n".join([*lines, "Try: start the target, or give its address."]))
