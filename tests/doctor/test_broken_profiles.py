"""Profiles that are broken in many ways: doctor says what to write, and then they work."""

# ruff: noqa: E501 - pieces of a profile stand here as they stand there

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.doctor.pasting import REFERENCE, changed, pasted

Server = Any
Done = Any
Examine = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def examine(reference_server: Server, otpspec: Callable[..., Done], tmp_path: Path) -> Examine:
    """Has a profile examined: its exit code, and what was found."""

    def run(text: str, *words: str, **more: str) -> tuple[int, dict[str, Any]]:
        (tmp_path / "acs.toml").write_text(text, encoding="utf-8")
        where = () if "--base-url" in words else ("--base-url", reference_server.url)
        done = otpspec("doctor", "acs.toml", "--json", *where, *words, **more)
        assert done.out, done.err
        return done.code, json.loads(done.out)

    return run


def step(found: dict[str, Any], name: str) -> dict[str, Any]:
    return next(step for step in found["steps"] if step["name"] == name)


def marks(found: dict[str, Any]) -> dict[str, str]:
    return {step["name"]: step["mark"] for step in found["steps"]}


def locked(found: dict[str, Any]) -> list[str]:
    """Steps that were answered as a locked card is: doctor must lock none."""
    exchanges = [(step["name"], e["status"]) for step in found["steps"] for e in step["exchanges"]]
    return [name for name, status in exchanges if status == 423]


def test_nothing_is_wrong_with_a_perfect_profile(examine: Examine) -> None:
    code, found = examine(REFERENCE)

    assert code == 0, marks(found)
    assert set(marks(found).values()) == {"ok"}
    assert found["warnings"] == []
    assert found["unusable"] == []
    assert found["next"].startswith("otpspec check acs.toml --base-url http://127.0.0.1:")


MENDED: dict[str, tuple[str, list[tuple[str, str]]]] = {
    "a wrong status": ("start", [("status = 201, json = { status = \"pending\" }", "status = 200, json = { status = \"pending\" }")]),
    "a wrong word": ("verify, the right code", [('json = { status = "approved" }', 'json = { status = "ok" }')]),
    "a wrong capture of the card": ("enroll", [('capture = { id = "card_id" }', 'capture = { id = "data.id" }')]),
    "a wrong capture of the transaction": ("start", [('id = "transaction_id"', 'id = "txn"')]),
    "a code pattern that finds nothing": ("start: the message", [('text = "text"\n', "text = \"text\"\ncode = '(\\d{8})'\n")]),
    "a code pattern that finds another number": ("start: the message", [('text = "text"\n', "text = \"text\"\ncode = 'EUR (\\d+)'\n")]),
    "outcomes that are swapped": (
        "verify, the right code",
        [
            ('json = { status = "approved" }, outcomes = "approved"', 'json = { status = "approved" }, outcomes = "wrong_otc"'),
            ('json = { status = "wrong_otc" }, outcomes = "wrong_otc"', 'json = { status = "wrong_otc" }, outcomes = "approved"'),
        ],
    ),
    "a pattern that takes too much, and stands first": (
        "verify, the right code",
        [('    { status = 200, json = { status = "approved" }', '    { status = [200, 403], outcomes = "wrong_otc" },\n    { status = 200, json = { status = "approved" }')],
    ),
    "no pattern for a wrong code": ("verify, a wrong code", [('    { status = 403, json = { status = "wrong_otc" }, outcomes = "wrong_otc" },\n', "")]),
    "no pattern for a used code": ("verify, the used code again", [("    { status = 409, outcomes = \"void\" },\n", "")]),
    "no pattern for a wrong 3CSC": ("verify, a wrong 3CSC", [('    { status = 403, json = { status = "wrong_csc" }, outcomes = "wrong_csc" },\n', "")]),
    "no pattern for a wrong proof": ("change_contact, a wrong proof", [('    { status = 403, json = { status = "proof_refused" }, outcomes = "denied" },\n', "")]),
    "a list of messages elsewhere": ("start: the message", [('messages = "messages"', 'messages = "data.list"')]),
    "an id of messages that is none": ("start: the message", [('id = "seq"', 'id = "uid"')]),
    "a text of messages that is none": ("start: the message", [('text = "text"', 'text = "body"')]),
}  # fmt: skip


