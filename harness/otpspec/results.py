"""The results of a run: the one source of the table, the JUnit file and the HTML report.

Every text here is redacted before it gets here. docs/reference/results.md describes each field.
"""

from pathlib import Path
from typing import Any

import msgspec

from otpspec.outcome import Verdict

SCHEMA_VERSION = 1


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """One request and its answer, redacted, with the harness's clock in seconds since the start."""

    operation: str
    id: str = ""  # in the request's correlation header: to be found in the target's own logs
    request: str  # "POST /transactions/7f…/verify {"otc": "•••123"}"
    status: int | None  # None: no answer came
    answer: str  # the body as text, redacted and cut; or why there is none
    outcomes: list[str]
    called_s: float  # target time, since the scenario began
    returned_s: float
    lane: str = ""  # "connection 7": which connection or session it went over
    label: str = ""  # "the third wrong code": what it was, where the operation alone does not say
    unanswered_s: float | None = None  # when it was last looked at and had no answer yet


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What one scenario (or one load run) saw of a rule."""

    scenario: str  # pytest node id, or "load"
    verdict: Verdict
    reason: str = ""
    expected: str = ""
    got: str = ""
    replay: str = ""  # the command that runs just this again
    duration_s: float = 0.0
    measured: dict[str, str] = {}  # "last age accepted": "598.9 to 599.1 s"; with its unit
    exchanges: list[Exchange] = []
    releases_s: list[float] = []  # when requests were released together: the first of each burst
    contradiction: list[int] = []  # which exchanges, from 0, the rule does not allow together


class KnownFailure(msgspec.Struct, frozen=True, kw_only=True):
    """What the file of known failures says of a rule."""

    reason: str
    until: str = ""  # the last day on which the rule may be broken, ISO 8601
    fault: str = ""  # why the entry itself fails the run: the rule passes again, or the day is past


class RuleResult(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict on one rule."""

    id: str
    level: str  # MUST | SHOULD
    statement: str
    sources: list[str]
    verdict: Verdict
    reason: str = ""  # one sentence; always there unless passed
    core: bool = False  # the policy's core asks for it: not applicable only if it is waived
    waived: str = ""  # why the profile waives a rule that is not applicable
    chances: int | None = None  # load: how many answers could have broken the rule
    known: KnownFailure | None = None  # None: not in the file of known failures, or there is none
    evidence: list[Evidence] = []


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    """Latency percentiles in milliseconds."""

    p50_ms: float
    p90_ms: float
    p99_ms: float
    p999_ms: float
    max_ms: float
    mean_ms: float


class OperationLoad(msgspec.Struct, frozen=True, kw_only=True):
    """One operation under load; `outcomes` counts the answers by what they meant."""

    operation: str
    count: int
    failures: int  # answers that broke a rule, and calls without an answer
    rate_per_s: float
    latency: Latency
    outcomes: dict[str, int]


class LoadPoint(msgspec.Struct, frozen=True, kw_only=True):
    """One second of the load run."""

    t_s: float
    users: int
    rate_per_s: float
    failures_per_s: float
    p50_ms: float
    p99_ms: float


class LoadResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a load run measured."""

    arrivals: str  # "closed: 20 users"
    duration_s: float
    users: int
    requests: int
    failures: int
    judged: int  # answers that were judged by the model
    rate_per_s: float
    latency: Latency | None  # over all operations; None when nothing was answered
    operations: list[OperationLoad]
    behaviours: dict[str, int]  # journeys finished, by behaviour
    timeline: list[LoadPoint]
    notes: list[str] = []  # what the reader must know to trust the figures


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """What was checked."""

    name: str
    profile: str
    base_url: str
    clock: str
    version: str = ""  # its build, as it says itself, or as the profile says


class Environment(msgspec.Struct, frozen=True, kw_only=True):
    """Where it was checked from."""

    python: str
    platform: str
    cpus: int
    packages: dict[str, str]


class Results(msgspec.Struct, frozen=True, kw_only=True):
    """All that one run found out."""

    schema_version: int = SCHEMA_VERSION
    otpspec_version: str
    command: str
    started: str  # ISO 8601, UTC
    duration_s: float
    complete: bool  # False: interrupted, holds what was measured so far
    seed: int
    strict: bool = False  # True: a broken SHOULD rule fails the run too
    standard: str = ""  # "owasp-asvs": only its rules were checked
    target: Target
    policy: dict[str, Any]
    environment: Environment
    rules: list[RuleResult]
    load: LoadResult | None = None
    notes: list[str] = []

    def count(self, verdict: Verdict) -> int:
        """How many rules came to this verdict."""
        return sum(rule.verdict is verdict for rule in self.rules)


def write(results: Results, path: Path) -> None:
    """Write results as JSON, whole or not at all."""
    draft = path.with_suffix(".tmp")
    draft.write_bytes(msgspec.json.format(msgspec.json.encode(results), indent=2) + b"\n")
    draft.replace(path)


def read(path: Path) -> Results:
    """Read results that `write` wrote.

    Raises msgspec.ValidationError where the file is not of this schema.
    """
    return msgspec.json.decode(path.read_bytes(), type=Results)
