"""Wrong codes look like right ones, and were never tried in any spelling."""

import itertools
import random

import pytest

from otpspec import codes
from otpspec.policy import Policy


def wrong(
    *tried: str, like: str = "", seed: int = 1, seen: tuple[str, ...] = (), **policy: object
) -> str | None:
    return codes.wrong(
        Policy(**policy), random.Random(seed), tried, like=like, seen=seen  # type: ignore[arg-type]
    )  # fmt: skip


def form(code: str) -> str:
    """'A-1' for 'X-7': which kind each character is of."""
    kinds = ((str.isdigit, "1"), (str.isupper, "A"), (str.islower, "a"))
    return "".join(next((sign for kind, sign in kinds if kind(c)), c) for c in code)


@pytest.mark.parametrize(
    "like",
    [
        "123456",
        "0000",
        "ABCDEF",
        "abcdef",
        "aBcDeF",
        "A1B2-C3D4",
        "12 34 56",
        "G-482913",
        "x_1.2/3",
    ],
)
@pytest.mark.parametrize("seed", range(20))
def test_wrong_code_has_the_form_of_one_that_was_sent(like: str, seed: int) -> None:
    code = wrong(like, like=like, seed=seed)

    assert code is not None
    assert code != like
    assert form(code) == form(like)


@pytest.mark.parametrize(
    ("alphabet", "digits", "kinds"),
    [("digits", 6, "1"), ("digits", 4, "1"), ("letters", 8, "A"), ("alphanumeric", 40, "1A")],
)
def test_before_any_was_sent_its_form_is_the_policys(
    alphabet: str, digits: int, kinds: str
) -> None:
    made = [wrong(seed=seed, alphabet=alphabet, digits=digits) for seed in range(20)]

    assert {len(code or "") for code in made} == {digits}
    assert {sign for code in made for sign in form(code or "?")} == set(kinds)


def test_wrong_code_is_none_that_was_tried() -> None:
    tried = [f"{n:02}" for n in range(100) if n != 37]

    assert wrong(*tried, like="12") == "37"


def test_wrong_code_is_none_that_was_tried_in_another_spelling() -> None:
    spellings = ("a-{}", "A{}", " a {} ", "a{}\n", "-A-{}-")
    others = (c + str(n) for c in "BCDEFGHIJKLMNOPQRSTUVWXYZ" for n in range(10))
    tried = [*(spellings[n % 5].format(n) for n in range(9)), *others]

    assert wrong(*tried, like="B-1") == "A-9"


def test_there_is_no_wrong_code_where_none_is_left() -> None:
    assert wrong(*map(str, range(10)), like="1") is None
    assert wrong(*map(str, range(10)), like="1-") is None
    assert wrong("--", like="--") is None
    assert wrong(*map(str, range(10)), digits=1) is None


def test_letters_that_targets_leave_out_are_left_out_once_enough_were_seen() -> None:
    seen = tuple("".join(pair) for pair in itertools.pairwise("ACDEFGHJKLMNPQRTUVWXYZ"))
    few = ("AB", "CD")

    with_many = {c for seed in range(50) for c in wrong(like="AAAAAA", seen=seen, seed=seed) or ""}
    with_few = {c for seed in range(50) for c in wrong(like="AAAAAA", seen=few, seed=seed) or ""}

    assert not with_many & set("BIOS")
    assert with_few >= set("BIOS")


def test_digits_that_were_seen_say_nothing_of_letters() -> None:
    code = wrong(like="AB-12", seen=("0123456789",))

    assert code is not None
    assert form(code) == "AA-11"


def test_same_seed_gives_the_same_code() -> None:
    assert wrong(seed=7) == wrong(seed=7) != wrong(seed=8)
