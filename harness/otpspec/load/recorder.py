"""What a load run has seen so far: counts, latencies, and what broke.

Everything in it is a sum, a maximum or a first, so that the recorders of several processes merge.
"""

import time
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from otpspec.load.card import Told
from otpspec.load.histogram import BUCKETS, Counts, Histogram
from otpspec.load.races import Races
from otpspec.load.timeline import Timeline
from otpspec.model import Judgement, Observation
from otpspec.outcome import SILENT, SUCCESS, Outcome
from otpspec.results import Latency, LoadResult, OperationLoad

HOPELESS = 50
"""So many calls in a row without an answer end the run."""

_BROKEN, _SILENT = Judgement.BROKEN, Judgement.SILENT


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


class Cell:
    """The answers to one operation that mean the same."""

    __slots__ = ("chances", "due", "length", "operation", "outcomes", "sent", "silent", "untold")

    def __init__(self, operation: str, outcomes: frozenset[Outcome]) -> None:
        self.operation = operation
        self.outcomes = outcomes
        self.length = 0  # bytes of bodies
        self.silent = 0  # those that judged nothing
        self.due = Histogram()  # from when each request was due
        self.sent = Histogram()  # from when each was sent
        self.chances: list[frozenset[str]] = []
        """What answers could have broken, an entry each, until they are counted."""

        self.untold: Counts = np.zeros(BUCKETS, np.int64)
        """Answers that Locust has not been told of, by bucket of their latency."""

    @property
    def count(self) -> int:
        """How many answers there were."""
        return self.due.count


