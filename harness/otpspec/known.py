"""Failures that are known: a file names rules that are broken, and why that fails no run for now.

    [EXPIRY-2]
    reason = "the sweeper runs every 30 s; ticket PAY-1234"
    until = 2027-01-31

An entry must stay true. Where its rule passes again, or is still broken after the entry's last
day, the entry is at fault, and the run fails.
"""

import difflib
import tomllib
from collections.abc import Container, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from otpspec.errors import KnownFailuresError, Problem
from otpspec.outcome import Verdict
from otpspec.profile.reader import did_you_mean
from otpspec.results import KnownFailure, Results, RuleResult
from otpspec.rules import RULES

_KEYS = ("reason", "until")


class Entry(NamedTuple):
    """What the file says of one rule."""

    reason: str
    until: date | None = None  # the last day on which the rule may be broken


@dataclass(frozen=True)
class Known:
    """The failures that are known on a day."""

    source: str  # the file, as it was given
    entries: dict[str, Entry]  # by rule
    today: date


def load(source: str, *, today: date) -> Known:
    """Read a file of known failures.

    Raises KnownFailuresError with all that is wrong with it.
    """
    document = _document(source)
    problems = [one for rule_id, entry in document.items() for one in _problems(rule_id, entry)]
    if problems:
        raise KnownFailuresError(source, problems)
    return Known(source, {rule_id: Entry(**entry) for rule_id, entry in document.items()}, today)


def judge(found: Results, known: Known, *, partly: Container[str] = ()) -> Results:
    """The results, each rule that is in the file with what the file says of it.

    `partly` are the rules of which not every scenario was run: that they pass proves nothing.
    """
    rules = {rule.id: rule for rule in found.rules}
    untested: dict[str, list[str]] = {}
    for rule_id, entry in known.entries.items():
        rule = rules.get(rule_id)
        if why := _why_untested(rule, whole=found.complete and rule_id not in partly):
            untested.setdefault(why, []).append(rule_id)
        if rule is not None:
            said = KnownFailure(
                reason=entry.reason,
                until=entry.until.isoformat() if entry.until else "",
                fault="" if why else _fault(rule.verdict, entry, known),
            )
            rules[rule_id] = msgspec.structs.replace(rule, known=said)
    notes = [f"{known.source}: {', '.join(ids)} not tested: {why}" for why, ids in untested.items()]
    return msgspec.structs.replace(found, rules=list(rules.values()), notes=[*found.notes, *notes])


def _why_untested(rule: RuleResult | None, *, whole: bool) -> str:
    if rule is None:
        return "not run"
    match rule.verdict:
        case Verdict.NOT_APPLICABLE:
            return "not applicable"
        case Verdict.INCONCLUSIVE:
            return "inconclusive"
        case Verdict.PASSED if not whole:
            return "passed as far as it was run, and only a part of it was"
        case Verdict.PASSED if any(_wants_deep(one.reason) for one in rule.evidence):
            return "passed, but a part of it runs only with --deep"
    return ""


def _wants_deep(reason: str) -> bool:
    """Whether a scenario was not applicable for want of an option, and not for the target's."""
    return "--deep" in reason


def _fault(verdict: Verdict, entry: Entry, known: Known) -> str:
    if verdict is Verdict.PASSED:
        return f"passes again; remove it from {known.source}"
    if entry.until is not None and known.today > entry.until:
        return (
            f"still broken after {entry.until}; mend it, or give it a later date in {known.source}"
        )
    return ""


def _document(source: str) -> dict[str, Any]:
    try:
        return tomllib.loads(Path(source).read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        text = f"not TOML: {error}"
    except UnicodeDecodeError:
        text = "cannot be read: it is not UTF-8 text"
    except OSError as error:
        text = f"cannot be read: {error.strerror}"
    raise KnownFailuresError(source, [Problem("(file)", text)])


def _problems(rule_id: str, entry: Any) -> Iterator[Problem]:
    """What is wrong with an entry, in its own order; what it lacks comes last."""
    if rule_id not in RULES:
        near = difflib.get_close_matches(rule_id.upper(), RULES, n=1)
        hint = f"did you mean {near[0]}?" if near else "try: otpspec rules"
        yield Problem(rule_id, f"is not in the rule catalogue; {hint}")
    if not isinstance(entry, dict):
        if rule_id in RULES:
            yield Problem(
                rule_id, f'expected a table; write [{rule_id}], and below it reason = "…"'
            )
        return
    for key, value in entry.items():
        if text := _problem(key, value):
            yield Problem(f"{rule_id}.{key}", text)
    # A misspelled reason has been reported already: that the right key is missing is no news.
    if "reason" not in entry and not any(difflib.get_close_matches("reason", [k]) for k in entry):
        yield Problem(f"{rule_id}.reason", "missing; say why the rule is known to be broken")


def _problem(key: str, value: Any) -> str:
    match key, value:
        case "reason", str():
            return "" if value.strip() else "empty; say why the rule is known to be broken"
        case "reason", _:
            return f"expected text, got {value!r}"
        case "until", date() if not isinstance(value, datetime):
            return ""
        case "until", _:
            shown = f'"{value}"' if isinstance(value, str) else str(value)
            return f"{shown} is not a date; write it without quotes or time: 2027-01-31"
    return f"unknown key; {did_you_mean(key, _KEYS)}"
