"""Where the value is that a profile wants to keep, in answers of every kind."""

import json
from typing import Any

import pytest

from otpspec.doctor import toml
from otpspec.doctor.captures import candidates
from otpspec.profile import Raw, schema
from otpspec.profile.answers import capture

ID = "9f8e7d6c5b4a39281706"
TXN = f"<otp><status>OK</status><txn>{ID}</txn></otp>"
FORM = (
    f'<form><input type="hidden" name="csrfmiddlewaretoken" value="{ID}"><input name="code"></form>'
)


def raw(body: Any, cookies: dict[str, str] | None = None, **headers: str) -> Raw:
    data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return Raw(201, {k.replace("_", "-"): v for k, v in headers.items()}, data, cookies)


@pytest.mark.parametrize(
    ("answer", "name", "declared", "expected"),
    [
        (raw({"transaction_id": ID, "status": "pending"}), "id", "txn", '"transaction_id"'),
        (raw({"data": {"txn": {"id": ID, "state": "open"}}}), "id", "id", '"data.txn.id"'),
        (raw({"data": {"cardId": ID, "userId": "u-17"}}), "card", "card", '"data.cardId"'),
        (raw({"uid": 4711, "code": 0, "msg": "ok"}), "uid", "data.uid", '"uid"'),
        (raw({"meta": {"session_token": ID}}), "token", "token", '"meta.session_token"'),
        (raw({}, x_session_token=ID), "session", "session", '{ header = "X-Session-Token" }'),
        (raw("", {"sid": ID}), "sid", "sid", '{ cookie = "sid" }'),
        (raw(FORM), "csrf", "csrf", '{ field = "csrfmiddlewaretoken" }'),
        (raw(TXN), "id", "id", "{ regex = \"<txn>([^<]+)</txn>\" }"),
        (
            raw(f'<output id="ref">{ID}</output>'),
            "ref",
            "ref",
            "{ regex = 'id=\"ref\"[^>]*>([^<]+)<' }",
        ),
        (
            raw(f'<div data-tx="{ID}"></div>'),
            "tx",
            "tx",
            "{ regex = 'data-tx=\"([^\"]+)\"' }",
        ),
        (
            raw("", location=f"/challenge?flow={ID}&lang=en"),
            "flow",
            "flow",
            '{ header = "Location", regex = "[?&]flow=([^&#]+)" }',
        ),
        (
            raw("", location=f"/challenges/{ID}"),
            "id",
            "id",
            '{ header = "Location", regex = "challenges/([^/?#]+)" }',
        ),
        (raw(f"status=OK\ntxn={ID}"), "id", "id", r"{ regex = 'txn\s*=\s*([^\s&;,]+)' }"),
        (raw({"cvv_required": True, "id": ID}), "csc_required", "csc", '"cvv_required"'),
        (raw({"id": ID, "to": "****1234"}), "contact", "contact", '"to"'),
    ],
)  # fmt: skip
def test_the_likeliest_place_comes_first(
    answer: Raw, name: str, declared: str, expected: str
) -> None:
    found = candidates(answer, name, declared)

    assert found, "nothing was found"
    assert toml.capture(found[0].capture) == expected
    assert capture(found[0].capture)(answer) == found[0].value


def test_what_was_sent_is_not_what_is_looked_for() -> None:
    answer = raw({"phone_id": "+99912345", "id": ID})

    assert [one.name for one in candidates(answer, "id", sent=["+99912345"])] == ["id"]


def test_headers_that_every_server_sends_are_no_candidates() -> None:
    answer = raw({}, date="Mon, 1 Jun 2026", etag='"9f8e7d6c"', x_request_id=ID, server="nginx")

    assert candidates(answer, "id") == []


def test_a_capture_that_takes_its_value_by_a_table_gives_a_hint_of_its_name() -> None:
    answer = raw({"flow": ID, "other_id": "8a7b6c5d"})

    found = candidates(answer, "x", schema.Capture(json="data.flow"))

    assert found[0].name == "flow"
