"""Every mistake in a profile has a message that says where, what, and what to write instead."""

from pathlib import Path

import pytest

from otpspec.errors import ProfileError
from otpspec.profile import load

from .samples import PROFILE, changed, problems

LEASE = '[clock.lease]\nmethod = "POST"\npath = "/lease"\n'


def clock(
    read: str = 'capture = { now = "now" }', advance: str = 'capture = { now = "now" }'
) -> str:
    """A clock that can be moved."""
    return (
        f'kind = "http"\n[clock.read]\nmethod = "GET"\npath = "/clock"\n{read}\n'
        f'[clock.advance]\nmethod = "POST"\npath = "/clock"\n{advance}\n'
    )


ONE_MISTAKE = {
    "unknown key that is near a known one": (
        "base_url =", "base_ulr =",
        "target.base_ulr  unknown key; did you mean base_url?",
    ),
    "unknown key that is near none": (
        "[target]\n", "[target]\ncolour = 1\n",
        "target.colour  unknown key; known: base_url, name, timeout, version, private, "
        "ownership_token, ownership_path, tls, max_rate, correlation_header, adapter",
    ),
    "unknown table": (
        "[clock]\n", "[clocks]\n",
        "clocks  unknown key; did you mean clock?",
    ),
    "unknown key of the policy": (
        "validity =", "validty =",
        "policy.validty  unknown key; did you mean validity?",
    ),
    "missing text": (
        'path = "/cards"\n', "",
        "operations.enroll.path  missing; it is text",
    ),
    "missing word": (
        'method = "GET"\n', "",
        "inbox.poll.method  missing; it is one of GET, POST, PUT, PATCH, DELETE",
    ),
    "missing outcomes": (
        "{ status = 403, outcomes = \"wrong_otc\" }", "{ status = 403 }",
        "operations.verify.answers[1].outcomes  missing; it is one of approved, done, wrong_otc, "
        "wrong_csc, expired, locked, void, denied, malformed, throttled, unavailable, unknown",
    ),
    "missing table": (
        '[inbox.poll]\nmethod = "GET"\npath = "/outbox"\nquery = { to = "{contact}" }\n', "",
        'inbox.poll  missing; kind = "http" needs this request',
    ),
    "duration without a unit": (
        'validity = "10m"', "validity = 300",
        'policy.validity  300 has no unit; write "300s" or "5m"',
    ),
    "duration without a unit, as text": (
        'validity = "10m"', 'validity = "300"',
        'policy.validity  300 has no unit; write "300s" or "5m"',
    ),
    "duration without a unit, not whole minutes": (
        'validity = "10m"', "validity = 8.5",
        'policy.validity  8.5 has no unit; write "8.5s"',
    ),
    "duration that is none": (
        'validity = "10m"', 'validity = "ten minutes"',
        'policy.validity  "ten minutes" is not a duration; '
        'write a number and a unit, like "10m" or "30s"',
    ),
    "duration of another type": (
        'validity = "10m"', "validity = true",
        'policy.validity  expected a duration like "10m" or "30s"',
    ),
    "duration outside the policy": (
        "[target]\n", "[target]\ntimeout = 5\n",
        'target.timeout  5 has no unit; write "5s"',
    ),
    "validity of nothing": (
        'validity = "10m"', 'validity = "0s"',
        "policy.validity  must be longer than nothing",
    ),
    "validity that no clock can count": (
        'validity = "10m"', 'validity = "99999999999d"',
        'policy.validity  "99999999999d" is too long; at most "3660d"',
    ),
    "too few digits": (
        'validity = "10m"', "digits = 0",
        "policy.digits  0 is too small; at least 1",
    ),
    "too few tries": (
        'validity = "10m"', "max_wrong = -1",
        "policy.max_wrong  -1 is too small; at least 1",
    ),
    "number that is text": (
        'validity = "10m"', 'max_wrong = "3"',
        "policy.max_wrong  expected a whole number, got '3'",
    ),
    "number that is a truth value": (
        'validity = "10m"', "max_wrong = true",
        "policy.max_wrong  expected a whole number, got True",
    ),
    "truth value that is text": (
        'validity = "10m"', 'wrong_csc_counts = "yes"',
        "policy.wrong_csc_counts  expected true or false, got 'yes'",
    ),
    "text that is a number": (
        '"http://127.0.0.1:8000"', "8000",
        "target.base_url  expected text, got 8000",
    ),
    "unknown word": (
        'validity = "10m"', 'csc = "allways"',
        'policy.csc  "allways" is not known; did you mean always?',
    ),
    "unknown word that is near none": (
        'validity = "10m"', 'csc = "on Sundays"',
        'policy.csc  "on Sundays" is not known; known: never, sometimes, always',
    ),
    "unknown outcome": (
        'outcomes = "locked"', 'outcomes = "loked"',
        'operations.start.answers[1].outcomes  "loked" is not known; did you mean locked?',
    ),
    "unknown outcome in a list": (
        '["expired", "void"]', '["expired", "viod"]',
        'operations.verify.answers[2].outcomes[1]  "viod" is not known; did you mean void?',
    ),
    "unknown method": (
        'method = "GET"', 'method = "GTE"',
        'inbox.poll.method  "GTE" is not known; did you mean GET?',
    ),
    "status that is text": (
        "status = 423", 'status = "423"',
        "operations.start.answers[1].status  expected a whole number, got '423'",
    ),
    "unknown policy": (
        'validity = "10m"', 'base = "safekee"',
        'policy.base  "safekee" is not a policy; did you mean safekey?',
    ),
    "policy that is not text": (
        'validity = "10m"', 'base = ["safekey"]',
        "policy.base  expected text, got ['safekey']",
    ),
    "outcomes that are a number": (
        'outcomes = "locked"', "outcomes = 423",
        "operations.start.answers[1].outcomes  expected one of approved, done, wrong_otc, "
        "wrong_csc, expired, locked, void, denied, malformed, throttled, unavailable, unknown, "
        "got 423",
    ),
    "header that is a number": (
        '"/cards"\n', '"/cards"\nheaders = { X-Version = 2 }\n',
        "operations.enroll.headers.X-Version  expected text, got 2",
    ),
    "headers that are text": (
        '"/cards"\n', '"/cards"\nheaders = "X-Version: 2"\n',
        "operations.enroll.headers  expected a table, got 'X-Version: 2'",
    ),
    "patterns that are one": (
        '[{ status = 201, outcomes = "done" }]', '{ status = 201, outcomes = "done" }',
        "operations.enroll.answers  expected a list, got {'status': 201, 'outcomes': 'done'}",
    ),
    "table that is none": (
        '[clock]\nkind = "real"\n', "[waive]\n[[clock]]\n",
        "clock  expected a table, got [{}]",
    ),
    "environment variable that is not set": (
        '"/cards"', '"/{env.OTPSPEC_TENANT}/cards"',
        "operations.enroll.path  the environment variable OTPSPEC_TENANT is not set; "
        "try: export OTPSPEC_TENANT=…",
    ),
    "unknown place": (
        "{card.pan}", "{card.pam}",
        "operations.enroll.json.pan  {card.pam} is not known here; did you mean card.pan?",
    ),
    "place of another operation": (
        '"{amount}"', '"{otc}"',
        "operations.start.json.amount  {otc} is not known here; known: amount, currency, merchant, "
        "card.pan, card.csc, card.phone, card.email, card.passphrase, card.id",
    ),
    "place that nothing captures": (
        "{challenge.id}", "{challenge.reference}",
        "operations.verify.path  {challenge.reference} is not known here; "
        "did you mean challenge.id?",
    ),
    "place in the base URL": (
        "127.0.0.1:8000", "127.0.0.1:8000/{tenant}",
        'target.base_url  "http://127.0.0.1:8000/{tenant}" is not a base URL; '
        'write it like "https://acs.example.com:8443/otp"',
    ),
    "approved among others": (
        'json = { status = "approved" }, outcomes = "approved"',
        'json = { status = "approved" }, outcomes = ["approved", "void"]',
        "operations.verify.answers[0].outcomes  approved and done cannot share an answer with "
        "other outcomes: split the pattern",
    ),
    "no outcome at all": (
        '["expired", "void"]', "[]",
        "operations.verify.answers[2].outcomes  empty: name at least one outcome",
    ),
    "pattern without a condition": (
        "status = 403, ", "",
        "operations.verify.answers[1]  matches every answer: "
        "give status, header, json, text or regex",
    ),
    "verify that never succeeds": (
        'outcomes = "approved"', 'outcomes = "done"',
        'operations.verify.answers  no pattern has outcomes = "approved": '
        "say which answer means success",
    ),
    "operation that never succeeds": (
        'answers = [{ status = 201, outcomes = "done" }]', "",
        'operations.enroll.answers  no pattern has outcomes = "done": '
        "say which answer means success",
    ),
    "JMESPath of a capture": (
        '"card_id"', '"card id"',
        "operations.enroll.capture.id  not a JMESPath expression: "
        "Unexpected token: id: Parse error at column 5, token \"id\" (UNQUOTED_IDENTIFIER), "
        'for expression:',
    ),
    "JMESPath of a condition": (
        'json = { status = "approved" }', 'json = { "status[" = "approved" }',
        "operations.verify.answers[0].json.status[  not a JMESPath expression: "
        "Invalid jmespath expression: Incomplete expression:",
    ),
    "JMESPath of the inbox": (
        'messages = "messages"', 'messages = ""',
        "inbox.messages  not a JMESPath expression: "
        "Invalid JMESPath expression: cannot be empty.",
    ),
    "regular expression of a header": (
        "status = 403,", 'header = { Retry-After = "(" },',
        "operations.verify.answers[1].header.Retry-After  not a regular expression: "
        "missing ), unterminated subpattern at position 0",
    ),
    "regular expression of the code": (
        'text = "text"', 'text = "text"\ncode = "[0-"',
        "inbox.code  not a regular expression: unterminated character set at position 0",
    ),
    "code without a group": (
        'text = "text"', 'text = "text"\ncode = \'\\d{6}\'',
        r"inbox.code  needs a group around the code, like '(\d{6})'",
    ),
    "path without its slash": (
        '"/cards"', '"cards"',
        'operations.enroll.path  "cards" must begin with /',
    ),
    "clock that cannot be read": (
        'kind = "real"\n', clock().replace("[clock.read]", "[clock.lease]"),
        'clock.read     missing; kind = "http" needs this request\n'
        "  clock.release  missing; lease and release go together",
    ),
    "clock that cannot be moved": (
        'kind = "real"\n', clock().partition("[clock.advance]")[0],
        'clock.advance  missing; kind = "http" needs this request',
    ),
    "clock whose reading is lost": (
        'kind = "real"\n', clock(read=""),
        "clock.read.capture  must capture now: seconds since 1970, as the target sees them",
    ),
    "clock whose jump is not seen": (
        'kind = "real"\n', clock(advance='capture = { then = "now" }'),
        "clock.advance.capture  must capture now: seconds since 1970, as the target sees them",
    ),
    "lease that is never given back": (
        'kind = "real"\n', clock() + LEASE,
        "clock.release  missing; lease and release go together",
    ),
    "release of no lease": (
        'kind = "real"\n', clock() + LEASE.replace("lease]", "release]"),
        "clock.lease  missing; lease and release go together",
    ),
    "waiver of an unknown rule": (
        '[clock]\n', '[waive]\nLOCKUOT-7 = "by hand"\n[clock]\n',
        "waive.LOCKUOT-7  is not in the rule catalogue; did you mean LOCKOUT-7?",
    ),
    "waiver without a reason": (
        '[clock]\n', '[waive]\nLOCKOUT-7 = " "\n[clock]\n',
        "waive.LOCKOUT-7  needs a reason: why it does not matter that the rule is not applicable",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "message"), ONE_MISTAKE.values(), ids=ONE_MISTAKE)
