"""A worker of a run: does its part, and tells the master what it measured."""

import math
import time
from typing import Any, BinaryIO

import gevent
import msgspec
from gevent.queue import Empty, Queue
from locust.env import Environment
from locust.runners import WorkerRunner

from otpspec.errors import OtpspecError, TargetError
from otpspec.load import clock, parcel, team
from otpspec.load.messages import Handed, LoadRun, Order, Progress, Said
from otpspec.load.post import order as post_order
from otpspec.load.running import GRACE_S, Payer, Running
from otpspec.load.team import Hello, Part, Report
from otpspec.load.told import told
from otpspec.load.user import Session, begin
from otpspec.load.verdicts import rule_results
from otpspec.load.world import World

CONNECT_S = 60.0
"""How long a worker looks for its master."""

LOST_S = 10.0
"""How long a master may say nothing before it is given up."""

REPORT_S = 1.0

_LEAVING_S = 5.0  # how long a worker that has said all waits to be told to go

ENDED, LOST, QUIT, FAILED = "ended", "lost", "quit", "failed"
"""What else may come than the master's messages."""


class WorkerRun(Running):
    """A worker's part, from its hello to its last report."""

    def __init__(self, order: Order, out: BinaryIO) -> None:
        super().__init__(order, out)
        self._came: Queue[tuple[str, Any]] = Queue()
        self._where = f"{order.host}:{order.port}"  # the master
        self._next_second = 0
        self._packer = parcel.Packer(self.profile.secrets, lambda: gevent.sleep(0))
        self.ended.rawlink(lambda _: self._came.put((ENDED, None)))

    def run(self) -> None:
        """Take part. Raises OtpspecError where that is not possible."""
        where = self._where
        environment = Environment(user_classes=[Payer], stop_timeout=GRACE_S)
        runner = self._connect(environment)
        if runner is None:
            self.tell(Handed(interrupted=True))
            return
        hello = Hello.of(self.order, self.profile)
        runner.send_message(team.HELLO, {"packed": team.encode(hello)})
        self.tell(Said(text=f"connected to the master at {where}, waiting for the run to begin"))
        what, data = self._wait(team.PART, team.REFUSED)
        if what == team.REFUSED:
            raise OtpspecError(data["text"])
        if what == team.PART:
            self._take_part(environment, runner, team.part_of(data["packed"]))
        elif what == LOST:
            raise TargetError(f"The master at {where} was lost before the run began.")
        else:
            self.tell(Handed(interrupted=what == ENDED))

    def _connect(self, environment: Environment) -> WorkerRunner | None:
        """Find the master; None where someone ends it before."""
        found: Queue[WorkerRunner | None] = Queue()
        self.ended.rawlink(lambda _: found.put(None))

        def look() -> None:
            host, port = self.order.host, self.order.port
            found.put(environment.create_worker_runner(host, port))

        looking = gevent.spawn(look)
        try:
            runner: WorkerRunner | None = found.get(timeout=CONNECT_S)
        except Empty:
            raise TargetError(
                f"No master answers at {self._where}.\n"
                "Try: otpspec load PROFILE --master there, and that its port can be reached."
            ) from None
        finally:
            looking.kill(block=False)
        if runner is not None:
            self._listen_to(runner)
        return runner

    def _listen_to(self, runner: WorkerRunner) -> None:
        def told(environment: Environment, msg: Any) -> None:
            self._came.put((msg.type, msg.data))

        for kind in (team.REFUSED, team.PART, team.BEGIN, team.END):
            runner.register_message(kind, told)
        connected = time.time()

        def watch() -> None:
            while runner.greenlet:
                gevent.sleep(0.25)
                if time.time() - (runner.last_heartbeat_timestamp or connected) > LOST_S:
                    self._came.put((LOST, None))
                    return
            self._came.put((QUIT, None))  # the master has told Locust's runner to

        gevent.spawn(watch)

    def _wait(self, *kinds: str, within_s: float = math.inf) -> tuple[str, Any]:
        """What comes next of these, and of what may come at any time."""
        ends = time.monotonic() + within_s
        while True:
            left = None if within_s == math.inf else max(ends - time.monotonic(), 0.0)
            try:
                what, data = self._came.get(timeout=left)
            except Empty:
                return QUIT, None
            if what in (*kinds, ENDED, LOST, QUIT, FAILED):
                return what, data

    # --- its part -------------------------------------------------------------------------------

    def _take_part(self, environment: Environment, runner: WorkerRunner, part: Part) -> None:
        own, self.order = self.order, part.order
        try:
            world = World(
                self.plan(part.rate),
                post_order(self.profile, own.profile, own.base_url, own.changes),
                connections=part.order.connections,
                cards=part.order.cards,
                share=(part.index, part.count),
            )
        except OtpspecError as error:
            self._say_failed(runner, error)
            raise
        session = begin(environment, world)
        session.total = part.users
        environment.events.user_error.add_listener(  # type: ignore[no-untyped-call]
            lambda exception, **_: world.fail(exception)
        )
        try:
            self._play(environment, runner, world, session)
        finally:
            session.close()

    def _play(
        self, environment: Environment, runner: WorkerRunner, world: World, session: Session
    ) -> None:
        try:
            world.prepare()
        except OtpspecError as error:
            self._say_failed(runner, error)
            raise
        runner.send_message(team.READY, {})
        what, data = self._wait(team.BEGIN, team.END)
        if what != team.BEGIN:
            self.tell(Handed(interrupted=what == ENDED))
            return
        world.begin()
        if world.stream is not None:  # its users are on their way, and the schedule begins now
            world.shared(1, session.total)
        world.over.rawlink(lambda _: self._came.put((FAILED, None)))
        reporting = gevent.spawn(self._report_often, runner, world, session)
        what, data = self._wait(team.END)
        reporting.kill()
        hurry = what != team.END or data["hurry"]
        lasted = self._finish(runner, world, hurry=hurry)
        if what == LOST:
            self.tell(self._own_result(world, lasted))
            return
        self._report(runner, world, last=True, left=what == ENDED, lasted=lasted)
        if what == ENDED:  # else the master says when to go
            environment.events.quitting.fire(environment=environment)  # type: ignore[no-untyped-call]
            gevent.sleep(0.1)
        else:
            self._wait(within_s=_LEAVING_S)
        self.tell(Handed(interrupted=what == ENDED))

    def _finish(self, runner: WorkerRunner, world: World, *, hurry: bool) -> float:
        """End what is under way; how long the run lasted."""
        lasted = world.recorder.elapsed()
        world.stop()
        if hurry:
            world.over.set()
        else:
            self.let_finish(world)
        runner.stop()
        return lasted

    # --- what is told ---------------------------------------------------------------------------

    def _report_often(self, runner: WorkerRunner, world: World, session: Session) -> None:
        recorder, stream = world.recorder, world.stream
        while True:
            for _ in range(2):  # in the middle of each second its users are counted
                gevent.sleep(0.5 - recorder.elapsed() % 0.5)
                recorder.users(session.users if stream is None else stream.under_way)
            self._report(runner, world)
            self._tell_progress(world)

    def _report(
        self,
        runner: WorkerRunner,
        world: World,
        *,
        last: bool = False,
        left: bool = False,
        lasted: float | None = None,
    ) -> None:
        elapsed = world.recorder.elapsed() if lasted is None else lasted
        since = 0 if last else self._next_second
        packed = self._packer.pack(world.measures(), since=since, last=last)
        self._next_second = int(elapsed)
        failure = "" if world.failure is None else str(world.failure)
        report = Report(
            elapsed_s=elapsed,
            parcel=parcel.encode(packed),
            last=last,
            left=left,
            failure=failure,
        )
        runner.send_message(team.REPORT, {"packed": team.encode(report)})

    def _say_failed(self, runner: WorkerRunner, error: OtpspecError) -> None:
        report = Report(elapsed_s=0.0, last=True, failure=str(error))
        runner.send_message(team.REPORT, {"packed": team.encode(report)})
        gevent.sleep(0.1)  # so that it goes out

    def _tell_progress(self, world: World) -> None:
        recorder = world.recorder
        p50, p99 = recorder.latency.percentiles(0.5, 0.99)
        self.tell(
            Progress(
                elapsed_s=round(recorder.elapsed(), 1),
                users=recorder.timeline.users,
                rate_per_s=recorder.last_rate(),
                requests=recorder.requests,
                failures=recorder.failures,
                judged=recorder.judged,
                p50_ms=round(p50, 3),
                p99_ms=round(p99, 3),
                late_ms=round(world.punctual.late.largest / 1e3, 3),
            )
        )

    def _own_result(self, world: World, lasted: float) -> LoadRun:
        """What this worker has measured, where there is no master any more to say it."""
        note = f"the master at {self._where} was lost: these are the measures of one worker only"
        untimed = "the master was lost, which looks at the target's clock at the end of a run"
        found = world.result(self.order.users, [note], lasted=lasted)
        found = msgspec.structs.replace(found, trusted=False)
        load = told(found, self.profile, self.order, world.recorder, world.punctual)
        return LoadRun(
            load=load,
            rules=rule_results(
                world.recorder, self.profile, untimed=untimed, objectives=load.objectives
            ),
            clock=clock.describe(None),
            complete=False,
        )
