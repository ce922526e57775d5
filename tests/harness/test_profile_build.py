"""A profile builds requests: places are filled, and nothing gets out of its place."""

import json
from pathlib import Path
from typing import Any

import pytest

from otpspec.profile import MISSING, Profile, Request, UnsayableError

from .samples import read

ENROLL = 'json = { pan = "{card.pan}", phone = "{card.phone}" }'
VALUES = {"card.pan": "4111", "card.phone": "+999", "card.id": "c-1"}


def enroll(folder: Path, tables: str, **extra: Any) -> Request:
    """The request of an operation that the profile describes so."""
    return read(folder, (ENROLL, tables)).build("enroll", {**VALUES, "card.csc": "077"}, **extra)


def verify(folder: Path, **values: Any) -> Request:
    """The request of a verify with these values."""
    everything = {**VALUES, "challenge.id": "t-1", "otc": "012345", "csc": "077", **values}
    return read(folder).build("verify", everything)


@pytest.fixture
def profile(tmp_path: Path) -> Profile:
    return read(tmp_path)


@pytest.mark.parametrize(
    "otc", ["012345", 12345, 1.5, True, None, "", [], {}, ["1", 2], {"a": None}, "1\r\n2", "٠١٢"]
)
def test_a_text_that_is_one_place_keeps_the_type_of_its_value(tmp_path: Path, otc: Any) -> None:
    assert json.loads(verify(tmp_path, otc=otc).body) == {"otc": otc, "csc": "077"}


def test_a_key_whose_value_is_missing_is_left_out(tmp_path: Path) -> None:
    assert verify(tmp_path, csc=MISSING).body == b'{"otc":"012345"}'
    assert verify(tmp_path, csc=MISSING, otc=MISSING).body == b"{}"


def test_missing_is_left_out_wherever_it_stands(tmp_path: Path) -> None:
    tables = (
        'json = { card = { csc = "{card.csc}", all = ["{card.csc}", 1] }, a = "csc {card.csc}" }\n'
        'query = { csc = "{card.csc}", text = "csc {card.csc}", kept = "1" }\n'
        'headers = { X-Csc = "{card.csc}", X-Text = "csc {card.csc}", X-Kept = "1" }'
    )

    request = read(tmp_path, (ENROLL, tables)).build("enroll", {"card.csc": MISSING})

    assert json.loads(request.body) == {"card": {"all": [1]}}
    assert request.target == "/cards?kept=1"
    assert dict(request.headers) == {"Content-Type": "application/json", "X-Kept": "1"}


def test_missing_is_nothing_in_a_path(tmp_path: Path) -> None:
    request = verify(tmp_path, **{"challenge.id": MISSING})

    assert request.target == "/transactions//verify"


def test_a_place_in_a_longer_text_is_filled_as_text(tmp_path: Path) -> None:
    request = enroll(tmp_path, 'json = { note = "pan {card.pan}, csc {card.csc}{card.csc}" }')

    assert json.loads(request.body) == {"note": "pan 4111, csc 077077"}


def test_what_is_no_text_stays_as_it_is(tmp_path: Path) -> None:
    request = enroll(tmp_path, 'json = { n = 1, x = 1.5, yes = true, list = [1, "{card.csc}"] }')

    assert json.loads(request.body) == {"n": 1, "x": 1.5, "yes": True, "list": [1, "077"]}


@pytest.mark.parametrize(
    ("value", "quoted"),
    [
        ("../../support", "..%2F..%2Fsupport"),
        ("a b?c=1#d", "a%20b%3Fc%3D1%23d"),
        ("a\r\nHost: evil", "a%0D%0AHost%3A%20evil"),
        ("50%25", "50%2525"),
        ("ä{x}", "%C3%A4%7Bx%7D"),
    ],
)
def test_values_cannot_leave_their_part_of_the_path(
    tmp_path: Path, value: str, quoted: str
) -> None:
    request = verify(tmp_path, **{"challenge.id": value})

    assert request.target == f"/transactions/{quoted}/verify"


