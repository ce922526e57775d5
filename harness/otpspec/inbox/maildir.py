"""A folder of mails: a Maildir, a file for each mail, or what Django's file backend writes."""

import errno
import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from otpspec import realtime
from otpspec.inbox import contacts
from otpspec.inbox.mail import read_mail
from otpspec.inbox.store import Store
from otpspec.inbox.watching import Watching, unreadable
from otpspec.profile import Message

LARGEST_MAIL = 10 << 20
SETTLED = 0.1
"""Seconds for which a file must not change before its mail is taken for complete."""

_DJANGO = re.compile(rb"^-{79}\r?\n(?=[!-9;-~]+:|\Z)", re.MULTILINE)
"""The line after each mail, and the next one's first header: a mail may hold such a line too."""

_UNFINISHED = (".tmp", ".part", ".swp", "~")


@dataclass
class _File:
    """What is known of a file that may still grow."""

    state: tuple[int, int, int]  # inode, size, time of the last change
    since: float  # when it was first found so
    taken: bool  # whether its mail was read
    offset: int = 0  # of a Django log: bytes whose mails were read


class MaildirInbox:
    """Mails in a folder, by the addresses in their headers.

    A folder with `new` or `cur` in it is a Maildir, where a mail appears complete. In any other,
    a file is a mail once it has ceased to change, and a file named *.log holds mails as Django's
    filebased backend writes them. What was there at `open` is of an earlier run.
    """

    def __init__(self, *, path: Path) -> None:
        self._path = path
        self._store = Store("mail")
        self._watching = Watching("otpspec-maildir", self._look)
        self._names: set[str] = set()  # a Maildir's mails that were read, without their flags
        self._files: dict[str, _File] = {}
        self._there = False

    def open(self) -> None:
        """Begin to read mails that come from now on. Raises TargetError if that cannot be done."""
        try:
            self._look(earlier=True)
        except OSError as error:
            raise unreadable(str(self._path), error) from error
        self._watching.open()

    def close(self) -> None:
        """End it; mails that have come can still be read."""
        self._watching.close()

    async def messages(self, contact: str) -> list[Message]:
        """All mails for an address, oldest first. Raises TargetError if none can be read."""
        self._watching.check(str(self._path))
        return [m._replace(arrived_s=None) for m in self._store.messages(contact)]

    def seen(self) -> str:
        """What has come so far."""
        what = self._store.seen()
        return what if self._there else f"{what}; there is no folder {self._path.name}"

    # --- in the thread --------------------------------------------------------------------------

    def _look(self, *, earlier: bool = False) -> None:
        if not self._path.exists():
            self._there = False
            return
        self._there = True
        if not self._path.is_dir():
            raise OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        folders = [self._path / name for name in ("new", "cur")]
        if any(folder.is_dir() for folder in folders):
            for folder in folders:
                self._look_in_maildir(folder, earlier)
        else:
            self._look_in_folder(earlier)

    def _look_in_maildir(self, folder: Path, earlier: bool) -> None:
        for entry in _files(folder):
            name = entry.name.partition(":")[0]  # flags follow, and change when it is read
            if name in self._names:
                continue
            if not earlier:
                raw = self._bytes(entry.path)
                if raw is None:
                    continue  # it was moved to cur, and is found there
                self._keep(name, raw)
            self._names.add(name)

    def _look_in_folder(self, earlier: bool) -> None:
        now = realtime.monotonic()
        for entry in _files(self._path):
            if entry.name.endswith(_UNFINISHED):
                continue
            try:
                found = entry.stat()
            except FileNotFoundError:
                continue
            state = (found.st_ino, found.st_size, found.st_mtime_ns)
            file = self._files.get(entry.name)
            if file is None:
                file = _File(state, now, earlier, found.st_size if earlier else 0)
                self._files[entry.name] = file
            elif state != file.state:
                if state[0] != file.state[0] or state[1] < file.offset:
                    file.offset = 0  # another file of this name, or the same begun anew
                file.state, file.since, file.taken = state, now, False
            if entry.name.endswith(".log"):
                self._read_django(entry, file)
            elif not file.taken and found.st_size and now - file.since >= SETTLED:
                self._read_mail(entry, file)

    def _read_mail(self, entry: "os.DirEntry[str]", file: _File) -> None:
        file.taken = True
        if raw := self._bytes(entry.path):
            self._keep(f"{entry.name}:{hashlib.sha256(raw).hexdigest()[:16]}", raw)

    def _read_django(self, entry: "os.DirEntry[str]", file: _File) -> None:
        if file.offset >= file.state[1]:
            return
        raw = self._bytes(entry.path, file.offset) or b""
        begin = 0
        for line in _DJANGO.finditer(raw):
            mail = raw[begin : line.start()]
            self._keep(f"{entry.name}:{file.offset + begin}", mail)
            begin = line.end()
        file.offset += begin

    def _bytes(self, path: str, offset: int = 0) -> bytes | None:
        """A file's bytes; None where it is gone, or must not be read, which is remembered."""
        try:
            with Path(path).open("rb") as file:
                file.seek(offset)
                return file.read(LARGEST_MAIL)
        except FileNotFoundError:
            return None
        except OSError as error:
            self._store.note(f"a file could not be read ({(error.strerror or '').lower()})")
            return b""

    def _keep(self, identity: str, raw: bytes) -> None:
        if raw.strip():
            mail = read_mail(raw)
            keys = map(contacts.key, mail.recipients)
            self._store.add(keys, mail.text, shown=mail.recipients, message_id=identity)


def _files(folder: Path) -> Iterator["os.DirEntry[str]"]:
    """A folder's files by their names: these begin with the time, where there is an order."""
    try:
        with os.scandir(folder) as entries:
            found = [one for one in entries if one.name[0] != "." and one.is_file()]
    except FileNotFoundError:
        return iter(())
    return iter(sorted(found, key=lambda entry: entry.name))
