"""The people of a load run: who there are, and how often one meets them.

A behaviour is a generator: it yields what to ask, and is sent the answer.
"""

from otpspec.load import Share
from otpspec_scenarios.load.guessers import (
    contact_thief,
    csc_guesser,
    guesser,
    late_replayer,
    missing_csc,
    replayer,
    sprayer,
    wrong_csc_then_anew,
)
from otpspec_scenarios.load.latecomers import (
    just_in_time,
    late_csc,
    latecomer,
    mistypes_too_late,
    much_too_late,
    on_the_edge,
)
from otpspec_scenarios.load.payers import (
    amends,
    cancels,
    changes_contact,
    impatient,
    mistypes_then_right,
    right_first_time,
    two_baskets,
    two_payers,
)
from otpspec_scenarios.load.racers import double_spender, mass_guesser

DAY = (
    Share(65, right_first_time),
    Share(9, mistypes_then_right),
    Share(3, impatient),
    Share(2, two_baskets),
    Share(1, two_payers),
    Share(1, changes_contact),
    Share(1, amends),
    Share(1, cancels),
    Share(2, wrong_csc_then_anew),
    Share(1, missing_csc),
    Share(1.5, just_in_time),
    Share(0.5, on_the_edge),
    Share(2, latecomer),
    Share(0.5, much_too_late),
    Share(1, late_csc),
    Share(0.5, mistypes_too_late),
    Share(1, replayer),
    Share(0.5, late_replayer),
    Share(1.5, guesser),
    Share(1, sprayer),
    Share(1.5, csc_guesser),
    Share(0.5, contact_thief),
    Share(1, double_spender),
    Share(1, mass_guesser),
)
"""A day at the bank: most people get it right, some mistype, are impatient, late or change their
mind. Parts of a hundred journeys. The abusers (who guess, replay, race, or have no proof) and the
late are more than a real day has, so that a short run tries each rule often enough. A judgement,
and no bank's figures."""

BEHAVIOURS = {share.name: share.behaviour for share in DAY}
"""Every shipped behaviour, by the name that a profile's [load.mix] calls it."""
