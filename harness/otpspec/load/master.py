"""The master of a run: deals it out to its workers, and brings together what they measured."""

import subprocess
import time
from collections.abc import Callable

import gevent
import msgspec
from gevent.event import Event
from locust.dispatch import UsersDispatcher
from locust.env import Environment
from locust.exception import RPCError
from locust.runners import MasterRunner

from otpspec.errors import OtpspecError, TargetError
from otpspec.load import clock, team
from otpspec.load.members import Member, Members
from otpspec.load.messages import LoadRun, Progress, Said
from otpspec.load.own_workers import own_workers
from otpspec.load.running import GRACE_S, Payer, Running
from otpspec.load.team import Hello, Part
from otpspec.load.told import told
from otpspec.load.verdicts import rule_results
from otpspec.load.world import PREPARING_EACH_S

READY_S = 60.0
"""How long they may take to make ready."""

LAST_S = 2 * GRACE_S + 2.0
"""How long their last reports are waited for; they end what is under way meanwhile."""

HURRY_S = 2.0
"""The same, where someone ends the run before its time."""


class _Dispatcher(UsersDispatcher):
    """Deals users to those workers only that were there when the run began."""

    def add_worker(self, worker_node: object) -> None:
        """A worker has come, to a run that takes no more: it is about to be refused."""


