"""What was asked and answered, and when: recorded by anyone, judged later.

Two formats of one thing: JSON lines, which any tool can write, and a packed one for millions of
operations. docs/reference/history.md describes both.
"""

from pathlib import Path

from otpspec.errors import HistoryError, Problem
from otpspec.history import jsonl, packed
from otpspec.history.builder import Builder
from otpspec.history.columns import Call, History

__all__ = ["Builder", "Call", "History", "read", "write"]


def read(path: Path) -> History:
    """Read a history in either format.

    Raises HistoryError with the lines that cannot be used: none is skipped.
    """
    try:
        with path.open("rb") as file:
            start = file.read(len(packed.MAGIC))
    except OSError as error:
        text = f"cannot be read: {error.strerror}"
        raise HistoryError(str(path), [Problem("(file)", text)]) from error
    return packed.read(path) if packed.is_packed(start) else jsonl.read(path)


def write(history: History, path: Path) -> None:
    """Write a history: JSON lines where the name ends so, packed otherwise."""
    (jsonl.write if path.suffix == ".jsonl" else packed.write)(history, path)
