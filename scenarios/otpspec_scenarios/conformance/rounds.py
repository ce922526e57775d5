"""The rounds of a race: how they differ, what each proves, and how sure they make together."""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace

from otpspec import (
    Answer,
    Call,
    Card,
    Inconclusive,
    NotApplicable,
    Outcome,
    Overlap,
    Race,
    Trial,
    share_seen,
)

SPREADS_S = (0.0, 0.0, 0.0002, 0.001, 0.003)
"""From the first release of a round to its last, as asked for: the rounds take them in turn.
A race may show only where requests do not come quite together, as those behind a lock do."""

_MOST = 2
"""So many times the rounds that are needed are played at most, where some prove nothing."""

_IN_TURN = (
    "one after the other, as by a server that handles one request at a time, or by a proxy that "
    "passes them on so; whether they meet behind it cannot be seen from here"
)

_PROXIES = ("nginx", "openresty", "haproxy", "envoy", "varnish", "cloudflare", "caddy", "traefik")

_LOST = "a request on the one card had no answer, and may be carried out later"

_SILENT = (Outcome.THROTTLED, Outcome.UNAVAILABLE, Outcome.UNKNOWN)


@dataclass
class Rounds:
    """A race, round for round: `async for one in Rounds(trial)`; at the end, `conclude`."""

    trial: Trial
    sizes: Sequence[int] = ()  # how many requests at once; by default as in the profile
    locks: bool = False  # whether a round locks its card
    starts: int = 1  # transactions that a round starts on its card
    counts: bool = False  # whether it matters what a card has counted before
    most: int | None = None  # rounds, whatever the profile says
    overlaps: list[Overlap] = field(default_factory=list)  # of the rounds that proved something
    played: int = 0
    answers: int = 0
    silent: Counter[str] = field(default_factory=Counter)
    unproven: Counter[str] = field(default_factory=Counter)
    proxies: set[str] = field(default_factory=set)  # that the answers name
    _card: Card | None = None
    _lost: bool = False  # whether a call on the one card had no answer: it may still be carried out
    _hold_head: bool = False  # whether requests were answered before their last byte
    _widest_s: float = max(SPREADS_S)  # the spread at which requests still overlap, as far as seen

    @property
    def planned(self) -> int:
        """How many rounds must prove something."""
        races, policy = self.trial.profile.races, self.trial.policy
        most = min(races.rounds, self.most or races.rounds)
        if not self.reuses:
            return most
        scope, cleared = policy.lock_scope, self.unlocks or policy.success_clears_count
        if scope == "card" and ((self.locks and not self.unlocks) or (self.counts and not cleared)):
            return 1  # nobody can bring the card to a known state
        limit = policy.start_limit  # to wait for the next start would take too long
        starts = self.starts + (self.counts and scope == "card" and not self.unlocks)
        return min(most, max(1, limit.starts // starts)) if limit else most

    @property
    def unlocks(self) -> bool:
        """Whether support can be asked to unlock a card."""
        return "unlock" in self.trial.profile.operations

    @property
    def reuses(self) -> bool:
        """Whether all rounds are played on one card: one of the profile's own."""
        profile = self.trial.profile
        fresh = profile.makes_cards_up or "enroll" in profile.operations
        return bool(profile.cards) or not fresh

    async def __aiter__(self) -> AsyncIterator["Round"]:
        self._needs_answers_of_its_own()
        sizes = self.sizes or self.trial.profile.races.sizes
        planned = self.planned
        while len(self.overlaps) < planned and self.played < _MOST * planned and not self._lost:
            number, self.played = self.played, self.played + 1
            spread_s = SPREADS_S[(number // len(sizes)) % len(SPREADS_S)]
            yield Round(self, number, sizes[number % len(sizes)], min(spread_s, self._widest_s))

    def _needs_answers_of_its_own(self) -> None:
        """A page that is fetched after the code was sent shows what the session came to, not what
        became of each of several requests: two that show an approval may show the same one."""
        verify = self.trial.profile.operations["verify"]
        if verify.decisive.follow or verify.steps[-1] is not verify.decisive:
            raise NotApplicable(
                "verify is read from a page that is fetched after the code was sent"
            )

    async def card(self) -> Card:
        """The card of the next round: a fresh one, or the one card again, unlocked."""
        if not self.reuses:
            return await self.trial.card()
        if self._card is None:
            self._card = await self.trial.card()
        elif (self.locks or self.counts) and self.trial.policy.lock_scope == "card":
            await self._clear(self._card)
        return self._card

    async def _clear(self, card: Card) -> None:
        """Bring the one card's count to nothing again, by support or by a success."""
        if self.unlocks:
            await self.trial.unlock(card)
            return
        answer = await self.trial.verify(await self.trial.start(card))
        if Outcome.APPROVED not in answer.outcomes:
            raise Inconclusive(
                f"the card cannot be used again: the right code on it does not succeed: {answer}"
            )

    def note(self, race: Race, *, says: bool, why: str) -> None:
        """A round went well. It proves something where it `says` something, and overlapped."""
        self.answers += len(race.answers)
        for answer in race.answers:
            self.proxies |= _proxies(answer)
            if answer.outcomes & set(_SILENT):
                self.silent[str(answer)] += 1
        if self._is_lost(race):
            self._lost = True
            self.unproven[_LOST] += 1
        elif says and race.overlap.proven:
            self.overlaps.append(race.overlap)
        else:
            self.unproven[why if not says else _unproven(race.overlap)] += 1
        self._hold_head |= bool(race.overlap.early)
        if race.overlap.between and not race.overlap.proven:
            self._widest_s = min(self._widest_s, race.overlap.spread_s) / 4

    def _is_lost(self, race: Race) -> bool:
        """Whether the one card's count may still change behind the rounds that follow."""
        unlocked = self.unlocks or self.trial.policy.lock_scope != "card"
        if not (self.reuses and self.counts) or unlocked:
            return False
        return any(answer.status is None for answer in race.answers)

    def conclude(self) -> None:
        """Say how sure the rounds make. Raises Inconclusive where they prove too little."""
        measured, clean, planned = self.trial.measured, len(self.overlaps), self.planned
        if self.silent:
            listed = ", ".join(f"{count} times {what}" for what, count in self.silent.items())
            measured("no verdict", f"{sum(self.silent.values())} of {self.answers}: {listed}")
        if self.overlaps:
            measured("overlap", _in_words(self.overlaps))
            measured("answered", _pace(self.overlaps))
        if self.proxies:
            measured(
                "proxy",
                f"the answers name one ({', '.join(sorted(self.proxies))}): it may hold requests "
                "until they are whole, and what it does with them then cannot be seen from here",
            )
        if self.unproven:
            listed = "; ".join(f"{count} times: {why}" for why, count in self.unproven.items())
            measured("proved nothing", f"{self.unproven.total()} of {self.played} rounds: {listed}")
        measured("power", self.power())
        if 2 * clean < planned:
            (why, _), *_ = self.unproven.most_common(1)
            raise Inconclusive(
                f"only {clean} of {self.played} rounds prove something, and {planned} were wanted; "
                f"mostly because {why}"
            )

    def power(self) -> str:
        """How sure the clean rounds make, and how sure they were to make."""
        power, clean = self.trial.profile.races.power, len(self.overlaps)
        share = share_seen(clean, power.sure)
        return (
            f"{clean} clean rounds: a race that shows in {100 * share:.3g} % of rounds would have "
            f"been seen with {100 * power.sure:g} % probability "
            f"(budget: {self.planned} rounds, for {power})"
        )


@dataclass(frozen=True)
class Round:
    """One round."""

    of: Rounds
    number: int  # from 0
    size: int  # requests at once
    spread_s: float

    async def card(self) -> Card:
        """Its card."""
        return await self.of.card()

    def in_turn(self, calls: Sequence[Call]) -> list[Call]:
        """The calls in an order by chance, released evenly over the round's spread."""
        calls = list(calls)
        self.of.trial.rng.shuffle(calls)
        apart_s = self.spread_s / max(len(calls) - 1, 1)
        head = self.of._hold_head or self.number % 3 == 2
        return [replace(c, delay_s=n * apart_s, hold_head=head) for n, c in enumerate(calls)]

    async def burst(self, calls: Sequence[Call]) -> Race:
        """Release the calls together."""
        return await self.of.trial.burst(self.in_turn(calls))

    @property
    def name(self) -> str:
        """'round 3 of 19'."""
        return f"round {self.number + 1} of {self.of.planned}"


def is_wrong(answer: Answer) -> bool:
    """Whether the answer says for sure that a code was wrong, and nothing else."""
    return bool(answer.outcomes) and answer.outcomes <= {Outcome.WRONG_OTC, Outcome.WRONG_CSC}


def approving(race: Race) -> list[Answer]:
    """The answers that approve."""
    return [answer for answer in race.answers if Outcome.APPROVED in answer.outcomes]


def approvals(race: Race) -> int:
    """How many distinct approvals there are: one that is only repeated is the same one.

    `approval`, captured of the answers to verify, tells one from another; without it each is its
    own.
    """
    given = approving(race)
    named = {str(a.captures["approval"]) for a in given if a.captures.get("approval") is not None}
    return len(named) + sum(a.captures.get("approval") is None for a in given)


def _unproven(overlap: Overlap) -> str:
    less = "fewer than half of the requests, or than two, were in flight at once"
    return f"{less}: {overlap.why_not}" if overlap.why_not else less


def _proxies(answer: Answer) -> set[str]:
    """The proxies that an answer names: in Via, or as the server that sends it."""
    named = {f"via {value}" for name, value in answer.headers.items() if name.lower() == "via"}
    for name, value in answer.headers.items():
        product = value.partition("/")[0].strip().lower()
        if name.lower() == "server" and product in _PROXIES:
            named.add(product)
    return named


def _in_words(overlaps: Sequence[Overlap]) -> str:
    """'at least 2 of 2, 8 of 8, 29 of 32 in flight at once; released within 0.6 ms'."""
    least: dict[int, int] = {}
    for overlap in overlaps:
        least[overlap.of] = min(overlap.in_flight, least.get(overlap.of, overlap.of))
    listed = ", ".join(f"{count} of {of}" for of, count in sorted(least.items()))
    spreads = [1000 * overlap.spread_s for overlap in overlaps]
    return (
        f"at least {listed} in flight at once, as seen from here; "
        f"released within {min(spreads):.2f} to {max(spreads):.2f} ms"
    )


def _pace(overlaps: Sequence[Overlap]) -> str:
    """How the answers came: a target that handles one request at a time is known by its pace."""
    most = max(overlap.of for overlap in overlaps)
    largest = sorted((o for o in overlaps if o.of == most), key=lambda o: o.took_s)
    found = largest[len(largest) // 2]
    seems = f": {_IN_TURN}" if found.at_a_time < 1.5 else ""
    return (
        f"{most} requests, the first after {1000 * found.first_s:.1f} ms, "
        f"the last after {1000 * found.took_s:.1f} ms{seems}"
    )
