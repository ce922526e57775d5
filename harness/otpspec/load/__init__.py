"""A load run: journeys of many payers under Locust, every answer judged.

Behaviours are written with Shopper, Journey and Share; `run` starts the load process. Nothing here
imports Locust: only that process does, since Locust patches whatever process imports it.
"""

from otpspec.load.arrivals import Arrivals
from otpspec.load.messages import Handed, LoadRun, Progress
from otpspec.load.mix import DAY
from otpspec.load.parent import run, work
from otpspec.load.shopper import Shopper
from otpspec.load.steps import Challenge, Edge, Journey, Share, needs

__all__ = [
    "DAY",
    "Arrivals",
    "Challenge",
    "Edge",
    "Handed",
    "Journey",
    "LoadRun",
    "Progress",
    "Share",
    "Shopper",
    "needs",
    "run",
    "work",
]
