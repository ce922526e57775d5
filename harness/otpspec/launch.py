"""The target's own command: started before a run, ended after it, whatever happens."""

import asyncio
import os
import shlex
import signal
import subprocess
import tempfile
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import IO

from otpspec import realtime
from otpspec.errors import TargetError
from otpspec.processes import end_with_parent

TAIL = 20
"""Lines of the command's output that an error shows."""

MAX_OUTPUT = 8 << 20
"""Bytes of the command's output that are kept on disk; what is older is let go."""

_KEPT = 64 << 10  # bytes of it that stay when the rest is let go
_GRACE = 5.0  # seconds to end by itself
_LOOK = 0.05  # seconds between two looks at it

Ready = Callable[[], Awaitable[bool]]
"""Whether the target answers."""


class Launched:
    """A command that runs for as long as the block lasts, with all that it starts itself.

    Its output goes to a file without a name, so that the command never waits for a reader. What
    it starts in a session of its own (a daemon) is out of reach. `extra_env` comes after `env`;
    None takes a variable away. `redact` is applied to output that stands in an error. `on_end` is
    called with the process id once nothing of the command is left.

    Raises TargetError where the command cannot be started.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        folder: Path,
        env: Mapping[str, str],
        extra_env: Mapping[str, str | None] | None = None,
        redact: Callable[[str], str] = str,
        on_end: Callable[[int], None] = lambda pid: None,
    ) -> None:
        self.command = list(command)
        self.folder = folder
        asked: dict[str, str | None] = {**os.environ, **env, **(extra_env or {})}
        self._env = {name: value for name, value in asked.items() if value is not None}
        self._redact = redact
        self._on_end = on_end
        self._kept = b""
        self._ended = threading.Event()

    def __enter__(self) -> "Launched":
        self._output: IO[bytes] = tempfile.TemporaryFile("a+b", buffering=0)
        try:
            self._process = subprocess.Popen(  # noqa: S603 - what the user's profile names
                self.command,
                cwd=self.folder,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=self._output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a group of its own, to be ended as a whole
                preexec_fn=end_with_parent,
            )
        except (OSError, ValueError) as error:
            self._output.close()
            why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            raise TargetError(
                f"The target's command cannot be started ({why}).\n{self._where()}"
                "Try: check command and folder in the profile's [launch]."
            ) from error
        self._trimmer = threading.Thread(target=self._trim, name="otpspec launch", daemon=True)
        self._trimmer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.end()

    @property
    def pid(self) -> int:
        """The command's process id; its process group has the same."""
        return self._process.pid

    async def until_up(self, ready: Ready, wait: timedelta) -> None:
        """Return once `ready` says yes.

        Raises TargetError where the command ends before, or takes longer than `wait`.
        """
        until = realtime.monotonic() + wait.total_seconds()
        while True:
            left = max(until - realtime.monotonic(), _LOOK)
            with suppress(TimeoutError):
                async with asyncio.timeout(left):
                    if await ready():
                        break
            self.check("before it was up")
            if realtime.monotonic() >= until:
                raise TargetError(
                    f"The target is not up {wait.total_seconds():g} s after its command was "
                    f"started.\n{self._where()}{self._said()}"
                    "No rule was checked, so this says nothing about the target.\n"
                    "Try: check ready in the profile's [launch], and whether the command listens "
                    "at target.base_url; give it more time with wait."
                )
            await asyncio.sleep(_LOOK)
        self.check("as soon as something answered")

    def check(self, when: str = "while it was needed") -> None:
        """Raises TargetError where the command has ended."""
        if (code := self._process.poll()) is None:
            return
        how = f"exit code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"
        raise TargetError(
            f"The target's command ended {when} ({how}).\n{self._where()}{self._said()}"
            "No rule was checked, so this says nothing about the target.\n"
            "Try: run the command yourself, in that folder; check the profile's [launch]."
        )

    def _where(self) -> str:
        return f"  command   {shlex.join(self.command)}\n  folder    {self.folder}\n"

    def _said(self) -> str:
        lines = self.tail()
        if not lines:
            return "  output    (none)\n"
        return "".join(f"  output    {line}\n" for line in lines)

    def tail(self) -> list[str]:
        """The last lines of the command's output."""
        text = (self._kept + self._read_end()).decode("utf-8", "replace")
        return self._redact(text).splitlines()[-TAIL:]

    def _read_end(self) -> bytes:
        size = os.fstat(self._output.fileno()).st_size
        return os.pread(self._output.fileno(), _KEPT, max(0, size - _KEPT))

    def _trim(self) -> None:
        """The file must not fill the disk: it is opened for appending, so it can be emptied."""
        while not self._ended.wait(1.0):
            if os.fstat(self._output.fileno()).st_size > MAX_OUTPUT:
                self._kept = self._read_end()
                self._output.truncate(0)

    def end(self) -> None:
        """End the command and all of its process group, and wait until it has ended."""
        if self._ended.is_set():
            return
        if not self._gone(signal.SIGTERM):
            self._gone(signal.SIGKILL)
        self._ended.set()
        self._trimmer.join()
        self._output.close()
        self._on_end(self.pid)

    def _gone(self, how: signal.Signals) -> bool:
        """Ask the group to end; whether nothing of it is left after the time of grace.

        The group's number stays taken for as long as one process of it is there, so it can never
        be another's by now.
        """
        until = realtime.monotonic() + _GRACE
        sent = False
        while realtime.monotonic() < until:
            try:
                os.killpg(self.pid, 0 if sent else how)
            except ProcessLookupError:
                self._process.poll()
                return True
            except PermissionError:  # macOS: of the group, only what nobody has waited for is left
                pass
            sent = True
            self._process.poll()
            threading.Event().wait(_LOOK)
        return False


@asynccontextmanager
async def launched(
    command: Sequence[str],
    *,
    folder: Path,
    env: Mapping[str, str],
    ready: Ready,
    wait: timedelta,
    extra_env: Mapping[str, str | None] | None = None,
    redact: Callable[[str], str] = str,
    on_end: Callable[[int], None] = lambda pid: None,
) -> AsyncIterator[Launched]:
    """Start the target's command, and go on once it is up.

    Raises TargetError where it does not come up, or where something else is there already: rules
    would be judged on a server that nobody asked about.
    """
    if await _answers(ready):
        raise TargetError(
            "Something answers at the target's address before its command is started.\n"
            f"  command   {shlex.join(command)}\n"
            "Try: end the server that is there, or give the command another port."
        )
    with Launched(
        command, folder=folder, env=env, extra_env=extra_env, redact=redact, on_end=on_end
    ) as target:
        await target.until_up(ready, wait)
        yield target


async def _answers(ready: Ready) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(_GRACE):
            return await ready()
    return False
