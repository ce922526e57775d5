"""What a load run came to beside its figures: the limits that were declared, and who came."""

import msgspec

from otpspec.load import slo
from otpspec.load.messages import Order
from otpspec.load.mix import find_mix, source_of
from otpspec.load.plan import lacking, what_is_lacking
from otpspec.load.punctual import Punctual
from otpspec.load.recorder import Recorder
from otpspec.profile import Profile
from otpspec.profile.goals import merged, of_command
from otpspec.results import LoadResult


def told(
    found: LoadResult, profile: Profile, order: Order, recorder: Recorder, punctual: Punctual
) -> LoadResult:
    """The results with what each limit came to, the profile's and those of the command line."""
    goals = merged(profile.load.goals, of_command(order.slo))
    late = max((limit.worst_ms for limit in punctual.limits()), default=0.0)
    run = slo.Run(open=bool(order.rate), trusted=found.trusted, late_ms=late)
    mix = [share for share in find_mix(order.mix, profile) if share.weight > 0]
    missing = {share.name: lacking(share, profile) for share in mix}
    came = {share.name: share.weight for share in mix if not missing[share.name]}
    whole = sum(came.values())
    return msgspec.structs.replace(
        found,
        objectives=slo.objectives(goals, recorder, run),
        mix={name: round(100 * weight / whole, 3) for name, weight in came.items()},
        mix_source=source_of(order.mix, profile),
        left_out={name: what_is_lacking(words) for name, words in missing.items() if words},
    )
