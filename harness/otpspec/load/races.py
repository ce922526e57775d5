"""What the races of a load run came to: sums and maxima, so that several processes' merge."""

import msgspec

from otpspec.burst.overlap import Overlap


class Rule(msgspec.Struct):
    """The races that could have broken one rule."""

    races: int = 0  # that were released
    proven: int = 0  # of them: enough requests were in flight at once, and their answers judged
    unknown: int = 0  # the judge could not decide in its budget
    of: int = 0  # requests of the proven ones
    in_flight: int = 0  # the most at once of each proven one, added up
    spread_s: float = 0.0  # from the first release to the last, at most
    why_not: dict[str, int] = {}  # of those without proof

    def merge(self, other: "Rule") -> None:
        """Add what another process has seen."""
        for name in ("races", "proven", "unknown", "of", "in_flight"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.spread_s = max(self.spread_s, other.spread_s)
        for why, count in other.why_not.items():
            self.why_not[why] = self.why_not.get(why, 0) + count

    def __str__(self) -> str:
        """'7.6 of 8.0 in flight at once on average, released within 0.31 ms'."""
        each = max(self.proven, 1)
        return (
            f"{self.in_flight / each:.1f} of {self.of / each:.1f} in flight at once on average, "
            f"each released within {self.spread_s * 1000:.2f} ms"
        )


class Races(msgspec.Struct):
    """By rule."""

    rules: dict[str, Rule] = {}
    requests: int = 0  # of all races: they are no part of the latencies

    def saw(self, rule: str, overlap: Overlap, *, judged: bool) -> bool:
        """A race was released; whether it could have shown that the rule is broken."""
        found = self.rules.setdefault(rule, Rule())
        found.races += 1
        self.requests += overlap.of
        if not overlap.proven:
            why = overlap.why_not or "too few of their requests were in flight at once"
            found.why_not[why] = found.why_not.get(why, 0) + 1
            return False
        if not judged:
            found.unknown += 1
            return False
        found.proven += 1
        found.of += overlap.of
        found.in_flight += overlap.in_flight
        found.spread_s = max(found.spread_s, overlap.spread_s)
        return True

    def merge(self, other: "Races") -> None:
        """Add what another process has seen."""
        self.requests += other.requests
        for name, rule in other.rules.items():
            self.rules.setdefault(name, Rule()).merge(rule)
