"""Statistical checks accuse no sound target: shown by seeded simulations of sound targets."""

import math
import random
import string
from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest

from otpspec import Broken
from otpspec.policy import Policy
from otpspec_scenarios.conformance import test_codes as codes_checks
from otpspec_scenarios.conformance.chance import FALSE_ALARM, at_least, uneven
from otpspec_scenarios.conformance.test_deep import CODES, PAIRS

RUNS = 30_000


def test_sign_test_is_exact() -> None:
    assert at_least(0, 10) == 1
    assert at_least(10, 10) == 2**-10
    assert at_least(6, 10) == pytest.approx((210 + 120 + 45 + 10 + 1) / 1024)


def test_fair_timings_are_never_accused_in_30_000_runs() -> None:
    rng = random.Random(1)

    slower = Counter(rng.getrandbits(PAIRS).bit_count() for _ in range(RUNS))

    accused = sum(times for heads, times in slower.items() if at_least(heads, PAIRS) <= FALSE_ALARM)
    assert accused / RUNS < 1e-4


def test_a_delay_that_shows_in_four_of_five_pairs_is_seen() -> None:
    rng = random.Random(2)
    runs = 2_000

    seen = sum(
        at_least(sum(rng.random() < 0.8 for _ in range(PAIRS)), PAIRS) <= FALSE_ALARM
        for _ in range(runs)
    )

    assert seen / runs > 0.99


def test_even_digits_are_never_accused_in_30_000_runs() -> None:
    rng = random.Random(3)

    chances = [uneven(_counts(rng)) for _ in range(RUNS)]

    assert sum(chance <= FALSE_ALARM / 6 for chance in chances) / RUNS < 1e-4 / 6
    # And the figure is what it says: one in a hundred is as uneven as one in a hundred.
    assert sum(chance <= 0.01 for chance in chances) / RUNS == pytest.approx(0.01, rel=0.15)


def test_a_digit_that_is_never_made_is_seen_nine_times_in_ten() -> None:
    rng = random.Random(4)
    runs, seen = 500, 0

    for _ in range(runs):
        counts = Counter(rng.choice("123456789") for _ in range(CODES))
        seen += uneven([counts[digit] for digit in string.digits]) <= FALSE_ALARM / 6

    assert seen / runs > 0.9


def _counts(rng: random.Random) -> list[int]:
    counts = [0] * 10
    for digit in rng.choices(range(10), k=CODES):
        counts[digit] += 1
    return counts


class Judge(SimpleNamespace):
    """As much of a trial as the checks of codes ask for."""

    policy = Policy()

    def check(self, holds: bool, *, expected: str, got: str, because: str) -> None:
        """Judge as a trial does."""
        if not holds:
            raise Broken(expected=expected, got=got, because=because)


def _accused(check: Any, codes: list[str]) -> bool:
    try:
        check(Judge(), codes)
    except Broken:
        return True
    return False


@pytest.mark.parametrize(
    "check",
    [codes_checks._check_form, codes_checks._check_steps, codes_checks._check_repeats],
    ids=["form", "steps", "repeats"],
)
def test_random_codes_are_never_accused_at_a_glance(check: Any) -> None:
    rng = random.Random(5)
    runs = 10_000

    accused = sum(_accused(check, [f"{rng.randrange(10**6):06}" for _ in range(40)])
                  for _ in range(runs))  # fmt: skip

    assert accused == 0


def test_missing_zeros_accuse_a_sound_target_once_in_100_000_runs() -> None:
    assert math.isclose(0.9**codes_checks.ENOUGH_FOR_ZEROS, 1e-5, rel_tol=0.1)


@pytest.mark.parametrize(
    ("check", "codes"),
    [
        (codes_checks._check_form, ["123456", "12345"]),
        (codes_checks._check_form, ["123456", "12345x"]),
        (codes_checks._check_steps, [f"{n:06}" for n in range(500, 524)]),
        (codes_checks._check_repeats, ["314159"] * 5 + [f"{n * 37:06}" for n in range(20)]),
        (codes_checks._check_zeros, [f"{n * 7 + 100_000:06}" for n in range(110)]),
    ],
    ids=["short", "letter", "counts up", "repeats", "no zero"],
)
def test_codes_that_are_not_random_are_accused(check: Any, codes: list[str]) -> None:
    assert _accused(check, codes)
