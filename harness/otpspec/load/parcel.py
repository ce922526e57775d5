"""What one process measured, as it is sent to another and added to what that one has.

What is evidence is redacted before it leaves the process: no secret of a card goes over a wire that
is not the target's. Of each rule it is the first and the worst, whatever the number of processes.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from otpspec.load.card import RacedTold, Told
from otpspec.load.histogram import Histogram
from otpspec.load.measures import Measures
from otpspec.load.punctual import Account
from otpspec.load.races import Races
from otpspec.load.recorder import Broken, Cell, Contradiction, Recorder
from otpspec.load.timeline import Second
from otpspec.model import Observation
from otpspec.outcome import Outcome
from otpspec.redact import Redactor

_SHOWN = 400  # characters of a text that are shown
_READ = 4 * _SHOWN  # redacted before it is cut, so that no half of a secret is left


class _Cell(msgspec.Struct, array_like=True):
    operation: str
    outcomes: list[Outcome]
    length: int
    silent: int
    due: dict[str, Any]  # a Histogram, packed
    sent: dict[str, Any]


class _Raced(msgspec.Struct, array_like=True):
    """What an exchange has beside, where it is one of a race."""

    place: int  # in the history
    lane: str
    released: float | None
    silent_until: float


class Seen(msgspec.Struct):
    """A contradiction, redacted."""

    observation: Observation
    history: list[Told]
    weight: tuple[bool, float]
    raced: list[_Raced] = []


class _Broken(msgspec.Struct):
    count: int
    first: Seen
    worst: Seen


class Parcel(msgspec.Struct, kw_only=True):
    """All that a process has measured up to now."""

    cells: list[_Cell]
    seconds: list[Second]
    """Of the timeline: those from a certain one on, since what is over does not change."""

    failed: dict[str, int]
    lost: dict[str, int]
    failures: int
    chances: list[tuple[list[str], int]]
    guarded: int
    let_through: int
    broken: dict[str, _Broken]
    races: Races
    most_in_flight: int
    behaviours: dict[str, int]
    trouble: dict[str, int]
    schedule: Account
    waits: dict[str, Any]
    code_requests: int
    code_cpu_s: float
    cpu_s: float
    most_under_way: int

    @property
    def requests(self) -> int:
        """How many there were."""
        answers = sum(int(count) for cell in self.cells for _, count in cell.due["counts"])
        return answers + sum(self.lost.values())

    @property
    def judged(self) -> int:
        """How many answers were judged."""
        silent = sum(cell.silent for cell in self.cells)
        return self.requests - sum(self.lost.values()) - silent


encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder(Parcel).decode


class Packer:
    """Packs what a process has measured, again and again."""

    def __init__(self, secrets: frozenset[str], pause: Callable[[], object]) -> None:
        """`secrets`: the profile's. `pause`: lets others do something, in what takes long."""
        self._secrets = secrets
        self._pause = pause
        self._redacted: dict[int, tuple[Contradiction, Seen]] = {}

    def pack(self, measures: Measures, *, since: int = 0, last: bool = True) -> Parcel:
        """All of it. `since`: the first second of the timeline that is wanted.

        `last`: whether no other follows; before, the worst of a rule is its first: it changes too
        often to be redacted each time.
        """
        recorder = measures.recorder
        recorder.settle()
        broken = {rule: (b.count, b.first, b.worst) for rule, b in recorder.broken.items()}
        parcel = Parcel(
            cells=[_packed(cell) for cell in recorder.cells.values()],
            seconds=recorder.timeline.packed(since),
            failed=dict(recorder.failed),
            lost=dict(recorder.lost),
            failures=recorder.failures,
            chances=[(sorted(rules), n) for rules, n in recorder._chances.items()],
            guarded=recorder.guarded,
            let_through=recorder.let_through,
            broken={},
            races=recorder.races,
            most_in_flight=recorder.most_in_flight,
            behaviours=dict(recorder.behaviours),
            trouble=dict(recorder.trouble),
            schedule=measures.punctual.packed(),
            waits=measures.waits.packed(),
            code_requests=measures.code_requests,
            code_cpu_s=measures.code_cpu_s,
            cpu_s=measures.cpu_s,
            most_under_way=measures.most_under_way,
        )
        for rule, (count, first, worst) in broken.items():  # from here on others may go on
            worst = worst if last else first
            parcel.broken[rule] = _Broken(count, self._shown(first), self._shown(worst))
        return parcel

    def _shown(self, found: Contradiction) -> Seen:
        known = self._redacted.get(id(found))
        if known is None:
            known = self._redacted[id(found)] = (found, self._redact(found))
        return known[1]

    def _redact(self, found: Contradiction) -> Seen:
        redact = Redactor()
        redact.learn(*found.secrets, *self._secrets)
        history: list[Told] = []
        for told in found.history:
            history.append(_redacted(told, redact))
            self._pause()
        seen = found.observation
        because = redact(seen.because)
        observation = msgspec.structs.replace(seen, because=because, chances=frozenset())
        raced = [
            _Raced(place, told.lane, told.released, told.silent_until)
            for place, told in enumerate(found.history)
            if isinstance(told, RacedTold)
        ]
        return Seen(observation, history, found.weight, raced)


