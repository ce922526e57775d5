"""A command that prints the messages to a contact."""

import asyncio
import contextlib
import hashlib
import os
import shlex
import signal
import subprocess
import threading
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from otpspec.errors import TargetError
from otpspec.inbox import contacts
from otpspec.profile import Message
from otpspec.profile.answers import query

PAUSE = 0.2
"""Seconds between two runs for one contact, however often it is polled."""

AT_ONCE = 4
_LARGEST_OUTPUT = 1 << 20
_LINES_OF_ERROR = 5


class CommandInbox:
    """What a command prints: a message a line, or with `messages`, JMESPath, a list in JSON.

    `{contact}` in its words is the contact; no shell reads them. A message in JSON is told from
    others by `id`, and its text is `text`; without these it is itself its text. A message without
    an id is told from others by its text, and by how many such stand before it.
    """

    def __init__(
        self,
        *,
        command: Sequence[str],
        messages: str = "",
        id: str = "",
        text: str = "",
        folder: Path | None = None,
        timeout_s: float = 10,
    ) -> None:
        """Raises ValueError where the command is empty, or an expression cannot be read."""
        if not command or not command[0].strip():
            raise ValueError(
                'the command is empty; write a list of words: ["./codes", "{contact}"]'
            )
        if (id or text) and not messages:
            raise ValueError("id and text are read from JSON; say by messages where its list is")
        self._command = list(command)
        self._messages = query(messages) if messages else None
        self._id = query(id) if id else None
        self._text = query(text) if text else None
        self._folder = folder
        self._timeout_s = timeout_s
        self._slots: asyncio.Semaphore | None = None
        self._turns: dict[str, asyncio.Lock] = {}
        self._ended: dict[str, float] = {}  # when a contact's last run ended, by the loop's clock
        self._lock = threading.Lock()
        self._groups: set[int] = set()  # processes that run now
        self._closed = False
        self._runs = 0
        self._printed: dict[str, int] = {}

    def open(self) -> None:
        """Begin: nothing runs yet."""
        self._closed = False
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._turns.clear()
        self._ended.clear()

    def close(self) -> None:
        """End what still runs."""
        with self._lock:
            self._closed = True
            for group in self._groups:
                _kill(group)

    async def messages(self, contact: str) -> list[Message]:
        """Run the command; what it prints for a contact.

        Runs for one contact follow each other with a pause between, and few run at once: a poll
        waits for its turn, and what it is given was printed after it began. Raises TargetError
        where the command fails.
        """
        if self._slots is None or self._closed:
            raise RuntimeError("the inbox is not open")
        key = contacts.key(contact)
        loop = asyncio.get_running_loop()
        async with self._turns.setdefault(key, asyncio.Lock()):
            if (left := self._ended.get(key, -PAUSE) + PAUSE - loop.time()) > 0:
                await asyncio.sleep(left)
            async with self._slots:
                try:
                    output = await self._run(contact)
                finally:
                    self._ended[key] = loop.time()
        found = self._read(output)
        self._runs += 1
        self._printed[key] = len(found)
        return found

    def seen(self) -> str:
        """What has come so far."""
        if not self._runs:
            return "its command was not run to its end"
        times = "once" if self._runs == 1 else f"{self._runs} times"
        count = sum(self._printed.values())
        some = "nothing" if not count else "1 message" if count == 1 else f"{count} messages"
        return f"its command was run {times}, and printed {some}"

    # --- one run --------------------------------------------------------------------------------

    async def _run(self, contact: str) -> bytes:
        process = await self._start(contact)
        try:
            async with asyncio.timeout(self._timeout_s):  # its timer holds a clock that jumps
                output, errors = await asyncio.gather(
                    _read_some(process.stdout), _read_some(process.stderr)
                )
                code = await process.wait()
        except BaseException as error:
            _kill(process.pid)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1):
                    await process.wait()
            if not isinstance(error, TimeoutError):
                raise
            why = f"did not end within {self._timeout_s:g} s"
            raise self._failed(why) from error
        finally:
            with self._lock:
                self._groups.discard(process.pid)
        if len(output) > _LARGEST_OUTPUT:
            raise self._failed(f"printed more than {_LARGEST_OUTPUT} bytes")
        if code:
            raise self._failed(_ending(code), errors, contact)
        return output

    async def _start(self, contact: str) -> asyncio.subprocess.Process:
        words = [word.replace("{contact}", contact) for word in self._command]
        try:
            process = await asyncio.create_subprocess_exec(
                *words,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=self._folder,
                start_new_session=True,  # a group of its own, which can be ended as a whole
            )
        except (OSError, ValueError) as error:  # ValueError: a null character in a word
            why = getattr(error, "strerror", None) or str(error)
            raise self._failed(f"could not be started ({why.lower()})") from error
        with self._lock:
            self._groups.add(process.pid)
            if self._closed:
                _kill(process.pid)
        return process

    def _failed(self, why: str, errors: bytes = b"", contact: str = "") -> TargetError:
        said = errors.decode("utf-8", "replace").strip()
        if contact:
            said = said.replace(contact, "{contact}")
        lines = said.splitlines()[:_LINES_OF_ERROR]
        shown = "".join(
            f"  {'said' if number == 0 else '':<10}{line[:200]}\n"
            for number, line in enumerate(lines)
        )
        return TargetError(
            f"The inbox's command {why}.\n"
            f"  {'command':<10}{shlex.join(self._command)}\n"
            f"{shown}"
            "Try: run it by hand, with a contact for {contact}; check inbox.command."
        )

    # --- what it printed ------------------------------------------------------------------------

    def _read(self, output: bytes) -> list[Message]:
        if self._messages is None:
            text = output.decode("utf-8", "replace")
            return _numbered([line.strip() for line in text.splitlines() if line.strip()])
        if not output.strip():
            return []
        try:
            document = msgspec.json.decode(output)
        except (ValueError, RecursionError) as error:
            raise self._failed("printed something that is not JSON") from error
        found = self._messages(document)
        if not isinstance(found, list):
            raise self._failed("printed JSON without the list that inbox.messages names")
        texts = [_as_text(self._text(one) if self._text else one) for one in found]
        if self._id is None:
            return _numbered(texts)
        ids = [self._id(one) for one in found]
        if None in ids:
            raise self._failed("printed a message without the id that inbox.id names")
        return [Message(_as_text(name), text) for name, text in zip(ids, texts, strict=True)]


def _numbered(texts: list[str]) -> list[Message]:
    """Messages told apart by text: a command that prints the last few, or the newest first, moves
    a message from line to line."""
    before: Counter[str] = Counter()
    found = []
    for text in texts:
        before[text] += 1
        found.append(Message(f"{before[text]}:{hashlib.sha256(text.encode()).hexdigest()}", text))
    return found


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


async def _read_some(stream: asyncio.StreamReader | None) -> bytes:
    """Read to the end, and keep a little more than the largest output."""
    kept = bytearray()
    while stream is not None and (chunk := await stream.read(1 << 16)):
        if len(kept) <= _LARGEST_OUTPUT:
            kept += chunk
    return bytes(kept)


def _ending(code: int) -> str:
    if code > 0:
        return f"failed (exit code {code})"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"


def _kill(group: int) -> None:
    # It may have ended; on macOS a group of ended processes may not be signalled.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)
