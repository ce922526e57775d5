"""The rules as a state machine of one card: what may be answered now, and which rule says so."""

from otpspec.model.observation import Judgement, Observation
from otpspec.model.operation import (
    Amend,
    Cancel,
    ChangeContact,
    Csc,
    Malformed,
    Operation,
    Resend,
    Span,
    Start,
    Unlock,
    Verify,
)
from otpspec.model.state import Challenge, Fate, State
from otpspec.model.step import Branch, step
from otpspec.model.tracker import Tracker

__all__ = [
    "Amend",
    "Branch",
    "Cancel",
    "Challenge",
    "ChangeContact",
    "Csc",
    "Fate",
    "Judgement",
    "Malformed",
    "Observation",
    "Operation",
    "Resend",
    "Span",
    "Start",
    "State",
    "Tracker",
    "Unlock",
    "Verify",
    "step",
]
