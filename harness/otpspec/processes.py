"""Processes that the harness starts: none of them outlives it."""

import ctypes
import signal
import sys

_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
_PR_SET_PDEATHSIG = 1


def end_with_parent() -> None:
    """Where the harness is killed, what it started is not left behind (Linux: prctl(2)).

    To be called in the child, before it becomes the command. The kernel means by parent the
    thread that started the child: let it be one that lasts.
    """
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
