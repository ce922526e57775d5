"""An operation may be several requests: what goes from one to the next, and where it ends."""

import json
from pathlib import Path

import pytest

from otpspec.profile import Profile

from .driven import START, VERIFY, drive, raw, with_steps

TWO = """
[[operations.start]]
method = "GET"
path = "/pay"
capture = { csrf = { field = "csrf" } }

[[operations.start]]
method = "POST"
path = "/pay"
form = { csrf = "{challenge.csrf}", amount = "{amount}" }
capture = { id = "transaction_id" }
answers = [{ status = 201, outcomes = "done" }]
"""
PAGE = '<form><input type="hidden" name="csrf" value="c1"></form>'


@pytest.fixture
def profile(tmp_path: Path) -> Profile:
    return with_steps(tmp_path, "start", TWO)


def looking_first(answers: str) -> str:
    """A start whose first step says what its answers mean."""
    return TWO.replace('"csrf" } }\n', f'"csrf" }} }}\nanswers = {answers}\n')


def test_what_a_step_captures_is_known_to_the_next(profile: Profile) -> None:
    done = drive(profile, "start", raw(200, PAGE), raw(201, '{"transaction_id": 7}'), values=START)

    assert done.asked == ["GET http://127.0.0.1:8000/pay", "POST http://127.0.0.1:8000/pay"]
    assert done.requests[1].body == b"csrf=c1&amount=12.00"
    assert done.reading == ({"done"}, {"csrf": "c1", "id": 7})


def test_last_of_several_requests_says_what_the_operation_came_to(profile: Profile) -> None:
    done = drive(profile, "start", raw(200, PAGE), raw(418), values=START)

    assert done.reading == ({"unknown"}, {"csrf": "c1"})


@pytest.mark.parametrize(
    ("status", "meant"),
    [(400, "unknown"), (404, "unknown"), (429, "throttled"), (500, "unavailable"),
     (503, "unavailable")],
)  # fmt: skip
def test_step_without_answers_that_is_refused_ends_the_operation(
    profile: Profile, status: int, meant: str
) -> None:
    done = drive(profile, "start", raw(status, PAGE), values=START)

    assert done.reading == ({meant}, {})


@pytest.mark.parametrize("status", [200, 204, 302, 304])
def test_step_without_answers_goes_on_with_whatever_is_no_error(
    profile: Profile, status: int
) -> None:
    done = drive(profile, "start", raw(status, PAGE), raw(201), values=START)

    assert len(done.requests) == 2


def test_step_that_is_read_as_refused_ends_the_operation_with_its_outcomes(tmp_path: Path) -> None:
    steps = looking_first(
        '[{ status = 200, outcomes = "done" }, { status = 403, outcomes = ["locked", "void"] }]'
    )
    profile = with_steps(tmp_path, "start", steps)

    refused = drive(profile, "start", raw(403, PAGE), values=START)
    unknown = drive(profile, "start", raw(204, PAGE), values=START)
    done = drive(profile, "start", raw(200, PAGE), raw(201), values=START)

    assert refused.reading == ({"locked", "void"}, {"csrf": "c1"})
    assert unknown.reading == ({"unknown"}, {})
    assert done.reading == ({"done"}, {"csrf": "c1"})


def test_step_that_misses_what_an_answer_did_not_hold_names_it(profile: Profile) -> None:
    with pytest.raises(KeyError, match=r"challenge\.csrf"):
        drive(profile, "start", raw(200, "<p>no form here</p>"), values=START)


def test_captures_of_enrolling_are_the_cards(tmp_path: Path) -> None:
    steps = TWO.replace("operations.start", "operations.enroll").replace("challenge.", "card.")
    profile = with_steps(
        tmp_path, "enroll", steps.replace('amount = "{amount}"', 'n = "{card.pan}"')
    )

    done = drive(
        profile, "enroll", raw(200, PAGE), raw(201, '{"transaction_id": 7}'),
        values={"card.pan": "4111"},
    )  # fmt: skip

    assert done.requests[1].body == b"csrf=c1&n=4111"
    assert done.reading.captures == {"csrf": "c1", "id": 7}


def test_a_step_sees_what_start_has_captured_and_renews_it(tmp_path: Path) -> None:
    steps = """
[[operations.verify]]
method = "GET"
path = "/pay/{challenge.id}"
capture = { id = { field = "next" } }

[[operations.verify]]
method = "POST"
path = "/pay/{challenge.id}"
form = { code = "{otc}" }
capture = { id = { field = "next" } }
answers = [
    { text = "Thank you", outcomes = "approved" },
    { text = "Wrong code", outcomes = "wrong_otc" },
]
"""
    profile = with_steps(tmp_path, "verify", steps)

    done = drive(
        profile, "verify",
        raw(200, "<input name=next value=t-2>", content_type="text/html"),
        raw(200, "<p>Wrong code</p><input name=next value=t-3>", content_type="text/html"),
        values=VERIFY,
    )  # fmt: skip

    assert [request.target for request in done.requests] == ["/pay/t-1", "/pay/t-2"]
    assert done.reading == ({"wrong_otc"}, {"id": "t-3"})


def test_what_a_scenario_adds_is_added_to_the_request_that_carries_the_code(
    tmp_path: Path,
) -> None:
    steps = """
[[operations.verify]]
method = "POST"
path = "/look"
json = { id = "{challenge.id}" }

[[operations.verify]]
method = "POST"
path = "/code"
json = { code = "{otc}" }
answers = [{ status = 200, outcomes = "done" }]

[[operations.verify]]
method = "POST"
path = "/finish"
json = { id = "{challenge.id}" }
answers = [{ status = 200, outcomes = "approved" }]
"""
    profile = with_steps(tmp_path, "verify", steps)

    extra = {"extra_body": {"to": "+1"}, "extra_headers": {"X-Forwarded-For": "10.0.0.1"}}
    done = drive(profile, "verify", raw(200), raw(200), raw(200), values=VERIFY, **extra)

    assert [json.loads(request.body) for request in done.requests] == [
        {"id": "t-1"}, {"code": "012345", "to": "+1"}, {"id": "t-1"},
    ]  # fmt: skip
    assert ["X-Forwarded-For" in dict(r.headers) for r in done.requests] == [False, True, False]
    assert done.reading.outcomes == {"approved"}
