"""What a doctor's run found, as data: `otpspec doctor --json` writes it, the terminal shows it."""

from typing import Literal

import msgspec

Mark = Literal["ok", "wrong", "doubt", "skipped"]


class _Struct(msgspec.Struct, frozen=True, kw_only=True):
    pass


class Suggestion(_Struct, frozen=True, kw_only=True):
    """A line for the profile."""

    place: str  # "operations.verify.answers", "operations.start.capture", "inbox", "policy"
    toml: str  # what to write there, in one line
    how: str = ""  # "as the first of them", "in place of answers[1]"
    why: str = ""
    sure: bool = True  # whether it follows from what was seen; else it is one way to read it


class Exchange(_Struct, frozen=True, kw_only=True):
    """One request, its answer, and what the profile made of it; without secrets, shortened."""

    method: str
    target: str
    asked_headers: dict[str, str] = {}
    asked_body: str = ""
    status: int | None = None  # None: no answer
    error: str = ""  # why there is none
    took_s: float = 0.0
    headers: dict[str, str] = {}
    body: str = ""
    outcomes: list[str] = []
    pattern: str = ""  # "answers[2]"; empty: none matched, or none is needed
    captured: dict[str, str] = {}  # names, and enough of the values to find them again


class Message(_Struct, frozen=True, kw_only=True):
    """What an inbox brought."""

    inbox: str  # its kind, and where it looks
    contact: str  # masked
    came: bool
    after_s: float | None = None  # after the request that sent it
    text: str = ""  # digits masked
    code: str = ""  # "6 digits"
    found_by: str = ""  # "inbox.code"


class Step(_Struct, frozen=True, kw_only=True):
    """One thing that was tried."""

    name: str  # "verify, a wrong code"
    place: str  # "operations.verify", "inbox"
    mark: Mark
    expected: list[str] = []  # outcomes, any of which would be as expected
    best: list[str] = []  # and those that say it best
    read: list[str] = []  # outcomes
    says: str = ""  # in a line: "read as wrong_otc"
    notes: list[str] = []
    exchanges: list[Exchange] = []
    messages: list[Message] = []
    suggestions: list[Suggestion] = []


class Missing(_Struct, frozen=True, kw_only=True):
    """What the profile lacks, and the rules that are not applicable, or inconclusive, for it."""

    lacks: str
    rules: list[str]
    core: list[str]  # those of SafeKey's core: without a waiver, check ends with exit code 3
    by_policy: bool = False  # a promise that is not made


class Warned(_Struct, frozen=True, kw_only=True):
    """Where the answers contradict what the profile says."""

    place: str  # "policy.digits"
    text: str
    suggestion: Suggestion | None = None


class Diagnosis(_Struct, frozen=True, kw_only=True):
    """All of it."""

    format: int = 1
    otpspec_version: str
    profile: str
    name: str  # of the target
    base_url: str
    version: str
    found: dict[str, list[str]]  # what was found before anything was tried: addresses, clock, …
    steps: list[Step]
    missing: list[Missing]
    warnings: list[Warned]
    unusable: list[str]  # what would end a check with exit code 2
    complete: bool
    next: str  # the command to try now
    exit_code: int
