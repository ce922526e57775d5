"""Bodies of each kind, as whoever reads them finds them; and places wherever they may stand."""

import email
import email.policy
import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest

from otpspec.errors import ProfileError
from otpspec.profile import MISSING, Profile, Request, UnsayableError, load

from .driven import START, VERIFY
from .samples import changed, read, written

BODY = 'json = { otc = "{otc}", csc = "{csc}" }'
ODD = "ä=1&b c+%20\r\n--x\"';\x00€"


def verify(folder: Path, body: str, **extra: Any) -> Request:
    """The request of a verify with such a body."""
    values = {**VERIFY, **extra.pop("values", {})}
    return read(folder, (BODY, body)).build("verify", values, **extra)


def parts(request: Request) -> list[tuple[str, str]]:
    """Names and values of a multipart body, as a parser of MIME finds them."""
    kind = dict(request.headers)["Content-Type"]
    message = email.message_from_bytes(
        f"Content-Type: {kind}\r\n\r\n".encode() + request.body, policy=email.policy.HTTP
    )
    assert message.get_content_type() == "multipart/form-data"
    assert not message.defects
    return [
        (str(part.get_param("name", header="content-disposition")),
         part.get_payload(decode=True).decode())
        for part in message.iter_parts()
    ]  # fmt: skip


# --- forms --------------------------------------------------------------------------------------


def test_form_is_read_back_as_it_was_meant(tmp_path: Path) -> None:
    body = 'form = { code = "{otc}", note = "for {card.pan}", "odd name&" = "1" }'

    request = verify(tmp_path, body, values={"otc": ODD})

    assert parse_qsl(request.body.decode("ascii"), keep_blank_values=True) == [
        ("code", ODD), ("note", "for 4111"), ("odd name&", "1"),
    ]  # fmt: skip
    assert request.headers == (("Content-Type", "application/x-www-form-urlencoded"),)


def test_list_in_a_form_is_its_key_several_times(tmp_path: Path) -> None:
    body = 'form = { scope = ["a", "{otc}", "{csc}"], last = "1" }'

    request = verify(tmp_path, body, values={"csc": MISSING})

    assert request.body == b"scope=a&scope=012345&last=1"


def test_number_and_truth_have_a_spelling_in_a_form(tmp_path: Path) -> None:
    body = 'form = { otc = "{otc}", csc = "{csc}" }'

    request = verify(tmp_path, body, values={"otc": 12345, "csc": True})

    assert request.body == b"otc=12345&csc=true"


@pytest.mark.parametrize("kind", ["form", "multipart"])
@pytest.mark.parametrize(
    ("value", "why"),
    [
        (None, "null is no text"),
        ({"a": 1}, "dict is no text"),
        (["1", "2"], "list is no text"),
    ],
)
def test_value_without_a_spelling_in_a_form_is_said(
    tmp_path: Path, kind: str, value: Any, why: str
) -> None:
    with pytest.raises(UnsayableError, match=f"^{why}$"):
        verify(tmp_path, f'{kind} = {{ otc = "{{otc}}" }}', values={"otc": value})


def test_key_whose_value_is_missing_is_left_out_of_a_form(tmp_path: Path) -> None:
    form = verify(tmp_path, BODY.replace("json", "form"), values={"csc": MISSING})
    multipart = verify(tmp_path, BODY.replace("json", "multipart"), values={"csc": MISSING})

    assert form.body == b"otc=012345"
    assert parts(multipart) == [("otc", "012345")]


def test_extra_keys_are_added_to_a_form_whose_own_stay(tmp_path: Path) -> None:
    extra = {"csc": "000", "to": "+1"}

    form = verify(tmp_path, BODY.replace("json", "form"), extra_body=extra)
    multipart = verify(tmp_path, BODY.replace("json", "multipart"), extra_body=extra)

    wanted = [("otc", "012345"), ("csc", "077"), ("to", "+1")]
    assert parse_qsl(form.body.decode()) == wanted
    assert parts(multipart) == wanted


def test_key_of_a_form_can_be_there_several_times(tmp_path: Path) -> None:
    twice = ("otc", ["111111", "222222"])

    form = verify(tmp_path, BODY.replace("json", "form"), repeated=twice)
    multipart = verify(tmp_path, BODY.replace("json", "multipart"), repeated=twice)

    wanted = [("csc", "077"), ("otc", "111111"), ("otc", "222222")]
    assert parse_qsl(form.body.decode()) == wanted
    assert parts(multipart) == wanted


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ('form = { code = "SMS-{otc}" }', r"^no key of the body is just the place \{otc\}$"),
        ('json = { pay = { code = "{otc}" } }', r"^no key of the body is just the place \{otc\}$"),
        ('json = ["{otc}"]', "^there is no body whose key could be repeated$"),
        ('query = { code = "{otc}" }', "^there is no body whose key could be repeated$"),
    ],
)
def test_key_that_cannot_be_repeated_is_said(tmp_path: Path, body: str, why: str) -> None:
    with pytest.raises(UnsayableError, match=why):
        verify(tmp_path, body, repeated=("otc", ["1", "2"]))


# --- multipart ----------------------------------------------------------------------------------


def test_multipart_is_read_back_as_it_was_meant(tmp_path: Path) -> None:
    body = 'multipart = { code = "{otc}", note = "for {card.pan}", "ö \\"x\\"" = "1", empty = "" }'

    request = verify(tmp_path, body, values={"otc": "ä=1&b c+%20 --x\"';€"})

    assert parts(request) == [
        ("code", "ä=1&b c+%20 --x\"';€"), ("note", "for 4111"), ("ö %22x%22", "1"), ("empty", ""),
    ]  # fmt: skip


