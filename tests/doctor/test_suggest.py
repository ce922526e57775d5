"""A pattern is suggested for what an answer says, and never for what is new in each of them."""

# ruff: noqa: E501 - answers and messages stand here as they came

import json
import tomllib
from typing import Any

import pytest

from otpspec.doctor import toml
from otpspec.doctor.suggest import Sample, alike, misses, suggest
from otpspec.outcome import Outcome
from otpspec.profile import Raw, schema
from otpspec.profile.answers import Pattern

WRONG, RIGHT, USED = ({Outcome.WRONG_OTC}, {Outcome.APPROVED}, {Outcome.VOID})
JSON = {"content-type": "application/json"}
HTML = {"content-type": "text/html; charset=utf-8"}


def said(status: int, body: Any, headers: dict[str, str] | None = None) -> Raw:
    if isinstance(body, str):
        return Raw(status, headers or {"content-type": "text/plain"}, body.encode())
    return Raw(status, headers or JSON, json.dumps(body).encode())


def line(this: Raw, *others: Raw, means: Any = WRONG, varying: tuple[str, ...] = ()) -> str:
    """The line that is suggested for an answer to a wrong code; the others approve."""
    samples = [Sample(f"other {n}", raw, frozenset(RIGHT)) for n, raw in enumerate(others)]
    made = suggest(Sample("this", this, frozenset(means)), samples, varying)
    assert made is not None
    text = toml.pattern(made.answer)
    read = schema.Answer(**tomllib.loads(f"a = {text}")["a"])
    assert Pattern(read).matches(this), text
    assert not any(Pattern(read).matches(raw) for raw in others), text
    return text.partition(", outcomes")[0].removeprefix("{ ")


def page(text: str) -> str:
    return f"<html><head><title>Pay</title></head><body><h1>Pay</h1><p>{text}</p></body></html>"


@pytest.mark.parametrize(
    ("wrong", "right", "expected"),
    [
        (
            said(400, {"errors": [{"code": "incorrect_code", "message": "Incorrect code."}]}),
            said(200, {"meta": {"is_authenticated": True}}),
            'status = 400, json = { "errors[0].code" = "incorrect_code" }',
        ),
        (
            said(200, {"code": 1201, "msg": "code or CVV wrong", "data": {"left": 3}}),
            said(200, {"code": 0, "msg": "ok", "data": {}}),
            "status = 200, json = { code = 1201 }",
        ),
        (
            said(200, {"result": {"status": True, "authentication": "REJECT", "value": False}}),
            said(200, {"result": {"status": True, "authentication": "ACCEPT", "value": True}}),
            'status = 200, json = { "result.authentication" = "REJECT" }',
        ),
        (
            said(403, {"status": "wrong_otc", "tries_left": 2}),
            said(200, {"status": "approved", "id": "9f2c"}),
            'status = 403, json = { status = "wrong_otc" }',
        ),
        (
            said(200, {"success": False, "requestId": "b2f0c1d9e8a7"}),
            said(200, {"success": True, "requestId": "c2f0c1d9e8a8"}),
            "status = 200, json = { success = false }",
        ),
        (
            said(400, {"error": "invalid_grant", "error_description": "Wrong code (2 of 3)."}),
            said(200, {"access_token": "eyJhbGciOiJIUzI1NiJ9.e30.x", "expires_in": 300}),
            'status = 400, json = { error = "invalid_grant" }',
        ),
        (
            said(401, {"detail": {"reason": "otp-mismatch", "at": "2026-05-01T10:00:00Z"}}),
            said(200, {"detail": {"reason": "ok"}}),
            'status = 401, json = { "detail.reason" = "otp-mismatch" }',
        ),
        (
            said(400, {"non_field_errors": ["Invalid code."]}),
            said(200, {"key": "0f9d8c7b6a5f4e3d"}),
            'status = 400, json = { "non_field_errors[0]" = "Invalid code." }',
        ),
        (
            said(400, {"message": "Wrong code. You have 2 tries left."}),
            said(200, {"message": "Thank you."}),
            'status = 400, text = "Wrong code."',
        ),
        (
            said(200, {"error-code": "E1004"}),
            said(200, {"error-code": "E0000"}),
            "status = 200, json = { '\"error-code\"' = \"E1004\" }",
        ),
        (
            said(
                200,
                {"flows": [{"id": "mfa", "pending": True}, {"id": "login", "pending": False}]},
            ),
            said(
                200,
                {"flows": [{"id": "login", "pending": True}, {"id": "mfa", "pending": True}]},
            ),
            "status = 200, json = { \"flows[?id=='login'].pending | [0]\" = false }",
        ),
        (
            said(200, page("The code is not correct. You have 2 tries left."), HTML),
            said(200, page("Payment approved"), HTML),
            'status = 200, text = "The code is not correct."',
        ),
        (
            said(200, page("Try again, 17:03:22"), HTML),
            said(200, page("Welcome back"), HTML),
            'status = 200, text = "Try again,"',
        ),
        (
            said(403, "status=declined"),
            said(200, "status=approved"),
            'status = 403, text = "status=declined"',
        ),
        (
            said(200, "ERR 12 wrong code\n"),
            said(200, "OK 13\n"),
            'status = 200, text = "wrong code"',
        ),
        (
            said(200, '<?xml version="1.0"?><r><state>REFUSED</state><id>9f3e2c1b</id></r>'),
            said(200, '<?xml version="1.0"?><r><state>OK</state><id>8a3e2c1b</id></r>'),
            'status = 200, regex = "<state>REFUSED</state>"',
        ),
        (
            said(302, "", {"location": "/login?error=wrong_code&t=1719300000"}),
            said(302, "", {"location": "/account"}),
            'status = 302, header = { location = "[?&]error=wrong_code(&|$)" }',
        ),
        (
            said(302, "", {"location": "https://acs.example.com/challenge/9f8e7d6c5b4a/retry"}),
            said(302, "", {"location": "https://acs.example.com/challenge/9f8e7d6c5b4b/result"}),
            'status = 302, header = { location = "/retry$" }',
        ),
        (said(422, ""), said(204, ""), "status = 422"),
        (said(400, {}), said(200, {}), "status = 400"),
        (said(400, [{"code": "bad"}]), said(200, []), 'status = 400, json = { "[0].code" = "bad" }'),
        (
            said(400, "", {"x-error-code": "WRONG_OTP", "content-length": "0"}),
            said(400, "", {"content-length": "0"}),
            'status = 400, header = { x-error-code = "^WRONG_OTP$" }',
        ),
    ],
)  # fmt: skip
def test_pattern_is_what_a_person_would_write(wrong: Raw, right: Raw, expected: str) -> None:
    assert line(wrong, right) == expected


