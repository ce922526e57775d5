"""The HTTP face: what arrives broken is refused, and nothing is ever an internal error."""

import asyncio
from typing import Any

import pytest

from otpspec_reference.http import MAX_BODY, read_object

from .bank import SUPPORT, Bank

BROKEN = [
    b"{",
    b"}",
    b"[]",
    b"null",
    b"true",
    b"7",
    b'"otc"',
    b"\xff\xfe",
    b"\xef\xbb\xbf{}",
    b'{"otc": "123456"} x',
    b'{"otc": "123456", "otc": "123456"}',
    b'{"otc": "123456", "\\u006ftc": "654321"}',
    b'{"a": {"b": 1, "b": 2}, "otc": "123456"}',
    b'{"otc": "\\ud800"}',
    b'{"otc": "\xed\xa0\x80"}',
    b'{"otc": NaN}',
    b'{"otc": 1e999}',
    b'{"otc": ' + b"9" * 5000 + b"}",
    b"[" * 60_000,
    b'{"a":' * 10_000,
    b"otc=123456",
]


@pytest.mark.parametrize("raw", BROKEN, ids=lambda raw: repr(raw[:30]))
def test_body_that_is_no_proper_json_object_is_malformed_and_counts_nothing(raw: bytes) -> None:
    bank = Bank()
    pending = bank.start()

    for path in ("/cards", "/transactions", f"/transactions/{pending.id}/verify"):
        assert bank.ask("POST", path, content=raw).short == (422, "malformed")

    assert bank.fail(pending)["tries_left"] == 2
    assert bank.verify(pending).short == (200, "approved")


def test_operations_without_fields_refuse_a_broken_body_too() -> None:
    bank = Bank()
    pending = bank.start()

    for path in (f"/transactions/{pending.id}/resend", f"/transactions/{pending.id}/cancel"):
        assert bank.ask("POST", path, content=b"{").short == (422, "malformed")
    path = f"/support/cards/{pending.card}/unlock"
    assert bank.ask("POST", path, content=b"{", headers=SUPPORT).short == (422, "malformed")
    assert bank.verify(pending).short == (200, "approved")


def test_operations_without_fields_need_no_body() -> None:
    bank = Bank()
    pending = bank.start()

    assert bank.ask("POST", f"/transactions/{pending.id}/resend").short == (202, "sent")
    assert bank.ask("POST", f"/transactions/{pending.id}/cancel").short == (200, "cancelled")


def test_body_over_64_kib_is_refused_and_one_of_64_kib_is_read() -> None:
    bank = Bank()
    pending = bank.start()
    path = f"/transactions/{pending.id}/verify"
    body = b'{"otc": "%s"}' % pending.otc.encode()

    assert bank.ask("POST", path, content=body.ljust(MAX_BODY + 1)).short == (413, "malformed")
    assert bank.ask("POST", path, content=body.ljust(MAX_BODY)).short == (200, "approved")


@pytest.mark.parametrize(
    "raw",
    [
        b'{"a": "x:y:z", "b": 1}',
        b'{"a": {"a": 1}, "b": {"a": 2}}',
        b'{"otc": "123456"}',
        b"{}",
        b' \n{"a":1}\n ',
    ],
)
def test_colons_and_nested_keys_are_not_mistaken_for_repeated_keys(raw: bytes) -> None:
    assert read_object(raw) is not None


@pytest.mark.parametrize(
    ("method", "path", "short"),
    [
        ("GET", "/", (404, "not_found")),
        ("GET", "/nothing", (404, "not_found")),
        ("POST", "/cards/", (404, "not_found")),
        ("POST", "/transactions/a/b/verify", (404, "not_found")),
        ("GET", "/cards", (405, "method_not_allowed")),
        ("GET", "/transactions/a/verify", (405, "method_not_allowed")),
        ("DELETE", "/health", (405, "method_not_allowed")),
    ],
)
def test_what_there_is_not_is_refused_in_json(
    method: str, path: str, short: tuple[int, str]
) -> None:
    said = Bank().ask(method, path)

    assert said.short == short
    assert said.headers["cache-control"] == "no-store"
    assert said.headers["content-type"] == "application/json"


def test_method_not_allowed_says_which_is() -> None:
    assert Bank().ask("GET", "/cards").headers["allow"] == "POST"


def test_no_answer_may_be_cached() -> None:
    bank = Bank()
    pending = bank.start()

    answers = [bank.verify(pending), bank.enrol(), bank.ask("GET", "/health"), pending.said]

    assert {said.headers["cache-control"] for said in answers} == {"no-store"}


def test_health_says_which_version_answers() -> None:
    said = Bank().ask("GET", "/health")

    assert said.short == (200, "ok")
    assert said["version"]


def test_internal_error_says_nothing_about_itself() -> None:
    bank = Bank(mutant="null-crashes")

    said = bank.ask("POST", f"/transactions/{bank.start().id}/verify", {})

    assert (said.code, said.body) == (500, {"status": "error"})
    assert said.headers["cache-control"] == "no-store"


def test_request_that_is_cut_off_does_nothing() -> None:
    bank = Bank()
    pending = bank.start()
    sent: list[Any] = []
    arriving: list[dict[str, Any]] = [
        {"type": "http.request", "body": b"", "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive() -> dict[str, Any]:
        return arriving.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "headers": [], "query_string": b""}
    scope |= {"path": f"/transactions/{pending.id}/cancel", "root_path": ""}
    asyncio.run(bank.app(scope, receive, send))

    assert sent == []
    assert bank.verify(pending).short == (200, "approved")
