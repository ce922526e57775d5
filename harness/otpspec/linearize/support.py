"""Which policies do the quick ways of the judge know, and what is one on a short history?"""

from datetime import timedelta

import msgspec

from otpspec.policy import Policy

_ANY_VALUE = frozenset(
    {
        *("validity", "tolerance", "max_wrong", "success_clears_count", "resend", "lock_for"),
        *("wrong_csc", "wrong_csc_counts", "malformed_counts", "expired_counts", "lock_scope"),
        # These say nothing of what may be answered to an operation:
        *("digits", "alphabet", "csc", "max_starts", "max_resends", "tells_wrong_element"),
        *("message_names_payment", "hides_unknown_cards", "resend_after", "ignores"),
    }
)

_STRANGE = [
    (field.name, getattr(Policy(), field.name))
    for field in msgspec.structs.fields(Policy)
    if field.name not in _ANY_VALUE
]


def understood(policy: Policy) -> bool:
    """Whether every switch that is not as by default was known when this package was written.

    Where it is not, the judge asks the model for each step and takes no shortcut: a switch that is
    added to the rules, with a default that leaves them as they were, makes it slower, never wrong.
    """
    return all(getattr(policy, name) == default for name, default in _STRANGE)


def vectorised(policy: Policy) -> bool:
    """Whether the vectorised pass knows this policy's rules."""
    return understood(policy) and policy.lock_scope == "card" and not policy.expired_counts


def within(policy: Policy, seconds: float) -> Policy:
    """The same rules for a history of this length: a lock that cannot end in it has no end."""
    if policy.lock_for is None or timedelta(seconds=seconds) >= policy.lock_for:
        return policy
    return msgspec.structs.replace(policy, lock_for=None)
