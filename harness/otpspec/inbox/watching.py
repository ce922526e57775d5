"""A thread that looks again and again at something that cannot tell when it changes."""

import threading
from collections.abc import Callable

from otpspec import realtime
from otpspec.errors import TargetError

PAUSE = 0.02
"""Seconds between two looks: no message is seen much later than it came."""

SHARE = 10
"""A look that takes long is followed by a pause that many times as long."""


class Watching:
    """Calls `look` in a thread of its own, so that a slow disk holds up nobody's event loop."""

    def __init__(self, name: str, look: Callable[[], None]) -> None:
        self._name = name
        self._look = look
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._error: OSError | None = None

    def open(self) -> None:
        """Begin to look."""
        if self._thread is None:
            self._stop.clear()
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()

    def close(self) -> None:
        """End the thread. May be repeated."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._stop.set()
            thread.join(2)

    def check(self, what: str) -> None:
        """Raises TargetError where the last look failed: `what` cannot be read."""
        if (error := self._error) is not None:
            raise unreadable(what, error)

    def _run(self) -> None:
        pause = PAUSE
        while not self._stop.wait(pause):
            begun = realtime.monotonic()
            try:
                self._look()
                self._error = None
            except OSError as error:
                self._error = error
            pause = max(PAUSE, SHARE * (realtime.monotonic() - begun))


def unreadable(what: str, error: OSError) -> TargetError:
    """The error of a file or folder that cannot be read."""
    return TargetError(
        f"The inbox {what} cannot be read ({(error.strerror or str(error)).lower()}).\n"
        "Try: check inbox.path, and that this user may read it."
    )
