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
    declared: bool = False  # a limit of the user's own: a broken one fails the run, SHOULD or not
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
    p9999_ms: float = 0.0


class OperationLoad(msgspec.Struct, frozen=True, kw_only=True):
    """One operation under load; `outcomes` counts the answers by what they meant."""

    operation: str
    count: int
    failures: int  # answers that broke a rule, and calls without an answer
    rate_per_s: float
    latency: Latency  # from when each request was due
    outcomes: dict[str, int]
    latency_sent: Latency | None = None  # from when each was sent
    by_outcome: dict[str, Latency] = {}  # as `latency`, for each meaning of its own


class LoadPoint(msgspec.Struct, frozen=True, kw_only=True):
    """One second of the load run."""

    t_s: float
    users: int
    rate_per_s: float
    failures_per_s: float
    p50_ms: float
    p99_ms: float


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """A time in which the generator could not keep its schedule."""

    cause: str  # cpu | connections | cards
    from_s: float
    to_s: float
    requests: int  # how many were begun too late
    worst_ms: float  # by how much


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """How an open run kept its schedule, by which journeys begin whatever the target does."""

    rate: str  # "300/s", "10..500/s"
    due: int  # journeys that were due
    begun: int  # those of them whose first request was sent
    late_p50_ms: float  # how late the generator was, at what it had to do at a time
    late_p99_ms: float
    late_max_ms: float
    limits: list[Limit] = []


class Codes(msgspec.Struct, frozen=True, kw_only=True):
    """What reading the codes cost: it is no part of any latency."""

    read: int
    wait_p50_ms: float  # from the answer that promised a code until it was there
    wait_p99_ms: float
    requests: int  # that were made to read them
    cpu_s: float  # of the process that reads them
    cpu_share: float  # of all processor time of the generator


class Objective(msgspec.Struct, frozen=True, kw_only=True):
    """A limit that was declared for a load run, and what was measured."""

    name: str  # "p99", "verify.p99", "errors"
    limit: str  # as it was written: "250ms", "0.1%"
    measured: str  # "312.4ms"; empty where there was nothing to measure
    requests: int  # that it was measured over
    needed: int  # so many are the least for the limit to be passed
    verdict: Verdict  # passed | broken | inconclusive
    reason: str = ""  # why it did not pass


class Worker(msgspec.Struct, frozen=True, kw_only=True):
    """A worker process of a load run, and its part in the figures."""

    number: int  # from 1
    host: str
    pid: int
    requests: int
    judged: int
    failures: int
    cpu_s: float  # processor time that it used, without that for reading codes
    measured_s: float  # until when what it measured is in, in seconds since the run began
    lost_s: float | None = None  # when it was lost; None: it stayed to the end


class LoadResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a load run measured."""

    arrivals: str  # "closed: 20 users", "open: 300/s, constant"
    duration_s: float
    users: int
    requests: int
    failures: int
    judged: int  # answers that were judged by the model
    rate_per_s: float
    latency: Latency | None  # over all operations, from when each request was due; None: no answer
    operations: list[OperationLoad]
    behaviours: dict[str, int]  # journeys finished, by behaviour
    timeline: list[LoadPoint]
    notes: list[str] = []  # what the reader must know to trust the figures
    latency_sent: Latency | None = None  # from when each request was sent
    trusted: bool = True  # False: the generator could not keep its schedule, so latency is its own
    schedule: Schedule | None = None  # None: closed
    codes: Codes | None = None  # None: codes are made, not read
    objectives: list[Objective] = []
    mix: dict[str, float] = {}  # behaviour: its part of the journeys, in percent; of those who came
    mix_source: str = ""  # "a day at a bank", "[load.mix] of acs.toml"
    left_out: dict[str, str] = {}  # behaviour: what it needs, and the target or the run has not
    workers: list[Worker] = []  # empty: there was one process


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
