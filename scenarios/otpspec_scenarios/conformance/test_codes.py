"""ISSUE-2: codes have the declared form, and nothing about them can be foretold at a glance."""

import math
import re
import string
from collections import Counter
from itertools import pairwise

from otpspec import Trial, proves

SAMPLE = 24
AT_ONCE = 4
"""Codes that are asked for at the same time: which of them is made first is not known."""

ENOUGH_FOR_ZEROS = 110
"""So many codes without a leading zero: 0.9^110, once in 100,000 runs."""


@proves("ISSUE-2")
async def test_codes_have_the_declared_form_and_follow_no_pattern(trial: Trial) -> None:
    trial.needs_messages()
    own = [challenge.otc async for challenge in trial.many(SAMPLE, at_once=AT_ONCE)]
    # By then the other scenarios have started most of their transactions, too.
    await trial.clock.sleep_until(trial.began + 0.7 * trial.policy.validity)
    codes = list(trial.codes_seen)

    _check_form(trial, codes)
    _check_steps(trial, own)
    _check_repeats(trial, codes)
    _check_zeros(trial, codes)


def _alphabet(trial: Trial) -> str:
    letters = string.ascii_letters
    alphabets = {"digits": string.digits, "letters": letters}
    return alphabets.get(trial.policy.alphabet, letters + string.digits)


def _space(trial: Trial) -> int:
    """How many codes of the declared form there are."""
    size = {"digits": 10, "letters": 26, "alphanumeric": 36}[trial.policy.alphabet]
    return int(size**trial.policy.digits)


def _check_form(trial: Trial, codes: list[str]) -> None:
    policy = trial.policy
    bits = math.log2(_space(trial))
    trial.check(
        bits >= 19.9,  # six digits
        expected="at least 20 bits: six digits, or five letters",
        got=f"{policy.digits} {policy.alphabet}, {bits:.0f} bits",
        because="that is what the profile declares",
    )
    plain = [re.sub(r"[- ]", "", code) for code in codes]  # XXXX-XXXX is eight characters
    odd = [c for c in plain if len(c) != policy.digits or set(c) - set(_alphabet(trial))]
    trial.check(
        not odd,
        expected=f"{policy.digits} {policy.alphabet}, as declared",
        got=f"{len(odd)} of {len(codes)} codes of another form",
        because="a code has the declared form, zeros at its beginning included",
    )


def _numbers(codes: list[str]) -> list[int]:
    return [int.from_bytes(c.encode(), "big") if not c.isdigit() else int(c) for c in codes]


def _check_steps(trial: Trial, own: list[str]) -> None:
    """Random codes rise by small steps 23 times in a row never in the life of the universe."""
    numbers = _numbers(own)
    numbers = [n for i in range(0, SAMPLE, AT_ONCE) for n in sorted(numbers[i : i + AT_ONCE])]
    steps = [after - before for before, after in pairwise(numbers)]
    small = sum(0 < step <= 1000 for step in steps)
    trial.check(
        small < len(steps) // 2,
        expected="codes that follow no order",
        got=f"{small} of {len(steps)} codes are a little more than the one before",
        because="who knows one code must not know the next",
    )


def _check_repeats(trial: Trial, codes: list[str]) -> None:
    """Pairs of equal codes: about n^2/2 in the number of codes, by Poisson's law."""
    pairs = sum(times * (times - 1) // 2 for times in Counter(codes).values())
    mean = len(codes) * (len(codes) - 1) / 2 / _space(trial)
    # The chance of at least so many is less than e^-mean (e mean / pairs)^pairs (Chernoff).
    chance = math.exp(min(0.0, pairs - mean + pairs * math.log(mean / pairs))) if pairs else 1.0
    shown = max(chance, 1e-300)  # smaller numbers there are none
    trial.check(
        chance > 1e-6,
        expected="no more equal codes than chance gives",
        got=f"{pairs} pairs of equal codes among {len(codes)} (chance: under {shown:.0e})",
        because="codes are unpredictable",
    )


def _check_zeros(trial: Trial, codes: list[str]) -> None:
    if trial.policy.alphabet != "digits" or len(codes) < ENOUGH_FOR_ZEROS:
        return
    trial.check(
        any(code.startswith("0") for code in codes),
        expected="a tenth of all codes with a zero at their beginning",
        got=f"none among {len(codes)} codes",
        because="codes that are never made leave fewer to guess",
    )
