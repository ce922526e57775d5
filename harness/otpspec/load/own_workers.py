"""The workers that a master starts on its own machine."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import gevent
import msgspec

from otpspec.load.messages import Order, encode

_PATIENCE_S = 2.0  # how long they may take to end once they were told to


@contextmanager
def own_workers(order: Order, port: int) -> Iterator["list[subprocess.Popen[bytes]]"]:
    """Start them; none is left when the block is.

    Each has a pipe to take its order by, and ends when that is closed: by us, or with us.
    """
    started: list[subprocess.Popen[bytes]] = []
    try:
        worker = msgspec.structs.replace(order, role="worker", port=port)
        while order.own_workers and len(started) < order.workers:
            started.append(_start(worker))
        yield started
    finally:
        _end(started)


def _start(order: Order) -> "subprocess.Popen[bytes]":
    process = subprocess.Popen(
        [sys.executable, "-m", "otpspec.load"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,  # what it has to say, it tells its master
        start_new_session=True,  # Ctrl-C is for who listens to the user
        env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
    )
    assert process.stdin is not None  # noqa: S101 - a pipe
    with suppress(OSError):  # it has ended already: that is seen
        process.stdin.write(encode(order) + b"\n")
        process.stdin.flush()
    return process


def _end(started: "list[subprocess.Popen[bytes]]") -> None:
    ends = time.monotonic() + _PATIENCE_S
    for process in started:
        assert process.stdin is not None  # noqa: S101 - a pipe
        with suppress(OSError):
            process.stdin.close()
    while any(process.poll() is None for process in started) and time.monotonic() < ends:
        gevent.sleep(0.02)
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()