@pytest.mark.parametrize("how", MENDED)
def test_what_doctor_suggests_mends_the_profile(examine: Examine, how: str) -> None:
    name, changes = MENDED[how]
    broken = changed(*changes)

    code, found = examine(broken)
    assert code in (2, 3), marks(found)
    assert step(found, name)["mark"] in ("wrong", "doubt"), marks(found)
    assert step(found, name)["suggestions"], step(found, name)
    assert locked(found) == []

    code, found = examine(pasted(broken, found))
    assert code == 0, (marks(found), found["unusable"])
    assert "wrong" not in marks(found).values()


def test_one_visit_is_enough_for_a_profile_that_reads_nothing(examine: Examine) -> None:
    """As one begins: the requests are known, what the answers mean is not."""
    lines = REFERENCE.splitlines()
    blank = "\n".join(
        '    { status = 299, outcomes = "OUTCOME" },' if line.startswith("    { status") else line
        for line in lines
    )
    head, verify, rest = blank.partition("[operations.verify]")
    text = head.replace("OUTCOME", "done") + verify
    first, answers, others = rest.partition("[operations.resend]")
    text += first.replace("OUTCOME", "approved") + answers + others.replace("OUTCOME", "done")

    code, found = examine(text)
    assert code == 3
    assert set(marks(found).values()) <= {"wrong", "ok"}, marks(found)

    code, found = examine(pasted(text, found))
    assert code == 0, marks(found)


HINTED: dict[str, tuple[str, list[tuple[str, str]], str]] = {
    "a wrong path": ("start", [('path = "/transactions"', 'path = "/payments"')], "HTTP 404: nothing is there: see path, and target.base_url before it"),
    "a wrong method": ("amend", [('method = "PATCH"', 'method = "PUT"')], "HTTP 405: there is no such method on this path: see method and path"),
    "a wrong key of the body": ("verify, the right code", [('json = { otc = "{otc}", csc = "{csc}" }', 'json = { code = "{otc}", csc = "{csc}" }')], "it does not carry"),
    "a wrong token": ("unlock", [("Bearer {env.OTPSPEC_TEST_TOKEN}", "Bearer nobody")], "HTTP 401: the target wants to know who asks"),
}  # fmt: skip


@pytest.mark.parametrize("how", HINTED)
def test_doctor_says_where_to_look_where_no_pattern_would_help(examine: Examine, how: str) -> None:
    name, changes, hint = HINTED[how]

    code, found = examine(changed(*changes))

    assert code == 3
    notes = " ".join(step(found, name)["notes"])
    assert step(found, name)["mark"] == "wrong"
    assert hint in notes or "does not carry {otc} where the target looks" in notes, notes


def test_a_wrong_base_path_is_seen_at_the_first_step(
    examine: Examine, reference_server: Server
) -> None:
    code, found = examine(
        changed(), "--base-url", reference_server.url + "/api", "--set", "clock.kind=real"
    )

    assert code == 3
    assert marks(found) == {"enroll": "wrong"}
    assert "target.base_url" in " ".join(step(found, "enroll")["notes"])


CONTRADICTED: dict[str, tuple[list[tuple[str, str]], str]] = {
    "policy.digits": ([('base = "safekey"', 'base = "safekey"\ndigits = 8')], "digits = 6"),
    "policy.alphabet": ([('base = "safekey"', 'base = "safekey"\nalphabet = "letters"')], 'alphabet = "digits"'),
    "policy.max_wrong": ([('base = "safekey"', 'base = "safekey"\nmax_wrong = 5')], "max_wrong = 3"),
    "policy.resend": ([('base = "safekey"', 'base = "safekey"\nresend = "reuse"')], 'resend = "rotate"'),
    "policy.validity": ([('base = "safekey"', 'base = "safekey"\nvalidity = "3m"')], 'validity = "10m"'),
    "amounts.with_csc": ([('with_csc = "250.00"', 'with_csc = "25.00"')], ""),
    "policy.csc": ([('base = "safekey"', 'base = "safekey"\ncsc = "never"'), ('without_csc = "12.00"', 'without_csc = "250.00"')], 'csc = "sometimes"'),
}  # fmt: skip