class MasterRun(Running):
    """A run that workers do."""

    def run(self) -> None:
        """Run it, and tell what it came to. Raises OtpspecError where nothing could be measured."""
        order = self.order
        team.check_dealt(self.profile, order.workers)
        first = clock.read(self.profile, self.places)
        environment = Environment(
            user_classes=[Payer], stop_timeout=GRACE_S, dispatcher_class=_Dispatcher
        )
        runner = self._bind(environment)
        self._over = Event()
        self._failure: str = ""
        self.ended.rawlink(lambda _: self._over.set())
        members = Members(runner, Hello.of(order, self.profile), order.workers)
        with own_workers(order, runner.server.port) as own:
            try:
                self._gather(members, runner.server.port, own)
                self._deal(members, 1.0 if first is None else first.rate, own)
                if self.ended.is_set():
                    raise TargetError("The run was ended before it began.")
                self._play(members, own, first)
            finally:
                quitting = gevent.spawn(runner.quit)  # which takes a while; so do the workers
        quitting.join()

    def _bind(self, environment: Environment) -> MasterRunner:
        host, port = self.order.host, self.order.port
        try:
            return environment.create_master_runner(host, port)
        except (RPCError, OSError) as error:
            why = "its port is in use" if "in use" in str(error) else str(error)
            raise OtpspecError(
                f"No master can listen on {host}:{port} ({why}).\n"
                "Try: --master-bind-host and --master-bind-port."
            ) from error

    # --- before it begins -----------------------------------------------------------------------

    def _gather(self, members: Members, port: int, own: "list[subprocess.Popen[bytes]]") -> None:
        """Wait until all workers are there."""
        wanted, host = members.wanted, self.order.host
        if not own:
            self.tell(Said(text=f"the master listens on {host}:{port}, for {wanted} workers"))
        self._until(
            lambda: len(members.all) >= wanted,
            members,
            own,
            within_s=self.order.gather_s,
            late=lambda: (
                f"{len(members.all)} of {wanted} workers came to {host}:{port} in "
                f"{self.order.gather_s:g} s.\n"
                "Try: otpspec load PROFILE --worker --master-host HOST --master-port PORT at each "
                "of them, or fewer with --expect-workers."
            ),
        )

    def _deal(self, members: Members, rate: float, own: "list[subprocess.Popen[bytes]]") -> None:
        """Give each worker its part, and wait until all are ready."""
        count = len(members.all)
        users = count if self.order.rate else self.order.users
        # Where the target is and what its profile says, a worker knows by itself: it may be secret.
        order = msgspec.structs.replace(self.order, profile="", base_url=None, changes=[])
        for index, member in enumerate(members.all):
            part = Part(order=order, index=index, count=count, users=users, rate=rate)
            members.runner.send_message(team.PART, {"packed": team.encode(part)}, member.client)
        ready_s = READY_S + (self.order.cards or 0) * PREPARING_EACH_S
        self._until(
            lambda: all(member.ready for member in members.all),
            members,
            own,
            within_s=ready_s,
            late=lambda: (
                f"{', '.join(m.name for m in members.all if not m.ready)} was not ready in "
                f"{ready_s:.0f} s."
            ),
        )

    def _until(
        self,
        seen: Callable[[], bool],
        members: Members,
        own: "list[subprocess.Popen[bytes]]",
        *,
        within_s: float,
        late: Callable[[], str],
    ) -> None:
        """Wait until something is so. Raises TargetError where it cannot come to be, or is late."""
        ends = time.monotonic() + within_s
        while not seen() and not self.ended.is_set():
            gone = [process for process in own if process.poll() is not None]
            failed = [m.report.failure for m in members.all if m.report.failure]
            lost = members.look()
            if members.refusal or failed:
                raise TargetError(members.refusal or failed[0])
            if gone or lost:
                who = lost[0].name if lost else f"process {gone[0].pid}"
                raise TargetError(f"A worker was lost before the run began: {who}.")
            if time.monotonic() > ends:
                raise TargetError(late())
            gevent.sleep(0.02)

    # --- the run --------------------------------------------------------------------------------

    def _play(
        self,
        members: Members,
        own: "list[subprocess.Popen[bytes]]",
        first: clock.Reading | None,
    ) -> None:
        order = self.order
        users = len(members.all) if order.rate else order.users
        members.begin()
        spawn_rate = max(order.spawn_rate, users) if order.rate else order.spawn_rate
        gevent.spawn(members.runner.start, users, spawn_rate)
        ticker = gevent.spawn(self._tick, members, own, users, spawn_rate)
        self._over.wait(timeout=order.duration_s)
        lasted = members.elapsed
        ticker.kill()
        self._last_reports(members)
        self.tell(self._conclude(members, first, lasted))

    def _tick(
        self,
        members: Members,
        own: "list[subprocess.Popen[bytes]]",
        users: int,
        spawn_rate: float,
    ) -> None:
        told, at, before = 0, time.monotonic(), 0
        while True:
            gevent.sleep(0.25)
            self._see_who_is_there(members, own, users, spawn_rate)
            told += 1
            if told % 4:
                continue
            now, found = time.monotonic(), members.totals()
            recorder = found.recorder
            p50, p99 = recorder.latency.percentiles(0.5, 0.99)
            progress = Progress(
                elapsed_s=round(members.elapsed, 1),
                users=members.runner.user_count,
                rate_per_s=round((recorder.requests - before) / (now - at), 1),
                requests=recorder.requests,
                failures=recorder.failures,
                judged=recorder.judged,
                p50_ms=round(p50, 3),
                p99_ms=round(p99, 3),
                late_ms=round(found.punctual.late.largest / 1e3, 3),
            )
            at, before = now, recorder.requests
            self.tell(progress)

    def _see_who_is_there(
        self,
        members: Members,
        own: "list[subprocess.Popen[bytes]]",
        users: int,
        spawn_rate: float,
    ) -> None:
        for process in own:
            if process.poll() is not None:
                members.dead(process.pid)
        for member in members.look():
            self.tell(Said(text=f"{member.name} was lost at {member.lost_s:.1f} s"))
        failed = next((m for m in members.all if m.report.failure), None)
        left = [member for member in members.all if not member.over]
        if failed is not None:
            self._failure = f"{failed.name}: {failed.report.failure}"
            self._over.set()
        elif not left:
            self._failure = "no worker is left"
            self._over.set()
        elif any(map(self._to_be_taken_over, members.all)):
            gevent.spawn(members.runner.start, users, spawn_rate)

    @staticmethod
    def _to_be_taken_over(member: Member) -> bool:
        """Whether the others are to do its part from now on: told once, when Locust knows, too."""
        taken, member.taken_over = member.taken_over, member.lost_s is not None
        return member.taken_over and not taken

    def _last_reports(self, members: Members) -> None:
        """Have everyone end, and wait until each has said all that it measured."""
        hurry = self.ended.is_set() or bool(self._failure)
        members.send(team.END, {"hurry": hurry})
        ends = time.monotonic() + (HURRY_S if hurry else LAST_S)
        while any(not member.over for member in members.all) and time.monotonic() < ends:
            if self.ended.is_set() and not hurry:
                hurry, ends = True, min(ends, time.monotonic() + HURRY_S)
            members.look()
            gevent.sleep(0.01)
        for member in members.all:
            if not member.over:
                member.lost_s = members.elapsed

    def _conclude(self, members: Members, first: clock.Reading | None, lasted: float) -> LoadRun:
        found = members.measures()
        if self._failure and not found.recorder.judged:
            raise TargetError(self._failure)
        notes = self._failure.splitlines()[:1]
        for member in members.all:
            notes += member.notes()
        lost = [member for member in members.all if member.lost_s is not None]
        ended = self.ended.is_set()
        load = found.result(
            self.arrivals(),
            self.order.users,
            notes,
            lasted=lasted,
            reads_codes=self.profile.channels[0].sends,
        )
        load = told(load, self.profile, self.order, found.recorder, found.punctual)
        untimed, objectives = self.untimed(first), load.objectives
        return LoadRun(
            load=msgspec.structs.replace(load, workers=[m.result() for m in members.all]),
            rules=rule_results(
                found.recorder, self.profile, untimed=untimed, objectives=objectives
            ),
            clock=clock.describe(first),
            complete=not (self._failure or lost or ended),
            interrupted=ended,
        )
