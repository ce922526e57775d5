"""What a load run is about to do: its target, its people, its clock."""

import random
import time
from collections.abc import Sequence

from otpspec.load.connection import Place
from otpspec.load.steps import Share
from otpspec.profile import Profile


class Plan:
    """One run's fixed choices, shared by all its users."""

    def __init__(
        self,
        profile: Profile,
        place: Place,
        mix: Sequence[Share],
        *,
        seed: int,
        rate: float = 1.0,
        duration_s: float | None = None,
    ) -> None:
        """`rate`: seconds of target time a second. `duration_s`: None: until it is stopped."""
        self.profile = profile
        self.place = place
        self.seed = seed
        self.rate = rate
        self._began = time.monotonic()
        self._ends = None if duration_s is None else self._began + duration_s
        usable = [share for share in mix if share.weight > 0 and not self._lacks(share)]
        self._early = [share for share in usable if "expiry" not in share.needs]
        self._all = usable

    def now(self) -> float:
        """Target time, in seconds since the run began."""
        return (time.monotonic() - self._began) * self.rate

    def real(self, when: float) -> float:
        """A target time as a time of `time.monotonic`."""
        return self._began + when / self.rate

    def pick(self, rng: random.Random, *, may_wait: bool) -> Share:
        """The next journey, by the mix. Without `may_wait`, none that waits for a code's end."""
        shares = self._all if may_wait and self.reaches_expiry() else self._early
        return rng.choices(shares, [share.weight for share in shares])[0]

    def reaches_expiry(self) -> bool:
        """Whether a code that is sent now will be dead before the run ends, with time to spare."""
        if self._ends is None:
            return True
        policy = self.profile.policy
        life = (policy.validity + policy.tolerance).total_seconds() / self.rate
        return time.monotonic() + life * 1.02 + 0.5 < self._ends

    def _lacks(self, share: Share) -> bool:
        has = {"expiry", *self.profile.operations}
        if self.profile.policy.csc != "never":
            has.add("csc")
        return not set(share.needs) <= has