class Recorder:
    """Everything that is counted. One for each process; told of every answer as it comes."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self.cells: dict[tuple[str, frozenset[Outcome]], Cell] = {}
        self.timeline = Timeline(self._began)
        self.failed: Counter[str] = Counter()  # by operation: broken rules, and no answers
        self.lost: Counter[str] = Counter()  # by operation: no answers
        self.failures = 0
        self._chances: Counter[frozenset[str]] = Counter()
        self.guarded = 0  # judged answers to a wrong OTC or a wrong 3CSC
        self.let_through = 0  # those of them that were approved
        self.broken: dict[str, Broken] = {}
        self.races = Races()
        self.most_in_flight = 0  # of one process, whenever it was looked
        self.behaviours: Counter[str] = Counter()
        self.trouble: Counter[str] = Counter()  # what ended journeys early, by reason
        self._unanswered = 0  # in a row
        self._hooks_answered = False

    def restart(self) -> None:
        """The run begins now: what came before was preparation."""
        self._began = time.monotonic()
        self.timeline = Timeline(self._began)

    def elapsed(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self._began

    def settle(self) -> None:
        """Count what was noted of answers: to be done now and then, since notes take room."""
        for cell in self.cells.values():
            fresh = cell.due.settle()
            cell.sent.settle()
            if fresh is not None:
                cell.untold += fresh
                self.timeline.counts += fresh
                self._chances.update(cell.chances)
                cell.chances.clear()

    @property
    def chances(self) -> Counter[str]:
        """How many answers could have broken each rule."""
        self.settle()
        found: Counter[str] = Counter()
        for rules, count in self._chances.items():
            for rule in rules:
                found[rule] += count
        return found

    @property
    def requests(self) -> int:
        """How many there were, with an answer or without."""
        self.settle()
        return sum(cell.count for cell in self.cells.values()) + sum(self.lost.values())

    @property
    def judged(self) -> int:
        """How many answers were judged."""
        self.settle()
        return sum(cell.count - cell.silent for cell in self.cells.values())

    def answered(
        self, told: Told, seen: Observation, due_s: float, sent_s: float, at: float
    ) -> None:
        """A measured answer came, so many seconds after it was due and after it was sent.

        `at`: when, as `time.monotonic` shows it. This is done for each answer: it only notes.
        """
        if at >= self.timeline.ends:
            self._turn(at)
        key = (told.operation, told.outcomes)
        cell = self.cells.get(key)
        if cell is None:
            cell = self.cells[key] = Cell(*key)
        cell.due.record(due_s)
        cell.sent.record(sent_s)
        cell.length += len(told.text)
        self._unanswered = 0
        if seen.judgement is _SILENT:
            cell.silent += 1
            return
        if seen.chances:
            cell.chances.append(seen.chances)
        if seen.judgement is _BROKEN:
            self.failures += 1
            self.failed[told.operation] += 1
            self.timeline.failures += 1

    def _turn(self, at: float) -> None:
        """Another second has begun."""
        self.settle()
        self.timeline.turn(at)

    def unanswered(self, operation: str, *, measured: bool) -> None:
        """A call got no answer."""
        self._unanswered += 1
        if not measured:
            return
        self.failed[operation] += 1
        self.lost[operation] += 1
        self.failures += 1
        self._now().lost()

    def hook_answered(self) -> None:
        """An answer came to a call that is not measured: an enrolment."""
        self._unanswered = 0
        self._hooks_answered = True

    @property
    def ever_answered(self) -> bool:
        """Whether any answer came at all."""
        return self._hooks_answered or bool(self.cells)

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

    def noted(self, rules: frozenset[str]) -> None:
        """Rules could have been broken, by something else than an answer."""
        self._chances[rules] += 1

    def saw_in_flight(self, count: int) -> None:
        """So many requests wait for their answer now."""
        self.most_in_flight = max(self.most_in_flight, count)

    def tried_wrong(self, outcomes: frozenset[Outcome]) -> None:
        """A judged answer to a wrong OTC or a wrong 3CSC."""
        self.guarded += 1
        self.let_through += bool(outcomes & SUCCESS)

    def users(self, count: int) -> None:
        """How many users there are in this second."""
        self._now().users = count

    def last_rate(self) -> float:
        """Requests in the last whole second."""
        return self._now().last_rate()

    def _now(self) -> Timeline:
        """The timeline, in the second that it is now."""
        at = time.monotonic()
        if at >= self.timeline.ends:
            self._turn(at)
        return self.timeline

    @property
    def latency(self) -> Histogram:
        """Of every measured answer, from when its request was due."""
        self.settle()
        return _sum(cell.due for cell in self.cells.values())

    def result(
        self, arrivals: str, users: int, notes: Sequence[str], *, lasted: float | None = None
    ) -> LoadResult:
        """What was measured. `lasted`: seconds, where the run ended a while ago."""
        duration = max(self.elapsed() if lasted is None else lasted, 1e-9)
        self.settle()
        whole, sent = self.latency, _sum(cell.sent for cell in self.cells.values())
        names = sorted({cell.operation for cell in self.cells.values()} | self.lost.keys())
        return LoadResult(
            arrivals=arrivals,
            duration_s=round(duration, 3),
            users=users,
            requests=self.requests,
            failures=self.failures,
            judged=self.judged,
            rate_per_s=round(self.requests / duration, 3),
            latency=whole.latency() if whole.count else None,
            latency_sent=sent.latency() if whole.count else None,
            operations=[self._operation(name, duration) for name in names],
            behaviours=dict(sorted(self.behaviours.items())),
            timeline=self.timeline.points(duration),
            notes=[*notes, *self._notes()],
        )

    def _operation(self, name: str, duration: float) -> OperationLoad:
        cells = [cell for cell in self.cells.values() if cell.operation == name]
        outcomes: Counter[str] = Counter()
        by_outcome: dict[str, Latency] = {}
        for cell in cells:
            meaning = sorted(cell.outcomes)
            outcomes.update(dict.fromkeys(map(str, meaning), cell.count))
            by_outcome[" or ".join(meaning)] = cell.due.latency()
        if self.lost[name]:
            outcomes["no answer"] = self.lost[name]
        count = sum(cell.count for cell in cells) + self.lost[name]
        return OperationLoad(
            operation=name,
            count=count,
            failures=self.failed[name],
            rate_per_s=round(count / duration, 3),
            latency=_sum(cell.due for cell in cells).latency(),
            latency_sent=_sum(cell.sent for cell in cells).latency(),
            outcomes=dict(sorted(outcomes.items())),
            by_outcome=dict(sorted(by_outcome.items())),
        )

    def _notes(self) -> list[str]:
        notes = [f"{count} journeys ended early: {why}" for why, count in self.trouble.items()]
        if self.races.requests:
            notes.append(
                f"{self.races.requests} requests of races came on top; no latency holds them"
            )
        meant: Counter[str] = Counter()
        for cell in self.cells.values():
            meant.update(dict.fromkeys(map(str, cell.outcomes), cell.count))
        silent = [outcome for outcome in sorted(SILENT) if meant[outcome]]
        return notes + [f"{meant[o]} answers were {o}, and judge nothing" for o in silent]


def _sum(histograms: Iterable[Histogram]) -> Histogram:
    found = Histogram()
    for histogram in histograms:
        found.merge(histogram)
    return found
