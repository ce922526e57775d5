"""Whole histories: many cards, each judged by itself, however it was decided."""

import random

import pytest

from otpspec.history import Builder, History
from otpspec.linearize import BUDGET, Judged, Legality, judge, judge_card, whole
from otpspec.policy import POLICIES, Policy

from . import oracle
from .drawn import call_of, play, policy_of
from .histories import RIGHT, WRONG, start, verify
from .test_quick import policy_switches, story


def test_every_card_is_judged_as_brute_force_judges_it() -> None:
    chance = random.Random(11)
    for _ in range(25):
        does = {name: chance.random() < 0.5 for name in policy_switches()}
        cards = [play(chance, does, most=6) for _ in range(20)]
        builder = Builder()
        for number, asks in enumerate(cards):
            for ask in asks:
                builder.add(str(number), call_of(ask))
        broken = [str(n) for n, asks in enumerate(cards) if not oracle.legal(asks, **does)]

        found = judge(builder.history(), policy_of(does), explain=0)

        assert [one.card for one in found.broken] == broken
        assert not found.unknown


def history(cards: int, *, broken: int = 0) -> History:
    builder = Builder()
    for number in range(cards):
        for call in story(0.0, 1, swapped=False):
            builder.add(f"card-{number}", call)
        if number < broken:
            builder.add(f"card-{number}", verify("1", 6.0, 7.0, "approved"))
    return builder.history()


def test_broken_outweighs_unknown_and_unknown_outweighs_legal() -> None:
    assert judge(history(3), Policy()).legality is Legality.LEGAL
    assert judge(history(3, broken=1), Policy()).legality is Legality.BROKEN
    assert Judged(1, 1, unknown=["a"]).legality is Legality.UNKNOWN


def test_only_as_many_broken_cards_are_explained_as_was_asked_for() -> None:
    found = judge(history(9, broken=4), Policy(), explain=2)

    assert [bool(one.words) for one in found.broken] == [True, True, False, False]


def test_processes_find_what_one_process_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whole, "_WORTH_A_PROCESS", 1)
    policy = Policy(lock_scope="challenge")  # all of it is searched

    alone = judge(history(40, broken=7), policy, explain=0, processes=1)
    together = judge(history(40, broken=7), policy, explain=0, processes=2)

    assert together == alone
    assert len(alone.broken) == 7


def test_card_that_is_out_of_budget_is_unknown() -> None:
    tries = [verify(str(n), 1, 9, "wrong_otc" if n < 10 else "locked") for n in range(64)]

    found = judge_card(POLICIES["pci-dss"], [start(), *tries], card="c", budget=-40)

    assert found.legality is Legality.UNKNOWN
    assert found.unknown == ["c"]


def test_race_is_judged_by_its_calls() -> None:
    race = [verify(RIGHT, 1.0, 1.5, "approved"), verify(RIGHT, 1.1, 1.6, "approved")]

    found = judge_card(Policy(), [start(), *race], card="4000", budget=BUDGET)

    assert found.broken[0].words == (
        "the right code was approved at 1.500 s; "
        "the second right code, sent at 1.100 s, was approved: no order allows this"
    )


def test_wrong_codes_of_a_locked_card_are_counted_in_words() -> None:
    wrong = [verify(WRONG, n / 10, n / 10 + 0.012, "wrong_otc") for n in (2, 3, 4)]

    found = judge_card(Policy(), [start(), *wrong, verify(RIGHT, 0.43, 0.6, "approved")])

    assert found.broken[0].words == (
        "the third wrong code was answered at 0.412 s; "
        "the right code, sent at 0.430 s, was approved: no order allows this with N = 3"
    )
    assert found.broken[0].lines == (
        "0.000 to 0.100 s  the start: done",
        "0.200 to 0.212 s  the wrong code: wrong otc",
        "0.300 to 0.312 s  the second wrong code: wrong otc",
        "0.400 to 0.412 s  the third wrong code: wrong otc",
        "0.430 to 0.600 s  the right code: approved",
    )
