"""Short ways to write calls down, for tests."""

from otpspec.history import Call
from otpspec.model import Csc, Operation, Resend, Start, Verify
from otpspec.outcome import Outcome

RIGHT, WRONG, OTHER = "111111", "000000", "222222"


def call(operation: Operation, called: float, returned: float | None, *words: str) -> Call:
    """An operation, and what its answer may mean; without words none came."""
    return Call(operation, called, returned, frozenset(map(Outcome, words)) or None)


def start(called: float = 0.0, *, number: int = 1, code: str | None = RIGHT) -> Call:
    return call(Start(number, code, False, called + 0.1), called, called + 0.1, "done")


def verify(code: str, called: float, returned: float | None, *words: str, number: int = 1) -> Call:
    return call(Verify(number, code, Csc.NOT_ASKED), called, returned, *words)


def resend(code: str, called: float, returned: float | None, *words: str) -> Call:
    return call(Resend(1, code, returned), called, returned, *words)
