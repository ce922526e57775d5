"""The command line: text to settings, with all that is wrong with it said at once."""

import argparse
import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, NoReturn, TypeVar

from otpspec_reference.mutants import MUTANTS
from otpspec_reference.settings import Alphabet, CscPolicy, Deliver, Resend, Settings, StartLimit

PROGRAM = "python -m otpspec_reference"

_UNITS = {"s": 1, "m": 60, "h": 3600, "": 1}
_LENGTH = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?)([smh]?)")

Word = TypeVar("Word", bound=StrEnum)


class UsageError(Exception):
    """What is wrong with the command line: one line for each problem."""

    def __init__(self, problems: Sequence[tuple[str, str]]) -> None:
        width = max(len(where) for where, _ in problems)
        lines = [f"  {where:{width}}  {what}" for where, what in problems]
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        head = f"otpspec reference server: {count} on the command line"
        super().__init__("\n".join([head, *lines, f"Try: {PROGRAM} --help"]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Arguments:
    """What the command line asks for."""

    host: str
    port: int
    settings: Settings
    list_mutants: bool


def length(text: str) -> timedelta:
    """A length of time: `10m`, `8s`, `1h`, or bare seconds."""
    match = _LENGTH.fullmatch(text)
    if match is None:
        raise ValueError("not a length of time; write 10m, 90s, 1h or 600 (seconds)")
    found = timedelta(seconds=float(match[1]) * _UNITS[match[2]])
    if not timedelta(seconds=1) <= found <= timedelta(days=366):
        raise ValueError("out of range; write a length from 1s to 8784h (a year)")
    return found


def whole(low: int, high: int) -> Callable[[str], int]:
    """Reads a whole number in a range."""

    def read(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text) or not low <= int(text) <= high:
            raise ValueError(f"not a whole number from {low} to {high}")
        return int(text)

    return read


def rate(text: str) -> float:
    """Reads how many times as fast as real time the clock runs."""
    if not re.fullmatch(r"[0-9]{1,7}(\.[0-9]{1,6})?", text) or not 0 < float(text) <= 1e6:
        raise ValueError("not a rate; write a number above 0, 60 for a minute a second")
    return float(text)


def start_limit(text: str) -> StartLimit:
    """Reads `5/10m`: so many starts in such a span of time."""
    starts, slash, within = text.partition("/")
    if not slash:
        raise ValueError("not a limit; write 5/10m for five starts in any ten minutes")
    return StartLimit(whole(1, 1_000_000)(starts), length(within))


def one_of(words: type[Word]) -> Callable[[str], Word]:
    """Reads a word of a list."""

    def read(text: str) -> Word:
        try:
            return words(text)
        except ValueError:
            raise ValueError("not one of " + ", ".join(words)) from None

    return read


def mutant(text: str) -> str:
    """Reads the name of a mutant."""
    if text not in MUTANTS:
        guess = did_you_mean(text, list(MUTANTS))
        raise ValueError("no such mutant; " + (guess or "--list-mutants shows all"))
    return text


def did_you_mean(text: str, words: Sequence[str]) -> str | None:
    """The nearest of the words, as a question."""
    near = difflib.get_close_matches(text, words, n=1)
    return f"did you mean {near[0]}?" if near else None


@dataclass(frozen=True, slots=True)
class Option:
    """An option that takes a value."""

    read: Callable[[str], Any]
    shown: str
    help: str


VALUES: dict[str, Option] = {
    "host": Option(str, "HOST", "where to listen (127.0.0.1)"),
    "port": Option(whole(0, 65535), "PORT", "0 for a free one (8000)"),
    "validity": Option(length, "TIME", "how long a code is good: 10m, 8s, 600 (10m)"),
    "max_wrong": Option(whole(1, 100), "N", "the failure that locks the card (3)"),
    "digits": Option(whole(6, 10), "N", "length of a code (6)"),
    "alphabet": Option(one_of(Alphabet), "WHAT", "digits or letters, A to Z (digits)"),
    "csc": Option(one_of(CscPolicy), "WHEN", "ask for the 3CSC: never, sometimes, always"
                  " (sometimes: from 100.00)"),
    "deliver": Option(one_of(Deliver), "WHERE", "phone, or both: e-mail too (phone)"),
    "resend": Option(one_of(Resend), "HOW", "rotate: a new code; reuse: the same (rotate)"),
    "lock_for": Option(length, "TIME", "a lock ends after it (only support ends it)"),
    "max_starts": Option(start_limit, "N/TIME", "starts of a card, as 5/10m (no limit)"),
    "max_resends": Option(whole(0, 1000), "N", "codes sent again in a transaction (no limit)"),
    "clock_rate": Option(rate, "R", "run so many times as fast as real time (1)"),
    "mutant": Option(mutant, "NAME", "break one decision on purpose"),
}  # fmt: skip

SWITCHES = {
    "merge_failures": "one answer for a wrong OTC and a wrong 3CSC",
    "hide_unknown_cards": "an unknown card looks like a known one",
    "test_hooks": "outbox, clock and reset under /test, for who has the token",
    "list_mutants": "print name, rule and sentence of each mutant, and end",
}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        where, _, what = message.removeprefix("argument ").partition(": ")
        raise UsageError([(where, what or "not understood")])


def parser() -> argparse.ArgumentParser:
    """The options and their help. Values are read later, so that all problems are found."""
    made = _Parser(
        prog=PROGRAM,
        description="The SafeKey rules as a small server, strict or broken on purpose.",
        epilog="Tokens: OTPSPEC_TEST_TOKEN and OTPSPEC_SUPPORT_TOKEN in the environment, else"
        " random ones, which are printed once.",
        allow_abbrev=False,
    )
    for name, option in VALUES.items():
        made.add_argument(_flag(name), metavar=option.shown, help=option.help)
    for name, said in SWITCHES.items():
        made.add_argument(_flag(name), action="store_true", help=said)
    return made


def read(argv: Sequence[str] | None, environment: Mapping[str, str]) -> Arguments:
    """The command line as typed values. Raises UsageError, which says all that is wrong."""
    found, unknown = parser().parse_known_args(argv)
    flags = [word for word in unknown if word.startswith("-")]
    problems = [(word, _unknown(word)) for word in flags or unknown]
    values: dict[str, Any] = {}
    for name, option in VALUES.items():
        text = getattr(found, name)
        if text is None:
            continue
        try:
            values[name] = option.read(text)
        except ValueError as error:
            problems.append((f"{_flag(name)} {text}", str(error)))
    if problems:
        raise UsageError(problems)

    switches = {name: getattr(found, name) for name in SWITCHES}
    for name in ("test_token", "support_token"):
        if token := environment.get("OTPSPEC_" + name.upper()):
            values[name] = token
    return Arguments(
        host=values.pop("host", "127.0.0.1"),
        port=values.pop("port", 8000),
        list_mutants=switches.pop("list_mutants"),
        settings=Settings(**values, **switches),
    )


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _unknown(word: str) -> str:
    if not word.startswith("-"):
        return "not an option, and none takes it as its value"
    flags = [_flag(name) for name in [*VALUES, *SWITCHES]]
    guess = did_you_mean(word.partition("=")[0], flags)
    return "unknown option" + (f"; {guess}" if guess else "")
