"""The connections of races: each is used once, and its request is held back by its last byte."""

from collections import deque
from typing import TYPE_CHECKING, Any

from otpspec.load.engine import Engine, Pool
from otpspec.load.line import Line
from otpspec.load.place import Place

if TYPE_CHECKING:
    from otpspec.load.race import Race, Racer

AT_ONCE = 4
"""So many races are under way at a time; the others wait."""


class Track(Pool):
    """The connections of races to one place: each is used once."""

    def __init__(self, engine: Engine, place: Place) -> None:
        super().__init__(engine, place)
        self._under_way = 0
        self._waiting: deque[Race] = deque()

    @classmethod
    def of(cls, engine: Engine, place: Place) -> "Track":
        """The one of this engine, which closes it and ends what takes too long."""
        name = f"races at {place.origin}"
        found = engine._pools.get(name)
        if not isinstance(found, Track):
            found = engine._pools[name] = cls(engine, place)
        return found

    def enter(self, race: "Race", requests: int) -> None:
        """Begin a race as soon as there is room for it, and as the profile's pace allows it.

        A burst counts as its requests: it comes at once, and the pause after it is as long as they
        would have taken one after the other.
        """
        engine = self._engine
        if engine.apart_s > 0:
            engine.in_turn(lambda _: self._enter(race))
            engine._free_at += (requests - 1) * engine.apart_s
        else:
            self._enter(race)

    def _enter(self, race: "Race") -> None:
        if self._under_way < AT_ONCE:
            self._under_way += 1
            race.load()
        else:
            self._waiting.append(race)

    def leave(self) -> None:
        """A race is over."""
        self._under_way -= 1
        if self._waiting:
            self._enter(self._waiting.popleft())

    def open(self, racer: "Racer") -> "Held":
        """A connection of its own for a request."""
        line = Held(self, racer)
        self.lines.add(line)
        return line

    def in_flight(self) -> int:
        """Requests of races are no load: most are held back by their last byte."""
        return 0

    def release(self, line: Line) -> None:
        """A connection has done its work."""
        self.drop(line)

    def connected(self, line: Line) -> None:
        """A connection is there; all of its request is about to be sent but the last byte."""
        call: Any = line.call  # a Racer, unless it was lost meanwhile
        if call is not None:
            call.connected()


class Held(Line):
    """A connection whose request is held back by its last byte."""

    __slots__ = ()

    def finish(self, last: bytes) -> bool:
        """Send what was held back; whether it went out at once."""
        if self._socket is None or self._rest:
            return False
        try:
            sent = self._send(self._end, last)
        except OSError:
            return False
        return sent == len(last) and not (self._tls is not None and self._tls.wants_write)

    def descriptor(self) -> int | None:
        """Of its socket; None where it is closed."""
        return None if self._socket is None else int(self._socket.fileno())