def merge(measures: Measures, parcel: Parcel) -> None:
    """Add what another process has measured, except for its seconds: see `Timeline.merge`."""
    recorder = measures.recorder
    for cell in parcel.cells:
        _merge_cell(recorder, cell)
    recorder.failed.update(parcel.failed)
    recorder.lost.update(parcel.lost)
    recorder.failures += parcel.failures
    for rules, count in parcel.chances:
        recorder._chances[frozenset(rules)] += count
    recorder.guarded += parcel.guarded
    recorder.let_through += parcel.let_through
    recorder.races.merge(parcel.races)
    recorder.saw_in_flight(parcel.most_in_flight)  # theirs together may be more: it is "at least"
    recorder.behaviours.update(parcel.behaviours)
    recorder.trouble.update(parcel.trouble)
    for rule, broken in parcel.broken.items():
        _merge_broken(recorder, rule, broken)
    measures.punctual.merge(parcel.schedule)
    measures.waits.merge(Histogram.unpacked(parcel.waits))
    measures.code_requests += parcel.code_requests
    measures.code_cpu_s += parcel.code_cpu_s
    measures.cpu_s += parcel.cpu_s
    measures.most_under_way += parcel.most_under_way


def _packed(cell: Cell) -> _Cell:
    outcomes, due, sent = sorted(cell.outcomes), cell.due.packed(), cell.sent.packed()
    return _Cell(cell.operation, outcomes, cell.length, cell.silent, due, sent)


def _merge_cell(recorder: Recorder, part: _Cell) -> None:
    key = (part.operation, frozenset(part.outcomes))
    cell = recorder.cells.get(key)
    if cell is None:
        cell = recorder.cells[key] = Cell(*key)
    cell.length += part.length
    cell.silent += part.silent
    cell.due.merge(Histogram.unpacked(part.due))
    cell.sent.merge(Histogram.unpacked(part.sent))


def _merge_broken(recorder: Recorder, rule: str, part: _Broken) -> None:
    first, worst = _contradiction(part.first), _contradiction(part.worst)
    if part.first == part.worst:
        worst = first
    known = recorder.broken.setdefault(rule, Broken(first))
    known.count += part.count
    if _when(first) < _when(known.first):
        known.first = first
    if worst.weight > known.worst.weight:
        known.worst = worst


def _when(found: Contradiction) -> float:
    return found.history[-1].returned


def _contradiction(seen: Seen) -> Contradiction:
    history = list(seen.history)
    for one in seen.raced:
        told = history[one.place]
        history[one.place] = RacedTold(
            *(told.operation, told.sent, told.status, told.text),
            *(told.outcomes, told.called, told.returned),
            *(one.lane, one.released, one.silent_until),
        )
    return Contradiction(seen.observation, tuple(history), (), seen.weight)


def _redacted(told: Told, redact: Redactor) -> Told:
    request = told.request
    target = redact(request.target[:_READ])[:_SHOWN]
    body = redact(request.body[:_READ].decode("utf-8", "replace"))[:_SHOWN]
    text = redact(told.text[:_READ].decode("utf-8", "replace"))[:_SHOWN]
    sent = f"{request.method} {target} HTTP/1.1\r\n\r\n{body}".encode()
    return msgspec.structs.replace(told, sent=sent, text=text.encode())