def test_values_cannot_leave_their_part_of_the_query(profile: Profile) -> None:
    request = profile.channels[0].poll.build({"contact": "+999 1&to=all#x\r\n"})

    assert request.target == "/outbox?to=%2B999+1%26to%3Dall%23x%0D%0A"


def test_query_is_added_to_one_that_the_path_has(tmp_path: Path) -> None:
    request = enroll(tmp_path, 'query = { csc = "{card.csc}" }')
    other = read(
        tmp_path, ('"/cards"', '"/cards?version=2"'), (ENROLL, 'query = { csc = "{card.csc}" }')
    ).build("enroll", {"card.csc": "077"})

    assert request.target == "/cards?csc=077"
    assert other.target == "/cards?version=2&csc=077"


def test_path_of_the_base_url_stands_before_every_path(tmp_path: Path) -> None:
    profile = read(tmp_path, ("127.0.0.1:8000", "127.0.0.1:8000/acs/v2/"))

    assert profile.build("enroll", VALUES).target == "/acs/v2/cards"
    assert profile.channels[0].poll.build({"contact": "1"}).target == "/acs/v2/outbox?to=1"
    assert profile.origin == "http://127.0.0.1:8000"


@pytest.mark.parametrize("value", ["1\r\nX-Admin: yes", "1\nX-Admin: yes", "1\0X-Admin: yes"])
def test_value_with_line_breaks_smuggles_no_header(tmp_path: Path, value: str) -> None:
    text = (ENROLL, 'headers = { X-Pan = "{card.pan}", X-Note = "pan {card.pan}" }')

    request = read(tmp_path, text).build(
        "enroll", {"card.pan": value}, extra_headers={"X-More": value}
    )

    assert dict(request.headers) == {
        "X-Pan": "1 X-Admin: yes",
        "X-Note": "pan 1 X-Admin: yes",
        "X-More": "1 X-Admin: yes",
    }


def test_json_body_has_its_content_type_and_no_body_has_none(tmp_path: Path) -> None:
    assert enroll(tmp_path, ENROLL).headers == (("Content-Type", "application/json"),)
    assert enroll(tmp_path, "") == Request(
        "enroll", "POST", "/cards", (), b"", "http://127.0.0.1:8000"
    )


def test_profile_says_another_content_type_in_any_case(tmp_path: Path) -> None:
    tables = f'{ENROLL}\nheaders = {{ content-type = "application/vnd.otp+json" }}'

    assert enroll(tmp_path, tables).headers == (("content-type", "application/vnd.otp+json"),)


def test_extra_keys_are_added_to_the_body_whose_own_stay(tmp_path: Path) -> None:
    request = enroll(tmp_path, ENROLL, extra_body={"to": ["+1"], "phone": None})

    assert json.loads(request.body) == {"pan": "4111", "phone": "+999", "to": ["+1"]}


def test_extra_headers_are_added_and_replace_the_profiles_in_any_case(tmp_path: Path) -> None:
    tables = 'headers = { X-Forwarded-For = "10.0.0.1", Accept = "a" }'

    request = enroll(tmp_path, tables, extra_headers={"x-forwarded-for": "10.0.0.2", "X-New": "b"})

    assert sorted(request.headers) == [
        ("Accept", "a"), ("X-New", "b"), ("x-forwarded-for", "10.0.0.2"),
    ]  # fmt: skip


def test_place_without_a_value_is_named(profile: Profile) -> None:
    with pytest.raises(KeyError, match=r"challenge\.id"):
        profile.build("verify", {**VALUES, "otc": "1", "csc": MISSING})


def test_a_key_can_be_there_several_times(profile: Profile) -> None:
    values = {**VALUES, "challenge.id": "t-1", "otc": "1", "csc": "077"}

    request = profile.build("verify", values, repeated=("otc", ["111111", "222222"]))

    assert request.body == b'{"csc":"077","otc":"111111","otc":"222222"}'


def test_only_a_place_that_a_key_holds_can_be_repeated(profile: Profile) -> None:
    values = {**VALUES, "challenge.id": "t-1", "otc": "1", "csc": MISSING}

    with pytest.raises(UnsayableError, match=r"^no key of the body is just the place \{contact\}$"):
        profile.build("verify", values, repeated=("contact", ["1", "2"]))
