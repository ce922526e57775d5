"""From an answer's bytes to the set of outcomes that it may mean."""

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jmespath
import jmespath.exceptions
import msgspec

from otpspec.outcome import Outcome
from otpspec.profile import schema

_PATH = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
_UNKNOWN = frozenset({Outcome.UNKNOWN})
_THROTTLED = frozenset({Outcome.THROTTLED})
_UNAVAILABLE = frozenset({Outcome.UNAVAILABLE})

Headers = Mapping[str, str]
"""Header names in lower case."""


class Reading(NamedTuple):
    """What an answer means, and what was kept of it."""

    outcomes: frozenset[Outcome]
    captures: dict[str, Any]


def query(expression: str) -> Callable[[Any], Any]:
    """A JMESPath expression as a function; a plain path of names takes the short way.

    Raises ValueError where the expression cannot be read.
    """
    if _PATH.fullmatch(expression):
        names = expression.split(".")

        def walk(node: Any) -> Any:
            for name in names:
                if not isinstance(node, dict):
                    return None
                node = node.get(name)
            return node

        return walk
    try:
        parsed = jmespath.compile(expression)
    except jmespath.exceptions.JMESPathError as error:
        raise ValueError(str(error).splitlines()[0]) from error

    def search(node: Any) -> Any:
        try:
            return parsed.search(node)
        except jmespath.exceptions.JMESPathError:
            return None  # an expression that does not fit this body finds nothing in it

    return search


def decode(body: bytes) -> Any:
    """A body of JSON. Raises ValueError where it is something else."""
    try:
        return msgspec.json.decode(body)
    except (ValueError, RecursionError) as error:  # nested too deeply: nobody's honest answer
        raise ValueError("the answer is not JSON") from error


class Pattern:
    """One pattern of the profile, ready to be matched."""

    __slots__ = ("_headers", "_json", "outcomes", "statuses")

    def __init__(self, answer: schema.Answer) -> None:
        outcomes = answer.outcomes if isinstance(answer.outcomes, list) else [answer.outcomes]
        self.outcomes = frozenset(outcomes)
        statuses = answer.status if isinstance(answer.status, list) else [answer.status]
        self.statuses = frozenset(status for status in statuses if status is not None)
        self._headers = [(name.lower(), re.compile(rx)) for name, rx in answer.header.items()]
        self._json = [(query(expression), value) for expression, value in answer.json.items()]

    def matches(self, status: int, headers: Headers, document: Any) -> bool:
        """Whether an answer is of this pattern."""
        return (
            (not self.statuses or status in self.statuses)
            and all(_same(find(document), value) for find, value in self._json)
            and all(name in headers and rx.search(headers[name]) for name, rx in self._headers)
        )


def _same(found: Any, wanted: Any) -> bool:
    """Equal as JSON is: true is not 1."""
    if isinstance(found, list) and isinstance(wanted, list):
        return len(found) == len(wanted) and all(map(_same, found, wanted))
    if isinstance(found, dict) and isinstance(wanted, dict):
        return found.keys() == wanted.keys() and all(_same(found[k], wanted[k]) for k in wanted)
    return found == wanted and isinstance(found, bool) == isinstance(wanted, bool)


class Reader:
    """Reads the answers of one operation."""

    def __init__(self, request: schema.Request) -> None:
        self._patterns = [Pattern(answer) for answer in request.answers]
        self._captures = [(name, query(path)) for name, path in request.capture.items()]

    def read(self, status: int, headers: Headers, body: bytes) -> Reading:
        """What an answer means: the first pattern that matches it says so.

        Where none does: a 429 is throttling, a 5xx is a failure of the target, and anything else
        is unknown. None of the three judges anything.
        """
        try:
            document = decode(body)
        except ValueError:
            document = None
        for pattern in self._patterns:
            if pattern.matches(status, headers, document):
                found = {name: find(document) for name, find in self._captures}
                return Reading(pattern.outcomes, {k: v for k, v in found.items() if v is not None})
        if status == 429:
            return Reading(_THROTTLED, {})
        return Reading(_UNAVAILABLE if status >= 500 else _UNKNOWN, {})

    def captured(self, body: bytes) -> dict[str, Any]:
        """The captures alone, for requests whose answers are not judged.

        Raises ValueError where they cannot be read.
        """
        if not self._captures:
            return {}
        document = decode(body)
        return {name: find(document) for name, find in self._captures}