@pytest.mark.parametrize("place", CONTRADICTED)
def test_doctor_warns_of_a_policy_that_the_answers_contradict(examine: Examine, place: str) -> None:
    changes, line = CONTRADICTED[place]

    _, found = examine(changed(*changes))

    warned = {warning["place"]: warning for warning in found["warnings"]}
    assert place in warned, found["warnings"]
    suggestion = warned[place]["suggestion"]
    assert (suggestion["toml"] if suggestion else "") == line


def test_a_clock_that_cannot_be_moved_does_not_end_the_visit(examine: Examine) -> None:
    code, found = examine(changed(('path = "/test/clock/advance"', 'path = "/test/nowhere"')))

    assert code == 2
    assert set(marks(found).values()) == {"ok"}
    assert "does not answer as the profile's [clock] says (HTTP 404)" in found["unusable"][0]
    assert found["found"]["clock"] == ["cannot be used: time is not moved in this run"]


def test_what_is_left_out_is_counted_in_rules(examine: Examine) -> None:
    begin = REFERENCE.index("[operations.unlock]")
    end = REFERENCE.index("[operations.change_contact]")

    code, found = examine(REFERENCE[:begin] + REFERENCE[end:])

    assert code == 0
    missing = {one["lacks"]: one for one in found["missing"]}
    assert missing["[operations.unlock]"]["rules"] == ["LOCKOUT-7"]
    assert missing["[operations.unlock]"]["core"] == ["LOCKOUT-7"]


def test_no_secret_is_in_what_doctor_says(examine: Examine, reference_server: Server) -> None:
    _, found = examine(REFERENCE)

    said = json.dumps(found, ensure_ascii=False)
    messages = reference_server.hook("/test/outbox?to=")["messages"]
    assert reference_server.token not in said
    codes = {
        word for m in messages for word in m["text"].split() if word.isdigit() and len(word) == 6
    }
    assert not [code for code in codes if code in said]


@pytest.mark.parametrize("tries", ["1", "2", "4"])
def test_no_card_is_locked_however_few_tries_it_has(
    examine: Examine, serve: Callable[..., Server], tries: str
) -> None:
    server = serve("--max-wrong", tries)

    code, found = examine(REFERENCE, "--base-url", server.url, "--set", f"policy.max_wrong={tries}")

    assert code == 0, marks(found)
    assert locked(found) == []
    skipped = [name for name, mark in marks(found).items() if mark == "skipped"]
    assert bool(skipped) == (tries == "1"), skipped


def test_a_target_that_takes_a_used_code_is_for_check_to_judge(
    examine: Examine, serve: Callable[..., Server]
) -> None:
    server = serve("--mutant", "used-code-accepted-later")

    code, found = examine(REFERENCE, "--base-url", server.url)

    used = step(found, "verify, the used code again")
    if "approved" in used["read"]:
        assert used["mark"] == "doubt"
        assert "for otpspec check to judge" in used["notes"][0]
    assert code == 0, marks(found)


def test_one_answer_to_a_wrong_code_and_a_wrong_3csc_is_called_so(
    examine: Examine, serve: Callable[..., Server]
) -> None:
    server = serve("--merge-failures")
    changes = [
        (
            '    { status = 403, json = { status = "refused" }, outcomes = ["wrong_otc", "wrong_csc"] }, # --merge-failures\n',
            "",
        )
    ]

    code, found = examine(changed(*changes), "--base-url", server.url)

    assert code == 3
    suggested = step(found, "verify, a wrong code")["suggestions"][0]
    assert (
        suggested["toml"]
        == '{ status = 403, json = { status = "refused" }, outcomes = ["wrong_csc", "wrong_otc"] }'
    )
    assert "answered alike: verify, a wrong code, verify, a wrong 3CSC" in suggested["why"]
