"""A profile reads answers: as sets of outcomes, and never as more than was said."""

from pathlib import Path
from typing import Any

import pytest

from otpspec.outcome import Outcome
from otpspec.profile import Message, Profile, load

from .samples import PROFILE, read, written

VERIFY = """[
    { status = 200, json = { status = "approved" }, outcomes = "approved" },
    { status = 403, outcomes = "wrong_otc" },
    { status = 404, outcomes = ["expired", "void"] },
]"""


@pytest.fixture
def profile(tmp_path: Path) -> Profile:
    return read(tmp_path)


def outcomes(
    folder: Path, patterns: str, status: int, body: bytes = b"", headers: Any = None
) -> set[Outcome]:
    """What an answer to verify means, where the profile has these patterns too."""
    text = PROFILE.replace(VERIFY, VERIFY.replace("[\n", f"[\n{patterns}\n", 1))
    assert text != PROFILE or not patterns
    profile = load(written(folder, text))
    return set(profile.read("verify", status, headers or {}, body).outcomes)


def test_first_pattern_that_matches_counts(tmp_path: Path) -> None:
    patterns = """
        { status = 403, json = { status = "locked" }, outcomes = "locked" },
        { status = 403, json = { status = "locked" }, outcomes = "void" },
    """

    assert outcomes(tmp_path, patterns, 403, b'{"status": "locked"}') == {"locked"}
    assert outcomes(tmp_path, patterns, 403, b'{"status": "other"}') == {"wrong_otc"}


def test_an_answer_may_mean_several_things(profile: Profile) -> None:
    assert profile.read("verify", 404, {}, b"").outcomes == {"expired", "void"}


def test_any_status_of_a_list_matches(tmp_path: Path) -> None:
    patterns = '{ status = [413, 422], outcomes = "malformed" },'

    assert outcomes(tmp_path, patterns, 413) == {"malformed"}
    assert outcomes(tmp_path, patterns, 422) == {"malformed"}
    assert outcomes(tmp_path, patterns, 415) == {"unknown"}


@pytest.mark.parametrize("status", [413, 414, 431])
def test_what_is_refused_for_its_length_is_malformed(tmp_path: Path, status: int) -> None:
    assert outcomes(tmp_path, '{ status = 200, outcomes = "done" },', status) == {"malformed"}


def test_all_conditions_of_a_pattern_must_hold(tmp_path: Path) -> None:
    patterns = (
        '{ status = 401, json = { a = 1, "b.c" = "x" }, header = { X-Why = "^lock" }, '
        'outcomes = "locked" },'
    )
    headers = {"x-why": "locked for good"}

    def read_as(status: int, body: bytes, headers: Any) -> set[Outcome]:
        return outcomes(tmp_path, patterns, status, body, headers)

    assert read_as(401, b'{"a": 1, "b": {"c": "x"}}', headers) == {"locked"}
    assert read_as(401, b'{"a": 1, "b": {"c": "y"}}', headers) == {"unknown"}
    assert read_as(401, b'{"a": 2, "b": {"c": "x"}}', headers) == {"unknown"}
    assert read_as(400, b'{"a": 1, "b": {"c": "x"}}', headers) == {"unknown"}
    assert read_as(401, b'{"a": 1, "b": {"c": "x"}}', {"x-why": "unlocked"}) == {"unknown"}
    assert read_as(401, b'{"a": 1, "b": {"c": "x"}}', {}) == {"unknown"}


@pytest.mark.parametrize(
    ("wanted", "body", "matches"),
    [
        ("true", b'{"ok": true}', True),
        ("true", b'{"ok": 1}', False),
        ("1", b'{"ok": true}', False),
        ("1", b'{"ok": 1}', True),
        ("1", b'{"ok": 1.0}', True),
        ("0", b'{"ok": false}', False),
        ("false", b'{"ok": 0}', False),
        ("false", b'{"ok": null}', False),
        ("false", b"{}", False),
        ('"1"', b'{"ok": 1}', False),
        ("[true]", b'{"ok": [1]}', False),
        ("[true]", b'{"ok": [true]}', True),
        ("{ a = 1 }", b'{"ok": {"a": true}}', False),
        ("{ a = 1 }", b'{"ok": {"a": 1}}', True),
    ],
)
def test_values_are_equal_as_json_is(
    tmp_path: Path, wanted: str, body: bytes, matches: bool
) -> None:
    patterns = f'{{ json = {{ ok = {wanted} }}, outcomes = "locked" }},'

    assert (outcomes(tmp_path, patterns, 400, body) == {"locked"}) is matches


