"""What doctor says of a target that takes any address: the contact, the origin, the session."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Done
from tests.sign_in.test_verdicts import PROFILE
from tests.stand_ins.started import stand_in

Run = Callable[..., Done]
Examine = Callable[..., dict[str, Any]]
ORIGIN = 'headers = {{ Origin = "{url}" }}\n'


@pytest.fixture
def examine(otpspec: Run, tmp_path: Path) -> Examine:
    """Has a profile of a server that does these things examined; changes are text for text."""

    def run(does: str, *changes: tuple[str, str]) -> dict[str, Any]:
        text = PROFILE
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        with stand_in("sign_in", "--validity", "300", "--does", does) as url:
            (tmp_path / "sign-in.toml").write_text(text.format(url=url))
            done = otpspec("doctor", "sign-in.toml", "--json")
        found: dict[str, Any] = json.loads(done.out)
        found["url"] = url
        return found

    return run


def step(found: dict[str, Any], name: str) -> dict[str, Any]:
    return next(step for step in found["steps"] if step["name"] == name)


def test_everything_is_understood(examine: Examine) -> None:
    found = examine("")

    assert {one["mark"] for one in found["steps"]} == {"ok"}


def test_refusal_of_the_request_itself_is_not_taken_for_one_of_the_code(examine: Examine) -> None:
    found = examine("origin", (ORIGIN, ""))

    again = step(found, "verify, a wrong code")
    assert again["mark"] == "wrong"
    assert again["notes"] == [
        "it speaks of “origin”, so of where the request comes from, and not of the code: a browser "
        "sends an Origin, or a token that a page or a cookie has; see headers, capture"
    ]
    assert [(s["place"], s["toml"]) for s in again["suggestions"]] == [
        ("operations.verify", f'headers = {{ Origin = "{found["url"]}" }}')
    ]


def test_message_that_came_to_the_cards_other_contact_is_found(examine: Examine) -> None:
    found = examine(
        "", ('contact = "email"', 'contact = "phone"\nwait = "300ms"'), ('wait = "2s"\n', "")
    )

    mail = step(found, "start: the message")
    assert mail["mark"] == "wrong"
    assert mail["notes"] == ["it came to the card's email, not to its phone"]
    assert [(s["place"], s["toml"]) for s in mail["suggestions"]] == [
        ("inbox", 'contact = "email"')
    ]
