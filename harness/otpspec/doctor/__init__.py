"""Tries each operation of a profile once, and says what the profile made of the answers."""

from otpspec.doctor.examine import examine
from otpspec.doctor.report import Diagnosis, Step, Suggestion

__all__ = ["Diagnosis", "Step", "Suggestion", "examine"]
