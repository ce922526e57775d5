"""Who the people of a load run are: names of behaviours, and how often each is met."""

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from otpspec.profile.reader import did_you_mean

SHIPPED = (
    *("right_first_time", "mistypes_then_right", "impatient", "two_baskets", "two_payers"),
    *("changes_contact", "amends", "cancels", "wrong_csc_then_anew", "missing_csc"),
    *("just_in_time", "on_the_edge", "latecomer", "much_too_late", "late_csc"),
    *("mistypes_too_late", "replayer", "late_replayer", "guesser", "sprayer", "csc_guesser"),
    *("contact_thief", "double_spender", "mass_guesser"),
)
"""The behaviours that come with otpspec; otpspec_scenarios.load.behaviours has them."""

_OWN = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")


def is_own(name: str) -> bool:
    """Whether it is "package.module:function"."""
    return _OWN.fullmatch(name) is not None


def faults(mix: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What is wrong with a mix: key and text. An empty one is none."""
    for name, weight in mix.items():
        if name not in SHIPPED and not is_own(name):
            own = f'one of your own is "package.module:function"; {did_you_mean(name, SHIPPED)}'
            yield name, f"is no behaviour; {own}"
        if not (math.isfinite(weight) and weight >= 0):
            yield name, f"{weight:g} is no weight; a number from 0 on, in proportion to the others"
    if mix and not any(weight > 0 for weight in mix.values()):
        yield "", "every weight is 0, so that nobody would come; give one more than 0"
