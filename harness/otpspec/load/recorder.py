"""What a load run has seen so far: counts, latencies, and what broke."""

import time
from collections import Counter
from collections.abc import Sequence

from otpspec.load.card import Told
from otpspec.load.histogram import Histogram
from otpspec.model import Judgement, Observation
from otpspec.outcome import SILENT, SUCCESS, Outcome
from otpspec.results import LoadPoint, LoadResult, OperationLoad

HOPELESS = 50
"""So many calls in a row without an answer end the run."""


class Contradiction:
    """An answer that broke a rule, with the history that shows it; not yet redacted."""

    __slots__ = ("history", "observation", "secrets", "weight")

    def __init__(
        self,
        observation: Observation,
        history: Sequence[Told],
        secrets: Sequence[str],
        weight: tuple[bool, float],
    ) -> None:
        self.observation = observation
        self.history = history
        self.secrets = secrets  # of the card: its number, its 3CSC, its codes
        self.weight = weight  # how bad: whether something was let through; how long the history is


class Broken:
    """What was seen of a broken rule: how often, and the first and the worst of it."""

    __slots__ = ("count", "first", "worst")

    def __init__(self, first: Contradiction) -> None:
        self.count = 0
        self.first = first
        self.worst = first


class _Operation:
    """One operation's answers."""

    __slots__ = ("failures", "latency", "outcomes")

    def __init__(self) -> None:
        self.failures = 0
        self.latency = Histogram()
        self.outcomes: Counter[str] = Counter()


class _Second:
    """The answers of one second."""

    __slots__ = ("failures", "latency", "unanswered", "users")

    def __init__(self) -> None:
        self.users = 0
        self.failures = 0
        self.unanswered = 0
        self.latency = Histogram()


class Recorder:
    """Everything that is counted. One for each process; told of every answer as it comes."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._operations: dict[str, _Operation] = {}
        self._seconds: dict[int, _Second] = {}
        self.latency = Histogram()  # of every measured answer
        self.requests = 0
        self.failures = 0
        self.judged = 0
        self.chances: Counter[str] = Counter()
        self.guarded = 0  # judged answers to a wrong OTC or a wrong 3CSC
        self.let_through = 0  # those of them that were approved
        self.broken: dict[str, Broken] = {}
        self.behaviours: Counter[str] = Counter()
        self.trouble: Counter[str] = Counter()  # what ended journeys early, by reason
        self._unanswered = 0  # in a row
        self.ever_answered = False

    def elapsed(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self._began

    def answered(
        self, operation: str, seconds: float, told: Told, observation: Observation
    ) -> None:
        """A measured answer came."""
        self._unanswered = 0
        self.ever_answered = True
        failed = observation.judgement is Judgement.BROKEN
        of = self._of(operation)
        of.latency.record(seconds)
        for outcome in told.outcomes:
            of.outcomes[outcome] += 1
        self.latency.record(seconds)
        second = self._second()
        second.latency.record(seconds)
        self.requests += 1
        if failed:
            of.failures += 1
            self.failures += 1
            second.failures += 1
        if observation.judgement is not Judgement.SILENT:
            self.judged += 1
            self.chances.update(observation.chances)

    def unanswered(self, operation: str, *, measured: bool) -> None:
        """A call got no answer."""
        self._unanswered += 1
        if not measured:
            return
        of, second = self._of(operation), self._second()
        of.failures += 1
        of.outcomes["no answer"] += 1
        second.failures += 1
        second.unanswered += 1
        self.requests += 1
        self.failures += 1

    def hook_answered(self) -> None:
        """An answer came to a call that is not measured: the inbox, an enrolment."""
        self._unanswered = 0
        self.ever_answered = True

    def hopeless(self) -> bool:
        """Whether the target has stopped answering altogether."""
        return self._unanswered >= HOPELESS

    def contradicted(self, found: Contradiction) -> None:
        """An answer broke a rule. Only the first and the worst are kept."""
        rule = found.observation.rule
        broken = self.broken.setdefault(rule, Broken(found))
        broken.count += 1
        if found.weight > broken.worst.weight:
            broken.worst = found

    def tried_wrong(self, outcomes: frozenset[Outcome]) -> None:
        """A judged answer to a wrong OTC or a wrong 3CSC."""
        self.guarded += 1
        self.let_through += bool(outcomes & SUCCESS)

    def users(self, count: int) -> None:
        """How many users there are in this second."""
        self._second().users = count

    def last_rate(self) -> float:
        """Requests in the last whole second."""
        second = self._seconds.get(int(self.elapsed()) - 1)
        return 0.0 if second is None else float(second.latency.count + second.unanswered)

    def result(self, arrivals: str, users: int, notes: Sequence[str]) -> LoadResult:
        """What was measured."""
        duration = max(self.elapsed(), 1e-9)
        return LoadResult(
            arrivals=arrivals,
            duration_s=round(duration, 3),
            users=users,
            requests=self.requests,
            failures=self.failures,
            judged=self.judged,
            rate_per_s=round(self.requests / duration, 3),
            latency=self.latency.latency() if self.latency.count else None,
            operations=[self._operation(name, duration) for name in sorted(self._operations)],
            behaviours=dict(sorted(self.behaviours.items())),
            timeline=self._timeline(duration),
            notes=[*notes, *self._notes()],
        )

    def _operation(self, name: str, duration: float) -> OperationLoad:
        of = self._operations[name]
        count = of.latency.count + of.outcomes["no answer"]
        return OperationLoad(
            operation=name,
            count=count,
            failures=of.failures,
            rate_per_s=round(count / duration, 3),
            latency=of.latency.latency(),
            outcomes={outcome: n for outcome, n in sorted(of.outcomes.items()) if n},
        )

    def _timeline(self, duration: float) -> list[LoadPoint]:
        """A point for each second; a last one that is less than half of one says too little."""
        whole = [n for n in sorted(self._seconds) if duration - n >= 0.5]
        return [self._point(n, min(duration - n, 1.0)) for n in whole]

    def _point(self, number: int, lasted: float) -> LoadPoint:
        second = self._seconds[number]
        p50, p99 = second.latency.percentiles(0.5, 0.99)
        return LoadPoint(
            t_s=float(number),
            users=second.users,
            rate_per_s=round((second.latency.count + second.unanswered) / lasted, 3),
            failures_per_s=round(second.failures / lasted, 3),
            p50_ms=round(p50, 3),
            p99_ms=round(p99, 3),
        )

    def _notes(self) -> list[str]:
        notes = [f"{count} journeys ended early: {why}" for why, count in self.trouble.items()]
        meant: Counter[str] = sum((of.outcomes for of in self._operations.values()), Counter())
        silent = [outcome for outcome in sorted(SILENT) if meant[outcome]]
        return notes + [f"{meant[o]} answers were {o}, and judge nothing" for o in silent]

    def _of(self, operation: str) -> _Operation:
        found = self._operations.get(operation)
        if found is None:
            found = self._operations[operation] = _Operation()
        return found

    def _second(self) -> _Second:
        number = int(time.monotonic() - self._began)
        found = self._seconds.get(number)
        if found is None:
            found = self._seconds[number] = _Second()
        return found
