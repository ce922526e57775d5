"""A Locust user that is one slot of the process's engine: the bridge from Locust to the judge."""

import logging
from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

import gevent
from locust import User, task
from locust.env import Environment
from locust.exception import StopUser

from otpspec.errors import OtpspecError
from otpspec.load import clock
from otpspec.load.arrivals import Arrivals
from otpspec.load.mix import find_mix
from otpspec.load.place import places
from otpspec.load.plan import Plan
from otpspec.load.post import order
from otpspec.load.slot import Slot
from otpspec.load.statistics import Statistics
from otpspec.load.steps import Share
from otpspec.load.world import CONNECTIONS_MOST, World
from otpspec.profile import load

logger = logging.getLogger(__name__)


class Session:
    """A world that Locust's users live in."""

    def __init__(self, environment: Environment, world: World) -> None:
        self.environment = environment
        self.world = world
        self.users = 0
        self._statistics = Statistics(environment, world)

    def came(self) -> None:
        """There is another user."""
        self.users += 1
        self._share()

    def went(self) -> None:
        """There is one less."""
        self.users -= 1
        self._share()

    def _share(self) -> None:
        if self.world.plan.arrivals is not None:
            self.world.shared(self.users, max(self._total(), self.users))

    def _total(self) -> int:
        """How many users there are to be, in all processes together."""
        options = self.environment.parsed_options
        asked = 0 if options is None else (options.num_users or 0)
        runner: Any = self.environment.runner
        return asked or int(getattr(runner, "target_user_count", 0) or 0)

    def close(self) -> None:
        """The run is over."""
        self.world.close()
        self._statistics.close()


_sessions: "WeakKeyDictionary[Environment, Session]" = WeakKeyDictionary()


def begin(environment: Environment, world: World) -> Session:
    """Give the users of an environment their world, before they are spawned."""
    session = _sessions[environment] = Session(environment, world)
    return session


def set_up(
    environment: Environment,
    *,
    target: str,
    base_url: str | None,
    seed: int,
    mix: Sequence[Share] | None = None,
    rate: str = "",
    arrivals: str = "constant",
    connections: int = CONNECTIONS_MOST,
    think_s: float = 0.0,
) -> None:
    """Make a world for a run that Locust's own command line starts.

    `mix`: None: the profile's, or that of a real day.

    Where the target cannot be used, the run ends at once with a message and exit code 2.
    """
    tear_down(environment)  # what is left of an earlier run
    options = environment.parsed_options
    duration = None if options is None else options.run_time
    try:
        profile = load(target, base_url=base_url)
        where = places(profile)
        reading = clock.read(profile, where)
        plan = Plan(
            profile,
            where,
            mix or find_mix("", profile),
            seed=seed,
            rate=1.0 if reading is None else reading.rate,
            duration_s=duration or None,
            arrivals=_arrivals(rate, arrivals, duration),
            think_s=think_s,
        )
        world = World(
            plan,
            order(profile, target, base_url),
            connections=connections,
            share=_part(environment),
        )
        session = begin(environment, world)
        world.open()
    except OtpspecError as error:
        tear_down(environment)
        _give_up(environment, error)
        return

    def watch() -> None:
        session.world.over.wait()
        if session.world.failure is not None:
            _give_up(environment, session.world.failure)

    gevent.spawn(watch)


def tear_down(environment: Environment) -> None:
    """End the world of an environment's run, if there is one."""
    session = _sessions.pop(environment, None)
    if session is not None:
        session.close()


def _arrivals(rate: str, kind: str, duration: float | None) -> Arrivals | None:
    if not rate:
        return None
    try:
        return Arrivals.parse(rate, kind, float(duration or 3600))
    except ValueError as error:
        raise OtpspecError(f"--otp-rate: {error}") from error


def _part(environment: Environment) -> tuple[int, int]:
    runner: Any = environment.runner
    options = environment.parsed_options
    workers = 1 if options is None else (getattr(options, "expect_workers", 1) or 1)
    return max(int(getattr(runner, "worker_index", 0) or 0), 0), max(int(workers), 1)


def _give_up(environment: Environment, why: Exception) -> None:
    logger.error("%s", why)
    environment.process_exit_code = 2
    if environment.runner is not None:
        gevent.spawn(environment.runner.quit)


class OtpUser(User):
    """A payer of the world that `begin` has given its environment.

    Where arrivals are open, it stands for its part of the schedule and of the connections.
    """

    abstract = True
    _session: Session | None = None
    _slot: Slot | None = None

    def on_start(self) -> None:
        """Take a slot."""
        self._session = session = _sessions.get(self.environment)
        if session is None:
            return  # set_up has said why; Locust would print an exception that is raised here
        if session.world.plan.arrivals is None:
            self._slot = session.world.slot()
        session.came()

    def on_stop(self) -> None:
        """Give the slot back."""
        if self._slot is not None:
            self._slot.stop()
        if self._session is not None:
            if self._slot is not None:
                self._session.world.gone()
            self._session.went()
            self._session = None

    def stop(self, force: bool = False) -> Any:
        """Begin nothing any more; a request under way is waited for, unless it is forced."""
        if self._slot is None:
            force = True  # what is under way belongs to the schedule, not to this user
        else:
            self._slot.stop()
        return super().stop(force)

    @task
    def journeys(self) -> None:
        """Journeys, for as long as the user lives."""
        session, slot = self._session, self._slot
        if session is None or session.world.over.is_set():
            raise StopUser
        if slot is None:
            session.world.over.wait()
        else:
            slot.begin(session.world.now())
            gevent.wait([slot.over, session.world.over], count=1)
        raise StopUser
