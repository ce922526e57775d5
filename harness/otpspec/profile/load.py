"""Finding a profile and reading it whole, or saying all that is wrong with it."""

import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any, get_type_hints

import msgspec

from otpspec.errors import Problem, ProfileError
from otpspec.policy import POLICIES, WORDS_FOR_NONE, Policy
from otpspec.profile import cards, reader, schema
from otpspec.profile.adapter import fit
from otpspec.profile.checks import check, check_operations, check_policy, check_waivers
from otpspec.profile.compiled import Profile
from otpspec.profile.places import escaped
from otpspec.profile.reader import Findings

_ENV = re.compile(r"\{env\.([A-Za-z_]\w*)\}")
_MAY_HAVE_PLACES = re.compile(
    r"(operations\.\w+(\[\d+\])?|clock\.\w+|target\.version|inbox(\[\d+\])?\.poll)"
    rf"\.({'|'.join(schema.TEXTS)})\b|inbox(\[\d+\])?\.(command|secret|otc)\b"
)


def shipped() -> list[str]:
    """The names of the profiles that come with otpspec."""
    folder = resources.files("otpspec.profile") / "shipped"
    return sorted(
        f.name.removesuffix(".toml") for f in folder.iterdir() if f.name.endswith(".toml")
    )


def load(
    source: str,
    *,
    base_url: str | None = None,
    changes: Iterable[str] = (),
    environ: Mapping[str, str] = os.environ,
) -> Profile:
    """Read a profile from a path, or by the name of a shipped one.

    `base_url` replaces the profile's; `changes` are single values that do, like
    "policy.validity=8s". Raises ProfileError with all that is wrong with it.
    """
    try:
        document = tomllib.loads(text_of(source))
    except tomllib.TOMLDecodeError as error:
        raise ProfileError(source, [Problem("(file)", f"not TOML: {error}")]) from error
    if base_url is not None:
        _set(source, document, "target.base_url", base_url)
    change(source, document, changes)
    found = reader.Findings()
    secrets: dict[str, str] = {}
    document = _with_environment(document, "", environ, secrets, found)
    read = reader.decode(schema.Profile, document, "", found)
    policy = read_policy(document.get("policy", {}), found)
    check(found)
    check_waivers(document.get("waive", {}), found)
    operations, listed = found.tables.get("operations"), found.tables.get("cards", schema.Cards())
    if isinstance(operations, schema.Operations):
        check_operations(operations, found)
    assert isinstance(listed, schema.Cards)  # noqa: S101 - what stands there is one
    rows = cards.read(listed, Path(source).parent, found)
    if document.get("inbox") == []:
        found.add("inbox", "empty; describe where the codes come, in a table [[inbox]]")
    if read is not reader.BAD and policy is not None:
        cards.check(rows, read, policy, found)
    if found.problems or policy is None:
        raise ProfileError(source, [_without(secrets, problem) for problem in found.problems])
    profile = Profile(source, read, policy, secrets=frozenset(secrets), cards=rows)
    fit(profile)
    return profile


def change(source: str, document: dict[str, Any], changes: Iterable[str]) -> None:
    """Set single values of a document, each given like "policy.validity=8s"."""
    for one in changes:
        key, equals, value = one.partition("=")
        if not equals:
            text = f'"{one}" changes nothing; write it like "policy.validity=8s"'
            raise ProfileError(source, [Problem("(change)", text)])
        _set(source, document, key.strip(), _value(value.strip()))


def _set(source: str, document: dict[str, Any], key: str, value: Any) -> None:
    *tables, last = key.split(".")
    for name in tables:
        document = document.setdefault(name, {})
        if not isinstance(document, dict):
            raise ProfileError(source, [Problem(key, f"cannot be set: {name} is not a table")])
    document[last] = value


def _value(text: str) -> Any:
    """A value as TOML writes it; anything else is text: 8s, real, http://…"""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def text_of(source: str, *, others: Iterable[str] = ()) -> str:
    """The text of a profile. `others`: what else the source might have been the name of."""
    path = Path(source)
    try:
        if path.suffix == ".toml" or path.exists():
            return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ProfileError(source, [Problem("(file)", f"cannot be read: {reason}")]) from error
    if source in shipped():
        return (resources.files("otpspec.profile") / "shipped" / f"{source}.toml").read_text(
            "utf-8"
        )
    hint = reader.did_you_mean(source, [*others, *shipped()])
    kinds = "a file, a policy, nor" if others else "a file nor"
    text = f"neither {kinds} a shipped profile; {hint}"
    raise ProfileError(source, [Problem("(profile)", text)])


def _with_environment(
    node: Any, place: str, environ: Mapping[str, str], secrets: dict[str, str], found: Findings
) -> Any:
    """The document with {env.NAME} filled in; the values that were used are secrets, by name."""
    if isinstance(node, dict):
        prefix = f"{place}." if place else ""
        return {
            k: _with_environment(v, f"{prefix}{k}", environ, secrets, found)
            for k, v in node.items()
        }
    if isinstance(node, list):
        return [
            _with_environment(v, f"{place}[{i}]", environ, secrets, found)
            for i, v in enumerate(node)
        ]
    if not isinstance(node, str):
        return node

    def fill(match: re.Match[str]) -> str:
        value = environ.get(match[1], "")
        text = f"the environment variable {match[1]} is not set; try: export {match[1]}=…"
        if not value and text not in (problem.text for problem in found.problems):
            found.add(place, text)
        secrets[value] = match[1]
        return escaped(value) if _MAY_HAVE_PLACES.match(place) else value

    return _ENV.sub(fill, node)


def _without(secrets: Mapping[str, str], problem: Problem) -> Problem:
    """A mistake as it may be shown: what came from the environment stands there by its name."""
    names = {
        spelling: name
        for value, name in secrets.items()
        if len(value) > 2  # as in reports, which would lose every 1 by a secret "1"
        for spelling in (value, escaped(value), repr(value)[1:-1])
    }
    if not names:
        return problem
    longest_first = sorted(names, key=len, reverse=True)
    values = re.compile("|".join(map(re.escape, longest_first)))
    return Problem(problem.place, values.sub(lambda m: f"{{env.{names[m[0]]}}}", problem.text))


def read_policy(table: Any, found: Findings) -> Policy | None:
    """The policy that a profile's table says; what is wrong with it is added to what is `found`."""
    if not isinstance(table, dict):
        return None  # the reader has said so
    name = reader.decode(str, table.get("base", "safekey"), "policy.base", found)
    if name is reader.BAD:
        return None
    if name not in POLICIES:
        hint = reader.did_you_mean(name, POLICIES)
        found.add("policy.base", f'"{name}" is not a policy; {hint}')
        return None
    hints = get_type_hints(Policy)
    changes: dict[str, Any] = {}
    before = len(found.problems)
    for key, value in table.items():
        if key == "base":
            continue
        if key not in hints:
            hint = reader.did_you_mean(key, hints)
            found.add(f"policy.{key}", f"unknown key; {hint}")
            continue
        if value == WORDS_FOR_NONE.get(key, reader.BAD):
            changes[key] = None
        else:
            changes[key] = reader.decode(hints[key], value, f"policy.{key}", found)
    if len(found.problems) > before:
        return None
    policy = msgspec.structs.replace(POLICIES[name], **changes)
    check_policy(policy, found)
    return policy
