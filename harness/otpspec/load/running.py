"""What every kind of load process has: an order, its end, and what it tells who started it."""

import math
import signal
from contextlib import suppress
from typing import Any, BinaryIO

import gevent
from gevent.event import Event
from gevent.os import make_nonblocking, nb_read

from otpspec.errors import OtpspecError
from otpspec.load import clock
from otpspec.load.arrivals import Arrivals
from otpspec.load.messages import Line, Order, encode
from otpspec.load.mix import find_mix
from otpspec.load.place import places
from otpspec.load.plan import Plan
from otpspec.load.user import OtpUser
from otpspec.load.world import World
from otpspec.profile import Profile, load

GRACE_S = 2.0
"""How long a run that ends waits for the calls under way."""

HURRY_S = 1.0
"""How long a run that was ended before its time waits for the target's clock."""

BUSY = 0.9
"""From which part of a core on a load process is called busy."""


class Payer(OtpUser):
    """The users of an order."""


class Running:
    """One order under way."""

    def __init__(self, order: Order, out: BinaryIO) -> None:
        """`out`: where to tell how it goes. Raises OtpspecError where the order cannot be read."""
        self.ended = Event()
        """Set when someone ends the run before its time."""

        self._listen()
        self.order = order
        self.out = out
        self.profile: Profile = load(order.profile, base_url=order.base_url, changes=order.changes)
        self.places = places(self.profile)

    def tell(self, line: Line) -> None:
        """Tell who gave the order."""
        tell(self.out, line)

    def _listen(self) -> None:
        """End when the pipe that the order came by is closed at its other end, and on a signal.

        Who gives the order closes the pipe. That is not lost, however early it comes: a signal
        would end a process that has not said yet what it does with one.
        """

        def end(*_: Any) -> None:
            self.ended.set()

        for number in (signal.SIGINT, signal.SIGTERM):
            gevent.signal_handler(number, end)

        def watch() -> None:
            make_nonblocking(0)
            with suppress(OSError):
                while nb_read(0, 1):
                    pass
            end()

        gevent.spawn(watch)

    def arrivals(self) -> Arrivals | None:
        """When journeys begin; None in a closed run."""
        order = self.order
        if not order.rate:
            return None
        return Arrivals.parse(order.rate, order.arrivals, order.duration_s, order.crowd)

    def plan(self, rate: float) -> Plan:
        """What is to be done. `rate`: seconds of the target's time a second."""
        return Plan(
            self.profile,
            self.places,
            find_mix(self.order.mix, self.profile),
            seed=self.order.seed,
            rate=rate,
            duration_s=self.order.duration_s,
            arrivals=self.arrivals(),
            think_s=self.order.think_s,
        )

    def let_finish(self, world: World) -> None:
        """An open run's last requests are waited for: the slowest are among them."""
        if world.stream is None or world.failure is not None or self.ended.is_set():
            return
        deadline = world.now() + GRACE_S
        while world.stream.calls and world.now() < deadline and not self.ended.is_set():
            gevent.sleep(0.01)

    def untimed(self, first: clock.Reading | None) -> str:
        """Why no rule about time can be judged; empty where it can."""
        if first is None:
            return ""
        try:
            within = HURRY_S if self.ended.is_set() else math.inf
            last = clock.read(self.profile, self.places, within_s=within)
        except OtpspecError:
            return "the target's clock could not be read at the end of the run"
        return "" if last is None else clock.drift(first, last)


def tell(out: BinaryIO, line: Line) -> None:
    """Write a line, where there is still someone to read it."""
    with suppress(BrokenPipeError):
        out.write(encode(line) + b"\n")
        out.flush()
