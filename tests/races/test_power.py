"""Rounds, chance and how sure they make: held against the exact sums, written another way."""

import itertools
import math
from fractions import Fraction

import pytest

from otpspec.power import Power, alarm, at_least, share_caught, share_seen


@pytest.mark.parametrize(
    ("text", "rounds"),
    [("95%/5%", 59), ("95%/15%", 19), ("95%/2%", 149), ("99 % / 1 %", 459), ("50%/50%", 1)],
)
def test_power_says_how_many_clean_rounds_it_takes(text: str, rounds: int) -> None:
    power = Power.parse(text)

    assert power.rounds == rounds
    assert (1 - power.share) ** rounds <= 1 - power.sure + 1e-12
    assert (1 - power.share) ** (rounds - 1) > 1 - power.sure - 1e-12


@pytest.mark.parametrize("text", ["", "95/5", "95%", "100%/5%", "0%/5%", "95%/100%", "5%/95%/1%"])
def test_text_that_is_no_power_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(ValueError, match="is not a power") as caught:
        Power.parse(text)
    assert str(caught.value) == (
        f'"{text}" is not a power; write it like "95%/5%": seen with 95 % probability '
        "where it shows in 5 % of rounds"
    )


def test_share_that_rounds_would_have_shown_is_the_power_the_other_way_round() -> None:
    assert share_seen(59, 0.95) == pytest.approx(0.05, abs=0.001)
    assert share_seen(1, 0.95) == pytest.approx(0.95)
    assert share_seen(0, 0.95) == 1.0


def test_race_of_two_in_seventy_rounds_is_found_with_the_power_of_the_option() -> None:
    rounds = Power.parse("95%/2%").rounds

    assert 1 - (1 - 2 / 70) ** rounds > 0.98


@pytest.mark.parametrize("chances", [[0.5] * 6, [0.1, 0.9, 0.25], [1.0, 0.3], []])
def test_tail_is_the_sum_over_every_way_it_can_happen(chances: list[float]) -> None:
    exact = [Fraction(chance) for chance in chances]
    for least in range(len(chances) + 2):
        total = Fraction(0)
        for outcome in itertools.product((0, 1), repeat=len(exact)):
            if sum(outcome) >= least:
                total += math.prod(
                    (p if hit else 1 - p for p, hit in zip(exact, outcome, strict=True)),
                    start=Fraction(1),
                )
        assert at_least(least, chances) == pytest.approx(float(total), rel=1e-12)


def test_tail_is_exact_where_it_is_tiny() -> None:
    exact = sum(
        Fraction(math.comb(60, k)) * Fraction(1, 32) ** k * Fraction(31, 32) ** (60 - k)
        for k in range(25, 61)
    )

    assert at_least(25, [1 / 32] * 60) == pytest.approx(float(exact), rel=1e-12)
    assert float(exact) < 1e-20


def test_alarm_is_the_first_number_that_chance_does_not_explain() -> None:
    chances = [1 / 32] * 19

    least = alarm(chances, 1e-9)

    assert at_least(least, chances) < 1e-9 <= at_least(least - 1, chances)
    assert alarm([0.5] * 3, 1e-9) == 4  # three tries cannot be that unlikely


def test_share_that_is_caught_reaches_the_alarm_that_surely() -> None:
    share = share_caught(10, 19, 0.95)

    assert share is not None
    assert at_least(10, [share] * 19) == pytest.approx(0.95)
    assert share_caught(4, 3, 0.95) is None
