"""The workers of a run as their master knows them: who they are, and what they have measured."""

import time
from collections.abc import Iterable
from typing import Any

from locust.runners import STATE_MISSING, MasterRunner

from otpspec.load import parcel, team
from otpspec.load.measures import Measures
from otpspec.load.parcel import Parcel
from otpspec.load.running import BUSY
from otpspec.load.team import Hello, Report, report_of
from otpspec.load.timeline import Second
from otpspec.results import Worker


class Member:
    """One worker."""

    def __init__(self, client: str, hello: Hello, number: int) -> None:
        self.client = client  # Locust's name of it
        self.hello = hello
        self.number = number  # from 1, as a reader is told of it
        self.ready = False
        self.report = Report(elapsed_s=0.0)
        self.parcel: Parcel | None = None
        self.lost_s: float | None = None
        """When it was lost, in seconds of the run."""

        self.taken_over = False
        self._seconds: dict[int, Second] = {}

    def take(self, report: Report) -> None:
        """A report came: it says all up to now."""
        self.report = report
        if report.parcel:
            self.parcel = parcel.decode(report.parcel)
            self._seconds.update((second.number, second) for second in self.parcel.seconds)

    @property
    def seconds(self) -> Iterable[Second]:
        """Its timeline."""
        return self._seconds.values()

    @property
    def over(self) -> bool:
        """Whether nothing more will come from it."""
        return self.report.last or self.lost_s is not None

    @property
    def name(self) -> str:
        """How a reader is told of it."""
        return f"worker {self.number} ({self.hello.host}, process {self.hello.pid})"

    def result(self) -> Worker:
        """It, in the results."""
        told = self.parcel
        return Worker(
            number=self.number,
            host=self.hello.host,
            pid=self.hello.pid,
            requests=told.requests if told else 0,
            judged=told.judged if told else 0,
            failures=told.failures if told else 0,
            cpu_s=round(told.cpu_s, 3) if told else 0.0,
            measured_s=round(self.report.elapsed_s, 3),
            lost_s=None if self.lost_s is None else round(self.lost_s, 3),
        )

    def notes(self) -> list[str]:
        """What a reader must know of it."""
        if self.lost_s is not None:
            until = self.report.elapsed_s
            inside = f"what it measured until {until:.1f} s is in" if self.parcel else "nothing of "
            inside += "" if self.parcel else "what it measured is in"
            return [
                f"{self.name} was lost at {self.lost_s:.1f} s: {inside}; what it asked after that "
                "is in no figure, and was judged by nobody"
            ]
        if self.report.left:
            return [f"{self.name} was ended at {self.report.elapsed_s:.1f} s by someone"]
        busy = self.parcel.cpu_s / max(self.report.elapsed_s, 0.1) if self.parcel else 0.0
        if busy > BUSY:
            return [
                f"{self.name} used {busy:.0%} of a core: it was as busy as it can be, and the "
                "latencies hold its own waiting, too; more processes show the target's"
            ]
        return []


class Members:
    """All workers of a run. None is taken on any more once it has begun."""

    def __init__(self, runner: MasterRunner, hello: Hello, wanted: int) -> None:
        self.runner = runner
        self.all: list[Member] = []
        self.wanted = wanted
        self.refusal = ""
        """Why a worker was refused before the run began."""

        self._hello = hello
        self._began = 0.0
        for kind, heard in (
            (team.HELLO, self._said_hello),
            (team.READY, self._is_ready),
            (team.REPORT, self._reported),
        ):
            runner.register_message(kind, heard)

    def begin(self) -> None:
        """The run begins now, for all of them."""
        self._began = time.monotonic()
        self.send(team.BEGIN, {})

    @property
    def elapsed(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self._began if self._began else 0.0

    def send(self, kind: str, data: dict[str, Any]) -> None:
        """Tell all that are still there."""
        for member in self.all:
            if not member.over:
                self.runner.send_message(kind, data, member.client)

    def look(self) -> list[Member]:
        """See who is not there any more; who was lost since the last look."""
        fresh = []
        for member in self.all:
            node = self.runner.clients.get(member.client)
            if not member.over and (node is None or node.state == STATE_MISSING):
                member.lost_s = self.elapsed
                fresh.append(member)
        return fresh

    def dead(self, pid: int) -> None:
        """A process of this machine is gone: Locust need not wait for its heartbeat."""
        for member in self.all:
            node = self.runner.clients.get(member.client)
            if member.hello.pid == pid and node is not None:
                node.heartbeat = -1

    def missing(self, member: Member) -> bool:
        """Whether Locust knows, too, that a worker is not there any more."""
        node = self.runner.clients.get(member.client)
        return node is None or node.state == STATE_MISSING

    def totals(self) -> Measures:
        """What all have measured up to now, together, but not in which second."""
        found = Measures()
        for member in self.all:
            if member.parcel is not None:
                parcel.merge(found, member.parcel)
        return found

    def measures(self) -> Measures:
        """What all have measured, together."""
        found = self.totals()
        for member in self.all:
            found.recorder.timeline.merge(member.seconds)
        return found

    # --- what is heard --------------------------------------------------------------------------

    def _member(self, client: str) -> Member | None:
        return next((m for m in self.all if m.client == client), None)

    def _said_hello(self, environment: Any, msg: Any) -> None:
        hello = team.hello_of(msg.data["packed"])
        refusal = self._hello.refusal(hello)
        if not refusal and len(self.all) >= self.wanted:
            refusal = (
                f"The run has its {self.wanted} workers already, and takes no more.\n"
                "Try: --expect-workers at the master, for the next run."
            )
        elif refusal:
            self.refusal = self.refusal or refusal
        if refusal:
            self.runner.send_message(team.REFUSED, {"text": refusal}, msg.node_id)
        else:
            self.all.append(Member(msg.node_id, hello, len(self.all) + 1))

    def _is_ready(self, environment: Any, msg: Any) -> None:
        if (member := self._member(msg.node_id)) is not None:
            member.ready = True

    def _reported(self, environment: Any, msg: Any) -> None:
        member = self._member(msg.node_id)
        if member is not None and not member.report.last:
            member.take(report_of(msg.data["packed"]))
