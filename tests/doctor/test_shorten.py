"""Requests and answers are short, and what lets its bearer in is hidden."""

# ruff: noqa: E501 - answers and messages stand here as they came

import json

import pytest

from otpspec.doctor import shorten
from otpspec.profile import Raw, Request


def asked(body: bytes = b"", **headers: str) -> Request:
    pairs = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Request("verify", "POST", "/verify", pairs, body, "http://127.0.0.1")


def test_headers_that_let_their_bearer_in_show_only_their_scheme() -> None:
    request = asked(Authorization="Bearer abc.def", X_Session_Token="s3cr3t", Accept="*/*")

    assert shorten.asked_headers(request) == {
        "Authorization": "Bearer •••",
        "X-Session-Token": "•••",
        "Accept": "*/*",
    }


def test_of_an_answer_only_headers_are_shown_that_say_something() -> None:
    headers = {
        "date": "Mon, 1 Jun 2026 10:00:00 GMT",
        "content-type": "application/json; charset=utf-8",
        "set-cookie": "sid=abc; Path=/; Expires=Mon, 1 Jun 2026 10:00:00 GMT, csrf=def; HttpOnly",
        "retry-after": "30",
        "x-ratelimit-remaining": "4",
    }

    assert shorten.answered_headers(headers) == {
        "set-cookie": "sid=…, csrf=…",
        "retry-after": "30",
        "x-ratelimit-remaining": "4",
    }
    assert shorten.cookies_of(headers) == {"sid": "abc", "csrf": "def"}


@pytest.mark.parametrize(
    ("kind", "body", "shown"),
    [
        ("application/json", b'{"a":[1,2,3,4,5,6,7,8]}', '{"a": [1, 2, 3, 4, 5, 6, "… 2 more"]}'),
        ("text/html", b"<html><style>p{}</style><p>Wrong code.<p>Try again.</html>", "Wrong code.\nTry again."),
        ("text/xml", b"<r><a>1</a></r>", "<r><a>1</a></r>"),
        ("text/plain", b" status=ok\n", "status=ok"),
        ("application/json", b"", ""),
        ("application/octet-stream", b"\xff\xfe\x00", "\ufffd\ufffd\x00"),
    ],
)  # fmt: skip
def test_a_body_is_shown_as_a_reader_wants_it(kind: str, body: bytes, shown: str) -> None:
    assert shorten.answered_body(Raw(200, {"content-type": kind}, body)) == shown


def test_a_long_body_is_cut_and_says_so() -> None:
    body = json.dumps({str(n): "word" for n in range(500)}).encode()

    shown = shorten.answered_body(Raw(200, {"content-type": "application/json"}, body))

    assert len(shown) < 640
    assert shown.endswith(" characters more)")


def test_fields_of_a_form_and_of_parts_can_be_read() -> None:
    parts = b'--b\r\nContent-Disposition: form-data; name="otp"\r\n\r\n123456\r\n--b--\r\n'
    form = "application/x-www-form-urlencoded"

    assert shorten.asked_body(asked(b"a=1&b=2", Content_Type=form)) == "a=1 & b=2"
    assert shorten.asked_body(asked(parts, Content_Type="multipart/form-data")) == "otp=123456"


@pytest.mark.parametrize(
    ("value", "shown"),
    [(True, "true"), (7, "7"), ("abc", "abc"), ("****1234", "****1234"), ("abcdefgh", "abcd… (8 characters)")],
)  # fmt: skip
def test_of_a_value_so_much_is_shown_that_it_is_found_again(value: object, shown: str) -> None:
    assert shorten.hint(value) == shown
