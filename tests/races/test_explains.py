"""Is there an order that the rules allow? Histories in pairs: one legal, one broken by a change."""

import itertools
import random

import pytest

from otpspec.explains import Done, Legality, explains
from otpspec.model import Cancel, Operation, Resend, Start, State, Unlock, Verify, step
from otpspec.outcome import REFUSED, Outcome
from otpspec.policy import Policy

POLICY = Policy(csc="never")
BEGUN = Done(Start(0, "1", False, 0.2), 0.0, 0.1, {Outcome.DONE})
RIGHT, WRONG, NEW = Verify(0, "1"), Verify(0, "2"), Verify(0, "3")


def done(operation: Operation, called: float, returned: float, *outcomes: Outcome) -> Done:
    return Done(operation, called, returned, set(outcomes))


APPROVED, DONE, VOID = Outcome.APPROVED, Outcome.DONE, Outcome.VOID
WRONG_OTC, LOCKED, UNAVAILABLE = Outcome.WRONG_OTC, Outcome.LOCKED, Outcome.UNAVAILABLE
LOCKING = [done(WRONG, 1, 2, WRONG_OTC)] * 3
OPERATIONS = [RIGHT, RIGHT, WRONG, NEW, Resend(0, "3", 9.0), Cancel(0), Unlock()]


@pytest.mark.parametrize(
    ("legal", "broken"),
    [
        (  # used once, by one of two that overlap
            [done(RIGHT, 1, 3, APPROVED), done(RIGHT, 2, 4, VOID)],
            [done(RIGHT, 1, 3, APPROVED), done(RIGHT, 2, 4, APPROVED)],
        ),
        (  # what returned before the other was called came first
            [done(RIGHT, 1, 3, VOID), done(RIGHT, 2, 4, APPROVED)],
            [done(RIGHT, 1, 2, VOID), done(RIGHT, 3, 4, APPROVED)],
        ),
        (  # three wrong ones lock, also at once
            [done(WRONG, 1, 5, WRONG_OTC)] * 3 + [done(RIGHT, 6, 7, LOCKED)],
            [done(WRONG, 1, 5, WRONG_OTC)] * 3 + [done(RIGHT, 6, 7, APPROVED)],
        ),
        (  # a code is approved before its resend, or dead after it
            [done(RIGHT, 1, 4, APPROVED), done(Resend(0, "3", 4.0), 2, 3, VOID)],
            [done(RIGHT, 1, 4, APPROVED), done(Resend(0, "3", 4.0), 2, 3, DONE)],
        ),
        (
            [
                done(RIGHT, 1, 4, WRONG_OTC),
                done(Resend(0, "3", 4.0), 2, 3, DONE),
                done(NEW, 5, 6, APPROVED),
            ],
            [
                done(RIGHT, 1, 4, WRONG_OTC),
                done(Resend(0, "3", 4.0), 2, 3, DONE),
                done(RIGHT, 5, 6, APPROVED),
            ],
        ),
        (  # given up, or approved
            [done(RIGHT, 1, 4, APPROVED), done(Cancel(0), 2, 3, VOID)],
            [done(RIGHT, 1, 4, APPROVED), done(Cancel(0), 2, 3, DONE)],
        ),
        (  # an unlock leaves the old code dead
            [*LOCKING, done(RIGHT, 3, 5, LOCKED), done(Unlock(), 3, 4, DONE)],
            [*LOCKING, done(RIGHT, 3, 5, APPROVED), done(Unlock(), 3, 4, DONE)],
        ),
        (  # what got no answer may have been the first
            [done(RIGHT, 1, 2, UNAVAILABLE), done(RIGHT, 3, 4, VOID)],
            [done(WRONG, 1, 2, UNAVAILABLE), done(RIGHT, 3, 4, VOID)],
        ),
    ],
)  # fmt: skip
def test_legal_history_is_told_from_one_that_is_broken(
    legal: list[Done], broken: list[Done]
) -> None:
    assert explains(POLICY, [BEGUN, *legal]) is Legality.LEGAL
    assert explains(POLICY, [BEGUN, *broken]) is Legality.BROKEN


def test_history_that_is_too_much_to_look_at_is_unknown() -> None:
    crowd = [done(Verify(0, str(n)), 1, 9, UNAVAILABLE) for n in range(2, 30)]

    assert explains(POLICY, [BEGUN, *crowd, done(RIGHT, 10, 11, VOID)], budget=50) is (
        Legality.UNKNOWN
    )


def brute_force(history: list[Done]) -> bool:
    """Every order of every choice of those that may not have happened."""
    silent = [d for d in history if d.silent]
    for gone in itertools.chain.from_iterable(
        itertools.combinations(silent, n) for n in range(len(silent) + 1)
    ):
        left = [d for d in history if not any(d is g for g in gone)]
        for order in itertools.permutations(left):
            late = any(
                not b.silent and b.returned < a.called for a, b in itertools.combinations(order, 2)
            )
            if not late and _fits(order):
                return True
    return False


def _fits(order: tuple[Done, ...]) -> bool:
    states = {State()}
    for d in order:
        states = {
            after
            for state in states
            for outcome, after in step(POLICY, state, d.operation, (d.called, d.returned))
            if d.silent or outcome in d.outcomes
        }
    return bool(states)


def test_small_histories_come_to_what_every_order_says() -> None:
    rng = random.Random(6)
    found = set()
    for _ in range(600):
        history = [BEGUN]
        for _ in range(rng.randint(1, 4)):
            operation = rng.choice(
                [RIGHT, RIGHT, WRONG, NEW, Resend(0, "3", 9.0), Cancel(0), Unlock()]
            )
            called = rng.uniform(0.2, 3)
            outcomes = rng.choice(
                [{APPROVED}, {WRONG_OTC}, {VOID}, {LOCKED}, {DONE}, {UNAVAILABLE}, REFUSED]
            )
            history.append(Done(operation, called, called + rng.uniform(0, 2), outcomes))
        legality = explains(POLICY, history)
        assert (legality is Legality.LEGAL) == brute_force(history), history
        found.add(legality)
    assert found == {Legality.LEGAL, Legality.BROKEN}
