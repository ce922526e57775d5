"""The numbers and switches that a target promises, and the ready-made sets of them."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Literal, NamedTuple

import msgspec

CscAsked = Literal["never", "sometimes", "always"]


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """What a target promises; the defaults are the policy `safekey`.

    Sources: the SafeKey rules. Where they are silent (how many tries, what counts as one), the
    default is said here and each value is a switch that a profile may set.
    """

    validity: timedelta = timedelta(minutes=10)
    """How long a code lives, from its arrival. SafeKey: "valid only for 10 minutes"."""

    tolerance: timedelta = timedelta(seconds=1)
    """How much longer than `validity` a code may be accepted: many servers keep whole seconds."""

    digits: int = 6
    """How many characters a code has. OWASP ASVS 5.0 6.5.4: at least 20 bits."""

    alphabet: Literal["digits", "letters", "alphanumeric"] = "digits"
    """What the characters of a code are."""

    max_wrong: int = 3
    """N: the N-th wrong code locks the card. SafeKey: "several times"."""

    csc: CscAsked = "sometimes"
    """When the 3CSC is asked for. SafeKey: sometimes."""

    wrong_csc: Literal["void", "retry"] = "void"
    """What a wrong 3CSC does. SafeKey: the entire transaction starts again."""

    wrong_csc_counts: bool = True
    """Whether a wrong or missing 3CSC counts as a wrong try; else it could be guessed."""

    success_clears_count: bool = True
    """Whether an approval sets the count of wrong tries back to zero."""

    resend: Literal["rotate", "reuse"] = "rotate"
    """Whether a resend makes a new code, or repeats the one that is alive."""

    resend_after: timedelta = timedelta(0)
    """How long after a code was sent it may be sent again: many make the payer wait."""

    new_start: Literal["keeps", "voids"] = "keeps"
    """What a new transaction does to one of the same card that is still open."""

    ignores: tuple[Literal["spaces", "case", "separators"], ...] = ()
    """Spellings that are the same code to the target: around it, in other case, with dashes."""

    lock_for: timedelta | None = None
    """How long a lock lasts; None: until support unlocks the card. SafeKey: support."""

    lock_scope: Literal["card", "challenge"] = "card"
    """What the N-th wrong code locks: the card, or only the one challenge (its code dies)."""

    max_starts: str | None = None
    """How many transactions a card may start in which time: "5/10m". None: not declared."""

    max_resends: int | None = None
    """How often a code may be sent again in one transaction. None: not declared."""

    malformed_counts: bool = False
    """Whether malformed input counts as a wrong try."""

    expired_counts: bool = False
    """Whether a try on an expired code counts as a wrong try."""

    tells_wrong_element: bool = True
    """Whether the answer tells a wrong OTC from a wrong 3CSC. PSD2 RTS 4(3)(a): it must not."""

    message_names_payment: bool = True
    """Whether the message names amount and payee. PSD2 RTS 5(1)(a)."""

    hides_unknown_cards: bool = True
    """Whether an unknown card looks like a known one. OWASP ASVS 5.0 6.3.8."""

    @property
    def start_limit(self) -> "StartLimit | None":
        """`max_starts`, read. Raises ValueError with what to write instead."""
        return None if self.max_starts is None else StartLimit.parse(self.max_starts)


class StartLimit(NamedTuple):
    """So many transactions of a card in a time."""

    starts: int
    within: timedelta

    @classmethod
    def parse(cls, text: str) -> "StartLimit":
        """Read a text like "5/10m". Raises ValueError with what to write instead."""
        match = _START_LIMIT.fullmatch(text.strip())
        if match is None or int(match[1]) < 1 or int(match[2]) < 1:
            raise ValueError(f'"{text}" is not a limit; write it like "5/10m": 5 in 10 minutes')
        return cls(int(match[1]), int(match[2]) * _UNIT[match[3]])


_START_LIMIT = re.compile(r"([0-9]{1,6})/([0-9]{1,6})([smhd])")
_UNIT = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}

WORDS_FOR_NONE = {"lock_for": "support", "max_starts": "unlimited", "max_resends": "unlimited"}
"""What a profile writes where a value is None: TOML has no word for it."""

POLICIES: dict[str, Policy] = {
    "safekey": Policy(),
    "psd2": Policy(max_wrong=5, tells_wrong_element=False),
    "pci-dss": Policy(max_wrong=10, lock_for=timedelta(minutes=30)),
    "nist-800-63b": Policy(max_wrong=100),
    "owasp-asvs": Policy(),
}
"""The ready-made policies, by name: SafeKey's, with the limits of a standard where it has any."""

