"""What may stand in a profile: the tables and keys of the TOML file, typed.

docs/reference/profile.md describes each key. Reading (reader.py) reports every mistake at once;
compiling (compiled.py) makes requests and readers of these values.
"""

from datetime import timedelta
from typing import Any, Literal

import msgspec

from otpspec.outcome import Outcome

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]


class Answer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A pattern of an answer, and what an answer that matches it means."""

    outcomes: Outcome | list[Outcome]
    status: int | list[int] | None = None
    header: dict[str, str] = {}  # name: regular expression that its value must match
    json: dict[str, Any] = {}  # JMESPath over the body: the value it must have


class Request(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One request, with places like {card.id}, and what is kept of its answer."""

    method: Method
    path: str
    headers: dict[str, str] = {}
    query: dict[str, str] = {}
    json: Any = None
    capture: dict[str, str] = {}  # name: JMESPath over the body
    answers: list[Answer] = []


class Target(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the target is."""

    base_url: str
    name: str = ""
    timeout: timedelta = timedelta(seconds=10)


class Amounts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What transactions are made of, and which amount makes the target ask for the 3CSC."""

    currency: str = "EUR"
    merchant: str = "otpspec"
    without_csc: str = "12.00"
    amended: str = "13.00"
    with_csc: str = "250.00"


class Inbox(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How codes are read."""

    kind: Literal["http"]
    poll: Request
    messages: str  # JMESPath: the list of messages in the answer
    id: str  # JMESPath in a message: what tells it from the others
    text: str  # JMESPath in a message: its text
    # A regular expression whose first group is the code; by default digits that stand alone, also
    # at the end of a sentence, but are no part of an amount.
    code: str = r"(?<!\w)(?<!\d\.)(\d{4,10})(?!\w|\.\d)"
    wait: timedelta = timedelta(seconds=10)  # how long a message may take
    quiet: timedelta = timedelta(seconds=1)  # how long silence must last to count as silence


class Clock(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the target's time is read and moved. `real`: it cannot be moved."""

    kind: Literal["real", "http"] = "real"
    read: Request | None = None  # captures now (seconds since 1970), and rate if it has one
    advance: Request | None = None  # places {seconds} and {lease}; captures now
    lease: Request | None = None  # captures lease
    release: Request | None = None  # place {lease}


class Operations(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What can be asked of the target. What it does not have is left out."""

    start: Request
    verify: Request
    enroll: Request
    resend: Request | None = None
    cancel: Request | None = None
    amend: Request | None = None
    unlock: Request | None = None
    change_contact: Request | None = None


class Profile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A whole profile."""

    target: Target
    operations: Operations
    inbox: Inbox
    policy: dict[str, Any] = {}  # a named policy, and single values that differ from it
    clock: Clock = Clock()
    amounts: Amounts = Amounts()
    unknown_card: dict[str, str] = {}  # {card.…} of a card that does not exist
    waive: dict[str, str] = {}  # rule id: why it does not matter that it is not applicable
