"""Starts the load process, and brings back what it measured. Imports nothing of Locust."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import IO, Any

from otpspec.errors import OtpspecError, TargetError
from otpspec.load.arrivals import Arrivals
from otpspec.load.messages import (
    Failed,
    Handed,
    Line,
    LoadRun,
    Order,
    Progress,
    Said,
    decode,
    encode,
)

PATIENCE_S = 4.5
"""How long the load process may take to end once it was asked to; then it is killed."""


def run(
    profile: str,
    *,
    base_url: str | None = None,
    changes: Sequence[str] = (),
    users: int = 50,
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
    processes: int = 1,
    master: tuple[str, int] | None = None,
    gather: timedelta = timedelta(minutes=2),
    on_progress: Callable[[Progress], None] | None = None,
    on_word: Callable[[str], None] | None = None,
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
    the profile's [load.slo]. `on_progress` is told once a second how it goes; `on_word`, what the
    user should see at once.

    `processes`: how many do it, on this machine; -1: as many as it has cores. `master`: a host and
    a port to listen on instead, for so many processes that are started elsewhere, with `work`;
    `gather`: how long it waits for them.

    SIGINT and SIGTERM end the run within five seconds, with what was measured until then; the
    result is then not `complete`. Raises KeyboardInterrupt where they come before anything could
    be measured, and OtpspecError (ProfileError and TargetError are among them) where nothing can.
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
        role="local" if processes == 1 and master is None else "master",
        workers=_cores() if processes == -1 else processes,
        gather_s=gather.total_seconds(),
        own_workers=master is None,
        host=master[0] if master else "127.0.0.1",
        port=master[1] if master else 0,
    )
    found = _order(order, on_progress, on_word)
    if isinstance(found, Handed):
        raise TypeError("a run that is not a worker's ends with a result")
    return found


def work(
    profile: str,
    *,
    base_url: str | None = None,
    changes: Sequence[str] = (),
    host: str,
    port: int,
    on_progress: Callable[[Progress], None] | None = None,
    on_word: Callable[[str], None] | None = None,
) -> LoadRun | Handed:
    """Do a part of a run whose master is at a host and a port; all else of the run, it knows.

    What this worker measured is in the master's results, and no result of its own. Only where the
    master is lost, it is: a LoadRun that is not `complete`. Signals and errors as for `run`.
    """
    order = Order(
        profile=profile,
        base_url=base_url,
        changes=list(changes),
        users=1,
        spawn_rate=1.0,
        duration_s=0.0,
        seed=0,
        mix="",
        role="worker",
        host=host,
        port=port,
    )
    return _order(order, on_progress, on_word)


def _cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _order(
    order: Order,
    on_progress: Callable[[Progress], None] | None,
    on_word: Callable[[str], None] | None,
) -> LoadRun | Handed:
    """Have a load process carry out an order."""
    with tempfile.TemporaryFile() as errors, _process(errors) as child:
        with _Ending(child) as ending:
            found = _converse(child, order, ending, on_progress, on_word)
            child.wait()
        if ending.asked and not isinstance(found, LoadRun | Handed):
            raise KeyboardInterrupt  # it came before anything was measured
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


class _Ending:
    """While this is entered, SIGINT and SIGTERM end the load process, and it is seen to end.

    It is told so by its pipe, which is closed: that reaches it also before it has come so far as to
    take a signal. To ask twice changes nothing.
    """

    def __init__(self, child: "subprocess.Popen[bytes]") -> None:
        self.asked = False
        self._child = child
        self._timer = threading.Timer(PATIENCE_S, child.kill)
        self._timer.daemon = True
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "_Ending":
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._ask)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._timer.cancel()

    def _ask(self, *_: object) -> None:
        if not self.asked:
            self.asked = True
            self.hang_up()
            self._timer.start()

    def hang_up(self) -> None:
        """Close the pipe by which the load process takes its order."""
        assert self._child.stdin is not None  # noqa: S101 - a pipe
        with suppress(OSError):
            self._child.stdin.close()


def _converse(
    child: "subprocess.Popen[bytes]",
    order: Order,
    ending: _Ending,
    on_progress: Callable[[Progress], None] | None,
    on_word: Callable[[str], None] | None,
) -> LoadRun | Handed | Failed | None:
    """Give the order and hear what comes; None where the process ends without a last word."""
    assert child.stdin is not None and child.stdout is not None  # noqa: S101, PT018 - pipes
    view = memoryview(encode(order) + b"\n")
    while view and not ending.asked:
        try:  # past the file's own buffer, so that it can be closed at any time
            view = view[os.write(child.stdin.fileno(), view) :]
        except (OSError, ValueError):
            break  # it has ended, and has said why; or the pipe was closed meanwhile
    for line in child.stdout:
        told: Line = decode(line)
        if isinstance(told, Progress):
            if on_progress is not None:
                on_progress(told)
        elif isinstance(told, Said):
            if on_word is not None:
                on_word(told.text)
        else:
            return told
    return None
