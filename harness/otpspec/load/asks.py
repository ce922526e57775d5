"""The operations of a profile as a load run asks them: prepared where they can be."""

import itertools
import secrets
from collections.abc import Mapping
from typing import Any

from otpspec.errors import TargetError
from otpspec.exchange import Jar
from otpspec.load.engine import Engine, Pool
from otpspec.load.place import Place
from otpspec.load.wire import encode
from otpspec.profile import Operation, Profile, Request
from otpspec.profile.prepared import Prepared

_NUMBER = "4" + "0" * 40  # where a request's own number belongs; in no text of a profile
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Ask:
    """One operation."""

    __slots__ = ("method", "name", "operation", "pool", "prepared", "read")

    def __init__(self, operation: Operation, pool: Pool, prepared: Prepared | None) -> None:
        self.operation = operation
        self.name = operation.name
        self.method = operation.decisive.method
        self.pool = pool
        self.prepared = prepared
        """None: it takes the general way, of several requests or of one that needs its headers."""

        self.read = operation.decisive.read_bare


class _Places(dict[str, str]):
    def __missing__(self, name: str) -> str:
        place = self[name] = f"challenge.{name}"
        return place


class Asks:
    """All operations of a run, and how any request of it goes over the wire."""

    def __init__(self, profile: Profile, places: Mapping[str, Place], engine: Engine) -> None:
        self._places = places
        self._engine = engine
        self._profile = profile
        self._header = profile.target.correlation_header
        self._run = secrets.token_hex(4)
        self.number = itertools.count(1)
        """Of requests: each has its own in its correlation header."""

        self.place = _Places()
        """Where what was captured of a transaction belongs in a request: id as challenge.id."""

        amounts = profile.amounts
        common = {"currency": amounts.currency, "merchant": amounts.merchant}
        self.with_csc = {**common, "amount": amounts.with_csc}
        self.without_csc = {**common, "amount": amounts.without_csc}
        self.of = {name: self._ask(operation) for name, operation in profile.operations.items()}

        self.start_with_csc = self._prepared(profile.operations["start"], self.with_csc)
        self.start_without_csc = self._prepared(profile.operations["start"], self.without_csc)

    def _ask(self, operation: Operation) -> Ask:
        place = self._places[operation.steps[0].origin]
        return Ask(operation, self._engine.pool(place), self._prepared(operation))

    def _prepared(
        self, operation: Operation, given: Mapping[str, Any] | None = None
    ) -> Prepared | None:
        step, adapted = operation.steps[0], bool(self._profile.target.adapter)
        if adapted or len(operation.steps) > 1 or step.follow or step.needs_head:
            return None
        return Prepared(step, self._mark, _NUMBER, given)

    def _mark(self, request: Request) -> bytes:
        return self._encode(request, _NUMBER)

    def written(self, request: Request, cookies: str = "") -> tuple[bytes, Pool]:
        """A request's bytes, and over which connections they go. Raises TargetError."""
        if cookies:
            request = request._replace(headers=(*request.headers, ("Cookie", cookies)))
        data = self._encode(request, str(next(self.number)))
        return data, self._engine.pool(self._places[request.origin])

    def _encode(self, request: Request, number: str) -> bytes:
        given = {name.lower() for name, _ in request.headers}
        usual = (("Accept", "*/*"), ("User-Agent", "otpspec"))
        headers = [pair for pair in usual if pair[0].lower() not in given]
        headers += request.headers
        if self._header.lower() not in given:
            headers.append((self._header, f"otpspec-{self._run}-{number}"))
        whole = request._replace(headers=tuple(headers))
        return encode(whole, self._places[request.origin].host)

    def lacks(self, operation: str, name: object) -> TargetError:
        """What to say where a place of a request has no value."""
        return TargetError(
            f"The target's answers did not hold {name}, which {operation} needs.\n"
            f"  profile   {self._profile.source}, capture of [operations.enroll] or [.start]"
        )

    def jar(self) -> Jar:
        """A payer's empty jar: cookies marked Secure also go to this machine's own servers."""
        host = next(iter(self._places.values())).server_name
        return Jar(("https", "http") if host in _LOOPBACK else ("https",))


def values_of(subject: str, captures: Mapping[str, Any]) -> dict[str, Any]:
    """What was captured, as it fills places: id as challenge.id."""
    return {f"{subject}.{key}": value for key, value in captures.items()}