def test_value_cannot_end_its_part_of_a_multipart_body(tmp_path: Path) -> None:
    first = verify(tmp_path, 'multipart = { code = "{otc}" }')
    boundary = dict(first.headers)["Content-Type"].partition("boundary=")[2]
    value = f'1\r\n--{boundary}\r\nContent-Disposition: form-data; name="admin"\r\n\r\nyes'

    request = verify(tmp_path, 'multipart = { code = "{otc}" }', values={"otc": value})

    assert [name for name, _ in parts(request)] == ["code"]


# --- places -------------------------------------------------------------------------------------


def test_places_are_filled_wherever_they_may_stand(tmp_path: Path) -> None:
    request = verify(
        tmp_path,
        'headers = { X-Code = "{otc}", X-Card = "card {card.id}" }\n'
        'query = { a = "{otc}", b = "x {csc}" }\n'
        'json = { deep = [{ code = "{otc}" }, "{csc} of {card.pan}"] }',
    )

    assert urlsplit(request.target).path == "/transactions/t-1/verify"
    assert parse_qs(urlsplit(request.target).query) == {"a": ["012345"], "b": ["x 077"]}
    assert dict(request.headers) | {"Content-Type": ""} == {
        "X-Code": "012345", "X-Card": "card c-1", "Content-Type": "",
    }  # fmt: skip
    assert json.loads(request.body) == {"deep": [{"code": "012345"}, "077 of 4111"]}


@pytest.mark.parametrize("kind", ["headers", "query"])
def test_value_without_a_spelling_in_a_line_is_said(tmp_path: Path, kind: str) -> None:
    with pytest.raises(UnsayableError, match=r"^null is no text$"):
        verify(tmp_path, f'{kind} = {{ x = "{{otc}}" }}', values={"otc": None})


def test_url_that_no_client_sends_is_said(tmp_path: Path) -> None:
    with pytest.raises(UnsayableError, match=r"^no client sends a URL of 1000030 characters$"):
        verify(tmp_path, 'query = { code = "{otc}" }', values={"otc": "1" * 1_000_000})


def test_name_in_two_braces_is_a_text_and_no_place(tmp_path: Path) -> None:
    request = verify(tmp_path, 'json = { a = "{{otc}}", b = "{{otc}}: {otc}", c = "{ otc } {}" }')

    assert json.loads(request.body) == {"a": "{otc}", "b": "{otc}: 012345", "c": "{ otc } {}"}


# --- the environment ----------------------------------------------------------------------------


def with_environment(folder: Path, *changes: tuple[str, str], **environ: str) -> Profile:
    return load(written(folder, changed(*changes)), environ=environ)


@pytest.mark.parametrize(
    "value", ["a{card.pan}b", "{{card.pan}}", "{env.KEY}", "{otc}", "{", "}", "{no such}", "{a}{b}"]
)
def test_braces_in_a_value_of_the_environment_are_no_place(tmp_path: Path, value: str) -> None:
    keys = 'headers = { X-Key = "{env.KEY}", X-Both = "{otc} {env.KEY}" }'
    profile = with_environment(tmp_path, (BODY, f"{BODY}\n{keys}"), KEY=value)

    headers = dict(profile.build("verify", VERIFY).headers)

    assert headers["X-Key"] == value
    assert headers["X-Both"] == f"012345 {value}"
    assert profile.secrets == {value}


def test_braces_in_a_value_of_the_environment_stay_where_there_are_no_places(
    tmp_path: Path,
) -> None:
    text = (
        'base_url = "http://127.0.0.1:8000"',
        'base_url = "http://127.0.0.1:8000"\nname = "{env.N}"\nownership_token = "{env.N}"',
    )
    card = '[[cards.given]]\npan = "{env.N}"\ncsc = "1"\nphone = "2"\nid = "3"\n'
    given = ("[clock]\n", card + "[clock]\n")

    profile = with_environment(tmp_path, text, given, N="a{b}c")

    assert profile.name == profile.target.ownership_token == "a{b}c"
    assert profile.cards[0]["pan"] == "a{b}c"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"http://127.0.0.1:8000"', '"{env.KEY}"'),
        ('"/cards"', '"{env.KEY}"'),
        ('validity = "10m"', 'validity = "{env.KEY}"'),
        ('validity = "10m"', 'max_wrong = "{env.KEY}"'),
        ('outcomes = "locked"', 'outcomes = "{env.KEY}"'),
        ('kind = "real"', 'kind = "{env.KEY}"'),
        ('id = "seq"', 'id = "{env.KEY}["'),
        ('text = "text"', 'text = "text"\ncode = "({env.KEY}"'),
        ("[clock]\n", '[cards]\ncsv = "{env.KEY}.csv"\n[clock]\n'),
    ],
)
def test_value_of_the_environment_is_in_no_message(tmp_path: Path, old: str, new: str) -> None:
    for value in ("s3cr3t-{x}", "s3cr3t'\\x"):
        with pytest.raises(ProfileError) as raised:
            with_environment(tmp_path, (old, new), KEY=value)

        assert "s3cr3t" not in str(raised.value)


def test_value_of_the_environment_is_called_by_its_name_in_messages(tmp_path: Path) -> None:
    with pytest.raises(ProfileError) as raised:
        with_environment(tmp_path, ('"/cards"', '"cards/{env.KEY}"'), KEY="s3cr3t-{x}")

    assert raised.value.problems[0].text == '"cards/{env.KEY}" must begin with /'


def test_start_is_built_of_amount_currency_and_merchant(tmp_path: Path) -> None:
    body = 'json = { card = "{card.id}", amount = "{amount}" }'
    profile = read(tmp_path, (body, 'form = { a = "{amount} {currency}", m = "{merchant}" }'))

    assert profile.build("start", START).body == b"a=12.00+EUR&m=Shop"