NEW_EACH_TIME = [
    {"id": "9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d"},
    {"trace": "a1b2c3d4e5f60718"},
    {"timestamp": 1719300000},
    {"at": "2026-05-01T10:00:00Z"},
    {"tries_left": 2},
    {"remaining": 2},
    {"attempts": 1},
    {"retryAfter": 30},
    {"contact": "****1234"},
    {"email": "p***@example.com"},
    {"nonce": "Zm9vYmFyMTIzNDU2"},
    {"transactionId": "TX"},
    {"note": "sent to 12345678"},
    {"merchant": "otpspec"},
]


@pytest.mark.parametrize("varying", NEW_EACH_TIME, ids=lambda v: next(iter(v)))
def test_what_is_new_in_each_answer_is_never_in_a_pattern(varying: dict[str, Any]) -> None:
    wrong = said(400, varying)

    assert line(wrong, said(200, {}), varying=("otpspec",)) == "status = 400"


def test_two_fields_are_asked_for_where_one_does_not_do() -> None:
    this = said(200, {"state": "open", "kind": "retry"})
    others = (
        said(200, {"state": "open", "kind": "done"}),
        said(200, {"state": "shut", "kind": "retry"}),
    )

    assert line(this, *others) == 'status = 200, json = { state = "open", kind = "retry" }'


def test_answers_that_cannot_be_told_apart_share_their_outcomes() -> None:
    wrong, used = (said(400, {"error": "no", "id": name}) for name in ("a1", "b2"))
    sample = Sample("a wrong code", wrong, frozenset(WRONG))

    made = suggest(sample, [Sample("the used code", used, frozenset(USED))])

    assert made is not None
    assert made.shares == ("the used code",)
    assert toml.pattern(made.answer).endswith('outcomes = ["void", "wrong_otc"] }')


def test_a_yes_that_looks_like_a_no_has_no_pattern() -> None:
    raw = said(200, {"status": "ok"})

    assert (
        suggest(Sample("right", raw, frozenset(RIGHT)), [Sample("w", raw, frozenset(WRONG))])
        is None
    )


def test_a_pattern_holds_for_every_answer_of_the_same_meaning() -> None:
    this = said(201, {"state": "pending", "stage": "alpha"})
    again = Sample("again", said(201, {"state": "pending", "stage": "beta"}), frozenset(RIGHT))

    made = suggest(Sample("start", this, frozenset(RIGHT)), [again])

    assert made is not None
    assert Pattern(made.answer).matches(again.raw)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (said(400, {"e": "no", "id": "a1b2c3d4e5"}), said(400, {"e": "no", "id": "f"}), True),
        (said(400, {"error": "no"}), said(401, {"error": "no"}), False),
        (said(400, {"error": "no"}), said(400, {"error": "gone"}), False),
        (said(400, {"tries_left": 2, "e": "no"}), said(400, {"tries_left": 1, "e": "no"}), True),
        (said(200, page("No. 2 left"), HTML), said(200, page("No. 1 left"), HTML), True),
        (said(204, ""), said(204, ""), True),
    ],
)
def test_answers_are_alike_but_for_what_is_new(one: Raw, other: Raw, same: bool) -> None:
    assert alike(one, other) is same


def test_why_a_pattern_does_not_match_is_said_condition_by_condition() -> None:
    answer = schema.Answer(
        status=[200, 201], json={"a.b": "x", "n": 1}, text="yes", outcomes=Outcome.DONE
    )

    assert misses(answer, said(400, {"a": {"b": "y"}, "n": 1})) == [
        "status 200 or 201 (here 400)",
        'json a.b = "x" (here "y")',
        'text = "yes"',
    ]


@pytest.mark.parametrize(
    "text",
    ['a "quoted" word', "a 'single' word", "both ' and \"", "back\\slash", "tab\there", "é…"],
)
def test_every_text_is_read_again_as_it_was(text: str) -> None:
    assert tomllib.loads(f"a = {toml.value(text)}")["a"] == text
    assert tomllib.loads(f"a = {toml.table([(toml.key(text), '1')])}")["a"] == {text: 1}
