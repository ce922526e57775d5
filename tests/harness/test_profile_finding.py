"""Of all the numbers in a message, the code is found."""

import re

import pytest

from otpspec.policy import Policy
from otpspec.profile import Channel, Message, schema
from otpspec.profile.finding import codes_in
from otpspec.profile.requests import Base

PATTERN = re.compile(schema.CODE)
CARD = ("9999123412341234", "+99955501234", "payer4299632674@example.com")

TEXTS = [
    "Card ending 1234: your code is 567890.",
    "Your code is 567890 for the card ending in 1234.",
    "[Duopay 95588] Order 20260711 of EUR 12.00, card tail 4711: code: 567890, valid 5 min. "
    "Help: 4008 123 4567",
    "567890 is your code. Reference 482913.",
    "Ref 482913. OTP: 567890",
    "Order no. 482913\n\n567890\n\nTell it to nobody.",
    "Welcome!\nUse this code: 567890\nOr this link:\nhttp://127.0.0.1:18451/in?id=ae9f&code=567890",
    "It goes to http://127.0.0.1:184510/x. Your passcode: 567890",
    "We sent 250000 EUR? No: confirm EUR 12.00 by 567890.",
    "Call 555123 if it was not you. 567890 is your one-time password.",
    "567 890 is your code. Call 0800 554433.",
    "Your code: 567-890",
    "<#> 567890 ist Ihr Code. FA+9qCX9VSu",
]


@pytest.mark.parametrize("text", TEXTS)
def test_code_is_found_among_other_numbers(text: str) -> None:
    assert codes_in(text, PATTERN, 6, CARD) == ["567890"]


def test_code_as_short_as_the_shown_digits_of_the_card_is_not_taken_for_them() -> None:
    assert codes_in("Card 1234, 12.00 EUR: 5678", PATTERN, 4, CARD) == ["5678"]
    assert codes_in("We texted …1234: 5678", PATTERN, 4, CARD) == ["5678"]


def test_code_of_another_length_than_declared_is_found_where_there_is_no_better_one() -> None:
    assert codes_in("Card ending 1234: your code is 56789.", PATTERN, 6, CARD) == ["56789"]


def test_code_that_equals_the_shown_digits_is_found_where_it_is_alone() -> None:
    assert codes_in("Your code is 1234", PATTERN, 4, CARD) == ["1234"]


def test_where_nothing_tells_numbers_apart_all_are_told() -> None:
    assert codes_in("567890 or 123456", PATTERN, 6, ()) == ["567890", "123456"]


def test_pattern_of_the_profiles_own_is_taken_at_its_word() -> None:
    settings = schema.SmsInbox(code=r"tail (\d{4})")
    channel = Channel(settings, Base("http://127.0.0.1", ""), Policy())

    assert channel.code(Message("1", "card tail 4711: your code is 567890")) == "4711"


def test_groups_of_a_pattern_are_the_parts_of_the_code() -> None:
    def code(pattern: str, text: str) -> str | None:
        channel = Channel(schema.SmsInbox(code=pattern), Base("http://127.0.0.1", ""), Policy())
        return channel.code(Message("1", text))

    assert code(r"(\d{3})[ -](\d{3})", "Code 567 890, call 123 456") == "567890"
    assert code(r"(\d{6})( again)?", "567890 again") == "567890"
