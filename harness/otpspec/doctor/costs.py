"""Which rules a profile cannot have checked, and what they lack."""

import re
import tomllib
from collections.abc import Iterable
from typing import NamedTuple

from otpspec.profile import Profile
from otpspec.rules import NEEDS, RULES, Need

_QUOTED = re.compile(r"`([^`]+)`(?: (other than) `([^`]+)`| (of) (\d+) or more)?")
_OPERATION = re.compile(r"\[operations\.(\w+)\]")
_CAPTURE = re.compile(r"operations\.(\w+)\.capture\.(\w+)")
_POLICY = re.compile(r"policy\.(\w+)(?: = (.+))?")


class Cost(NamedTuple):
    """What is missing, in the words of a profile, and the rules that are not applicable so."""

    lacks: str
    rules: tuple[str, ...]
    core: tuple[str, ...]  # those of SafeKey's core among them
    by_policy: bool  # a promise that is not made, and no part of the profile that is left out


def costs(profile: Profile) -> list[Cost]:
    """Everything that rules need and the profile has not, with the rules that it costs."""
    lacking: dict[str, list[Need]] = {}
    for need in NEEDS:
        for text in lacks(need, profile):
            lacking.setdefault(text, []).append(need)
    return [_cost(text, needs) for text, needs in lacking.items()]


def _cost(text: str, needs: Iterable[Need]) -> Cost:
    rules = rules_that_need(needs)
    core = tuple(rule for rule in rules if RULES[rule].core)
    return Cost(text, rules, core, text.startswith("policy."))


def rules_that_need(needs: Iterable[Need]) -> tuple[str, ...]:
    """The rules that need one of these."""
    wanted = set(needs)
    return tuple(rule.id for rule in RULES.values() if wanted & set(rule.needs))


def rules_of_operation(name: str) -> tuple[str, ...]:
    """The rules that cannot be judged where an operation is not understood.

    Without a card, a transaction and its code, none can.
    """
    needs = [need for need, words in NEEDS.items() if f"[operations.{name}]" in words]
    if needs:
        return rules_that_need(needs)
    known = ("enroll", "start", "verify", "inbox")
    return tuple(r.id for r in RULES.values()) if name in known else ()


def lacks(need: Need, profile: Profile) -> list[str]:
    """What a profile lacks of a need; the catalogue's own words for the need are what is read."""
    found = []
    for match in _QUOTED.finditer(NEEDS[need]):
        text, other_than, other, at_least = match[1], match[2], match[3], match[5]
        if operation := _OPERATION.fullmatch(text):
            there = operation[1] in profile.operations
        elif capture := _CAPTURE.fullmatch(text):
            asked = profile.operations.get(capture[1])
            there = asked is not None and any(capture[2] in s.keeps for s in asked.steps)
        elif text == "[unknown_card]":
            there = bool(profile.unknown_card)
        elif policy := _POLICY.fullmatch(text):
            there, text = _promised(profile, policy[1], policy[2], other_than and other, at_least)
        else:  # [clock], which patience replaces, and a load run
            there = True
        found += [] if there else [text]
        if "or the patience" in NEEDS[need]:
            break
    return found


def _promised(
    profile: Profile, key: str, equal: str | None, other: str | None, at_least: str | None
) -> tuple[bool, str]:
    """Whether the policy promises what a need asks for; else what it promises."""
    value = getattr(profile.policy, key)
    if equal is not None:
        there = value == _value(equal)
    elif other is not None:
        there = value != _value(other)
    elif at_least is not None:
        there = value >= int(at_least)
    else:
        there = value is not None
    if value is None:
        return there, f"policy.{key} is not declared"
    shown = str(value).lower() if isinstance(value, bool) else repr(value).replace("'", '"')
    return there, f"policy.{key} = {shown}"


def _value(text: str) -> object:
    return tomllib.loads(f"v = {text}")["v"]
