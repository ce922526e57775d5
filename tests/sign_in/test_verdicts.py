"""Where an address and a code are all that is sent, verdicts are right, and nobody is accused."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.conftest import Done
from tests.stand_ins.started import CLOCK, stand_in

Run = Callable[..., Done]

PROFILE = """\
[target]
base_url = "{url}"

[policy]
validity = "5m"
lock_scope = "challenge"
new_start = "voids"
csc = "never"
message_names_payment = false

[cards]
made_up = true

[operations.start]
method = "POST"
path = "/code"
json = {{ email = "{{card.email}}" }}
answers = [{{ status = 200, outcomes = "done" }}]

[operations.verify]
method = "POST"
path = "/sign-in"
headers = {{ Origin = "{url}" }}
json = {{ email = "{{card.email}}", code = "{{otc}}" }}
answers = [
    {{ status = 200, outcomes = "approved" }},
    {{ json = {{ error = "wrong_code" }}, outcomes = "wrong_otc" }},
    {{ json = {{ error = "expired" }}, outcomes = ["expired", "void"] }},
    {{ json = {{ error = "too_many_tries" }}, outcomes = "locked" }},
    {{ json = {{ error = "not_a_code" }}, outcomes = "malformed" }},
]

[inbox]
kind = "http"
contact = "email"
poll = {{ method = "GET", path = "/test/messages", query = {{ to = "{{contact}}" }} }}
messages = "@"
id = "id"
text = "text"
wait = "2s"
quiet = "100ms"
"""


@pytest.fixture
def check(otpspec: Run, tmp_path: Path) -> Callable[..., Done]:
    """Check a server that does these things: check("session", "-k", "BINDING")."""

    def run(does: str, *words: str) -> Done:
        with stand_in("sign_in", "--validity", "300", "--does", does) as url:
            (tmp_path / "sign-in.toml").write_text(PROFILE.format(url=url))
            return otpspec(
                "check", "sign-in.toml", "--set", CLOCK, "--seed", "7", *words, timeout=120
            )

    return run


def of(done: Done, verdict: str) -> dict[str, str]:
    """The rules with this verdict, and why."""
    return {r["id"]: r["reason"] for r in done.results["rules"] if r["verdict"] == verdict}


@pytest.mark.parametrize("does", ["", "session", "origin", "malformed"])
def test_sound_one_breaks_no_rule_and_leaves_none_unclear(
    check: Callable[..., Done], does: str
) -> None:
    done = check(does, "-k", "not race")

    assert of(done, "broken") == {}
    assert of(done, "inconclusive") == {}
    assert len(of(done, "passed")) >= 28
    assert of(done, "not_applicable")["LOCKOUT-3"] == (
        'the profile says policy.lock_scope = "challenge"'
    )


@pytest.mark.parametrize("does", ["", "session"])
def test_two_transactions_of_an_address_are_one(check: Callable[..., Done], does: str) -> None:
    done = check(does, "-k", "test_code_of_another_transaction_of_the_card_is_refused")

    assert of(done, "not_applicable")["BINDING-1"] == (
        "a code is looked for by its card: two transactions of a card are not told apart"
    )


@pytest.mark.parametrize(
    ("bug", "rules"),
    [
        ("any-address", {"BINDING-1"}),
        ("former-code", {"REPLAY-3"}),
        ("no-end", {"LOCKOUT-1", "LOCKOUT-5", "LOCKOUT-10"}),
        ("told-and-counted", {"INPUT-6"}),
    ],
)
def test_bug_is_found(check: Callable[..., Done], bug: str, rules: set[str]) -> None:
    done = check(bug, "-k", "BINDING or REPLAY or LOCKOUT or INPUT")

    assert of(done, "broken").keys() == rules


def test_whether_malformed_input_counts_is_no_question_where_it_is_answered_as_wrong(
    check: Callable[..., Done],
) -> None:
    done = check("", "-k", "INPUT-6")

    assert of(done, "not_applicable") == {
        "INPUT-6": "what is no code is answered as a wrong one, and the profile does not declare "
        "policy.malformed_counts"
    }


@pytest.mark.parametrize(("declared", "verdict"), [("true", "passed"), ("false", "broken")])
def test_what_is_declared_of_malformed_input_is_judged(
    check: Callable[..., Done], declared: str, verdict: str
) -> None:
    done = check("", "-k", "INPUT-6", "--set", f"policy.malformed_counts={declared}")

    assert done.rule("INPUT-6")["verdict"] == verdict
