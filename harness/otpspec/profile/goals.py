"""What a target promises under load: "p99 = 250ms", "errors = 0.1%", of all or of one operation."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from otpspec.profile.reader import did_you_mean, parse_duration

OPERATIONS = ("start", "verify", "resend", "cancel", "amend", "unlock", "change_contact")
"""What is measured: each of them that the profile has."""

ERRORS = "errors"
MEASURES = ("p50", "p90", "p95", "p99", "p99.9", "max", ERRORS)
"""The usual ones; any other percentile is written as these are."""

_PERCENTILE = re.compile(r"p(\d{1,2})(?:\.?(\d{1,3}))?")
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)\s*%")


class Goal(NamedTuple):
    """A limit: at most so many seconds, or so large a part of the requests."""

    operation: str  # "": all of them together
    measure: str  # "p99", "max", "errors"
    text: str  # the limit as it was written: "250ms", "0.1%"
    limit: float  # seconds; of errors, a part of 1
    quantile: float  # p99: 0.99; max: 1; not used of errors

    @property
    def name(self) -> str:
        """'verify.p99'."""
        return f"{self.operation}.{self.measure}" if self.operation else self.measure

    @classmethod
    def parse(cls, name: str, text: str) -> "Goal":
        """Read a limit: parse("verify.p99", "250ms"). Raises ValueError: what to write instead."""
        operation, measure = _split(name)
        if operation and operation not in OPERATIONS:
            raise ValueError(f"{operation} is no operation; {did_you_mean(operation, OPERATIONS)}")
        if measure == ERRORS:
            match = _PERCENT.fullmatch(text.strip())
            if match is None or float(match[1]) > 100:
                raise ValueError(f'"{text}" is no part of all requests; write it like "0.1%"')
            return cls(operation, measure, text.strip(), float(match[1]) / 100, 0.0)
        quantile = _quantile(measure)
        if quantile is None:
            raise ValueError(f"{measure} is not measured; {did_you_mean(measure, MEASURES)}")
        if not (lasts := parse_duration(text).total_seconds()) > 0:
            raise ValueError(f'"{text}" is no time that a request may take; write it like "250ms"')
        return cls(operation, _plain(quantile), text.strip(), lasts, quantile)


def _split(name: str) -> tuple[str, str]:
    """'verify.p99.9' as operation and measure."""
    first, dot, rest = name.strip().partition(".")
    if dot and not (_quantile(first) is not None and rest.isdigit()):
        return first, rest
    return "", name.strip()


def _quantile(measure: str) -> float | None:
    """0.999 for p99.9, and for p999; None where it is no percentile."""
    if measure == "max":
        return 1.0
    match = _PERCENTILE.fullmatch(measure)
    digits = "" if match is None else str(match[1]).zfill(2) + (match[2] or "")
    return float(f"0.{digits}") if digits.strip("0") else None


def _plain(quantile: float) -> str:
    return "max" if quantile == 1.0 else f"p{round(100 * quantile, 5):g}"


def of_command(words: Iterable[str]) -> list[Goal]:
    """The limits of a command line: "p99=250ms". Raises ValueError: what to write instead."""
    found = []
    for word in words:
        name, equals, text = word.partition("=")
        if not equals:
            raise ValueError(f'"{word}" is no limit; write it like "verify.p99=250ms"')
        found.append(Goal.parse(name, text))
    return found


def of_table(table: Mapping[str, Any]) -> Iterator[tuple[str, Goal | str]]:
    """Each limit of a profile's table, with its key; or what is wrong with it.

    TOML makes a table of a dotted key: verify.p99, and p99.9, too.
    """
    for key, value in table.items():
        if isinstance(value, dict):
            yield from of_table({f"{key}.{k}": v for k, v in value.items()})
        elif not isinstance(value, str):
            yield key, f'expected text like "250ms" or "0.1%", got {value!r}'
        else:
            try:
                yield key, Goal.parse(key, value)
            except ValueError as error:
                yield key, str(error)


def merged(first: Iterable[Goal], second: Iterable[Goal]) -> list[Goal]:
    """All limits; of the same thing, the second one's."""
    return list({goal.name: goal for goal in [*first, *second]}.values())
