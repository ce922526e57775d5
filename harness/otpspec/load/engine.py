"""What owns the connections of a load process, and its time: calls go out when they are due.

Everything here happens in callbacks of gevent's hub, and nothing blocks. A call waits for a free
connection in the order in which calls were made; it is counted from when it was due all the same.
"""

import heapq
import itertools
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from gevent.hub import get_hub

from otpspec.load.line import Call, Line
from otpspec.load.place import Place
from otpspec.load.wire import Answer

TICK_S = 0.001

CONNECTING = 32
"""So many connections to one place are opened at a time: a thousand at once would hold up what is
due meanwhile, and that would ask for a thousand more."""

_now = time.monotonic


Heard = tuple[Call, int, bytes, Answer | None, float]


class Pool:
    """The connections to one place."""

    def __init__(self, engine: "Engine", place: Place) -> None:
        self._engine = engine
        self.loop = engine.loop
        self.heard = engine.heard.append
        self.fail = engine.fail
        self.place = place
        self.lines: set[Line] = set()
        self._idle: list[Line] = []
        self._outgoing = engine.outgoing
        self._paced = engine.apart_s > 0
        self.queue: deque[Call] = deque()
        self._opening: set[Line] = set()
        self._growing = False

    def submit(self, call: Call) -> None:
        """Send a call's request as soon as a connection is free."""
        if self._paced:
            self._engine.in_turn(lambda _: self._submit(call))
        elif self._idle:
            line = self._idle.pop()
            line.call = call
            self._outgoing.append(line)
        else:
            self._submit(call)

    def _submit(self, call: Call) -> None:
        if self._idle:
            line = self._idle.pop()
            line.call = call
            self._outgoing.append(line)
        elif not self.queue and self._may_open():
            self._open(call)
        else:
            call.sent = _now()  # since when it waits; set anew when it is sent
            self.queue.append(call)
            self._grow()

    def release(self, line: Line) -> None:
        """A connection has become free."""
        if self.queue:
            line.call = self._next()
            self._outgoing.append(line)
        else:
            self._idle.append(line)

    def drop(self, line: Line) -> None:
        """A connection is not to be used again."""
        line.close()
        if line not in self.lines:
            return
        self.lines.discard(line)
        if line in self._idle:
            self._idle.remove(line)
        self._opening.discard(line)
        self._grow()

    def connected(self, line: Line) -> None:
        """A connection is there."""
        self._opening.discard(line)
        self._grow()

    def _may_open(self) -> bool:
        return len(self.lines) < self._engine.most and len(self._opening) < CONNECTING

    def _grow(self) -> None:
        """Open connections for those who wait."""
        if self._growing or self._engine.closed:
            return
        self._growing = True  # one that cannot be opened comes back here at once
        while self.queue and self._may_open():
            self._open(self._next())
        self._growing = False

    def _open(self, call: Call) -> None:
        line = Line(self, call)
        self.lines.add(line)
        self._opening.add(line)
        line.connect()

    def _next(self) -> Call:
        call = self.queue.popleft()
        self._engine.waited(call.sent, _now())
        return call

    def in_flight(self) -> int:
        """How many calls wait for their answer, and not for their connection."""
        return sum(line.call is not None for line in self.lines - self._opening)

    def expire(self, before: float) -> None:
        """Give up the calls that were begun before a time."""
        late = [line for line in self.lines if line.call is not None and line.since < before]
        for line in late:
            line.lost("no answer in time")


class Engine:
    """The connections and the agenda of one process."""

    def __init__(
        self,
        *,
        timeout: float,
        most: int,
        fail: Callable[[Exception], None],
        waited: Callable[[float, float], None] = lambda since, until: None,
        apart_s: float = 0.0,
    ) -> None:
        """`timeout`: seconds for a whole exchange, connecting included. `most`: connections to one
        place. `fail` is told what goes wrong in the harness. `waited` is told from when to when a
        call waited for a connection. `apart_s`: how much time must lie between two requests.
        """
        self.loop = get_hub().loop
        self.most = most
        self.fail = fail
        self.waited = waited
        self.closed = False
        self.apart_s = apart_s
        self._free_at = 0.0
        self._timeout = timeout
        self._pools: dict[str, Pool] = {}
        self._agenda: list[tuple[float, int, Callable[[float], None]]] = []
        self._order = itertools.count()
        self._every: list[Callable[[float], None]] = []
        self._tick: Any = self.loop.timer(TICK_S, repeat=TICK_S)
        self._look = min(timeout / 10, 0.1)
        self._next_look = _now() + self._look
        self._tick.start(self._ticked, update=True)
        self.heard: list[Heard] = []
        """Answers that came in this turn of the hub's loop: all are read before any is judged."""

        self.outgoing: list[Line] = []
        """Connections with a call to be sent at the end of this turn: all at once, since a target
        that is awake is cheaper to send to than one that is woken for each request."""

        self._after: Any = self.loop.check(priority=self.loop.MINPRI)
        self._after.start(self._turned)

    def pool(self, place: Place) -> Pool:
        """The connections to a place."""
        found = self._pools.get(place.origin)
        if found is None:
            found = self._pools[place.origin] = Pool(self, place)
        return found

    def at(self, when: float, act: Callable[[float], None]) -> None:
        """Do something at a time of `time.monotonic`; it is told that time."""
        heapq.heappush(self._agenda, (when, next(self._order), act))

    def in_turn(self, act: Callable[[float], None]) -> None:
        """Do something as soon as the pace that the profile sets allows it."""
        now = _now()
        when = max(self._free_at, now)
        self._free_at = when + self.apart_s
        if when > now:
            self.waited(now, when)
            self.at(when, act)
        else:
            act(now)

    def every_tick(self, act: Callable[[float], None]) -> None:
        """Do something at each tick; it is told what time it is."""
        self._every.append(act)

    def queued(self) -> int:
        """How many calls wait for a connection."""
        return sum(len(pool.queue) for pool in self._pools.values())

    def in_flight(self) -> int:
        """How many calls wait for their answer."""
        return sum(pool.in_flight() for pool in self._pools.values())

    def connections(self) -> int:
        """How many connections there are."""
        return sum(len(pool.lines) for pool in self._pools.values())

    def close(self) -> None:
        """Hang up. Calls under way are told that they got no answer."""
        if self.closed:
            return
        self.closed = True
        self._tick.stop()
        self._tick.close()
        self._after.stop()
        self._after.close()
        for pool in self._pools.values():
            pool.queue.clear()
            for line in list(pool.lines):
                line.call = None
                pool.drop(line)

    def _turned(self) -> None:
        """Every answer of this turn was read: go on with their calls, and send what is due."""
        if self.heard:
            heard = self.heard.copy()
            self.heard.clear()
            for call, status, body, answer, returned in heard:
                try:
                    call.answered(status, body, answer, returned)
                except Exception as error:  # the hub would only print it
                    self.fail(error)
        outgoing = self.outgoing
        if outgoing:
            for line in outgoing:
                line.begin()
            outgoing.clear()

    def _ticked(self) -> None:
        try:
            self._due()
        except Exception as error:
            self.fail(error)

    def _due(self) -> None:
        now = _now()
        for act in self._every:
            act(now)
        agenda = self._agenda
        while agenda and agenda[0][0] <= now and not self.closed:
            when, _, act = heapq.heappop(agenda)
            act(when)
        if now >= self._next_look:
            self._next_look = now + self._look
            for pool in self._pools.values():
                pool.expire(now - self._timeout)
