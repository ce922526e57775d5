"""A run that Locust's own command line or page starts: in one process, or as master and workers.

The master deals the run out: who has which of the profile's cards, how fast each may be, and how
many users there are to be in all. That stands among the options which Locust sends with each order
to spawn, so that no worker has users before it has its part. It ends the run in two steps: everyone
says all that was measured, and only then Locust's own stop or quit goes out.
"""

import logging
import sys
import time
from typing import Any
from weakref import WeakKeyDictionary

import gevent
import msgspec
from locust.env import Environment
from locust.runners import STATE_MISSING, LocalRunner, MasterRunner, WorkerRunner

from otpspec.errors import OtpspecError, TargetError
from otpspec.load import clock, team
from otpspec.load.arrivals import Arrivals
from otpspec.load.messages import Order
from otpspec.load.mix import find_mix
from otpspec.load.place import places
from otpspec.load.plan import Plan
from otpspec.load.post import order
from otpspec.load.running import GRACE_S
from otpspec.load.steps import Share
from otpspec.load.team import Hello
from otpspec.load.user import TOTAL, Session, begin, end, session_of
from otpspec.load.world import CONNECTIONS_MOST, World
from otpspec.profile import Profile, load

logger = logging.getLogger(__name__)

DEALT = "otpspec_dealt"  # among Locust's options
FAILED, FINISH, FINISHED = "otpspec-failed", "otpspec-finish", "otpspec-finished"

LAST_S = GRACE_S + 3.0
"""How long the master waits for what its workers measured last; besides Locust's stop timeout."""


class Deal(msgspec.Struct, frozen=True, kw_only=True):
    """How a run is dealt out."""

    master: Hello
    workers: list[str]  # Locust's names of them, in their order; one that is not here came later
    run_time: float | None


