"""The vectorised pass calls legal only what the search does, and decides most of it."""

import random
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otpspec.history import Builder, Call, History
from otpspec.linearize import reorder, support
from otpspec.linearize.quick import by_card, undecided
from otpspec.linearize.search import Legality, search
from otpspec.policy import POLICIES, Policy

from .drawn import SWITCHES, call_of, play, policy_of
from .histories import RIGHT, WRONG, start, verify

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]


def history_of(cards: list[list[Call]]) -> History:
    builder = Builder()
    for number, calls in enumerate(cards):
        for call in calls:
            builder.add(str(number), call)
    return builder.history()


def left(history: History, policy: Policy) -> set[int]:
    return set(undecided(history, policy, by_card(history)).tolist())


@pytest.mark.parametrize("hot", [0, 100], ids=["in pieces", "whole"])
@given(chance=st.randoms(use_true_random=False), does=SWITCHES)
@settings(max_examples=60, deadline=None, suppress_health_check=SLOW)
def test_what_the_vectorised_pass_calls_legal_is_legal(
    hot: int, chance: random.Random, does: dict[str, Any]
) -> None:
    does |= {"locks_challenge": False, "counts_expired": False}
    policy = policy_of(does)
    width = chance.choice([0.1, 1.0, 2.5])
    cards = [[call_of(a) for a in play(chance, does, most=12, wide=width)] for _ in range(12)]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reorder, "_HOT", hot)
        missed = left(history_of(cards), policy)

    for number in set(range(len(cards))) - missed:
        found = search(policy, cards[number], budget=1_000_000)
        assert found.legality is Legality.LEGAL, cards[number]


def test_it_decides_what_is_sequential_whatever_the_switches() -> None:
    chance = random.Random(7)
    decided = legal = 0
    for _ in range(60):
        does = {name: chance.random() < 0.5 for name in policy_switches()}
        does |= {"locks_challenge": False, "counts_expired": False, "ends_locks": False}
        policy = policy_of(does)
        cards = [[call_of(a) for a in play(chance, does, most=8, wide=0.1)] for _ in range(20)]
        answered = [[c for c in calls if c.outcomes and c.returned] for calls in cards]
        sound = {
            number
            for number, calls in enumerate(answered)
            if calls and search(policy, calls, budget=10_000).legality is Legality.LEGAL
        }
        decided += len(sound - left(history_of(answered), policy))
        legal += len(sound)

    assert legal > 500
    assert decided > 0.85 * legal  # the rest need branches that a certificate does not try


def policy_switches() -> list[str]:
    return [
        *("clears", "voids", "rotates", "ends_locks", "locks_challenge"),
        *("counts_csc", "counts_malformed", "counts_expired"),
    ]


def story(at: float, number: int, *, swapped: bool) -> list[Call]:
    """Five operations; `swapped`: the used code was called before the approval was."""
    code = str(number)
    first, second = ("void", "approved") if swapped else ("approved", "void")
    return [
        start(at, number=number, code=code),
        verify("x", at + 1, at + 1.5, "wrong_otc", number=number),
        verify("y", at + 2, at + 2.5, "wrong_otc", number=number),
        verify(code, at + 3, at + 4, first, number=number),
        verify(code, at + 3.5, at + 4.5, second, number=number),
    ]


@pytest.mark.parametrize("cards", [1, 40])
def test_overlaps_in_the_wrong_order_are_put_right(cards: int) -> None:
    stories = 400 // cards
    history = history_of(
        [
            [c for n in range(stories) for c in story(n * 5.0, n, swapped=n % 3 == 0)]
            for _ in range(cards)
        ]
    )

    assert left(history, Policy()) == set()


def test_one_broken_card_among_many_is_left_to_the_search() -> None:
    cards = [story(0.0, 1, swapped=False) for _ in range(50)]
    cards[17] = [*cards[17], verify("1", 5, 6, "approved")]

    assert left(history_of(cards), Policy()) == {17}


@pytest.mark.parametrize(
    "policy",
    [Policy(lock_scope="challenge"), Policy(expired_counts=True)],
    ids=["lock_scope", "expired_counts"],
)
def test_policy_that_it_does_not_know_is_left_to_the_search(policy: Policy) -> None:
    assert left(history_of([[start(), verify(RIGHT, 1, 2, "approved")]]), policy) == {0}


def test_lock_that_may_have_ended_is_left_to_the_search() -> None:
    locked = [start(), *[verify(WRONG, n, n + 0.5, "wrong_otc") for n in range(1, 11)]]
    short, long = verify(RIGHT, 20, 21, "locked"), verify(RIGHT, 1900, 1901, "locked")

    assert left(history_of([[*locked, short], [*locked, long]]), POLICIES["pci-dss"]) == {1}


def test_switch_that_is_new_is_left_to_the_search(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(support, "_STRANGE", [("resend", "rotate")])

    assert support.understood(Policy())
    assert not support.understood(Policy(resend="reuse"))
    assert not support.vectorised(Policy(resend="reuse"))


def test_switches_that_the_judge_knows_are_switches_of_the_policy() -> None:
    assert {field.name for field in msgspec.structs.fields(Policy)} >= support._ANY_VALUE
