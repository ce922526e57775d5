"""A history as it is in memory: what a harness that records millions of operations writes.

8 bytes  the magic word
4 bytes  version, little-endian
4 bytes  how many bytes of names follow
8 bytes  how many operations follow the names
names    of the cards: a JSON array of text, filled up with spaces to a multiple of 8
rows     40 bytes each, as `columns.ROW` says
"""

import struct
from math import inf
from pathlib import Path

import msgspec
import numpy as np

from otpspec.errors import HistoryError, Problem
from otpspec.history.checks import MOST_PROBLEMS, check
from otpspec.history.columns import ROW, History

MAGIC = b"otpspecH"
VERSION = 1
_HEAD = struct.Struct("<8sIIQ")


def is_packed(start: bytes) -> bool:
    """Whether a file that begins so is a packed history."""
    return start.startswith(MAGIC)


def read(path: Path) -> History:
    """Read a history.

    Raises HistoryError with the records that cannot be used.
    """
    source = str(path)
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(_HEAD.size)
        if len(head) < _HEAD.size:
            raise _unusable(source, "is cut off within its head")
        _, version, bytes_of_names, count = _HEAD.unpack(head)
        if version != VERSION:
            raise _unusable(
                source, f"version {version} is not known; this otpspec reads version {VERSION}"
            )
        wanted = _HEAD.size + bytes_of_names + count * ROW.itemsize
        if size != wanted:
            raise _unusable(source, f"holds {size} bytes; its head promises {wanted}")
        try:
            names = msgspec.json.decode(file.read(bytes_of_names), type=list[str])
        except msgspec.DecodeError as error:
            raise _unusable(source, "the names of its cards cannot be read") from error
        rows = np.fromfile(file, dtype=ROW, count=count)
    problems = check(rows, place="record", first=1)
    for index in np.flatnonzero(rows["card"] >= len(names))[:MOST_PROBLEMS]:
        problems.append(Problem(f"record {int(index) + 1}", "its card has no name"))
    if not len(rows):
        problems.append(Problem("(file)", "holds no operation"))
    if problems:
        raise HistoryError(source, problems[:MOST_PROBLEMS])
    rows["returned"][rows["outcomes"] == 0] = inf
    return History(rows, names, source)


def write(history: History, path: Path) -> None:
    """Write a history."""
    names = msgspec.json.encode(list(history.names))
    names += b" " * (-len(names) % 8)
    with path.open("wb") as file:
        file.write(_HEAD.pack(MAGIC, VERSION, len(names), len(history)) + names)
        np.ascontiguousarray(history.rows).tofile(file)


def _unusable(source: str, text: str) -> HistoryError:
    return HistoryError(source, [Problem("(file)", text)])
