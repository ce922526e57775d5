"""A load run: journeys of many payers under Locust, every answer judged.

Behaviours are written with Shopper, Journey and Share; `run` starts the load process. Nothing here
imports Locust: only that process does, since Locust patches whatever process imports it.
"""

from otpspec.load.arrivals import Arrivals
from otpspec.load.messages import Handed, LoadRun, Progress
from otpspec.load.parent import DAY, run, work
from otpspec.load.shopper import Shopper
from otpspec.load.steps import Challenge, Journey, Share

__all__ = [
    "DAY",
    "Arrivals",
    "Challenge",
    "Handed",
    "Journey",
    "LoadRun",
    "Progress",
    "Share",
    "Shopper",
    "run",
    "work",
]
