"""A history as JSON lines: what any other tool can write. docs/reference/history.md says how.

The first line is a header; then every line is one operation, in any order of time. A line that
cannot be used is named, and nothing is judged: a history with a hole in it proves nothing.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from math import inf
from operator import attrgetter
from pathlib import Path
from typing import Any, BinaryIO, Literal

import msgspec
import numpy as np
import numpy.typing as npt

from otpspec.errors import HistoryError, Problem
from otpspec.history.builder import Tokens
from otpspec.history.checks import MOST_PROBLEMS, check
from otpspec.history.columns import (
    AMEND,
    ASKED,
    BIT,
    CHANGE_CONTACT,
    CSCS,
    KINDS,
    NO_CHALLENGE,
    NO_CODE,
    OUTCOMES,
    ROW,
    START,
    VERIFY,
    History,
    Rows,
    unmask,
)

FORMAT = "otpspec-history"
VERSION = 1
FIRST_LINE = 2  # after the header
_BLOCK = 256 * 1024  # bytes read at once: what stays in the processor's cache is read faster

Word = Literal[
    "start", "verify", "malformed", "resend", "amend", "cancel", "unlock", "change_contact"
]


class Header(msgspec.Struct, kw_only=True, frozen=True):
    """The first line."""

    format: str
    version: int
    made_by: str = ""


class Line(
    msgspec.Struct,
    kw_only=True,
    frozen=True,
    gc=False,
    omit_defaults=True,
    forbid_unknown_fields=True,
):
    """One operation."""

    card: str
    op: Word
    called: float  # seconds, of any clock that all lines share
    returned: float | None = None
    answer: str | list[str] | None = None  # an outcome, or several; None: no answer came
    challenge: str | int | None = None
    code: str | None = None  # a token for the code: only equality matters
    seen: float | None = None  # when the message with the code was seen
    csc: Literal["right", "wrong", "missing", "not_asked"] = "not_asked"
    csc_required: bool | None = None  # None: not known
    proven: bool | None = None


_GET = {field.name: attrgetter(field.name) for field in msgspec.structs.fields(Line)}
_HEADER = msgspec.json.Decoder(Header)
_LINE = msgspec.json.Decoder(Line)
_KIND = {name: number for number, name in enumerate(KINDS)}
_CSC = {str(csc): number for number, csc in enumerate(CSCS)}
_ASKED: dict[Any, int] = {asked: number for number, asked in enumerate(ASKED)}
_PROVEN: dict[Any, int] = {True: 1, False: 0, None: 2}
_BY_WORD: dict[Any, int] = {None: 0} | {str(outcome): bit for outcome, bit in BIT.items()}

_NO_RETURN = 'an answer, but no "returned"; say when it came'
_NO_PROOF = 'no "proven"; was the change asked for with proof (true) or without (false)?'


class _Reader:
    """Turns blocks of lines into rows."""

    def __init__(self, source: str) -> None:
        self._source = source
        self.cards = Tokens()
        self._codes = Tokens({None: NO_CODE})
        self._challenges = Tokens({None: NO_CHALLENGE})
        self._line = FIRST_LINE  # of the block's first
        self.problems: list[Problem] = []

    def rows(self, block: bytes) -> Rows:
        """The rows of a block of whole lines; what is wrong with its lines goes to `problems`."""
        try:
            lines = _LINE.decode_lines(block)
        except (msgspec.DecodeError, UnicodeDecodeError):
            lines = list(self._one_by_one(block))
        if len(lines) != block.count(b"\n"):
            self._name_blank_lines(block)
        rows = self._columns(lines)
        self._line += len(lines)
        return rows

    def finish(self, rows: Rows) -> None:
        """Put times that were not told right, and name the rows that make no sense."""
        rows["returned"][np.isnan(rows["returned"])] = inf
        rows["seen"][np.isnan(rows["seen"])] = inf
        rows["returned"][rows["outcomes"] == 0] = inf
        kind = rows["kind"]
        for wrong, text in (
            (np.isinf(rows["returned"]) & (rows["outcomes"] != 0), _NO_RETURN),
            ((kind == CHANGE_CONTACT) & (rows["detail"] == _PROVEN[None]), _NO_PROOF),
        ):
            for index in np.flatnonzero(wrong)[:MOST_PROBLEMS]:
                self.problems.append(Problem(f"line {FIRST_LINE + int(index)}", text))
        if not self.problems:
            self.problems += check(rows, place="line", first=FIRST_LINE)

    def _one_by_one(self, block: bytes) -> Iterator[Line]:
        for number, line in enumerate(block.splitlines(), self._line):
            try:
                yield _LINE.decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                self.problems.append(Problem(f"line {number}", _words(error)))
                if len(self.problems) >= MOST_PROBLEMS:
                    return

    def _name_blank_lines(self, block: bytes) -> None:
        for number, line in enumerate(block.splitlines(), self._line):
            if not line.strip():
                self.problems.append(Problem(f"line {number}", "empty; each line is an operation"))

    def _columns(self, lines: list[Line]) -> Rows:
        n = len(lines)
        rows = np.empty(n, dtype=ROW)
        rows["card"] = _numbers(self.cards, map(_GET["card"], lines), n)
        rows["kind"] = _numbers(_KIND, map(_GET["op"], lines), n)
        rows["challenge"] = _numbers(self._challenges, map(_GET["challenge"], lines), n)
        rows["code"] = _numbers(self._codes, map(_GET["code"], lines), n)
        rows["outcomes"] = self._answers(list(map(_GET["answer"], lines)))
        rows["called"] = np.fromiter(map(_GET["called"], lines), "f8", n)
        rows["returned"] = list(map(_GET["returned"], lines))  # None becomes NaN
        rows["seen"] = list(map(_GET["seen"], lines))
        rows["detail"] = _details(rows["kind"], lines)
        return rows

    def _answers(self, answers: list[Any]) -> npt.NDArray[np.uint16]:
        n = len(answers)
        try:
            return np.fromiter(map(_BY_WORD.__getitem__, answers), "u2", n)
        except (KeyError, TypeError):  # several outcomes, or a word that is none
            return np.fromiter((self._bits(i, a) for i, a in enumerate(answers)), "u2", n)

    def _bits(self, index: int, answer: str | list[str] | None) -> int:
        words = answer if isinstance(answer, list) else [answer]
        bits = 0
        for word in words:
            if word not in _BY_WORD or (word is None and len(words) > 1):
                text = f"{_quoted(word)} is no outcome; known: {', '.join(OUTCOMES)}"
                self.problems.append(Problem(f"line {self._line + index}", text))
                return 0
            bits |= _BY_WORD[word]
        return bits


def read(path: Path) -> History:
    """Read a history.

    Raises HistoryError with the lines that cannot be used.
    """
    source = str(path)
    try:
        with path.open("rb") as file:
            return read_from(file, source)
    except OSError as error:
        raise HistoryError(
            source, [Problem("(file)", f"cannot be read: {error.strerror}")]
        ) from error


def read_from(file: BinaryIO, source: str) -> History:
    """Read a history from a file that is open.

    Raises HistoryError with the lines that cannot be used.
    """
    _check_header(file.readline(), source)
    reader, blocks, rest = _Reader(source), [], b""
    while block := file.read(_BLOCK):
        whole, newline, rest = (rest + block).rpartition(b"\n")
        blocks.append(reader.rows(whole + newline))
        if len(reader.problems) >= MOST_PROBLEMS:
            break
    if rest and not reader.problems:
        blocks.append(reader.rows(rest + b"\n"))
    rows = np.concatenate(blocks) if blocks else np.empty(0, dtype=ROW)
    if not reader.problems:
        reader.finish(rows)
    if reader.problems:
        raise HistoryError(source, _in_order(reader.problems))
    if not len(rows):
        raise HistoryError(source, [Problem("(file)", "holds no operation")])
    return History(rows, list(reader.cards), source, FIRST_LINE)


def _in_order(problems: list[Problem]) -> list[Problem]:
    found = sorted(set(problems), key=lambda p: (int(p.place.removeprefix("line ")), p.text))
    return found[:MOST_PROBLEMS]


def _check_header(line: bytes, source: str) -> None:
    wanted = f'the first line must be {{"format": "{FORMAT}", "version": {VERSION}}}'
    try:
        header = _HEADER.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise HistoryError(source, [Problem("line 1", f"no header; {wanted}")]) from error
    if header.format != FORMAT:
        raise HistoryError(source, [Problem("line 1", f"another format; {wanted}")])
    if header.version != VERSION:
        text = f"version {header.version} is not known; this otpspec reads version {VERSION}"
        raise HistoryError(source, [Problem("line 1", text)])


def _numbers(known: Mapping[Any, int], texts: Iterable[Any], n: int) -> npt.NDArray[np.uint32]:
    return np.fromiter(map(known.__getitem__, texts), "u4", n)


def _details(kind: npt.NDArray[np.uint8], lines: list[Line]) -> npt.NDArray[np.uint32]:
    n = len(lines)
    detail = np.zeros(n, "u4")
    sends, tries = (kind == START) | (kind == AMEND), kind == VERIFY
    if sends.any():
        detail = np.where(sends, _numbers(_ASKED, map(_GET["csc_required"], lines), n), detail)
    if tries.any():
        detail = np.where(tries, _numbers(_CSC, map(_GET["csc"], lines), n), detail)
    if (changes := kind == CHANGE_CONTACT).any():
        detail = np.where(changes, _numbers(_PROVEN, map(_GET["proven"], lines), n), detail)
    return detail


def _words(error: Exception) -> str:
    """What is wrong with a line, without a value of it."""
    text = str(error)
    if isinstance(error, msgspec.ValidationError):
        text = re.sub(r" - at `\$\.?(\w*)[^`]*`", lambda m: f" in {m[1]}" if m[1] else "", text)
        return text[:1].lower() + text[1:]
    return "not a JSON object, or cut off"


def _quoted(word: Any) -> str:
    plain = isinstance(word, str) and re.fullmatch(r"[A-Za-z_ -]{1,20}", word)
    return f'"{word}"' if plain else "the answer"


def write(history: History, path: Path, *, made_by: str = "otpspec") -> None:
    """Write a history, a line an operation; codes as the tokens that they are."""
    encode = msgspec.json.Encoder().encode
    with path.open("wb") as file:
        file.write(encode(Header(format=FORMAT, version=VERSION, made_by=made_by)) + b"\n")
        for row in history.rows:
            file.write(encode(_line(row.item(), history.names)) + b"\n")


def _line(row: Any, names: Any) -> Line:
    card, challenge, code, outcomes, kind, detail, called, returned, seen = row
    words: list[str] = sorted(unmask(outcomes))
    return Line(
        card=names[card],
        op=KINDS[kind],  # type: ignore[arg-type]
        called=called,
        returned=None if returned == inf else returned,
        answer=None if not words else words[0] if len(words) == 1 else words,
        challenge=None if challenge == NO_CHALLENGE else challenge,
        code=None if code == NO_CODE else f"#{code}",
        seen=None if seen == inf else seen,
        csc=CSCS[detail].value if kind == VERIFY else "not_asked",
        csc_required=ASKED[detail] if kind in (START, AMEND) else None,
        proven=bool(detail) if kind == CHANGE_CONTACT else None,
    )
