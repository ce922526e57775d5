"""The mix of the benchmark: everyone reads the code and types it in."""

from otpspec.load import Share
from otpspec_scenarios.load.behaviours import right_first_time

RIGHT = (Share(1, right_first_time),)
