"""Why only what the model allows was legal, in a clause for the reader of a report."""

from otpspec.model.memory import Memory
from otpspec.model.naming import Case
from otpspec.model.operation import (
    ChangeContact,
    Csc,
    Malformed,
    Operation,
    Span,
    Start,
    Unlock,
    Verify,
)
from otpspec.model.state import Challenge, State, surely_expired
from otpspec.policy import Policy


def explain(policy: Policy, state: State, operation: Operation, time: Span) -> str:
    """Why only what `step` allows was legal, in a clause."""
    case = Case(policy, state, Memory(policy), operation, time)
    if case.locked and not isinstance(operation, Unlock):
        return "the card was locked"
    if isinstance(operation, Start | Unlock | ChangeContact):
        return _explain_card(operation)
    challenge = case.challenge
    if challenge is None:
        return "the transaction was dead, or never was"
    age = f"the code was {_seconds(time[0] - challenge.sent[1])} to "
    age += f"{_seconds(time[1] - challenge.sent[0])} old"
    if challenge.fate is not None:
        return f"the transaction was dead: {challenge.fate}; {age}"
    if surely_expired(policy, challenge, time):
        return f"its validity of {_seconds(policy.validity.total_seconds())} had ended; {age}"
    if isinstance(operation, Malformed):
        return "the input was not of the right form"
    if not isinstance(operation, Verify):
        return f"the transaction was alive; {age}"
    return f"{_explain_pair(challenge, operation)}; {age}"


def _explain_card(operation: Start | Unlock | ChangeContact) -> str:
    if isinstance(operation, ChangeContact):
        return "the proof was right" if operation.proven else "no proof was given"
    return "the card was not locked" if isinstance(operation, Start) else "support may unlock it"


def _explain_pair(challenge: Challenge, operation: Verify) -> str:
    if challenge.code not in (None, operation.otc):
        return "the OTC was wrong"
    if challenge.csc_required and operation.csc is not Csc.RIGHT:
        return f"the OTC was right, the 3CSC was {operation.csc.replace('_', ' ')}"
    return "the OTC was right" + (" and so was the 3CSC" if challenge.csc_required else "")


def _seconds(value: float) -> str:
    return f"{max(value, 0.0):.1f} s"
