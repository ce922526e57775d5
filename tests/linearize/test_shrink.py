"""The smallest broken history is broken, cannot be smaller, and tells of what happened."""

import random

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from otpspec.history import Call
from otpspec.linearize import Legality, judge_card, names_of, shrink
from otpspec.linearize.search import judges_nothing, search
from otpspec.linearize.shrink import smallest
from otpspec.model import Start, Unlock
from otpspec.outcome import Outcome
from otpspec.policy import Policy

from .drawn import SWITCHES, call_of, play, policy_of
from .histories import OTHER, RIGHT, WRONG, call, resend, start, verify
from .test_quick import story

SAFEKEY = Policy()


def legality(policy: Policy, calls: list[Call]) -> Legality:
    return search(policy, calls, budget=1_000_000).legality


@given(st.randoms(use_true_random=False), SWITCHES)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_it_is_broken_by_its_last_answer_and_by_nothing_before(
    chance: random.Random, does: dict[str, bool]
) -> None:
    policy = policy_of(does)
    calls = [call_of(ask, row) for row, ask in enumerate(play(chance, does, most=12, wide=1.0))]
    assume(legality(policy, calls) is Legality.BROKEN)

    kept, whole = smallest(policy, calls, budget=100_000)

    assert whole
    assert {call.row for call in kept} <= {call.row for call in calls}
    assert legality(policy, kept) is Legality.BROKEN
    answered = [call for call in kept if not judges_nothing(call)]
    lost = Call(answered[-1].operation, answered[-1].called)
    before = [lost if call is answered[-1] else call for call in kept]
    assert legality(policy, before) is Legality.LEGAL


def rows(calls: list[Call]) -> list[Call]:
    return [Call(c.operation, c.called, c.returned, c.outcomes, n) for n, c in enumerate(calls)]


def kept_of(*calls: Call, policy: Policy = SAFEKEY) -> list[int]:
    kept, whole = smallest(policy, rows(list(calls)), budget=10_000)
    assert whole
    return [call.row for call in kept]


def test_what_has_no_part_in_it_is_left_out() -> None:
    noise = [c for n in range(5, 25) for c in story(n * 5.0, n, swapped=False)]
    fault = [start(), verify(RIGHT, 1, 2, "approved"), verify(RIGHT, 200, 201, "approved")]

    assert kept_of(*fault[:2], *noise, fault[2]) == [0, 1, 102]


def test_long_history_is_judged_by_its_end_where_that_is_enough() -> None:
    calls = [c for n in range(400) for c in story(n * 5.0, n, swapped=False)]
    calls.append(verify("399", 2001, 2002, "approved", number=399))

    assert kept_of(*calls) == [1995, 1998, 2000]


def test_transaction_keeps_its_start() -> None:
    kept = kept_of(start(), verify(RIGHT, 1, 2, "approved"), verify(RIGHT, 3, 4, "approved"))

    assert kept == [0, 1, 2]


def test_code_that_is_tried_keeps_what_sent_it() -> None:
    wrong = [verify(WRONG, n, n + 0.5, "wrong_otc") for n in (1, 2, 4)]

    kept = kept_of(
        start(),
        *wrong[:2],
        resend(OTHER, 3, 3.5, "done"),
        wrong[2],
        verify(OTHER, 5, 6, "approved"),
    )

    assert kept == [0, 1, 2, 3, 4, 5]


def test_failures_that_an_approval_had_cleared_do_not_add_up() -> None:
    calls = [
        start(number=1),
        verify(WRONG, 1, 1.1, "wrong_otc"),
        verify(WRONG, 2, 2.1, "wrong_otc"),
        start(2.5, number=2, code=OTHER),
        verify(OTHER, 3, 3.1, "approved", number=2),
        *[verify(WRONG, n, n + 0.1, "wrong_otc") for n in (4, 5, 6)],
        verify(RIGHT, 7, 8, "approved"),
    ]

    assert kept_of(*calls) == [0, 5, 6, 7, 8]


def test_unlocking_stays_as_long_as_what_it_cleared() -> None:
    calls = [
        start(),
        *[verify(WRONG, n, n + 0.1, "wrong_otc") for n in (1, 2, 3)],
        call(Unlock(), 4, 4.1, "done"),
        call(Start(2, OTHER, False, 5.1), 5, 5.1, "done"),
        verify(OTHER, 6, 7, "locked", number=2),
    ]

    assert kept_of(*calls) == [5, 6]


def test_answer_that_broke_it_is_the_first_that_left_no_order() -> None:
    race = [verify(RIGHT, 1, 2, "approved"), verify(RIGHT, 1, 3, "approved")]
    later = [verify(RIGHT, 4, 5, "approved"), verify(WRONG, 6, 7, "done")]

    assert kept_of(start(), *race, *later) == [0, 1, 2]


def test_budget_that_ends_early_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = [c for n in range(200) for c in story(n * 5.0, n, swapped=False)]
    calls.append(verify("199", 1001, 1002, "approved", number=199))

    for searches in (1, 5):
        monkeypatch.setattr(shrink, "SEARCHES", searches)
        _, whole = smallest(SAFEKEY, rows(calls), budget=1)
        assert not whole


@pytest.mark.parametrize("code", [RIGHT, "a-long-secret-token"])
def test_no_code_stands_in_the_words(code: str) -> None:
    found = judge_card(SAFEKEY, [start(code=code), verify(code, 1, 2, "wrong_otc")])

    told = " ".join([found.broken[0].words, *found.broken[0].lines])
    assert code not in told
    assert Outcome.WRONG_OTC.replace("_", " ") in told


@pytest.mark.parametrize(
    ("count", "name"), [(9, "9th"), (11, "11th"), (21, "21st"), (22, "22nd"), (53, "53rd")]
)
def test_tries_are_counted_as_people_count(count: int, name: str) -> None:
    tries = [verify(f"{n:06}", n, n + 0.5, "wrong_otc") for n in range(1, count + 1)]

    assert names_of([start(), *tries])[-1] == f"the {name} wrong code"