@pytest.mark.parametrize("expression", [".", ".*", "^$", "x?"])
def test_header_that_is_absent_matches_no_expression(tmp_path: Path, expression: str) -> None:
    patterns = f"{{ header = {{ Location = '{expression}' }}, outcomes = \"void\" }},"

    assert outcomes(tmp_path, patterns, 302, b"", {}) == {"unknown"}


@pytest.mark.parametrize(
    ("status", "meant"),
    [(429, "throttled"), (500, "unavailable"), (503, "unavailable"), (302, "unknown"),
     (200, "unknown"), (418, "unknown")],
)  # fmt: skip
def test_answer_that_no_pattern_matches_judges_nothing(
    profile: Profile, status: int, meant: str
) -> None:
    assert profile.read("verify", status, {}, b'{"status": "?"}').outcomes == {meant}


def test_a_pattern_goes_before_the_meaning_of_429_and_5xx(tmp_path: Path) -> None:
    patterns = """
        { status = 429, outcomes = "locked" },
        { status = 500, outcomes = "malformed" },
    """

    assert outcomes(tmp_path, patterns, 429) == {"locked"}
    assert outcomes(tmp_path, patterns, 500) == {"malformed"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>approved</html>",
        b'{"status": "approved"',
        b'{"status": "approved\xff"}',
        b'\xef\xbb\xbf{"status": "approved"',
        b'["approved"]',
        b'"approved"',
        b"null",
        b'{"status": ["approved"]}',
        b"[" * 200_000,
        b'{"status":' * 200_000 + b'"approved"' + b"}" * 200_000,
    ],
    ids=lambda body: repr(body[:24]),
)
def test_body_that_does_not_say_so_is_never_approved(profile: Profile, body: bytes) -> None:
    reading = profile.read("verify", 200, {}, body)

    assert reading.outcomes == {"unknown"}
    assert reading.captures == {}


def test_captures_are_kept_of_an_answer_that_was_read(tmp_path: Path) -> None:
    profile = read(
        tmp_path,
        ('{ id = "transaction_id" }', '{ id = "a.b", first = "list[0].x", none = "nowhere" }'),
    )

    done = profile.read("start", 201, {}, b'{"a": {"b": 7}, "list": [{"x": "y"}, 2]}')
    other = profile.read("start", 400, {}, b'{"a": {"b": 7}}')

    assert done.captures == {"id": 7, "first": "y"}
    assert other.captures == {}


def test_expression_that_does_not_fit_the_body_finds_nothing(tmp_path: Path) -> None:
    profile = read(tmp_path, ('{ id = "transaction_id" }', '{ id = "length(id)" }'))

    assert profile.read("start", 201, {}, b'{"id": 5}').captures == {}
    assert profile.read("start", 201, {}, b'{"id": "abc"}').captures == {"id": 3}


def test_messages_are_read_in_the_targets_order(profile: Profile) -> None:
    body = b'{"messages": [{"seq": 7, "text": "one"}, {"seq": "b", "text": null}]}'

    assert profile.channels[0].messages(body) == [Message("7", "one"), Message("b", "")]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{}", "no list of messages in the answer: see inbox.messages"),
        (b'{"messages": {}}', "no list of messages in the answer: see inbox.messages"),
        (b'{"messages": [{"text": "x"}]}', "a message without an id: see inbox.id"),
        (b"<html>", "the answer is not JSON"),
        (b"", "the answer is not JSON"),
        (b'"\xff"', "the answer is not JSON"),
        (b"[" * 200_000, "the answer is not JSON"),
    ],
    ids=lambda value: repr(value[:24]),
)
def test_inbox_that_cannot_be_read_says_why(profile: Profile, body: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        profile.channels[0].messages(body)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("SafeKey: 012345 is your code for EUR 12.34 at Shop.", "012345"),
        ("Ihr Code: 123456. Gültig 10 Minuten", "123456"),
        ("Your code is 123456.", "123456"),
        ("Hello.123456", "123456"),
        ("1.234567 12.345678", None),
        ("Code 1234", "1234"),
        ("Pay 1234.56 with 987654", "987654"),
        ("EUR 12 345678", "345678"),
        ("no code", None),
        ("", None),
        ("12345678901", None),
        ("abc123456", None),
    ],
)
def test_code_stands_alone_in_a_messages_text(
    profile: Profile, text: str, code: str | None
) -> None:
    assert profile.channels[0].code(Message("1", text)) == code


def test_profiles_own_expression_finds_the_code(tmp_path: Path) -> None:
    profile = read(tmp_path, ('text = "text"', "text = \"text\"\ncode = 'code: ([A-Z]{4})'"))

    assert profile.channels[0].code(Message("1", "1234 code: QXZT")) == "QXZT"
