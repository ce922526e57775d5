"""What the load process and the one that started it tell each other: a line of JSON each."""

from typing import Literal

import msgspec

from otpspec.results import LoadResult, RuleResult


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What to do: the one line that the load process reads."""

    profile: str  # a path, or a shipped profile's name
    base_url: str | None
    changes: list[str]  # single values of the profile: "policy.validity=8s"
    users: int
    spawn_rate: float  # users a second
    duration_s: float
    seed: int
    mix: str = ""  # "package.module:NAME" of a sequence of Share; "": the profile's, or a real day
    slo: list[str] = []  # limits beside the profile's: "verify.p99=250ms"
    crowd: str = ""  # journeys that begin at once on top of the rate: "200@10s"
    rate: str = ""  # journeys: "300/s", "10..500/s"; "": closed, of so many users
    arrivals: str = "constant"
    connections: int = 1000  # at most, to one place; of an open run
    cards: int | None = None  # that are kept ready; None: as many as the rate asks for
    role: Literal["local", "master", "worker"] = "local"
    workers: int = 0  # master: how many it waits for
    gather_s: float = 120.0  # master: how long it waits
    own_workers: bool = False  # master: whether it starts them itself
    host: str = "127.0.0.1"  # where the master listens, or is
    port: int = 0  # master: 0: any
    think_s: float = 0.0  # between an answer and the next request of a journey, on average


class Progress(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """How a run is going, once a second."""

    elapsed_s: float
    users: int
    rate_per_s: float  # in the last whole second
    requests: int  # so far, and so are the others
    failures: int
    judged: int
    p50_ms: float
    p99_ms: float
    late_ms: float = 0.0  # open: how late the generator was at worst


class LoadRun(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """What a run came to."""

    load: LoadResult
    rules: list[RuleResult]
    clock: str  # "runs 60 times as fast as real time"
    complete: bool
    """False: it was ended before its time, or a worker was lost; it holds what was measured."""

    interrupted: bool = False  # whether someone ended it before its time


class Said(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """What the user should see at once."""

    text: str


class Handed(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A worker's last word: what it measured is the master's to report."""

    interrupted: bool


class Failed(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The profile or the target cannot be used."""

    text: str


Line = Progress | Said | LoadRun | Handed | Failed

encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(Line).decode
