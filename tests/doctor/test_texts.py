"""Which part of a message is its code, and what it says besides."""

import re
from datetime import timedelta

import pytest

from otpspec.doctor import texts
from otpspec.policy import Policy

SIX = Policy()
EIGHT_LETTERS = Policy(digits=8, alphabet="letters")
MIXED = Policy(digits=6, alphabet="alphanumeric")


@pytest.mark.parametrize(
    ("text", "policy", "code", "pattern"),
    [
        ("Your code is 481516.", SIX, "481516", r"\b(\d{6})\b"),
        (
            "SafeKey: 481516 is your code for EUR 12.00 at shop. It is valid for 10 minutes.",
            SIX, "481516", r"\b(\d{6})\b",
        ),
        (
            "Order 123456: your code is 481516. Call 0800 123456 for help.",
            SIX, "481516", r"\bis\s*(\d{6})\b",
        ),
        ("Code: 4815", SIX, "4815", r"\b(\d{4})\b"),
        ("G-481516 is your code", SIX, "481516", r"\b(\d{6})\b"),
        ("Your code:\n\n481 516\n\nPay EUR 1200 to shop.", SIX, "481 516", r"\b(\d{3} \d{3})\b"),
        (
            "otpspec: ABCD-EFGH confirms 12.00 EUR.",
            EIGHT_LETTERS, "ABCD-EFGH", r"\b([A-Z]{4}-[A-Z]{4})\b",
        ),
        ("Your password is HJKLMNPQ", EIGHT_LETTERS, "HJKLMNPQ", r"\b([A-Z]{8})\b"),
        ("Use code k7f3x2 to sign in", MIXED, "k7f3x2", r"\b([a-z0-9]{6})\b"),
        ("2026-05-01 10:15 code 481516 amount 250.00", SIX, "481516", r"\b(\d{6})\b"),
        ("Paying 123456 EUR? Code 481516", SIX, "481516", r"\bCode\s*(\d{6})\b"),
    ],
)  # fmt: skip
def test_the_code_is_told_from_other_numbers(
    text: str, policy: Policy, code: str, pattern: str
) -> None:
    first = texts.candidates(text, policy)[0]

    assert (first.code, first.pattern) == (code, pattern)
    match = re.search(first.pattern, text)
    assert match is not None
    assert match[1] == code


@pytest.mark.parametrize(
    "text", ["", "Your contact was changed.", "EUR 12.00 paid", "+99912345678"]
)
def test_no_code_is_seen_where_there_is_none(text: str) -> None:
    assert texts.candidates(text, SIX) == []


def test_digits_and_codes_are_masked_in_what_is_shown() -> None:
    text = "Code ABCD-EFGH, EUR 12.00, until 10:15"

    assert texts.masked(text, "ABCD-EFGH") == "Code ••••-••••, EUR ••.••, until ••:••"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("481516", "6 digits"),
        ("ABCD-EFGH", "8 letters (••••-••••)"),
        ("k7f3x2", "6 letters and digits"),
    ],
)
def test_a_code_is_described_without_being_told(code: str, words: str) -> None:
    assert texts.in_words(code) == words


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("You have 2 tries left.", 2),
        ("3 attempts remaining", 3),
        ("1 more try", 1),
        ("Wrong code.", None),
    ],
)
def test_tries_left_are_read_from_a_sentence(text: str, left: int | None) -> None:
    assert texts.tries_left(text) == left


def test_lengths_of_time_are_read_from_a_message() -> None:
    text = "Code 123456, valid for 10 minutes; or 90 s. Pay 12.00 EUR."

    assert texts.spans_named(text) == [timedelta(minutes=10), timedelta(seconds=90)]
