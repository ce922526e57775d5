"""libfaketime: moves the time that a process sees, whatever it is written in.

The library is loaded into the target's process (LD_PRELOAD) and reads an offset from a file each
time that the process asks for the time: https://github.com/wolfcw/libfaketime. It reaches what is
linked dynamically to the system's C library, and what such a program starts; not static binaries
(most of Go), not what another machine, container or service does.

There are two builds. libfaketimeMT is safe where several threads ask at once; the other one may
end such a program. The package from PyPI has only the other one: enough for Python and Node,
where one thread asks; for a JVM, install Debian's.
"""

import importlib.util
import os
import sys
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType

from otpspec.clock import Reading
from otpspec.errors import ClockError, TargetError

OVERRIDE = "OTPSPEC_LIBFAKETIME"
"""The environment variable that names the library, where it is somewhere else."""

SYSTEM = (
    *sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")),
    *sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1")),
)
"""Where Debian has it."""

_INSTALL = "Try: pip install 'otpspec[faketime]', or your system's package libfaketime."


def find_library(system: Sequence[Path] = SYSTEM) -> Path:
    """The library: what OTPSPEC_LIBFAKETIME names, else the system's, else PyPI's.

    Raises TargetError where there is none.
    """
    if sys.platform != "linux":
        raise TargetError(
            f'clock.kind = "faketime" works on Linux only, and this is {sys.platform}.\n'
            "Try: run it in a Linux container, or give the target a test endpoint for its time "
            '(clock.kind = "http").'
        )
    if named := os.environ.get(OVERRIDE):
        if Path(named).is_file():
            return Path(named).resolve()
        raise TargetError(f"{OVERRIDE} names {named}, and there is no such file.\n{_INSTALL}")
    for path in (*system, *_from_pypi()):
        if path.is_file():
            return path
    raise TargetError(
        'clock.kind = "faketime" needs libfaketime, which is not installed.\n' + _INSTALL
    )


def _from_pypi() -> list[Path]:
    found = importlib.util.find_spec("libfaketime")  # finds it without running it
    folders = (found.submodule_search_locations or []) if found else []
    return [Path(folder, "vendor/libfaketime/src/libfaketime.so.1") for folder in folders]


class Faketime:
    """The file that says how far a process's time is moved, for as long as the block lasts.

    `rate`: how many seconds pass in the process in one of ours.
    """

    def __init__(self, library: Path, rate: float = 1.0) -> None:
        self.library = library
        self.rate = rate
        self.offset = 0.0

    def __enter__(self) -> "Faketime":
        self._folder = tempfile.TemporaryDirectory(prefix="otpspec-")
        self._file = Path(self._folder.name, "offset")
        self._write()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._folder.cleanup()

    def environment(self) -> dict[str, str | None]:
        """What the process must be started with; None: what must not be there.

        Monotonic time stays real: else timers fire early, and waits of threads hang.
        """
        inherited = {name: None for name in os.environ if name.startswith("FAKETIME")}
        preload = [str(self.library), *filter(None, [os.environ.get("LD_PRELOAD")])]
        return {
            **inherited,
            "LD_PRELOAD": ":".join(preload),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "DONT_FAKE_MONOTONIC": "1",
        }

    def advance(self, seconds: float) -> None:
        """Move the process's time forward; it sees it the next time that it asks."""
        self.offset += seconds
        self._write()

    def _write(self) -> None:
        """A process never sees half a file: it is written beside, and put in place at once."""
        rate = "" if self.rate == 1.0 else f" x{self.rate:g}"
        beside = self._file.with_suffix(".new")
        beside.write_text(f"+{self.offset:.6f}{rate}\n")
        beside.replace(self._file)

    def clean(self, pid: int) -> None:
        """Take away what the library leaves in shared memory where a signal ended its process.

        For launch's `on_end`.
        """
        for name in (f"faketime_shm_{pid}", f"sem.faketime_sem_{pid}"):
            with suppress(OSError):
                Path("/dev/shm", name).unlink()  # noqa: S108 - the library's own names


class FaketimeHook:
    """Moves the time of a target that was started under libfaketime."""

    leans_on = (
        "the clock of the target's process was moved by libfaketime; a database or cache beside "
        "it keeps its own time"
    )
    hint = (
        "see that [launch] command starts the server itself, from a program that is linked "
        "dynamically (most Go programs are not) and not in a container; else give the target a "
        'test endpoint for its time (clock.kind = "http"), or let time be real.'
    )

    def __init__(self, faketime: Faketime, read: Callable[[], Awaitable[Reading]]) -> None:
        self._faketime = faketime
        self._read = read

    async def read(self) -> Reading:
        """Read the target's clock. Raises ClockError where it shows none."""
        return replace(await self._read(), rate=self._faketime.rate)

    async def advance(self, seconds: float) -> Reading:
        """Move the target's clock. Raises ClockError where that cannot be done."""
        try:
            self._faketime.advance(seconds)
        except OSError as error:
            raise ClockError(
                f"The target's clock cannot be moved: its file cannot be written ({error}).\n"
                "Try: make room in the folder for temporary files."
            ) from error
        return await self.read()
