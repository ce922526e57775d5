"""The load process: takes one order, runs it under Locust, and tells how it goes.

It ends with its order's time, on SIGINT or SIGTERM, or when who started it is gone; what was
measured until then is told in each case.
"""

import os
import sys
import time
from typing import BinaryIO

import gevent
import msgspec
from locust.env import Environment
from locust.runners import LocalRunner

from otpspec.errors import OtpspecError
from otpspec.load import clock
from otpspec.load.master import MasterRun
from otpspec.load.messages import Failed, LoadRun, Order, Progress
from otpspec.load.post import order as post_order
from otpspec.load.running import BUSY, GRACE_S, Payer, Running, tell
from otpspec.load.told import told
from otpspec.load.user import begin
from otpspec.load.verdicts import rule_results
from otpspec.load.worker import WorkerRun
from otpspec.load.world import World


def main() -> None:
    """Run the order that stands on stdin, and write lines to what was stdout."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever else prints does not get between the lines
    line = sys.stdin.buffer.readline()
    if not line:
        return  # who started it has been interrupted
    order = msgspec.json.decode(line, type=Order)
    try:
        match order.role:
            case "master":
                MasterRun(order, out).run()
            case "worker":
                WorkerRun(order, out).run()
            case _:
                LocalRun(order, out).run()
    except OtpspecError as error:
        tell(out, Failed(text=str(error)))


class LocalRun(Running):
    """A run in this process alone."""

    def __init__(self, order: Order, out: BinaryIO) -> None:
        super().__init__(order, out)
        self._cpu = 0.0  # seconds of it that were used when the run began

    def run(self) -> None:
        """Run it, and tell what it came to. Raises OtpspecError where nothing could be measured."""
        order = self.order
        first = clock.read(self.profile, self.places)
        world = World(
            self.plan(1.0 if first is None else first.rate),
            post_order(self.profile, order.profile, order.base_url, order.changes),
            connections=order.connections,
            cards=order.cards,
        )
        environment = Environment(user_classes=[Payer], stop_timeout=GRACE_S)
        session = begin(environment, world)
        environment.events.user_error.add_listener(  # type: ignore[no-untyped-call]
            lambda exception, **_: world.fail(exception)
        )
        runner = environment.create_local_runner()
        self.ended.rawlink(lambda _: world.over.set())
        try:
            world.open()
            self._cpu = time.process_time()
            runner.start(order.users, spawn_rate=order.spawn_rate)
            ticker = gevent.spawn(self._tick, world, runner)
            world.over.wait(timeout=order.duration_s)
            lasted = world.recorder.elapsed()
            ticker.kill()
            world.stop()
            self.let_finish(world)
            runner.quit()
            self.tell(self._conclude(world, first, lasted))
        finally:
            session.close()

    def _tick(self, world: World, runner: LocalRunner) -> None:
        recorder, stream = world.recorder, world.stream
        while True:
            for _ in range(2):  # in the middle of each second its users are counted
                gevent.sleep(0.5 - recorder.elapsed() % 0.5)
                users = runner.user_count if stream is None else stream.under_way
                recorder.users(users)
            p50, p99 = recorder.latency.percentiles(0.5, 0.99)
            progress = Progress(
                elapsed_s=round(recorder.elapsed(), 1),
                users=users,
                rate_per_s=recorder.last_rate(),
                requests=recorder.requests,
                failures=recorder.failures,
                judged=recorder.judged,
                p50_ms=round(p50, 3),
                p99_ms=round(p99, 3),
                late_ms=round(world.punctual.late.largest / 1e3, 3),
            )
            self.tell(progress)

    def _conclude(self, world: World, first: clock.Reading | None, lasted: float) -> LoadRun:
        failure, recorder = world.failure, world.recorder
        if failure is not None and not (isinstance(failure, OtpspecError) and recorder.judged):
            raise failure
        notes = [] if failure is None else [str(failure).splitlines()[0]]
        if (busy := (time.process_time() - self._cpu) / max(lasted, 0.1)) > BUSY:
            notes.append(
                f"the load process used {busy:.0%} of a core: it was as busy as it can be, and the "
                "latencies hold its own waiting, too; fewer users show the target's, and so do "
                "more processes (--processes)"
            )
        ended = self.ended.is_set()
        load = world.result(self.order.users, notes, lasted=lasted)
        load = told(load, self.profile, self.order, world.recorder, world.punctual)
        untimed, found = self.untimed(first), load.objectives
        return LoadRun(
            load=load,
            rules=rule_results(recorder, self.profile, untimed=untimed, objectives=found),
            clock=clock.describe(first),
            complete=failure is None and not ended,
            interrupted=ended,
        )


if __name__ == "__main__":
    main()
