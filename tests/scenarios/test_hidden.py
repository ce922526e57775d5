"""A code in disguise is found; what is none is not."""

import base64
import zlib

import pytest

from otpspec_scenarios.conformance.alike import stands_in
from otpspec_scenarios.conformance.hidden import digests, unpacked

SESSION = b'{"user": 7, "otp": "567890"}'
PACKED = zlib.compress(SESSION)

HOLDS = {
    "a session cookie": "session="
    + base64.urlsafe_b64encode(SESSION).decode().rstrip("=")
    + ".c2ln",
    "a token": "Bearer eyJhbGciOiJIUzI1NiJ9." + base64.urlsafe_b64encode(SESSION).decode() + ".x",
    "a compressed session": "session=." + base64.urlsafe_b64encode(PACKED).decode(),
    "standard base64": base64.b64encode(SESSION).decode(),
}


@pytest.mark.parametrize("what", HOLDS)
def test_code_is_found_in(what: str) -> None:
    assert any(stands_in("567890", view) for view in unpacked(HOLDS[what]))


@pytest.mark.parametrize("text", ["", "a-word-of-letters-only", "5678905678905678", "x" * 5000])
def test_nothing_is_found_where_nothing_is_hidden(text: str) -> None:
    assert not any(stands_in("567890", view) for view in unpacked(text))


def test_digests_are_those_that_anyone_can_look_up() -> None:
    assert digests("567890")[0] == "ba00819f263287af1ff0100c5a323355"
    assert len({len(digest) for digest in digests("567890")}) == 3
