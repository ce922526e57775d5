"""What is kept of an answer: from JSON, a header, a cookie, a form, or where a regex finds it."""

from pathlib import Path
from typing import Any

import pytest

from otpspec.profile import Raw

from .driven import START, drive, raw
from .samples import read

CAPTURE = '{ id = "transaction_id" }'


def captured(folder: Path, capture: str, answer: Raw) -> Any:
    """What a start that is answered so keeps as `id`; None where it keeps nothing."""
    profile = read(folder, (CAPTURE, f"{{ id = {capture} }}"))
    reading = drive(profile, "start", answer, values=START).reading
    assert reading.outcomes == {"done"}
    assert set(reading.captures) <= {"id"}
    return reading.captures.get("id")


@pytest.mark.parametrize(
    ("capture", "kept"),
    [
        ('"a.b"', 7),
        ('{ json = "a.b" }', 7),
        ('"list[?ok].id | [0]"', "y"),
        ('"no.such"', None),
        ('"none"', None),
        ('"no"', False),
        (r"""{ json = "url", regex = 'tx=(\w+)' }""", "t9"),
        (r"""{ json = "url", regex = 'ref=(\w+)' }""", None),
        (r"""{ json = "no.such", regex = '(.*)' }""", None),
        (r"""{ json = "a.b", regex = '(\d)' }""", "7"),
    ],
)
def test_jmespath_keeps_a_value_of_the_body(tmp_path: Path, capture: str, kept: Any) -> None:
    body = (
        '{"a": {"b": 7}, "list": [{"id": "x", "ok": false}, {"id": "y", "ok": true}], '
        '"none": null, "no": false, "url": "/go?tx=t9&x"}'
    )

    assert captured(tmp_path, capture, raw(201, body)) == kept


@pytest.mark.parametrize(
    ("capture", "kept"),
    [
        ('{ header = "Location" }', "/pay?flow=f-1&x=2"),
        ('{ header = "location" }', "/pay?flow=f-1&x=2"),
        (r"""{ header = "Location", regex = 'flow=([\w-]+)' }""", "f-1"),
        (r"""{ header = "Location", regex = 'flow=(\d+)' }""", None),
        ('{ header = "X-Other" }', None),
    ],
)
def test_header_is_kept_or_what_a_regex_finds_in_it(
    tmp_path: Path, capture: str, kept: str | None
) -> None:
    assert captured(tmp_path, capture, raw(201, location="/pay?flow=f-1&x=2")) == kept


@pytest.mark.parametrize(
    ("capture", "kept"),
    [
        ('{ cookie = "sid" }', "s-1=="),
        (r"""{ cookie = "sid", regex = '(\w)-' }""", "s"),
        ('{ cookie = "SID" }', None),
    ],
)
def test_cookie_that_the_answer_sets_is_kept(
    tmp_path: Path, capture: str, kept: str | None
) -> None:
    assert captured(tmp_path, capture, raw(201, cookies={"sid": "s-1==", "b": "2"})) == kept


@pytest.mark.parametrize(
    "field",
    [
        '<input type="hidden" name="token" value="a&amp;b">',
        "<input type='hidden' name='token' value='a&amp;b'>",
        "<input type=hidden name=token value=a&amp;b>",
        '<input value="a&amp;b" name="token" type="hidden"/>',
        '<INPUT TYPE="HIDDEN" NAME="token" VALUE="a&amp;b">',
        '<input\n  name = "token"\n  value\n=\n"a&#38;b"\n>',
        '<input name="token" value="a&amp;b"><input name="token" value="second">',
        '<button name="token" value="a&amp;b">Pay</button>',
        '<meta name="token" content="a&amp;b">',
        '<!-- <input name="token" value="old"> --><input name="token" value="a&amp;b">',
        '<script>\'<input name="token" value="no">\'</script><input name=token value=a&amp;b>',
        '<p>unclosed <b>tags<div><input name="token" value="a&amp;b"',
    ],
)
def test_form_field_is_kept_however_it_is_written(tmp_path: Path, field: str) -> None:
    page = f"<!doctype html><html><body><form method=post>{field}></form></body></html>"

    assert captured(tmp_path, '{ field = "token" }', raw(201, page)) == "a&b"


@pytest.mark.parametrize(
    ("page", "kept"),
    [
        ('<input name="other" value="1">', None),
        ('<input name="token">', ""),
        ('<input id="token" value="1">', None),
        ('<input name="TOKEN" value="1">', None),
        ('{"token": "1"}', None),
        ("", None),
    ],
)
def test_form_field_that_is_not_there_is_not_kept(
    tmp_path: Path, page: str, kept: str | None
) -> None:
    assert captured(tmp_path, '{ field = "token" }', raw(201, page)) == kept


def test_of_a_form_field_a_part_may_be_kept(tmp_path: Path) -> None:
    page = '<input name="next" value="/pay/t-7/code">'
    capture = r"""{ field = "next", regex = '/pay/([\w-]+)' }"""

    assert captured(tmp_path, capture, raw(201, page)) == "t-7"


@pytest.mark.parametrize(
    ("regex", "kept"),
    [
        (r'data-tx="(\w+)"', "t1"),
        (r"(?s)script>.*?id:\s*(\d+)", "42"),
        (r"Zahlung (\w+) über", "t1"),
        (r"(none)?Zahlung", None),
        (r"no (such)", None),
    ],
)
def test_regex_alone_looks_at_the_body_as_it_is(
    tmp_path: Path, regex: str, kept: str | None
) -> None:
    page = '<p data-tx="t1">Zahlung t1 über 5</p><script>var pay = {\n id: 42 }</script>'

    assert captured(tmp_path, f"{{ regex = '{regex}' }}", raw(201, page)) == kept


def test_nothing_is_kept_of_an_answer_that_means_nothing(tmp_path: Path) -> None:
    profile = read(tmp_path, (CAPTURE, '{ id = { header = "Location" } }'))

    reading = drive(profile, "start", raw(500, location="/error"), values=START).reading

    assert reading == ({"unavailable"}, {})
