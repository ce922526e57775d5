"""A file to which the target adds a line for each message: a log, or JSON lines."""

import errno
import hashlib
import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from otpspec.inbox import contacts
from otpspec.inbox.store import Store
from otpspec.inbox.watching import Watching, unreadable
from otpspec.profile import Message
from otpspec.profile.answers import query

_CHUNK = 1 << 18
_LONGEST_LINE = 1 << 20
_KNOWN = 64
"""Bytes before the place that was read last, by which a file is known again."""


class FileInbox:
    """Lines of a file, by the contacts that stand in them.

    With `to` and `text`, JMESPath, lines are JSON. Without `to` a line belongs to every contact
    that it holds; without `text` all of it is the text. Lines that were there at `open` are of
    an earlier run. The file may be rotated, truncated, or not there yet; where it is written
    anew, a line that stands as it was at the same place is no new message.
    """

    def __init__(self, *, path: Path, to: str = "", text: str = "") -> None:
        """Raises ValueError where an expression cannot be read."""
        self._path = path
        self._to = query(to) if to else None
        self._text = query(text) if text else None
        others = "came to other contacts" if to else "came that held no contact that was asked for"
        self._store = Store("line", others=others)
        self._watching = Watching("otpspec-file", self._look)
        self._file: BinaryIO | None = None
        self._there = False
        self._partial = b""  # a line that has no end yet
        self._too_long = False  # the rest of the line, up to its end, is left out
        self._read = 0  # bytes that were read, the partial line's among them
        self._known = b""  # the last of these bytes
        self._state = (0, 0)  # size and time of the last change, when it was read

    def open(self) -> None:
        """Begin to read what is added from now on. Raises TargetError where it cannot be read."""
        try:
            self._find(at_end=True)
        except OSError as error:
            raise unreadable(str(self._path), error) from error
        self._watching.open()

    def close(self) -> None:
        """End it; lines that have come can still be read."""
        self._watching.close()
        if self._file is not None:
            self._file.close()
            self._file = None

    async def messages(self, contact: str) -> list[Message]:
        """All lines for a contact, oldest first. Raises TargetError if the file is unreadable."""
        self._watching.check(str(self._path))
        return [m._replace(arrived_s=None) for m in self._store.messages(contact)]

    def seen(self) -> str:
        """What has come so far."""
        what = self._store.seen()
        if not self._there:
            return f"{what}; there is no file {self._path.name}"
        return f"{what}; its last line has no end yet" if self._partial else what

    # --- in the thread --------------------------------------------------------------------------

    def _look(self) -> None:
        self._find()
        if self._file is not None:
            self._drain(self._file)

    def _find(self, *, at_end: bool = False) -> None:
        """Open the file that now has the path's name, once the one before has been read out."""
        try:
            found = self._path.stat()
        except FileNotFoundError:
            self._there = False
            return  # it may be written on for a moment after it was renamed: it is kept open
        self._there = True
        if self._file is not None:
            before = os.fstat(self._file.fileno())
            if (before.st_dev, before.st_ino) == (found.st_dev, found.st_ino):
                return
            self._drain(self._file)
            self._file.close()
            self._file = None
        if not stat.S_ISREG(found.st_mode):  # to open a pipe would wait for its other end
            code = errno.EISDIR if stat.S_ISDIR(found.st_mode) else errno.EINVAL
            raise OSError(code, "it is no regular file")
        self._file = self._path.open("rb", buffering=0)
        self._state = (-1, -1)
        self._restart(self._file, _line_start(self._file) if at_end else 0)

    def _restart(self, file: BinaryIO, at: int) -> None:
        self._read, self._partial, self._too_long = at, b"", False
        self._known = os.pread(file.fileno(), min(at, _KNOWN), max(0, at - _KNOWN))

    def _drain(self, file: BinaryIO) -> None:
        """Read what was added."""
        now = os.fstat(file.fileno())
        if self._state == (now.st_size, now.st_mtime_ns):
            return
        self._state = (now.st_size, now.st_mtime_ns)
        start = self._read - len(self._known)
        if os.pread(file.fileno(), len(self._known), start) != self._known:
            self._restart(file, 0)  # truncated, even if it is longer again by now
        while chunk := os.pread(file.fileno(), _CHUNK, self._read):
            at = self._read - len(self._partial)
            self._read += len(chunk)
            self._known = (self._known + chunk)[-_KNOWN:]
            *lines, self._partial = (self._partial + chunk).split(b"\n")
            for line in lines:
                if not self._too_long:
                    self._keep(at, line)
                self._too_long = False
                at += len(line) + 1
            if len(self._partial) > _LONGEST_LINE:
                if not self._too_long:
                    self._store.note(f"a line is longer than {_LONGEST_LINE} bytes")
                self._partial, self._too_long = b"", True

    def _keep(self, at: int, raw: bytes) -> None:
        line = raw.decode("utf-8", "replace").strip()
        if not line:
            return
        identity = f"{at}:{hashlib.sha256(raw).hexdigest()[:16]}"
        if self._to is None and self._text is None:
            self._store.add(contacts.keys_in(line), line, message_id=identity)
            return
        try:
            document = msgspec.json.decode(line)
        except (ValueError, RecursionError):
            self._store.note("a line is not JSON")
            return
        to = None if self._to is None else _texts(self._to(document))
        text = [line] if self._text is None else _texts(self._text(document))
        if not text or to == []:
            self._store.note(f"a line has no {'inbox.to' if to == [] else 'inbox.text'}")
            return
        keys: Iterable[str] = contacts.keys_in(line) if to is None else map(contacts.key, to)
        self._store.add(keys, "\n".join(text), shown=to or (), message_id=identity)


def _line_start(file: BinaryIO) -> int:
    """Where the last line begins: at the end, if the last line is complete."""
    size = os.fstat(file.fileno()).st_size
    start = max(0, size - _CHUNK)
    last = os.pread(file.fileno(), size - start, start).rfind(b"\n")
    return start + last + 1 if last >= 0 else start


def _texts(value: Any) -> list[str]:
    items = value if isinstance(value, list) else [value]
    return [str(one) for one in items if isinstance(one, str | int) and str(one).strip()]
