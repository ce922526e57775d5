"""Codes that are wrong, and look as if they were right."""

import random
import string
from collections.abc import Collection, Sequence

from otpspec.policy import Policy

_ENOUGH = 8
"""Letters of one kind that were seen in codes, from which on those are taken for all there are."""

_ALPHABETS = {
    "digits": string.digits,
    "letters": string.ascii_uppercase,
    "alphanumeric": string.ascii_uppercase + string.digits,
}


def wrong(
    policy: Policy,
    rng: random.Random,
    tried: Collection[str],
    *,
    like: str = "",
    seen: Sequence[str] = (),
) -> str | None:
    """A code of the right form that is none of those `tried`; None where none is left.

    `like`: a code that the target has sent, whose form is imitated, with its dashes; where none was
    seen yet, the form is the policy's. `seen`: other codes, which show what letters there are.
    """
    like = like or any_code(policy, rng)
    taken = {_plain(code) for code in tried}
    for _ in range(1000):
        code = "".join(_another(c, rng, seen) for c in like)
        if _plain(code) not in taken:
            return code
    return None


def any_code(policy: Policy, rng: random.Random) -> str:
    """A code as the policy describes it."""
    return "".join(rng.choice(_ALPHABETS[policy.alphabet]) for _ in range(policy.digits))


def _another(c: str, rng: random.Random, seen: Sequence[str]) -> str:
    """A character of the same kind; what is neither letter nor digit stays."""
    if not c.isalnum():
        return c
    kind = str.isdigit if c.isdigit() else (str.isupper if c.isupper() else str.islower)
    known = sorted({x for code in seen[-50:] for x in code if kind(x)})
    if len(known) >= _ENOUGH:
        return rng.choice(known)
    every = string.digits + string.ascii_letters
    return rng.choice([x for x in every if kind(x)])


def _plain(code: str) -> str:
    return "".join(c for c in code if c.isalnum()).upper()
