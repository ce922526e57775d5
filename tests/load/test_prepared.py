"""A prepared request is, byte for byte, the one that is built the general way."""

import json
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otpspec.load.wire import encode
from otpspec.profile import MISSING, Profile, Request, load
from otpspec.profile.prepared import Prepared

NUMBER = "4" + "0" * 40
VALUES = st.one_of(
    st.text(max_size=20), st.from_regex(r"[A-Za-z0-9_.~-]{1,30}", fullmatch=True), st.integers()
)


@cache
def profile() -> Profile:
    return load("safekey-reference", environ={"OTPSPEC_TEST_TOKEN": "100%s-token"})


def write(request: Request) -> bytes:
    headers = (*request.headers, ("X-Request-ID", f"run-{NUMBER}"))
    return encode(request._replace(headers=headers), "acs.example")


def both(operation: str, values: dict[str, Any], number: int = 17) -> tuple[bytes | None, bytes]:
    step = profile().operations[operation].decisive
    prepared = Prepared(step, write, NUMBER)
    prepared.fill(dict.fromkeys(values, "1"), 1)  # what was there before must not shine through
    built = write(step.build(values)).replace(NUMBER.encode(), str(number).encode())
    return prepared.fill(values, number), built


@settings(deadline=None)
@given(VALUES, VALUES, st.one_of(VALUES, st.just(MISSING)))
def test_prepared_verify_is_the_built_one(identity: Any, otc: Any, csc: Any) -> None:
    filled, built = both("verify", {"challenge.id": identity, "otc": otc, "csc": csc})

    assert filled in (None, built)


@pytest.mark.parametrize("csc", ["712", MISSING])
@pytest.mark.parametrize("identity", ["a1-b2_c3.d4~", 1234])
def test_usual_values_are_filled_in(identity: Any, csc: Any) -> None:
    filled, built = both("verify", {"challenge.id": identity, "otc": "123456", "csc": csc})

    assert filled == built


def test_header_of_the_profile_may_hold_a_percent_sign() -> None:
    filled, built = both("unlock", {"card.id": "c1"})

    assert filled == built
    assert b"100%s-token" in built


@pytest.mark.parametrize("value", ["a/b", "ä", 'a"b', "a b", True, None, 1.5, ["x"]])
def test_value_that_is_escaped_or_of_another_kind_takes_the_general_way(value: Any) -> None:
    step = profile().operations["verify"].decisive
    prepared = Prepared(step, write, NUMBER)

    assert prepared.fill({"challenge.id": "t1", "otc": value, "csc": MISSING}, 1) is None


def test_place_without_a_value_is_named() -> None:
    prepared = Prepared(profile().operations["verify"].decisive, write, NUMBER)

    with pytest.raises(KeyError, match=r"challenge\.id"):
        prepared.fill({"otc": "1", "csc": "2"}, 1)


def test_answer_is_read_alike_however_often_it_was_read() -> None:
    step = profile().operations["start"].decisive
    bodies = [
        b'{"status":"pending"}',
        b'{"status":"pending","transaction_id":"t1","csc_required":true}',
        b'{"status":"pending","transaction_id":"t2"}',
        b'{"status":"locked","transaction_id":"t3"}',
        b'{"status":true}',
        b"no json",
    ]

    for _ in range(2):
        for status in (201, 423, 500):
            for body in bodies:
                read = profile().read("start", status, {}, body)
                assert step.read_bare(status, body) == read


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2) | st.sampled_from(["pending", "locked", ""]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["status", "transaction_id", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from([201, 423, 500]), JSON), min_size=1, max_size=4))
def test_any_body_is_read_as_the_general_way_reads_it(answers: list[tuple[int, Any]]) -> None:
    step = profile().operations["start"].decisive

    for status, document in answers:
        body = json.dumps(document).encode()
        assert step.read_bare(status, body) == profile().read("start", status, {}, body)
