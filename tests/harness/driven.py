"""Drives an operation of a profile without a socket: the answers are given, the requests kept."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from otpspec.profile import Profile, Raw, Reading, Request

from .samples import PROFILE, read

CARD = {"card.pan": "4111", "card.csc": "077", "card.phone": "+999", "card.id": "c-1"}
START = {**CARD, "amount": "12.00", "currency": "EUR", "merchant": "Shop"}
VERIFY = {**CARD, "challenge.id": "t-1", "otc": "012345", "csc": "077"}


class Driven(NamedTuple):
    """What was asked, and what it came to."""

    requests: list[Request]
    reading: Reading

    @property
    def asked(self) -> list[str]:
        """'POST http://127.0.0.1:8000/transactions', for each."""
        return [f"{r.method} {r.origin}{r.target}" for r in self.requests]


def raw(
    status: int, body: bytes | str = b"", cookies: Mapping[str, str] | None = None, **headers: str
) -> Raw:
    """An answer; underscores in the names of headers are dashes."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Raw(status, named, body.encode() if isinstance(body, str) else body, cookies)


def drive(
    profile: Profile, operation: str, *answers: Raw, values: Mapping[str, Any], **extra: Any
) -> Driven:
    """Ask for an operation that gets these answers, all of which it must want."""
    exchange = profile.operations[operation].exchange(values, profile.origins, **extra)
    requests = [next(exchange)]
    left = list(answers)
    while True:
        try:
            requests.append(exchange.send(left.pop(0)))
        except StopIteration as end:
            assert not left, f"ended before {len(left)} of the answers"
            return Driven(requests, end.value)


def table(operation: str) -> str:
    """The text of an operation's table in the sample."""
    text = PROFILE.partition(f"[operations.{operation}]\n")[2].partition("\n\n")[0]
    assert tomllib.loads(text)
    return f"[operations.{operation}]\n{text}\n"


def with_steps(folder: Path, operation: str, steps: str, *changes: tuple[str, str]) -> Profile:
    """The sample, where an operation is asked for like this."""
    return read(folder, (table(operation), steps), *changes)
