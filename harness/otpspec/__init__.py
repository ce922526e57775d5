"""otpspec: load testing and conformance for OTP verification endpoints.

This is all that a scenario needs; everything else of the package may change between versions.
"""

from otpspec.bench import VerifyPath
from otpspec.burst import Overlap
from otpspec.cards import Card
from otpspec.challenge import Challenge
from otpspec.explains import Legality
from otpspec.outcome import REFUSED, Outcome, Verdict
from otpspec.policy import Policy
from otpspec.power import alarm, at_least, share_caught, share_seen
from otpspec.profile import MISSING, Adapter, Raw, Reading, Request
from otpspec.racing import RIGHT
from otpspec.story import Story
from otpspec.target import Answer
from otpspec.together import Call, Race
from otpspec.trial import Trial
from otpspec.verdicts import Broken, Inconclusive, NotApplicable, proves

__all__ = [
    "MISSING",
    "REFUSED",
    "RIGHT",
    "Adapter",
    "Answer",
    "Broken",
    "Call",
    "Card",
    "Challenge",
    "Inconclusive",
    "Legality",
    "NotApplicable",
    "Outcome",
    "Overlap",
    "Policy",
    "Race",
    "Raw",
    "Reading",
    "Request",
    "Story",
    "Trial",
    "Verdict",
    "VerifyPath",
    "alarm",
    "at_least",
    "proves",
    "share_caught",
    "share_seen",
]