CLAUSES: dict[str, dict[str, str]] = {
    "safekey": {
        "validity": '"valid only for 10 minutes"',
        "max_wrong": "several wrong codes lock the card; how many is not said, and 3 is ours",
        "csc": "the 3CSC is asked for sometimes",
        "wrong_csc": "after a wrong 3CSC the entire transaction starts again",
        "lock_for": "support unlocks",
        "lock_scope": "the card is locked",
        "resend": '"generated every time"',
    },
    "psd2": {
        "max_wrong": "4(3)(b): at most five failures in a row",
        "wrong_csc_counts": "4(3)(b): every failure counts",
        "tells_wrong_element": "4(3)(a): it is not possible to tell which element was incorrect",
        "message_names_payment": "5(1)(a): the payer is made aware of amount and payee",
    },
    "pci-dss": {
        "max_wrong": "8.3.4: at most 10 attempts",
        "lock_for": "8.3.4: at least 30 minutes, or until the user's identity is confirmed",
    },
    "nist-800-63b": {
        "validity": "3.1.3.2: completed within ten minutes",
        "digits": "3.1.3.2: at least six decimal digits",
        "max_wrong": "3.2.2: at most 100 failures in a row",
        "lock_for": "3.2.2: disabled until it is bound anew",
        "success_clears_count": "3.2.2: after a success, failures before it are disregarded",
    },
    "owasp-asvs": {
        "validity": "6.5.5: at most 10 minutes",
        "digits": "6.5.4: at least 20 bits, six random digits",
        "hides_unknown_cards": "6.3.8: valid users cannot be deduced from answers",
    },
}
"""Which clause of its standard gives a policy a value. What is not here is as in `safekey`."""


class Limit(NamedTuple):
    """A number or switch of a standard that a target's promise must keep within."""

    clause: str
    words: str
    holds: Callable[[Policy], bool]

    def broken_by(self, policy: Policy) -> bool:
        """Whether the policy promises less than the clause asks for."""
        return not self.holds(policy)


def _six_digits(policy: Policy) -> bool:
    return policy.digits >= (6 if policy.alphabet == "digits" else 5)  # 20 bits, and 23


def _ten_minutes(policy: Policy) -> bool:
    return policy.validity <= timedelta(minutes=10)


def _one_answer(policy: Policy) -> bool:
    return policy.csc == "never" or not policy.tells_wrong_element


LIMITS: dict[str, tuple[Limit, ...]] = {
    "safekey": (),
    "psd2": (
        Limit("4(3)(a)", "tells_wrong_element = false", _one_answer),
        Limit("4(3)(b)", "max_wrong at most 5", lambda policy: policy.max_wrong <= 5),
        Limit("5(1)(a)", "message_names_payment = true", lambda p: p.message_names_payment),
    ),
    "pci-dss": (
        Limit("8.3.4", "max_wrong at most 10", lambda policy: policy.max_wrong <= 10),
        Limit(
            "8.3.4",
            'lock_for at least "30m", or "support"',
            lambda policy: policy.lock_for is None or policy.lock_for >= timedelta(minutes=30),
        ),
    ),
    "nist-800-63b": (
        Limit("3.1.3.2", 'validity at most "10m"', _ten_minutes),
        Limit("3.1.3.2", "digits at least 6", _six_digits),
        Limit("3.2.2", "max_wrong at most 100", lambda policy: policy.max_wrong <= 100),
    ),
    "owasp-asvs": (
        Limit("6.5.4", "digits at least 6", _six_digits),
        Limit("6.5.5", 'validity at most "10m"', _ten_minutes),
    ),
}
"""What the standards ask of a policy, in the words of a profile."""
