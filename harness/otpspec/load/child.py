"""The load process: takes one order, runs it under Locust, and tells how it goes.

It ends with its order's time, on SIGINT or SIGTERM, or when who started it is gone; what was
measured until then is told in each case.
"""

import os
import signal
import sys
import time
from contextlib import suppress
from typing import Any, BinaryIO

import gevent
import msgspec
from gevent.event import Event
from gevent.os import make_nonblocking, nb_read
from locust.env import Environment
from locust.runners import LocalRunner

from otpspec.errors import OtpspecError
from otpspec.load import clock
from otpspec.load.arrivals import Arrivals
from otpspec.load.messages import Failed, Line, LoadRun, Order, Progress, encode
from otpspec.load.mix import find_mix, source_of
from otpspec.load.place import places
from otpspec.load.plan import Plan
from otpspec.load.post import order as post_order
from otpspec.load.told import told
from otpspec.load.user import OtpUser, begin
from otpspec.load.verdicts import rule_results
from otpspec.load.world import World
from otpspec.profile import Profile, load

GRACE_S = 2.0
"""How long a run that ends waits for the calls under way."""

BUSY = 0.9
"""From which part of a core on the load process is called busy."""


def main() -> None:
    """Run the order that stands on stdin, and write lines to what was stdout."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever else prints does not get between the lines
    order = msgspec.json.decode(sys.stdin.buffer.readline(), type=Order)
    try:
        line: Line = _Run(order, out).run()
    except OtpspecError as error:
        line = Failed(text=str(error))
    _tell(out, line)


def _tell(out: BinaryIO, line: Line) -> None:
    with suppress(BrokenPipeError):
        out.write(encode(line) + b"\n")
        out.flush()


class _Run:
    """One order under way."""

    def __init__(self, order: Order, out: BinaryIO) -> None:
        self._order = order
        self._out = out
        self._profile: Profile = load(order.profile, base_url=order.base_url, changes=order.changes)
        self._places = places(self._profile)
        self._mix = find_mix(order.mix, self._profile)
        self._ended = Event()  # by someone, before its time
        self._cpu = 0.0  # seconds of it that were used when the run began

    def run(self) -> LoadRun:
        """Raises OtpspecError where nothing could be measured."""
        order = self._order
        first = clock.read(self._profile, self._places)
        world = World(
            self._plan(first),
            post_order(self._profile, order.profile, order.base_url, order.changes),
            connections=order.connections,
            cards=order.cards,
        )
        environment = Environment(user_classes=[Payer], stop_timeout=GRACE_S)
        session = begin(environment, world)
        environment.events.user_error.add_listener(  # type: ignore[no-untyped-call]
            lambda exception, **_: world.fail(exception)
        )
        runner = environment.create_local_runner()
        self._listen(world)
        try:
            world.open()
            self._cpu = time.process_time()
            runner.start(order.users, spawn_rate=order.spawn_rate)
            ticker = gevent.spawn(self._tick, world, runner)
            world.over.wait(timeout=order.duration_s)
            lasted = world.recorder.elapsed()
            ticker.kill()
            world.stop()
            self._let_finish(world)
            runner.quit()
            return self._conclude(world, first, lasted)
        finally:
            session.close()

    def _plan(self, first: clock.Reading | None) -> Plan:
        order = self._order
        arrivals = None
        if order.rate:
            arrivals = Arrivals.parse(order.rate, order.arrivals, order.duration_s, order.crowd)
        return Plan(
            self._profile,
            self._places,
            self._mix,
            seed=order.seed,
            rate=1.0 if first is None else first.rate,
            duration_s=order.duration_s,
            arrivals=arrivals,
            think_s=order.think_s,
            mix_source=source_of(order.mix, self._profile),
        )

    def _listen(self, world: World) -> None:
        """End on a signal, and when the pipe that orders come by is closed at its other end."""

        def end(*_: Any) -> None:
            self._ended.set()
            world.over.set()

        for number in (signal.SIGINT, signal.SIGTERM):
            gevent.signal_handler(number, end)

        def watch() -> None:
            make_nonblocking(0)
            with suppress(OSError):
                while nb_read(0, 1):
                    pass
            end()

        gevent.spawn(watch)

    def _let_finish(self, world: World) -> None:
        """An open run's last requests are waited for: the slowest are among them."""
        if world.stream is None or world.failure is not None or self._ended.is_set():
            return
        deadline = world.now() + GRACE_S
        while world.stream.calls and world.now() < deadline and not self._ended.is_set():
            gevent.sleep(0.01)

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
            _tell(self._out, progress)

    def _conclude(self, world: World, first: clock.Reading | None, lasted: float) -> LoadRun:
        failure, recorder = world.failure, world.recorder
        if failure is not None and not (isinstance(failure, OtpspecError) and recorder.judged):
            raise failure
        notes = [] if failure is None else [str(failure).splitlines()[0]]
        if (busy := (time.process_time() - self._cpu) / max(lasted, 0.1)) > BUSY:
            notes.append(
                f"the load process used {busy:.0%} of a core: it was as busy as it can be, and the "
                "latencies hold its own waiting, too; fewer users show the target's"
            )
        untimed = self._untimed(first)
        load = told(world.result(self._order.users, notes, lasted=lasted), world, self._order.slo)
        return LoadRun(
            load=load,
            rules=rule_results(
                recorder, self._profile, untimed=untimed, objectives=load.objectives
            ),
            clock=clock.describe(first),
            complete=failure is None and not self._ended.is_set(),
        )

    def _untimed(self, first: clock.Reading | None) -> str:
        if first is None:
            return ""
        try:
            last = clock.read(self._profile, self._places)
        except OtpspecError:
            return "the target's clock could not be read at the end of the run"
        return "" if last is None else clock.drift(first, last)


class Payer(OtpUser):
    """The users of an order."""


if __name__ == "__main__":
    main()
