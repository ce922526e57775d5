"""What a load run is about to do: its target, its people, its schedule, its clock."""

import random
import time
from bisect import bisect
from collections.abc import Sequence
from itertools import accumulate

from otpspec.errors import OtpspecError
from otpspec.load.arrivals import Arrivals
from otpspec.load.place import Place
from otpspec.load.steps import NEEDS, Share
from otpspec.profile import Profile

OLD = 3.0
"""So many lives of a code the oldest age takes that a behaviour waits for ("old age")."""


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
        self.mix = [share for share in mix if share.weight > 0 and not self._lacks(share)]
        """Who may come at all; who waits for an age, only as long as it can come."""

        soon = [share for share in self.mix if "old age" not in share.needs]
        early = [share for share in soon if "expiry" not in share.needs]
        if not early:
            raise OtpspecError(_nobody(profile, mix))
        self._early, self._soon, self._all = _Wheel(early), _Wheel(soon), _Wheel(self.mix)
        self.begin()

    def begin(self) -> None:
        """The run begins now."""
        self.began = time.monotonic()
        policy = self.profile.policy
        life = (policy.validity + policy.tolerance).total_seconds() / self.rate
        lasts = float("inf") if self._duration is None else self._duration
        self._too_late = self.began + lasts - life * 1.05 - 0.5
        self._too_late_to_age = self.began + lasts - OLD * life - 0.5

    def now(self) -> float:
        """Target time, in seconds since the run began."""
        return (time.monotonic() - self.began) * self.rate

    def real(self, when: float) -> float:
        """A target time as a time of `time.monotonic`."""
        return self.began + when / self.rate

    def pick(self, rng: random.Random, *, may_wait: bool) -> Share:
        """The next journey, by the mix. Without `may_wait`, none that waits for a code's end."""
        # not what waits for an age where that would come after the run's end
        now = time.monotonic()
        if not may_wait or now >= self._too_late:
            return self._early.pick(rng)
        return (self._all if now < self._too_late_to_age else self._soon).pick(rng)

    def _lacks(self, share: Share) -> bool:
        return bool(lacking(share, self.profile))


def lacking(share: Share, profile: Profile) -> list[str]:
    """What a behaviour needs and the target does not have: operations, words of NEEDS."""
    has = {"expiry", "old age", *profile.operations}
    if profile.policy.csc != "never":
        has.add("csc")
    made_up = not profile.cards and ("enroll" in profile.operations or profile.makes_cards_up)
    if "change_contact" in profile.operations and made_up:
        has.add("contact")
    verify = profile.operations["verify"]
    if len(verify.steps) == 1 and not verify.decisive.follow and not profile.target.adapter:
        has.add("race")
    return [need for need in share.needs if need not in has]


def what_is_lacking(words: Sequence[str]) -> str:
    """'the target asks for the 3CSC and the profile has [operations.resend]': what is not so."""
    return " and ".join(NEEDS.get(word, f"the profile has [operations.{word}]") for word in words)


def _nobody(profile: Profile, mix: Sequence[Share]) -> str:
    """Why no journey can begin."""
    lines = [f"Nobody of the mix can come to {profile.base_url}."]
    for share in mix:
        needs = lacking(share, profile)
        why = f"needs {', '.join(needs)}" if needs else "waits for a code's end, and comes later"
        lines.append(f"  {share.name:<20}  {why if share.weight > 0 else 'has the weight 0'}")
    lines.append(f"Try: right_first_time = 1 in [load.mix] of {profile.source}.")
    return "\n".join(lines)


class _Wheel:
    """Shares, to be drawn by their weights."""

    def __init__(self, shares: Sequence[Share]) -> None:
        self._shares = shares
        self._marks = list(accumulate(share.weight for share in shares))

    def pick(self, rng: random.Random) -> Share:
        return self._shares[bisect(self._marks, rng.random() * self._marks[-1])]
