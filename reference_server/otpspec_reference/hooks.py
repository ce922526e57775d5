"""The test hooks: read what was sent, move the clock, start afresh.

They are off unless asked for, and need a token: who has it reads every code.
"""

import hmac
import math
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qs

from starlette.routing import Route
from starlette.types import Receive, Scope

from otpspec_reference.answers import Answer, Status
from otpspec_reference.clock import Clock, Lease
from otpspec_reference.http import Endpoint, Face, header, read_body, read_object
from otpspec_reference.outbox import Outbox

FARTHEST_S = 1e9
"""The farthest jump, thirty years: beyond it a float tells no seconds apart."""

FASTEST = 1e6

Body = dict[str, object]


class Hooks:
    """The operations under /test."""

    def __init__(self, face: Face, clock: Clock, outbox: Outbox, token: str) -> None:
        self._face = face
        self._clock = clock
        self._outbox = outbox
        self._token = token.encode()
        self._lease = Lease()

    def routes(self) -> list[Route]:
        """One route for each hook."""
        return [
            self._route("GET", "/test/outbox", self.read_outbox),
            self._route("GET", "/test/clock", self.read_clock),
            self._route("POST", "/test/clock/lease", self.with_body(self.take_lease)),
            self._route("DELETE", "/test/clock/lease/{id}", self.give_lease_back),
            self._route("POST", "/test/clock/advance", self.with_body(self.advance)),
            self._route("POST", "/test/clock/rate", self.with_body(self.set_rate)),
            self._route("POST", "/test/reset", self.with_body(self.reset)),
        ]

    def _route(
        self, method: str, path: str, perform: Callable[[Scope, Receive], Awaitable[Answer]]
    ) -> Route:
        async def guarded(scope: Scope, receive: Receive) -> Answer:
            if not hmac.compare_digest(header(scope["headers"], b"x-test-token"), self._token):
                return Answer(Status.UNAUTHORISED)
            return await perform(scope, receive)

        return Route(path, Endpoint(self._face, guarded), methods=[method])

    def with_body(
        self, act: Callable[[Body], Answer]
    ) -> Callable[[Scope, Receive], Awaitable[Answer]]:
        """An operation on the JSON object that was sent."""

        async def perform(scope: Scope, receive: Receive) -> Answer:
            raw = await read_body(receive)
            body = read_object(raw) if raw else {}
            return Answer(Status.MALFORMED) if body is None else act(body)

        return perform

    async def read_outbox(self, scope: Scope, receive: Receive) -> Answer:
        """The messages that were sent: `to` an address, `after` a number, both optional."""
        asked = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        after = asked.get("after", ["0"])[-1]
        if not (after.isascii() and after.isdigit() and len(after) < 19):
            return Answer(Status.MALFORMED)
        # a plus that was not escaped arrives as a space, which no address has
        to = asked["to"][-1].replace(" ", "+") if "to" in asked else None
        return Answer(Status.OK, {"messages": self._outbox.messages(to, int(after))})

    async def read_clock(self, scope: Scope, receive: Receive) -> Answer:
        """The server's time, how fast it runs, and how often it was moved."""
        return Answer(Status.OK, self._time())

    def take_lease(self, body: Body) -> Answer:
        """The right to move the clock."""
        lease = self._lease.take()
        return Answer(Status.LEASED) if lease is None else Answer(Status.GRANTED, {"lease": lease})

    async def give_lease_back(self, scope: Scope, receive: Receive) -> Answer:
        """The end of a lease."""
        given = self._lease.give_back(scope["path_params"]["id"])
        return Answer(Status.OK if given else Status.LEASED)

    def advance(self, body: Body) -> Answer:
        """A jump forward, by the holder of the lease."""
        seconds = _number(body.get("seconds"))
        if seconds is None or not 0 <= seconds <= FARTHEST_S:
            return Answer(Status.MALFORMED)
        if not self._lease.use(body.get("lease")):
            return Answer(Status.LEASED)
        self._clock.advance(seconds)
        return Answer(Status.OK, self._time())

    def set_rate(self, body: Body) -> Answer:
        """Another rate, by the holder of the lease."""
        rate = _number(body.get("rate"))
        if rate is None or not 0 < rate <= FASTEST:
            return Answer(Status.MALFORMED)
        if not self._lease.use(body.get("lease")):
            return Answer(Status.LEASED)
        self._clock.set_rate(rate)
        return Answer(Status.OK, self._time())

    def reset(self, body: Body) -> Answer:
        """Afresh, except that message numbers go on and a lease stays its holder's."""
        self._face.safekey.reset()
        self._outbox.clear()
        self._clock.reset()
        return Answer(Status.OK, self._time())

    def _time(self) -> dict[str, object]:
        clock = self._clock
        return {"now": clock.now(), "rate": clock.rate, "jumps": clock.jumps}


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)
