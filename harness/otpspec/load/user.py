"""A Locust user that is one slot of the process's engine: the bridge from Locust to the judge."""

from typing import Any
from weakref import WeakKeyDictionary

import gevent
from locust import User, task
from locust.env import Environment
from locust.exception import StopUser

from otpspec.load.slot import Slot
from otpspec.load.statistics import Statistics
from otpspec.load.world import World

TOTAL = "otpspec_total"
"""Among Locust's options, as a master sends them to its workers: how many users there are to be."""


class Session:
    """A world that Locust's users live in."""

    def __init__(self, environment: Environment, world: World) -> None:
        self.environment = environment
        self.world = world
        self.users = 0
        self.total = 0
        """How many users there are to be in all processes together; 0: as Locust's options say."""

        self._statistics = Statistics(environment, world)

    def came(self) -> None:
        """There is another user."""
        self.users += 1
        self.share()

    def went(self) -> None:
        """There is one less."""
        self.users -= 1
        self.share()

    def share(self) -> None:
        """So large is this process's part of the arrivals, by the users that it has."""
        if self.world.plan.arrivals is not None:
            self.world.shared(self.users, max(self._total(), self.users))

    def _total(self) -> int:
        """How many users there are to be, in all processes together."""
        if self.total:
            return self.total
        options: Any = self.environment.parsed_options
        told = getattr(options, TOTAL, 0)  # at a worker
        asked = told or (0 if options is None else (options.num_users or 0))
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


def session_of(environment: Environment) -> Session | None:
    """The world of an environment's users, while there is one."""
    return _sessions.get(environment)


def end(environment: Environment) -> None:
    """End the world of an environment's users, if there is one."""
    session = _sessions.pop(environment, None)
    if session is not None:
        session.close()


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
            return  # it was said why; Locust would print an exception that is raised here
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
