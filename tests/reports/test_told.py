"""An exchange, and a contradiction, in words."""

import pytest

from otpspec.outcome import Verdict
from otpspec.results import Evidence, Exchange
from otpspec_reports.told import contradiction, label, surely_at_once, title

from .samples import BROKEN, INCONCLUSIVE, denied, exchange, one_after_the_other, race_1, race_2


def evidence(
    exchanges: list[Exchange], contradiction: list[int], verdict: Verdict = BROKEN
) -> Evidence:
    return Evidence(scenario="s", verdict=verdict, exchanges=exchanges, contradiction=contradiction)


@pytest.mark.parametrize(
    ("one", "text"),
    [
        (denied(0, label="wrong code"), "wrong code: wrong otc"),
        (exchange(outcomes=("locked", "void")), "verify: locked or void"),
        (exchange(outcomes=()), "verify: not read"),
        (exchange(status=None, took=5.0), "verify: no answer in 5 s"),
        (exchange(label="x" * 99), "x" * 39 + "…"),
        (exchange(label="a\nb\x1b"), "a b\\x1b: approved"),
    ],
)
def test_a_bar_is_labelled_with_what_it_was_and_what_it_came_to(one: Exchange, text: str) -> None:
    assert label(one) == text


def test_a_pointer_is_told_status_times_and_lane() -> None:
    one = denied(2.0, took=0.024, lane="connection 7", label="wrong code")

    assert title(one) == (
        "wrong code: wrong otc (HTTP 403); 2.000 to 2.024 s, 24.0 ms; connection 7"
    )


def test_a_title_is_bounded_and_keeps_its_times() -> None:
    one = denied(2.0, took=0.024, lane="l" * 999, label="w" * 999)

    assert len(title(one)) <= 110
    assert "…; 2.000 to 2.024 s, 24.0 ms; " in title(one)


def test_a_contradiction_of_few_is_told_one_by_one() -> None:
    pair = [
        denied(0.3, took=0.112, label="the third wrong code"),
        exchange(0.43, took=0.072, label="the right code", lane="connection 4"),
        exchange(0.5, took=5.0, status=None),
    ]

    assert contradiction(evidence(pair, [0, 1, 2])) == (
        "Marked: the third wrong code, sent at 0.300 s, was answered wrong otc at 0.412 s; "
        "the right code (connection 4), sent at 0.430 s, was answered approved at 0.502 s; "
        "verify, sent at 0.500 s, had no answer."
    )


def test_a_contradiction_of_many_is_counted_by_kind() -> None:
    (broken,) = race_2(32).evidence

    assert contradiction(broken) == (
        "Marked: wrong code: wrong otc (32), between 2.000 and 2.052 s."
    )


def test_of_many_kinds_the_most_frequent_are_named() -> None:
    some = [denied(0, label=f"code {n}") for n in (1, 1, 1, 2, 2, 3, 4, 5, 6)]

    assert contradiction(evidence(some, list(range(9)))) == (
        "Marked: code 1: wrong otc (3), code 2: wrong otc (2), code 3: wrong otc (1), "
        "code 4: wrong otc (1), others (2), between 0.000 and 0.004 s."
    )


def test_an_inconclusive_race_says_how_far_overlap_was_proved() -> None:
    (race,) = race_1().evidence

    assert contradiction(race) == (
        "Nothing is marked: at most 1 of 8 requests was surely in flight at once."
    )


def test_where_nothing_is_known_of_overlap_nothing_is_said_of_it() -> None:
    assert contradiction(evidence([denied(0)], [], INCONCLUSIVE)) == (
        "Nothing is marked: no answer here contradicts the rule."
    )
    assert contradiction(evidence([denied(0)], [])) == ""


def test_requests_are_surely_in_flight_from_their_release_to_the_last_look() -> None:
    together = [exchange(n / 1000, took=1, unanswered_s=0.002) for n in range(4)]

    assert surely_at_once(together) == 3  # the last was released after the others were looked at
    assert surely_at_once(one_after_the_other()) == 1
    assert surely_at_once([]) == 0
