"""Did requests really overlap? What their times show, without a guess."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Flight(NamedTuple):
    """When a request was released, and how long it was seen to be unanswered; in seconds.

    What lies between `silent_until_s` and `answered_s` is not known: the answer came somewhere in
    it. So a request is counted as in flight only while it was looked at and had no answer.
    """

    released_s: float
    silent_until_s: float
    answered_s: float | None = None  # None: no answer that says anything


@dataclass(frozen=True)
class Overlap:
    """How far the requests of a burst overlapped, as the harness saw it."""

    of: int  # requests that were to be released together
    in_flight: int  # the most that were released and unanswered at once
    spread_s: float = 0.0  # from the first release to the last
    first_s: float = 0.0  # from the first release to the first answer
    took_s: float = 0.0  # from the first release to the last answer
    ended: int = 0  # operations that came to an end before their decisive request
    unopened: int = 0  # connections that could not be opened
    early: int = 0  # answered, or cut off, before their last byte was sent
    between: int = 0  # answered before the last one was released
    silent: int = 0  # without an answer that says anything: no answer, HTTP 5xx, throttled

    @property
    def proven(self) -> bool:
        """Whether at least half of the requests were in flight at once, and no fewer than two."""
        return self.in_flight >= 2 and 2 * self.in_flight >= self.of

    @property
    def at_a_time(self) -> float:
        """How many requests the target seems to handle at a time, by the pace of its answers.

        One after the other, the first answer comes when a k-th part of the time of all k has
        passed; where all are handled side by side, it comes about when the last one does.
        """
        each_s = self.took_s / max(self.of - self.silent, 1)
        return self.first_s / each_s if each_s else 0.0

    @property
    def why_not(self) -> str:
        """What the times show where too few were in flight at once; without figures."""
        counts = {
            "they came to an end before the request that carries the code": self.ended,
            "their connections could not be opened while the others waited": self.unopened,
            "they were answered or cut off before their last byte was sent: the target, or a proxy "
            "before it, does not wait for whole requests": self.early,
            "they were answered before the last one was released: the target answers one after "
            "the other, faster than they can be released": self.between,
            "they got no answer that says anything": self.silent,
        }
        most = max(counts, key=lambda why: counts[why])
        return most if counts[most] else ""

    def __str__(self) -> str:
        """'31 of 32 in flight at once, released within 0.42 ms'."""
        spread = f"released within {self.spread_s * 1000:.2f} ms"
        return f"{self.in_flight} of {self.of} in flight at once, {spread}"


def most_at_once(flights: Iterable[Flight]) -> int:
    """The most requests that were in flight at one time.

        A |--------|
        B    |-----|          three: C was released when A and B were still unanswered
        C          |---|
        D              |--|   two at a time: C had its answer no later than D was released

    The count only rises at a release, so only the releases are looked at. Of two at the same time
    the one that is released comes first: until then both were looked at.
    """
    flights = list(flights)
    return max((_at(f.released_s, flights) for f in flights), default=0)


def _at(time_s: float, flights: Sequence[Flight]) -> int:
    return sum(f.released_s <= time_s <= f.silent_until_s for f in flights)


def measure(
    flights: Sequence[Flight], *, of: int, ended: int = 0, unopened: int = 0, early: int = 0
) -> Overlap:
    """What a burst of `of` requests came to.

    Only requests whose answer says something are counted as in flight: an error of the target is
    no verdict, so it is no part of the proof either.
    """
    spoken = [f for f in flights if f.answered_s is not None]
    first = min((f.released_s for f in flights), default=0.0)
    last = max((f.released_s for f in flights), default=0.0)
    answered = [f.answered_s for f in flights if f.answered_s is not None]
    return Overlap(
        of=of,
        in_flight=most_at_once(spoken),
        spread_s=last - first,
        first_s=min(answered, default=first) - first,
        took_s=max(answered, default=first) - first,
        ended=ended,
        unopened=unopened,
        early=early,
        between=sum(f.silent_until_s < last for f in spoken),
        silent=len(flights) - len(spoken),
    )
