"""Mixes for tests: everyone gets it right; or everyone that there is comes as often."""

from otpspec.load import Share
from otpspec_scenarios.load.behaviours import BEHAVIOURS, right_first_time

RIGHT = (Share(1, right_first_time),)
EACH = tuple(Share(1, behaviour) for behaviour in BEHAVIOURS.values())
