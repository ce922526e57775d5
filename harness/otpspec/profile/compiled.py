"""A profile ready for use: builds requests and reads answers, and knows no socket."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from otpspec import realtime
from otpspec.policy import Policy
from otpspec.power import Power
from otpspec.profile import schema
from otpspec.profile.answers import Headers, Raw, Reading
from otpspec.profile.goals import Goal, of_table
from otpspec.profile.messages import Channel
from otpspec.profile.places import Values
from otpspec.profile.requests import Base, Operation, Request, Step
from otpspec.rate import Rate


class ClockFormat:
    """The requests by which the target's time is read and moved."""

    def __init__(self, clock: schema.Clock, base: Base) -> None:
        self.kind = str(clock.__struct_config__.tag)
        self.app = clock.app if isinstance(clock, schema.FrozenClock) else ""
        made = {
            key: Step(f"clock {key}", request, base)
            for key in ("read", "advance", "lease", "release")
            if isinstance(request := getattr(clock, key, None), schema.Request)
        }
        self.read = made.get("read")
        self.advance = made.get("advance")
        self.lease = made.get("lease")
        self.release = made.get("release")

    def steps(self) -> list[Step]:
        """All of them."""
        return [s for s in (self.read, self.advance, self.lease, self.release) if s is not None]


class Races:
    """How requests are made to collide, and how long a race is looked for."""

    def __init__(self, races: schema.Races) -> None:
        self.sizes = tuple(sorted(set(races.sizes)))
        self.power = Power.parse(races.power)
        self.rounds = min(self.power.rounds, races.rounds or self.power.rounds)


class Load:
    """Who comes in a load run, and what the target promises then."""

    def __init__(self, load: schema.Load) -> None:
        self.mix = load.mix
        self.goals = [goal for _, goal in of_table(load.slo) if isinstance(goal, Goal)]
        self.clock_rate = load.clock_rate


class TargetTime:
    """The target's time, as far as a run knows it; real time before that, and under load."""

    def __init__(self) -> None:
        self.now: Callable[[], datetime] = realtime.now


class Profile:
    """What a TOML file says of a target.

    `operations` has only those that the target offers: start, verify, and where it has them
    enroll, resend, cancel, amend, unlock, change_contact.
    """

    def __init__(
        self,
        source: str,
        read: schema.Profile,
        policy: Policy,
        *,
        secrets: frozenset[str] = frozenset(),
        cards: list[dict[str, str]] | None = None,
    ) -> None:
        target = read.target
        base = Base.of(target.base_url)
        self.source = source
        self.folder = Path(source).parent
        """Where the files that the profile names are."""

        self.target = target
        self.base_url = target.base_url.rstrip("/")
        self.origin = base.origin
        self.name = target.name or source
        self.timeout: timedelta = target.timeout
        self.max_rate = Rate.parse(target.max_rate) if target.max_rate else None
        self.policy = policy
        self.declared = frozenset(read.policy)
        """The keys of the policy that the file itself has: the rest are defaults, no promises."""

        self.amounts = read.amounts
        self.races = Races(read.races)
        self.load = Load(read.load)
        self.unknown_card = {f"card.{key}": value for key, value in read.unknown_card.items()}
        self.waive = read.waive
        self.launch = read.launch
        self.cards = cards or []
        """Cards that the target knows already, each name to text; none: they are enrolled."""

        self.makes_cards_up = read.cards.made_up
        """Whether the target takes any card, and none is enrolled."""

        self.max_locked = read.cards.max_locked
        self.secrets = secrets
        """Values of the environment that went into requests: never to be written anywhere."""

        listed = read.inbox if isinstance(read.inbox, list) else [read.inbox]
        self.time = TargetTime()
        """Told by who finds the clock; adapters ask it."""

        self.channels = [Channel(inbox, base, policy) for inbox in listed]
        self.clock = ClockFormat(read.clock, base)
        version = target.version
        self.version_text = version if isinstance(version, str) else ""
        self.version = None if isinstance(version, str) else Step("version", version, base)
        asked = msgspec.structs.asdict(read.operations)
        self.operations = {k: Operation(k, r, base) for k, r in asked.items() if r is not None}
        self.nodes = (base, *map(Base.of, read.races.base_urls))
        """Where the target itself is, and its other nodes: a burst is spread over them."""

        own = [node.origin for node in self.nodes]
        self.origins = frozenset([*own, *(step.origin for step in self._steps())])
        """Every origin that the profile names: nothing else is ever connected to."""

    def _steps(self) -> list[Step]:
        steps = [step for operation in self.operations.values() for step in operation.steps]
        polls = [poll for channel in self.channels for poll in (channel.poll, channel.feed)]
        steps += [poll for poll in polls if poll is not None]
        return [*steps, *self.clock.steps(), *([self.version] if self.version else [])]

    @property
    def sends_messages(self) -> bool:
        """Whether codes come as messages; else they are made of a secret, or are test codes."""
        return all(channel.sends for channel in self.channels)

    @property
    def wait(self) -> timedelta:
        """How long a message may take."""
        return max(channel.settings.wait for channel in self.channels)

    @property
    def quiet(self) -> timedelta:
        """How long silence must last to count as silence."""
        return max(channel.settings.quiet for channel in self.channels)

    def build(self, operation: str, values: Values, **extra: Any) -> Request:
        """Build an operation's decisive request; see Step.build."""
        return self.operations[operation].build(values, **extra)

    def read(self, operation: str, status: int, headers: Headers, body: bytes) -> Reading:
        """Read the answer to an operation's decisive request; see Reader.read."""
        return self.operations[operation].decisive.read(Raw(status, headers, body))

    def card_values(self, row: Mapping[str, str]) -> dict[str, Any]:
        """What fills the places {card.…} for one of the profile's own cards."""
        return {f"card.{key}": value for key, value in row.items()}
