"""What a load run came to beside its figures: the limits that were declared, and who came."""

from collections.abc import Sequence

import msgspec

from otpspec.load import slo
from otpspec.load.plan import lacking, what_is_lacking
from otpspec.load.world import World
from otpspec.profile.goals import merged, of_command
from otpspec.results import LoadResult


def told(found: LoadResult, world: World, limits: Sequence[str]) -> LoadResult:
    """The results with what each limit came to, the profile's and those of the command line."""
    plan = world.plan
    goals = merged(world.profile.load.goals, of_command(limits))
    late = max((limit.worst_ms for limit in world.punctual.limits()), default=0.0)
    run = slo.Run(open=plan.arrivals is not None, trusted=found.trusted, late_ms=late)
    whole = sum(share.weight for share in plan.mix)
    return msgspec.structs.replace(
        found,
        objectives=slo.objectives(goals, world.recorder, run),
        mix={share.name: round(100 * share.weight / whole, 3) for share in plan.mix},
        mix_source=plan.mix_source,
        left_out={
            share.name: what_is_lacking(lacking(share, world.profile)) for share in plan.left_out
        },
    )
