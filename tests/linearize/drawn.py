"""Small histories that Hypothesis draws: played by the oracle, then spoilt or not."""

import random
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from otpspec.history import Call
from otpspec.model import (
    Amend,
    Cancel,
    ChangeContact,
    Csc,
    Malformed,
    Operation,
    Resend,
    Start,
    Unlock,
    Verify,
)
from otpspec.outcome import REFUSED, Outcome
from otpspec.policy import Policy

from . import oracle
from .oracle import LOCK, TOLERANCE, TRIES, VALIDITY, Asked

CODES = ["111111", "222222"]
KINDS = ["verify"] * 8 + ["start", "resend", "amend", "malformed", "cancel", "unlock", "change"]

SWITCHES = st.fixed_dictionaries(
    {
        name: st.booleans()
        for name in (
            *("clears", "voids", "rotates", "ends_locks", "locks_challenge"),
            *("counts_csc", "counts_malformed", "counts_expired"),
        )
    }
)


def policy_of(does: dict[str, bool]) -> Policy:
    return Policy(
        validity=timedelta(seconds=VALIDITY),
        tolerance=timedelta(seconds=TOLERANCE),
        max_wrong=TRIES,
        success_clears_count=does["clears"],
        wrong_csc_counts=does["counts_csc"],
        wrong_csc="void" if does["voids"] else "retry",
        resend="rotate" if does["rotates"] else "reuse",
        lock_for=timedelta(seconds=LOCK) if does["ends_locks"] else None,
        lock_scope="challenge" if does["locks_challenge"] else "card",
        malformed_counts=does["counts_malformed"],
        expired_counts=does["counts_expired"],
    )


@st.composite
def histories(draw: st.DrawFn, does: dict[str, bool], **options: Any) -> list[Asked]:
    """What `play` makes, with a source of chance that Hypothesis shrinks."""
    return play(draw(st.randoms(use_true_random=False)), does, **options)


def play(
    chance: random.Random, does: dict[str, bool], *, most: int, wide: float = 2.5
) -> list[Asked]:
    """A history of up to `most` operations that overlap the more, the wider they are.

    Each has an instant at which the oracle answered it. Then answers are lost, blurred, or changed.
    """
    states, now, started, history = [oracle._new()], 0.0, 0, []
    for _ in range(chance.randint(1, most)):
        now += chance.choice([0.5, 0.5, 1.0, 1.0, 2.0, 9.0, 12.0])
        kind = "start" if not started else chance.choice(KINDS if started < 3 else KINDS[:8])
        ask: Asked = {
            "operation": kind,
            "number": started if kind == "start" else chance.randrange(started),
            "code": chance.choice([*CODES, *CODES, None]),
            "otc": chance.choice(CODES),
            "csc": chance.choice(["right", "wrong", "missing", "not_asked"]),
            "asked": chance.choice([False, False, True, None]),
            "proven": chance.random() < 0.7,
            "called": now - chance.random() * wide,
            "returned": now + chance.random() * wide,
            "answers": None,
        }
        sends = kind in ("start", "resend", "amend") and chance.random() < 0.8
        ask["seen"] = ask["returned"] + 0.1 if sends else None
        started += kind == "start"
        branches = [found for state in states[:1] for found in oracle.answers(state, ask, does)]
        answer, then = chance.choice(branches)
        fate = chance.random()
        if fate < 0.07:
            ask["returned"] = None  # lost, and it happened
        elif fate < 0.12:
            ask["returned"] = chance.choice([None, ask["returned"]])
            then = states[0]  # lost on its way there, or throttled
        else:
            ask["answers"] = {answer}
            if answer not in ("approved", "done") and chance.random() < 0.2:
                ask["answers"] |= {"void", "wrong_otc", chance.choice(sorted(REFUSED))}
        states = [then]
        history.append(ask)
    if chance.random() < 0.5:
        _spoil(chance.choice(history), chance)
    return history


def _spoil(ask: Asked, chance: random.Random) -> None:
    if ask["answers"]:
        words = ["approved", "wrong_otc", "wrong_csc", "void", "locked", "expired", "done"]
        ask["answers"] = {chance.choice(words)}


def call_of(ask: Asked, row: int = -1) -> Call:
    outcomes = None if ask["answers"] is None else frozenset(map(Outcome, ask["answers"]))
    if outcomes is None and ask["returned"] is not None:
        outcomes = frozenset({Outcome.THROTTLED})
    return Call(operation_of(ask), ask["called"], ask["returned"], outcomes, row)


def operation_of(ask: Asked) -> Operation:
    number, code, seen = ask["number"], ask["code"], ask["seen"]
    match ask["operation"]:
        case "start":
            return Start(number, code, ask["asked"], seen)
        case "verify":
            return Verify(number, ask["otc"], Csc(ask["csc"]))
        case "malformed":
            return Malformed(number)
        case "resend":
            return Resend(number, code, seen)
        case "amend":
            return Amend(number, code, ask["asked"], seen)
        case "cancel":
            return Cancel(number)
        case "change":
            return ChangeContact(proven=ask["proven"])
        case _:
            return Unlock()
