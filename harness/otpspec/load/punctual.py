"""Whether the generator kept its schedule: how late it was, when, and for want of what."""

from typing import Any, NamedTuple

import msgspec

from otpspec.load.arrivals import Arrivals
from otpspec.load.histogram import Histogram
from otpspec.results import Limit, Schedule

LATE_S = 0.01
"""From here on a request is begun too late: below it, a machine's other work shows."""

TOLERATED = 0.001
"""Which part of the requests may be begun too late before latency is not to be trusted: from here
on the 99.9th percentile is the generator's."""

CPU, CONNECTIONS, CARDS = "cpu", "connections", "cards"

_WORDS = {
    CPU: "the load process had no more processor time; more processes have (--processes)",
    CONNECTIONS: "all connections were in use; --connections allows more",
    CARDS: "no card was free; more cards, or a lower rate, would do",
}


class _Second:
    __slots__ = ("count", "worst")

    def __init__(self) -> None:
        self.count = 0
        self.worst = 0.0


class Lack(NamedTuple):
    """Something that was lacking, in one second of the run."""

    cause: str
    second: int


class Account(msgspec.Struct, kw_only=True):
    """How one process kept its schedule, as another is told of it."""

    late: dict[str, Any]  # a Histogram, packed
    due: int
    begun: int
    lacks: list[tuple[str, int, int, float]]  # cause, second, requests, seconds at worst


class Punctual:
    """Keeps account of how late requests were begun, and why."""

    def __init__(self) -> None:
        self.began = 0.0
        """When the run began, as `time.monotonic` shows it."""

        self.late = Histogram()  # the generator itself, at what it had to do at a time
        self.due = 0
        self.begun = 0
        self._requests = 0
        self._lacks: dict[Lack, _Second] = {}

    def acted(self, due: float, now: float) -> None:
        """Something was due at a time, and is done now."""
        self.late.record(now - due)
        self._requests += 1
        if now - due > LATE_S:
            self._lacked(CPU, due, now)

    def waited(self, cause: str, since: float, until: float) -> None:
        """A request waited for a connection or a card."""
        if until - since > LATE_S:
            self._lacked(cause, since, until)

    def _lacked(self, cause: str, since: float, until: float) -> None:
        lack = Lack(cause, int(max(since - self.began, 0.0)))
        second = self._lacks.get(lack)
        if second is None:
            second = self._lacks[lack] = _Second()
        second.count += 1
        second.worst = max(second.worst, until - since)

    def packed(self) -> Account:
        """All of it, for another process."""
        lacks = [(*lack, second.count, second.worst) for lack, second in self._lacks.items()]
        return Account(late=self.late.packed(), due=self.due, begun=self.begun, lacks=lacks)

    def merge(self, other: Account) -> None:
        """Add another process's account to this one."""
        self.late.merge(Histogram.unpacked(other.late))
        self.due += other.due
        self.begun += other.begun
        for cause, number, count, worst in other.lacks:
            second = self._lacks.setdefault(Lack(cause, number), _Second())
            second.count += count
            second.worst = max(second.worst, worst)

    def trusted(self, requests: int) -> bool:
        """Whether latency is the target's, of so many requests."""
        late = sum(second.count for second in self._lacks.values())
        return late <= TOLERATED * max(requests, 1)

    def limits(self) -> list[Limit]:
        """When the generator was late, each time in one piece."""
        found: list[Limit] = []
        for lack in sorted(self._lacks):
            second = self._lacks[lack]
            worst = round(second.worst * 1e3, 3)
            before = found[-1] if found else None
            if before is not None and (before.cause, before.to_s) == (lack.cause, lack.second):
                found[-1] = Limit(
                    cause=lack.cause,
                    from_s=before.from_s,
                    to_s=lack.second + 1.0,
                    requests=before.requests + second.count,
                    worst_ms=max(before.worst_ms, worst),
                )
            else:
                found.append(
                    Limit(
                        cause=lack.cause,
                        from_s=float(lack.second),
                        to_s=lack.second + 1.0,
                        requests=second.count,
                        worst_ms=worst,
                    )
                )
        return found

    def schedule(self, arrivals: Arrivals) -> Schedule:
        """How the schedule was kept."""
        p50, p99 = self.late.percentiles(0.5, 0.99)
        return Schedule(
            rate=arrivals.text,
            due=self.due,
            begun=self.begun,
            late_p50_ms=round(p50, 3),
            late_p99_ms=round(p99, 3),
            late_max_ms=self.late.largest / 1e3,
            limits=self.limits(),
        )

    def notes(self, requests: int) -> list[str]:
        """What a reader must know, worst first."""
        limits = self.limits()
        told = []
        for cause in (CPU, CONNECTIONS, CARDS):
            of = [limit for limit in limits if limit.cause == cause]
            if not of:
                continue
            count, worst = sum(o.requests for o in of), max(o.worst_ms for o in of)
            spans = ", ".join(f"{o.from_s:.0f} to {o.to_s:.0f} s" for o in of[:3])
            more = f" and {len(of) - 3} times more" if len(of) > 3 else ""
            those = "1 request" if count == 1 else f"{count:,} requests"
            told.append(
                f"the generator was late at {spans}{more}: {those} by up to "
                f"{worst:,.0f} ms; {_WORDS[cause]}"
            )
        if told and not self.trusted(requests):
            told.insert(0, "latency is not to be trusted: the generator did not keep its schedule")
        return told
