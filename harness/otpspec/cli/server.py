"""The reference server as a child process, ended whatever happens."""

import os
import secrets
import subprocess
import sys
from collections.abc import Sequence
from types import TracebackType
from typing import ClassVar

from otpspec.errors import OtpspecError
from otpspec.processes import end_with_parent

_LISTENS = "otpspec reference server on "


class ReferenceServer:
    """A reference server on a free port, with test hooks, for as long as the block lasts.

    Raises OtpspecError where it does not start.
    """

    running: ClassVar[set["ReferenceServer"]] = set()

    def __init__(self, arguments: Sequence[str] = ()) -> None:
        self.token = secrets.token_urlsafe(16)
        self.url = ""
        self._arguments = arguments

    def __enter__(self) -> "ReferenceServer":
        command = [sys.executable, "-m", "otpspec_reference", "--port", "0", "--test-hooks"]
        self._process = subprocess.Popen(  # noqa: S603 - our own server
            [*command, *self._arguments],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "OTPSPEC_TEST_TOKEN": self.token},
            start_new_session=True,  # Ctrl-C is for us: the server ends when we are done with it
            preexec_fn=end_with_parent,
        )
        self.running.add(self)
        assert self._process.stdout is not None  # noqa: S101
        line = self._process.stdout.readline()
        if not line.startswith(_LISTENS):
            self.end()
            raise OtpspecError(f"The reference server did not start: {line.strip() or 'see above'}")
        self.url = line.removeprefix(_LISTENS).strip()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.end()

    def end(self) -> None:
        """End the server, and wait until it has ended."""
        self.running.discard(self)
        self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
