"""What the profile's file itself says of the operations: its captures and patterns, as written."""

import tomllib
from collections.abc import Iterable

import msgspec

from otpspec.profile import schema
from otpspec.profile.load import change, text_of

Declared = dict[str, list[schema.Request]]
"""Each operation with its requests."""


def declared(source: str, changes: Iterable[str] = ()) -> Declared:
    """The requests of a profile that can be read, with {env.NAME} still in their places."""
    document = tomllib.loads(text_of(source))
    change(source, document, changes)
    read = msgspec.convert(document["operations"], schema.Operations)
    asked = msgspec.structs.asdict(read).items()
    return {n: r if isinstance(r, list) else [r] for n, r in asked if r is not None}


def place(operation: str, number: int, requests: list[schema.Request]) -> str:
    """Where a request stands in the file: "operations.start", or "operations.start[1]"."""
    return f"operations.{operation}" + (f"[{number}]" if len(requests) > 1 else "")
