"""No secret that a run has learnt, and no card number at all, is left in a text."""

import json
import re

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from otpspec.cards import new_card
from otpspec.redact import Redactor

MASK = "•••"


def redactor(*secrets: object) -> Redactor:
    made = Redactor()
    made.learn(*secrets)
    return made


@pytest.mark.parametrize(
    ("secret", "text", "redacted"),
    [
        ("123456", "code 123456.", f"code {MASK}."),
        ("123456", '{"otc":"123456"}', f'{{"otc":"{MASK}"}}'),
        ("123456", "123456123456", MASK * 2),
        ("123456", "id-a123456b", f"id-a{MASK}b"),
        ("123456", "12345 6", "12345 6"),
        ("077", "csc=077&x=1", f"csc={MASK}&x=1"),
        ("077", "077", MASK),
        ("077", "1077 0770 a077 077b", "1077 0770 a077 077b"),
        ("077", "077.077/077", f"{MASK}.{MASK}/{MASK}"),
        ("1234", "Code 1234!", f"Code {MASK}!"),
        ("a-token_of-the-tests", "Bearer a-token_of-the-tests", f"Bearer {MASK}"),
        ("a.b*c(d", "x a.b*c(d y aXb", f"x {MASK} y aXb"),
        ("geheim-äß", "x geheim-äß y", f"x {MASK} y"),
    ],
)
def test_learnt_secrets_are_masked(secret: str, text: str, redacted: str) -> None:
    assert redactor(secret)(text) == redacted


def test_a_secret_is_masked_from_the_moment_it_is_learnt() -> None:
    redact = Redactor()

    assert redact("code 123456") == "code 123456"
    redact.learn("123456")
    assert redact("code 123456") == f"code {MASK}"
    redact.learn("654321")
    assert redact("codes 123456, 654321") == f"codes {MASK}, {MASK}"


def test_the_longest_of_two_secrets_is_masked_whole() -> None:
    assert redactor("123456", "123456789012")("x 123456789012 y") == f"x {MASK} y"


@pytest.mark.parametrize("value", [None, 123456, True, ["123456"], "", "  ", "1", "12", " 1 "])
def test_what_is_no_text_or_too_short_to_be_a_secret_is_not_learnt(value: object) -> None:
    text = "status 1, 12 tries, 123456, True, None"

    assert redactor(value)(text) == text


def test_secret_is_masked_as_it_stands_in_json_and_in_a_url() -> None:
    secret = 'pass "word"/ü+'
    redact = redactor(secret)

    assert redact(json.dumps({"p": secret}, ensure_ascii=False)) == f'{{"p": "{MASK}"}}'
    assert redact(json.dumps({"p": secret})) == f'{{"p": "{MASK}"}}'
    assert redact("GET /x?p=pass+%22word%22%2F%C3%BC%2B&y=1") == f"GET /x?p={MASK}&y=1"
    assert redact("GET /pass%20%22word%22%2F%C3%BC%2B/y") == f"GET /{MASK}/y"


@pytest.mark.parametrize(
    "number",
    [
        "4111111111111111", "5500000000000004", "340000000000009", "4222222222222",
        "6304000000000000000", "9999000000000004",
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "context",
    ["{}", "pan {}.", '{{"pan":"{}"}}', "a{}b", "12 {}", "{} 12", "2025-11-22 {} EUR 12", "1-{}-2"],
)
def test_card_numbers_that_were_never_learnt_are_masked(number: str, context: str) -> None:
    groups = re.findall(".{1,4}", number)
    for written in (number, " ".join(groups), "-".join(groups)):
        redacted = Redactor()(context.format(written))

        assert MASK in redacted
        assert number not in re.sub("[ -]", "", redacted)


@pytest.mark.parametrize(
    "text",
    [
        "4111111111111112",
        "1763821234.123456",
        "41111111111111111111111",
        "2025-11-22 18:26:01",
        '{"amount": 250.00, "seq": 17}',
        "7b1c9d3e-2f64-4c1a-9a2e-0d1f2a3b4c5d",
    ],
)
def test_numbers_that_are_no_card_number_stay(text: str) -> None:
    assert Redactor()(text) == text


def test_every_card_that_is_made_up_has_a_number_that_is_masked() -> None:
    for _ in range(200):
        card = new_card()
        pan = card.values["card.pan"]

        assert Redactor()(f"pan {pan}") == f"pan {MASK}"
        assert re.fullmatch(r"9999\d{12}", pan)
        assert re.fullmatch(r"[7-9][1-9]{2}", card.csc)
        assert re.fullmatch(r"[7-9]\d\d", card.wrong_csc)
        assert card.wrong_csc != card.csc
        assert {pan, card.csc, card.passphrase} <= set(card.secrets())
        assert not any(secret in repr(card) for secret in card.secrets())


SECRETS = st.lists(
    st.text("0123456789abcXYZ-_. /+", min_size=3, max_size=12).filter(
        lambda text: len(text.strip()) >= 3
    ),
    min_size=1,
    max_size=5,
)


@settings(max_examples=300, deadline=None)
@given(secrets=SECRETS, data=st.data())
@example(secrets=["123456", "789"], data=None)
@example(secrets=["ab-", "cde"], data=None)
def test_no_learnt_secret_stands_alone_in_a_redacted_text(
    secrets: list[str], data: st.DataObject | None
) -> None:
    redact = redactor(*secrets)
    piece = st.sampled_from([*secrets, " ", "-", "x", "1", '"', ": ", "é"])
    text = "".join(secrets if data is None else data.draw(st.lists(piece, max_size=12)))

    redacted = redact(text)

    for secret in secrets:
        alone = rf"(?<![0-9A-Za-z]){re.escape(secret)}(?![0-9A-Za-z])"
        assert not re.search(alone, redacted)
        assert len(secret) < 6 or secret not in redacted


@given(st.text("0123456789 -x•", max_size=60))
def test_to_redact_twice_changes_nothing_more(text: str) -> None:
    redact = redactor("123456", "077")
    once = redact(text)

    assert redact(once) == once


@given(st.text(max_size=60))
def test_text_without_secrets_stays(text: str) -> None:
    assume(sum(c.isdigit() for c in text) < 3)

    assert redactor("123456", "077")(text) == text


def test_figures_of_the_harness_itself_are_kept_though_a_3csc_is_the_same() -> None:
    redact = Redactor()
    redact.learn("601", "246810")

    assert redact.own("sent 601.0 s ago") == "sent 601.0 s ago"
    assert redact("sent 601.0 s ago") == "sent •••.0 s ago"
    assert "246810" not in redact.own("the code 246810")
