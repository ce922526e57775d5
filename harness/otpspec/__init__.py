"""otpspec: load testing and conformance for OTP verification endpoints.

This is all that a scenario needs; everything else of the package may change between versions.
"""

from otpspec.bench import VerifyPath
from otpspec.cards import Card
from otpspec.challenge import Challenge
from otpspec.outcome import REFUSED, Outcome, Verdict
from otpspec.policy import Policy
from otpspec.profile import MISSING, Adapter, Raw, Reading, Request
from otpspec.target import Answer
from otpspec.trial import Trial
from otpspec.verdicts import Broken, Inconclusive, NotApplicable, proves

__all__ = [
    "MISSING",
    "REFUSED",
    "Adapter",
    "Answer",
    "Broken",
    "Card",
    "Challenge",
    "Inconclusive",
    "NotApplicable",
    "Outcome",
    "Policy",
    "Raw",
    "Reading",
    "Request",
    "Trial",
    "Verdict",
    "VerifyPath",
    "proves",
]
