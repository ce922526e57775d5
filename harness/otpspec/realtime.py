"""Real time, also while freezegun holds this process's time still.

freezegun replaces what every module has under a name of its own, `time.monotonic` and
`from time import monotonic` alike. It does not look into classes: so the real functions are kept
in one. Whatever measures the harness's own time asks here.
"""

import time
from datetime import UTC, datetime


class _Real:
    monotonic = staticmethod(time.monotonic)
    datetime = datetime


def monotonic() -> float:
    """Seconds of a clock that nobody sets; only differences mean anything."""
    return _Real.monotonic()


def now() -> datetime:
    """Now, in UTC; a datetime of the standard library's, not of freezegun's."""
    return _Real.datetime.now(UTC)


def at(seconds: float) -> datetime:
    """A time given in seconds since 1970, in UTC; of the standard library's, too."""
    return _Real.datetime.fromtimestamp(seconds, UTC)
