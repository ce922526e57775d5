"""Operations whose decisive requests are released together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from otpspec import realtime
from otpspec.answer import Answer, Flown
from otpspec.asking import Asking, Exchange, go_on, saying
from otpspec.burst import Flight, Landed, Overlap, Shot, measure
from otpspec.clock import Clock
from otpspec.exchange import Jar, taken
from otpspec.outcome import SILENT
from otpspec.profile import Raw, Request


@dataclass(frozen=True)
class Call:
    """One operation that is going to be asked together with others."""

    session: Any = field(repr=False)
    operation: str
    values: Mapping[str, Any] = field(repr=False)
    jar: Jar | None = field(default=None, repr=False)  # the cookies of the payer who asks
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)  # for Step.build
    about: Any = field(default=None, repr=False)  # what it is about: a challenge, a card
    delay_s: float = 0.0  # how long after the first of the burst it is released
    hold_head: bool = False  # whether its body is held back, too
    label: str = ""  # what it is, where the operation alone does not say it: "right code"


@dataclass(frozen=True)
class Race:
    """What a burst came to."""

    calls: Sequence[Call]
    answers: Sequence[Answer]  # to each call, in the calls' order
    overlap: Overlap

    @property
    def in_order_of_return(self) -> list[tuple[Call, Answer]]:
        """Calls with their answers, the first answer first."""
        pairs = zip(self.calls, self.answers, strict=True)
        return sorted(pairs, key=lambda pair: pair[1].returned)


@dataclass
class _Loaded:
    """A call whose decisive request is next, or whose operation ended before it."""

    call: Call
    exchange: Exchange
    jar: Jar
    request: Request | None
    answer: Answer | None


class _Times:
    """Times of the harness as the target's: nothing moves the clock during a burst."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._began, self._from = clock.now(), realtime.monotonic()

    def close(self) -> None:
        """The burst is over: what lies within it can be told now."""
        self._passed = self._clock.now() - self._began
        self._took = max(realtime.monotonic() - self._from, 1e-9)

    def flown(self, number: int, what: Landed, first_s: float | None) -> Flown:
        """How one of the requests went."""
        lane = f"conn. {number + 1}"
        if what.released_s is None or first_s is None:
            return Flown(lane)
        return Flown(lane, self(what.released_s), self(first_s), self(what.silent_until_s))

    def __call__(self, monotonic_s: float) -> datetime:
        return self._began + self._passed * ((monotonic_s - self._from) / self._took)


class Together(Asking):
    """The part of a session that asks for several operations at once."""

    async def at_once(self, calls: Sequence[Call]) -> Race:
        """Ask for operations so that their decisive requests are released together.

        The requests of an operation before its decisive one are sent before, those after it
        afterwards. All calls must be of this run. Raises as `Session.ask`.
        """
        async with self._access.alone:
            loaded = [await call.session._load(call) for call in calls]
            ready = [one for one in loaded if one.request is not None]
            await self._access.turn(len(ready))
            times = _Times(self._clock)
            landed = await self._fired(ready)
            times.close()
            overlap = await self._read(ready, landed, times, of=len(calls))
        answers = [one.answer for one in loaded if one.answer is not None]
        return Race(calls, answers, overlap)

    async def _load(self, call: Call) -> _Loaded:
        """Send what comes before the decisive request."""
        jar = self._access.jar() if call.jar is None else call.jar.copy()
        exchange = self._exchange(call.operation, call.values, patient=False, **call.extra)
        with saying(call.operation):
            answer, request = await self._drive_on(exchange, next(exchange), jar, hold=True)
        return _Loaded(call, exchange, jar, request, answer)

    async def _fired(self, ready: Sequence[_Loaded]) -> list[tuple[Landed, Any]]:
        shots = []
        for number, one in enumerate(ready):
            assert one.request is not None  # noqa: S101 - it is ready
            one.request = self._access.marked(self._at_node(one.request, number))
            built = self._wire.built(one.request, one.jar)
            shots.append(Shot(built, one.call.delay_s, one.call.hold_head))
        landed = await self._access.fire(shots)
        return [(what, shot.request) for what, shot in zip(landed, shots, strict=True)]

    def _at_node(self, request: Request, number: int) -> Request:
        """The request to one of the target's nodes, each in turn."""
        here, *_ = nodes = self._profile.nodes
        node = nodes[number % len(nodes)]
        if node is here or request.origin != here.origin:
            return request
        target = node.path + request.target.removeprefix(here.path)
        return request._replace(origin=node.origin, target=target)

    async def _read(
        self,
        ready: Sequence[_Loaded],
        landed: Sequence[tuple[Landed, Any]],
        times: _Times,
        *,
        of: int,
    ) -> Overlap:
        """Read the answers in the order in which they came, each to its operation's end."""
        first_s = min((w.released_s for w, _ in landed if w.released_s is not None), default=None)
        found = [(n, one, *what) for n, (one, what) in enumerate(zip(ready, landed, strict=True))]
        flights = []
        for number, one, what, sent in sorted(found, key=lambda each: each[2].answered_s):
            flown = times.flown(number, what, first_s)
            answer = await one.call.session._settle(one, what, sent, times, flown)
            one.answer = replace(answer, jar=one.jar)
            if what.released_s is not None:
                says = not answer.outcomes & SILENT
                answered_s = what.answered_s if says else None
                flights.append(Flight(what.released_s, what.silent_until_s, answered_s))
        return measure(
            flights,
            of=of,
            ended=of - len(ready),
            unopened=sum(not what.opened for what, _ in landed),
            early=sum(what.early for what, _ in landed),
        )

    async def _settle(
        self, one: _Loaded, what: Landed, sent: Any, times: _Times, flown: Flown
    ) -> Answer:
        """The answer to a call: read, and followed by the requests after the decisive one."""
        assert one.request is not None  # noqa: S101 - it was sent
        called, returned = times(what.sent_s), times(max(what.answered_s, what.sent_s))
        if what.response is None:
            silent = self._silent(one.request, what.error, called, returned)
            self.answers.append(replace(silent, label=one.call.label, flown=flown))
            return self.answers[-1]
        raw = taken(what.response, sent, what.response.content, one.jar)
        if one.call.jar is not None:
            taken(what.response, sent, b"", one.call.jar)
        said = self._said(one.request, raw, called, returned)
        return await self._finish(one, raw, replace(said, label=one.call.label, flown=flown))

    async def _finish(self, one: _Loaded, raw: Raw, said: Answer) -> Answer:
        following, reading = go_on(one.exchange, raw)
        said = replace(said, outcomes=reading.outcomes, captures=reading.captures)
        self.answers.append(said)
        if following is None:
            return said
        answer = await self._drive(one.exchange, following, one.jar)
        return replace(answer, called=said.called)
