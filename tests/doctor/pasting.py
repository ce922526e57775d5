"""Pastes what doctor suggests into a profile, as a person would: by its place, and nothing else."""

import re
from importlib import resources
from typing import Any

REFERENCE = (resources.files("otpspec.profile") / "shipped" / "safekey-reference.toml").read_text(
    "utf-8"
)


def changed(*changes: tuple[str, str]) -> str:
    """The reference server's profile with pieces of it replaced, each of which is there once."""
    text = REFERENCE
    for old, new in changes:
        assert text.count(old) == 1, f"{old!r} is in the profile {text.count(old)} times"
        text = text.replace(old, new)
    return text


def suggestions(found: dict[str, Any]) -> list[dict[str, Any]]:
    """Everything that doctor is sure of, in the order in which it stands there."""
    steps = [one for step in found["steps"] for one in step["suggestions"]]
    warned = [w["suggestion"] for w in found["warnings"] if w["suggestion"]]
    return [one for one in (*steps, *warned) if one["sure"] and one["toml"]]


def pasted(profile: str, found: dict[str, Any]) -> str:
    """The profile with all of it pasted."""
    for one in suggestions(found):
        profile = paste(profile, one["place"], one["toml"], one["how"])
    return profile


def paste(profile: str, place: str, toml: str, how: str) -> str:
    """The profile with one line pasted."""
    table, _, key = place.rpartition(".")
    if key == "answers":
        return _into_answers(profile, table, toml, last="last" in how)
    if key == "capture":
        return _into_capture(profile, table, toml)
    return _into_table(profile, place, toml)


def _section(profile: str, table: str) -> tuple[int, int]:
    """Where a table is; "operations.enroll[1]" is the second of a list."""
    name, _, number = table.removesuffix("]").partition("[")
    header = rf"(?m)^\[{re.escape(name)}\]" if not number else rf"(?m)^\[\[{re.escape(name)}\]\]"
    begin = [found.start() for found in re.finditer(header, profile)][int(number or 0)]
    end = profile.find("\n[", begin + 1)
    return begin, len(profile) if end < 0 else end


def _into_answers(profile: str, table: str, toml: str, *, last: bool) -> str:
    begin, end = _section(profile, table)
    body = profile[begin:end]
    at = body.rindex("]") if last else body.index("answers = [") + len("answers = [")
    return profile[:begin] + body[:at] + f"\n    {toml},\n" + body[at:] + profile[end:]


def _into_capture(profile: str, table: str, toml: str) -> str:
    begin, end = _section(profile, table)
    body, name = profile[begin:end], toml.partition(" =")[0]
    changed, count = re.subn(
        rf"(capture = \{{.*?)\b{name} = (\"[^\"]*\"|\{{[^}}]*\}})", lambda m: m[1] + toml, body
    )
    assert count == 1, body
    return profile[:begin] + changed + profile[end:]


def _into_table(profile: str, table: str, toml: str) -> str:
    begin, end = _section(profile, table)
    lines, name = profile[begin:end].split("\n"), toml.partition(" =")[0]
    kept = [line for line in lines[1:] if not line.startswith(f"{name} =")]
    return profile[:begin] + "\n".join([lines[0], toml, *kept]) + profile[end:]
