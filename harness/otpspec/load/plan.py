"""What a load run is about to do: its target, its people, its schedule, its clock."""

import random
import time
from bisect import bisect
from collections.abc import Sequence
from itertools import accumulate

from otpspec.load.arrivals import Arrivals
from otpspec.load.place import Place
from otpspec.load.steps import Share
from otpspec.profile import Profile


class Plan:
    """One run's fixed choices, shared by all its journeys."""

    def __init__(
        self,
        profile: Profile,
        places: dict[str, Place],
        mix: Sequence[Share],
        *,
        seed: int,
        rate: float = 1.0,
        duration_s: float | None = None,
        arrivals: Arrivals | None = None,
        think_s: float = 0.0,
    ) -> None:
        """`places`: by origin. `rate`: seconds of target time a second. `duration_s`: None: until
        it is stopped. `arrivals`: None: closed, each user begins a journey when its last has ended.
        `think_s`: how long a payer takes between an answer and the next request, on average.
        """
        self.profile = profile
        self.places = places
        self.seed = seed
        self.rate = rate
        self.arrivals = arrivals
        self.think_s = think_s
        self._duration = duration_s
        usable = [share for share in mix if share.weight > 0 and not self._lacks(share)]
        self._early = _Wheel([share for share in usable if "expiry" not in share.needs])
        self._all = _Wheel(usable)
        self.begin()

    def begin(self) -> None:
        """The run begins now."""
        self.began = time.monotonic()
        policy = self.profile.policy
        life = (policy.validity + policy.tolerance).total_seconds() / self.rate
        lasts = float("inf") if self._duration is None else self._duration
        self._too_late = self.began + lasts - life * 1.02 - 0.5

    def now(self) -> float:
        """Target time, in seconds since the run began."""
        return (time.monotonic() - self.began) * self.rate

    def real(self, when: float) -> float:
        """A target time as a time of `time.monotonic`."""
        return self.began + when / self.rate

    def pick(self, rng: random.Random, *, may_wait: bool) -> Share:
        """The next journey, by the mix. Without `may_wait`, none that waits for a code's end."""
        # not what waits for a code's end where that would come after the run's
        late = not may_wait or time.monotonic() >= self._too_late
        return (self._early if late else self._all).pick(rng)

    def _lacks(self, share: Share) -> bool:
        has = {"expiry", *self.profile.operations}
        if self.profile.policy.csc != "never":
            has.add("csc")
        return not set(share.needs) <= has


class _Wheel:
    """Shares, to be drawn by their weights."""

    def __init__(self, shares: Sequence[Share]) -> None:
        self._shares = shares
        self._marks = list(accumulate(share.weight for share in shares))

    def pick(self, rng: random.Random) -> Share:
        return self._shares[bisect(self._marks, rng.random() * self._marks[-1])]
