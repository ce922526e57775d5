"""Which policy is meant: a ready-made one by its name, or that of a profile."""

import tomllib
from collections.abc import Iterable
from typing import Any

from otpspec.errors import Problem, ProfileError
from otpspec.policy import POLICIES, Policy
from otpspec.profile.load import change, read_policy, text_of
from otpspec.profile.reader import Findings


def load_policy(source: str, *, changes: Iterable[str] = ()) -> Policy:
    """Read the policy of that name, or of a profile (a path, or a shipped one's name).

    Of a profile nothing else is read, so that no secret of it need be there. `changes` are single
    values like "policy.max_wrong=5". Raises ProfileError with all that is wrong with it.
    """
    document: dict[str, Any] = {"policy": {"base": source}}
    if source not in POLICIES:
        try:
            document = tomllib.loads(text_of(source, others=POLICIES))
        except tomllib.TOMLDecodeError as error:
            raise ProfileError(source, [Problem("(file)", f"not TOML: {error}")]) from error
    document = {"policy": document.get("policy", {})}
    change(source, document, changes)
    found = Findings()
    for key in document:
        if key != "policy":
            found.add(key, "says nothing of the policy; only policy.… can be set here")
    if not isinstance(document["policy"], dict):
        found.add("policy", f"expected a table, got {document['policy']!r}")
    policy = read_policy(document["policy"], found)
    if found.problems or policy is None:
        raise ProfileError(source, found.problems)
    return policy