_decode = msgspec.msgpack.Decoder(Deal).decode


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What a run is, beside its users."""

    target: str  # the profile
    base_url: str | None
    seed: int
    mix: list[Share] = []  # empty: the profile's, or that of a real day
    rate: str = ""
    arrivals: str = "constant"
    connections: int = CONNECTIONS_MOST
    think_s: float = 0.0


class _Roles:
    """What the processes of this environment tell each other."""

    def __init__(self) -> None:
        self.late = False
        """Whether this worker came after the run had been dealt out."""

        self.finished: set[str] = set()
        self.ready: Settings | None = None
        """For what run everything is ready already."""


_roles: "WeakKeyDictionary[Environment, _Roles]" = WeakKeyDictionary()


def join(environment: Environment) -> None:
    """Have the processes of a run know of each other. To be called when Locust is set up."""
    runner = environment.runner
    _roles.setdefault(environment, _Roles())
    if isinstance(runner, MasterRunner):
        _be_master(environment, runner)
    elif isinstance(runner, WorkerRunner):
        _be_worker(environment, runner)


def _be_master(environment: Environment, runner: MasterRunner) -> None:
    roles = _roles[environment]

    class Announcing(environment.dispatcher_class):  # type: ignore[name-defined, misc]
        """Tells the workers how many users there are to be before it deals them out."""

        def new_dispatch(self, target_user_count: int, *more: Any, **named: Any) -> None:
            options: Any = environment.parsed_options
            setattr(options, TOTAL, options.num_users or target_user_count)
            super().new_dispatch(target_user_count, *more, **named)

    environment.dispatcher_class = Announcing

    def failed(environment: Environment, msg: Any) -> None:
        _give_up(environment, TargetError(msg.data["text"]))

    def finished(environment: Environment, msg: Any) -> None:
        roles.finished.add(msg.node_id)

    def ending(environment: Environment, **_: Any) -> None:
        _finish_workers(environment, runner)

    runner.register_message(FAILED, failed)
    runner.register_message(FINISHED, finished)
    environment.events.test_stopping.add_listener(ending)  # type: ignore[no-untyped-call]


def _finish_workers(environment: Environment, runner: MasterRunner) -> None:
    """Have all workers say what they measured, before Locust ends them."""
    roles = _roles[environment]
    roles.finished.clear()
    asked = {client.id for client in runner.clients.running + runner.clients.spawning}
    for client in asked:
        runner.send_message(FINISH, {}, client)
    ends = time.monotonic() + LAST_S + (environment.stop_timeout or 0.0)
    while asked & set(runner.clients) - roles.finished and time.monotonic() < ends:
        gevent.sleep(0.01)
    for client in sorted(asked - roles.finished):
        logger.warning("%s did not say what it measured last: it is not in the figures", client)


def _be_worker(environment: Environment, runner: WorkerRunner) -> None:
    def spawned(user_count: int) -> None:
        session = session_of(environment)
        if session is not None:  # others may have got more users, or less
            session.share()

    def finish(environment: Environment, msg: Any) -> None:
        session = session_of(environment)
        if session is not None:
            _let_finish(session)
        runner.stop()  # which has the rest told to this process's statistics
        data: dict[str, Any] = {}
        environment.events.report_to_master.fire(client_id=runner.client_id, data=data)  # type: ignore[no-untyped-call]
        runner.send_message("stats", data)
        runner.send_message(FINISHED, {})

    environment.events.spawning_complete.add_listener(spawned)  # type: ignore[no-untyped-call]
    runner.register_message(FINISH, finish, concurrent=True)


def _let_finish(session: Session) -> None:
    """The last requests of a schedule are waited for: the slowest are among them."""
    world = session.world
    world.stop()
    ends = time.monotonic() + GRACE_S
    while world.stream is not None and world.stream.calls and time.monotonic() < ends:
        gevent.sleep(0.01)


def prepare(environment: Environment, settings: Settings) -> None:
    """Make ready for a run that is about to be started without a page: it takes a second, which is
    no part of the run's time then. Where the target cannot be used, Locust ends with exit code 2.
    """
    options = environment.parsed_options
    if isinstance(environment.runner, LocalRunner) and options is not None and options.headless:
        try:
            _make_ready(environment, settings)
        except OtpspecError as error:
            end(environment)
            logger.error("%s", error)
            sys.exit(2)
        _roles[environment].ready = settings


def set_up(environment: Environment, settings: Settings) -> None:
    """Give the users of a run what they need; at a master, deal it out.

    Where the target cannot be used, the run ends at once with a message; without a page, Locust
    then ends with exit code 2.
    """
    while environment.runner is None:  # a worker that is told to spawn before it is made
        gevent.sleep(0.01)
    roles = _roles.setdefault(environment, _Roles())
    ready, roles.ready = roles.ready, None
    try:
        if ready != settings:
            end(environment)  # what is left of an earlier run
            _make_ready(environment, settings)
    except OtpspecError as error:
        end(environment)
        _give_up(environment, error)
        return
    session = session_of(environment)
    if session is not None:
        session.world.begin()
        gevent.spawn(_watch, environment, session.world)


def _watch(environment: Environment, world: World) -> None:
    world.over.wait()
    if world.failure is not None:
        _give_up(environment, world.failure)


def _make_ready(environment: Environment, settings: Settings) -> None:
    """Raises OtpspecError where the target cannot be used, or a worker may not take part."""
    target = settings.target
    profile = load(target, base_url=settings.base_url)
    if isinstance(environment.runner, MasterRunner):
        _deal(environment, environment.runner, target, profile)
        return
    options: Any = environment.parsed_options
    share, run_time = (0, 1), None if options is None else options.run_time or None
    if isinstance(environment.runner, WorkerRunner):
        share, run_time = _own_part(environment, environment.runner, target, profile)
    where = places(profile)
    reading = clock.read(profile, where)
    plan = Plan(
        profile,
        where,
        settings.mix or find_mix("", profile),
        seed=settings.seed,
        rate=1.0 if reading is None else reading.rate,
        duration_s=run_time,
        arrivals=_arrivals(settings.rate, settings.arrivals, run_time),
        think_s=settings.think_s,
    )
    post = order(profile, target, settings.base_url)
    world = World(plan, post, connections=settings.connections, share=share)
    begin(environment, world)
    world.prepare()


def tear_down(environment: Environment) -> None:
    """End what the users of a run had, if there is anything."""
    end(environment)


def _deal(environment: Environment, runner: MasterRunner, target: str, profile: Profile) -> None:
    workers = [client.id for client in runner.clients.all if client.state != STATE_MISSING]
    places(profile)  # whether this run may connect there at all
    team.check_dealt(profile, len(workers))
    options: Any = environment.parsed_options
    run_time = options.run_time or None
    deal = Deal(master=_hello(target, profile), workers=workers, run_time=run_time)
    setattr(options, DEALT, team.encode(deal))


def _own_part(
    environment: Environment, runner: WorkerRunner, target: str, profile: Profile
) -> tuple[tuple[int, int], float | None]:
    """Which of how many this worker is, and how long the run lasts.

    Raises TargetError where it may not take part.
    """
    packed: bytes | None = getattr(environment.parsed_options, DEALT, None)
    if packed is None:
        raise TargetError(
            "The master of this worker says nothing of otpspec: it runs another file."
        )
    deal, roles = _decode(packed), _roles.setdefault(environment, _Roles())
    roles.late = runner.client_id not in deal.workers
    if refusal := deal.master.refusal(_hello(target, profile)):
        raise TargetError(refusal)
    if not roles.late:
        return (deal.workers.index(runner.client_id), len(deal.workers)), deal.run_time
    if profile.cards or profile.max_rate:
        what = "cards" if profile.cards else "target.max_rate"
        raise TargetError(
            f"This worker came after the run had begun, and {what} had been dealt out.\n"
            "Try: stop the run, and start it again."
        )
    return (max(runner.worker_index, len(deal.workers)), 1), deal.run_time


def _hello(target: str, profile: Profile) -> Hello:
    about = Order(
        profile=target,
        base_url=None,
        changes=[],
        users=0,
        spawn_rate=0.0,
        duration_s=0.0,
        seed=0,
        mix="",
    )
    return Hello.of(about, profile)


def _arrivals(rate: str, kind: str, duration: float | None) -> Arrivals | None:
    if not rate:
        return None
    try:
        return Arrivals.parse(rate, kind, float(duration or 3600))
    except ValueError as error:
        raise OtpspecError(f"--otp-rate: {error}") from error


def _give_up(environment: Environment, why: Exception) -> None:
    """End a run that cannot go on. A page stays, and shows why."""
    runner = environment.runner
    logger.error("%s", why)
    roles = _roles.get(environment)
    late = roles is not None and roles.late
    if isinstance(runner, WorkerRunner) and not late:  # one that comes too late ends nobody's run
        runner.send_message(FAILED, {"text": str(why)})
    if runner is None:
        return
    if environment.web_ui is not None:
        runner.log_exception("otpspec", str(why), "")
        gevent.spawn(runner.stop)
    else:
        environment.process_exit_code = 2
        gevent.spawn(runner.quit)
