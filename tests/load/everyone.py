"""A mix in which everyone gets it right."""

from otpspec.load import Share
from otpspec_scenarios.load.behaviours import right_first_time

RIGHT = (Share(1, right_first_time),)
