"""Starts the load process, and brings back what it measured. Imports nothing of Locust."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import IO, Any

from otpspec.errors import OtpspecError, TargetError
from otpspec.load.arrivals import Arrivals
from otpspec.load.messages import Failed, Line, LoadRun, Order, Progress, decode, encode

PATIENCE_S = 4.5
"""How long the load process may take to end once it was asked to; then it is killed."""


def run(
    profile: str,
    *,
    base_url: str | None = None,
    changes: Sequence[str] = (),
    users: int = 20,
    spawn_rate: float | None = None,
    rate: str = "",
    arrivals: str = "constant",
    crowd: str = "",
    connections: int = 1000,
    cards: int | None = None,
    think: timedelta = timedelta(0),
    duration: timedelta,
    seed: int = 0,
    mix: str = "",
    slo: Sequence[str] = (),
    on_progress: Callable[[Progress], None] | None = None,
) -> LoadRun:
    """Run journeys against a target under Locust, in a process of its own.

    `profile`: a path, or a shipped profile's name. `changes`: single values of it that differ, as
    "policy.validity=8s". `spawn_rate`: users begun a second; None: all in the first.

    `rate` makes it an open run, in which journeys begin when they are due whatever the target does:
    "300/s", "10..500/s" (a ramp), "100/s,200/s,400/s" (steps); `arrivals` is "constant" or
    "poisson"; `crowd`: "200@10s" are 200 more that begin at once. `connections`: how many there
    are at most; what finds none free waits, and is counted from when it was due. `cards`: how many
    are kept ready. `think`: how long a payer takes between an answer and the next request, on
    average. Without `rate` the run is closed: each of `users` begins a journey when its last has
    ended.

    `mix`: "package.module:NAME" of a sequence of Share; without it the profile's [load.mix] is
    played, or else the people of a real day. `slo`: limits like "verify.p99=250ms", beside those of
    the profile's [load.slo]. `on_progress` is told once a
    second how it goes.

    SIGINT and SIGTERM end the run within five seconds, with what was measured until then; the
    result is then not `complete`. Raises OtpspecError (ProfileError and TargetError are among
    them) where nothing could be measured.
    """
    if rate:
        try:
            Arrivals.parse(rate, arrivals, duration.total_seconds(), crowd)
        except ValueError as error:
            raise OtpspecError(f"rate: {error}") from error
        users = 1  # who stands for the whole schedule
    elif crowd:
        raise OtpspecError("crowd: a crowd comes on top of a rate, and there is none.")
    order = Order(
        profile=profile,
        base_url=base_url,
        changes=list(changes),
        users=users,
        spawn_rate=float(spawn_rate or users),
        duration_s=duration.total_seconds(),
        seed=seed,
        mix=mix,
        slo=list(slo),
        rate=rate,
        arrivals=arrivals,
        crowd=crowd,
        connections=connections,
        cards=cards,
        think_s=think.total_seconds(),
    )
    with tempfile.TemporaryFile() as errors, _process(errors) as child:
        with _passed_on(child):
            found = _converse(child, order, on_progress)
        child.wait()
        if found is None:
            errors.seek(0)
            said = errors.read().decode("utf-8", "replace").strip().splitlines()
            raise TargetError(
                "The load process ended without a result. Its last words:\n"
                + "\n".join(f"  {line}" for line in said[-12:])
            )
    if isinstance(found, Failed):
        raise TargetError(found.text)
    return found


@contextmanager
def _process(errors: IO[bytes]) -> Iterator["subprocess.Popen[bytes]"]:
    """The load process: in a session of its own, so that Ctrl-C reaches it through us only."""
    child = subprocess.Popen(
        [sys.executable, "-m", "otpspec.load"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
    )
    try:
        yield child
    finally:
        if child.poll() is None:
            child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                pipe.close()


@contextmanager
def _passed_on(child: "subprocess.Popen[bytes]") -> Iterator[None]:
    """Pass SIGINT and SIGTERM on to the load process, and see that it ends in time."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    timers: list[threading.Timer] = []

    def end(*_: Any) -> None:
        if child.poll() is None:
            child.send_signal(signal.SIGINT)
        if not timers:
            timers.append(threading.Timer(PATIENCE_S, child.kill))
            timers[0].daemon = True
            timers[0].start()

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for timer in timers:
            timer.cancel()


def _converse(
    child: "subprocess.Popen[bytes]",
    order: Order,
    on_progress: Callable[[Progress], None] | None,
) -> LoadRun | Failed | None:
    """Give the order and hear what comes; None where the process ends without a last word."""
    assert child.stdin is not None and child.stdout is not None  # noqa: S101, PT018 - pipes
    try:
        child.stdin.write(encode(order) + b"\n")
        child.stdin.flush()
    except BrokenPipeError:
        return None
    for line in child.stdout:
        told: Line = decode(line)
        if not isinstance(told, Progress):
            return told
        if on_progress is not None:
            on_progress(told)
    return None