def test_one_mistake_is_said_in_these_words(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    assert problems(tmp_path, changed((old, new))) == "  " + message


@pytest.mark.parametrize(
    "url",
    [
        "127.0.0.1:8000",
        "ftp://127.0.0.1",
        "http://",
        "http://127.0.0.1:0",
        "http://127.0.0.1:99999",
        "http://[::1",
        "http://127.0.0.1/?a=1",
        "http://127.0.0.1/#top",
        "http://somebody:secret@127.0.0.1",
        "http://:secret@127.0.0.1",
    ],
)
def test_what_is_not_a_base_url_is_refused(tmp_path: Path, url: str) -> None:
    text = changed(("http://127.0.0.1:8000", url))

    expected = f'"{url}" is not a base URL; write it like "https://acs.example.com:8443/otp"'
    assert problems(tmp_path, text) == f"  target.base_url  {expected}"


def test_five_mistakes_are_reported_at_once_with_their_places(tmp_path: Path) -> None:
    text = changed(
        ("base_url =", "base_ulr ="),
        ('validity = "10m"', "validity = 300"),
        ("{card.pan}", "{card.pam}"),
        ('outcomes = "locked"', 'outcomes = "loked"'),
        ('id = "seq"', 'id = "["'),
    )

    assert problems(tmp_path, text).splitlines() == [
        "  target.base_ulr                       unknown key; did you mean base_url?",
        '  operations.start.answers[1].outcomes  "loked" is not known; did you mean locked?',
        '  policy.validity                       300 has no unit; write "300s" or "5m"',
        "  operations.enroll.json.pan            "
        "{card.pam} is not known here; did you mean card.pan?",
        "  inbox.id                              "
        "not a JMESPath expression: Invalid jmespath expression: Incomplete expression:",
    ]


def test_environment_variable_that_is_not_set_is_reported_once(tmp_path: Path) -> None:
    text = changed(('"/cards"', '"/{env.T}/cards"'), ('"/outbox"', '"/{env.T}/outbox"'))

    expected = "the environment variable T is not set; try: export T=…"
    assert problems(tmp_path, text) == f"  operations.enroll.path  {expected}"


def test_text_that_is_not_toml_is_reported_with_its_line(tmp_path: Path) -> None:
    said = problems(tmp_path, "[target]\nbase_url = \n")

    assert said == "  (file)  not TOML: Invalid value (at line 2, column 12)"


def test_file_that_is_not_utf8_is_reported(tmp_path: Path) -> None:
    source = tmp_path / "acs.toml"
    source.write_bytes(b"\xff\xfe[target]")

    with pytest.raises(ProfileError) as raised:
        load(str(source))

    assert (
        str(raised.value) == f"{source}: 1 problem\n  (file)  cannot be read: it is not UTF-8 text"
    )


def test_file_that_is_not_there_is_reported(tmp_path: Path) -> None:
    source = tmp_path / "acs.toml"

    with pytest.raises(ProfileError) as raised:
        load(str(source))

    expected = "cannot be read: No such file or directory"
    assert str(raised.value) == f"{source}: 1 problem\n  (file)  {expected}"


def test_directory_is_reported_as_one(tmp_path: Path) -> None:
    with pytest.raises(ProfileError) as raised:
        load(str(tmp_path))

    assert str(raised.value) == f"{tmp_path}: 1 problem\n  (file)  cannot be read: Is a directory"


@pytest.mark.parametrize(
    ("source", "hint"),
    [
        ("safekey-referense", "did you mean safekey-reference?"),
        ("acs", "known: safekey-reference"),
    ],
)
def test_neither_a_file_nor_a_shipped_profile_is_reported(source: str, hint: str) -> None:
    with pytest.raises(ProfileError) as raised:
        load(source)

    expected = f"(profile)  neither a file nor a shipped profile; {hint}"
    assert str(raised.value) == f"{source}: 1 problem\n  {expected}"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            "policy.validity",
            '(change)  "policy.validity" changes nothing; write it like "policy.validity=8s"',
        ),
        (
            "target.base_url.port=80",
            "target.base_url.port  cannot be set: base_url is not a table",
        ),
        (
            "operations.start.answers.0.status=200",
            "operations.start.answers.0.status  cannot be set: answers is not a table",
        ),
        ("policy=safekey", "policy  expected a table, got 'safekey'"),
        ("operations.resend=later", "operations.resend  expected a table, got 'later'"),
        ("policy.validty=8s", "policy.validty  unknown key; did you mean validity?"),
        ("policy.validity=8", 'policy.validity  8 has no unit; write "8s"'),
    ],
)
def test_change_that_cannot_be_made_is_reported(tmp_path: Path, change: str, message: str) -> None:
    assert problems(tmp_path, PROFILE, change) == "  " + message
