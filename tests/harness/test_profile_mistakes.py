"""Mistakes in steps, captures, inboxes and the target's table: where, what, what to write."""

from pathlib import Path

import pytest

from .driven import table
from .samples import PROFILE, changed, problems, read

INBOX = PROFILE[PROFILE.index("[inbox]\n") : PROFILE.index("[clock]\n")]
KINDS = "http, smtp, sms, file, maildir, command, totp, static"
GET = 'method = "GET"\npath = "/x"\n'


def start(*steps: str) -> tuple[str, str]:
    """The sample's start with other steps before it."""
    first = "".join(f"[[operations.start]]\n{step}\n" for step in steps)
    return table("start"), first + "[" + table("start").replace(".start]", ".start]]", 1)


def inbox(text: str) -> tuple[str, str]:
    return INBOX, f"[inbox]\n{text}\n"


def target(text: str) -> tuple[str, str]:
    return "[target]\n", f"[target]\n{text}\n"


def capture(text: str) -> tuple[str, str]:
    return '{ id = "transaction_id" }', text


ONE_MISTAKE = {
    "no inbox": (
        (INBOX, ""),
        f"inbox  missing; it is a table whose kind is one of {KINDS}",
    ),
    "inbox without a kind": (
        ('kind = "http"\n', ""),
        f"inbox.kind  missing; it is one of {KINDS}",
    ),
    "inbox of an unknown kind": (
        ('kind = "http"', 'kind = "smpt"'),
        'inbox.kind  "smpt" is not known; did you mean smtp?',
    ),
    "inbox of a kind that is near none": (
        ('kind = "http"', 'kind = "pigeon"'),
        f'inbox.kind  "pigeon" is not known; known: {KINDS}',
    ),
    "inbox of a kind that is no text": (
        ('kind = "http"', "kind = 5"),
        f'inbox.kind  "5" is not known; known: {KINDS}',
    ),
    "inbox that is no table": (
        (INBOX, ""), ("[target]\n", 'inbox = "smtp"\n[target]\n'),
        "inbox  expected a table, got 'smtp'",
    ),
    "list of no inbox": (
        (INBOX, ""), ("[target]\n", "inbox = []\n[target]\n"),
        "inbox  empty; describe where the codes come, in a table [[inbox]]",
    ),
    "key of another kind of inbox": (
        inbox('kind = "smtp"\nmessages = "all"'),
        "inbox.messages  unknown key; known: contact, code, reference, wait, quiet, listen",
    ),
    "second of two inboxes": (
        (INBOX, '[[inbox]]\nkind = "smtp"\n[[inbox]]\nkind = "sms"\nwait = 5\n'),
        'inbox[1].wait  5 has no unit; write "5s"',
    ),
    "text that an inbox needs": (
        ('messages = "messages"\n', ""),
        'inbox.messages  missing; kind = "http" needs this text',
    ),
    "list that an inbox needs": (
        inbox('kind = "command"'),
        'inbox.command  missing; kind = "command" needs this list',
    ),
    "command of no words": (
        inbox('kind = "command"\ncommand = []'),
        'inbox.command  empty; a list like ["docker", "logs", "mail"]',
    ),
    "place in a command": (
        inbox('kind = "command"\ncommand = ["tail", "{card.phone}"]'),
        "inbox.command[1]  {card.phone} is not known here; known: contact",
    ),
    "place in a secret": (
        inbox('kind = "totp"\nsecret = "{card.pam}"'),
        "inbox.secret  {card.pam} is not known here; did you mean card.pan?",
    ),
    "place in a test code": (
        inbox('kind = "static"\notc = "{otc}"'),
        "inbox.otc  {otc} is not known here; known: card.pan, card.csc, card.phone, card.email, "
        "card.passphrase, card.id, challenge.id",
    ),
    "place in a look at the inbox": (
        ('to = "{contact}"', 'to = "{card.phone}"'),
        "inbox.poll.query.to  {card.phone} is not known here; known: contact",
    ),
    "algorithm of a totp": (
        inbox('kind = "totp"\nsecret = "ABC"\nalgorithm = "sha1"'),
        'inbox.algorithm  "sha1" is not known; known: SHA1, SHA256, SHA512',
    ),
    "contact of an inbox": (
        inbox('kind = "smtp"\ncontact = "mail"'),
        'inbox.contact  "mail" is not known; did you mean email?',
    ),
    "reference without a group": (
        inbox("kind = 'smtp'\nreference = 'Ref \\w+'"),
        r"inbox.reference  needs a group around it, like 'Ref (\w+)'",
    ),
    "reference that is no expression": (
        inbox("kind = 'smtp'\nreference = 'Ref (\\w+'"),
        "inbox.reference  not a regular expression: "
        "missing ), unterminated subpattern at position 4",
    ),
    "JMESPath of an optional key": (
        inbox('kind = "sms"\nto = "a b"'),
        "inbox.to  not a JMESPath expression: Unexpected token: b: Parse error at column 2, "
        'token "b" (UNQUOTED_IDENTIFIER), for expression:',
    ),
    "clock without a kind": (
        ('kind = "real"\n', ""),
        "clock.kind  missing; it is one of real, http, faketime, frozen",
    ),
    "clock of an unknown kind": (
        ('kind = "real"', 'kind = "feketime"'),
        'clock.kind  "feketime" is not known; did you mean faketime?',
    ),
    "clock whose app is missing": (
        ('kind = "real"', 'kind = "frozen"'),
        'clock.app  missing; kind = "frozen" needs this text',
    ),
    "clock that is read without a time": (
        ('kind = "real"\n', f'kind = "faketime"\n[clock.read]\n{GET}'),
        "clock.read.capture  must capture now: seconds since 1970, as the target sees them",
    ),
    "launch of nothing": (
        ("[clock]\n", "[launch]\ncommand = []\n[clock]\n"),
        'launch.command  empty; a list like ["python", "server.py"]',
    ),
    "two bodies": (
        ('json = { otc = "{otc}", csc = "{csc}" }', 'json = { a = "{otc}" }\nform = { b = "1" }'),
        "operations.verify  has json and form: a request has one body",
    ),
    "body of a form that is no table": (
        ('json = { otc = "{otc}", csc = "{csc}" }', 'form = "otc={otc}"'),
        "operations.verify.form  expected a table, got 'otc={otc}'",
    ),
    "value of a form that is a number": (
        ('json = { otc = "{otc}", csc = "{csc}" }', "form = { step = 2 }"),
        "operations.verify.form.step  expected text, got 2",
    ),
    "more redirects than anyone follows": (
        ('"/cards"\n', '"/cards"\nfollow = 21\n'),
        "operations.enroll.follow  21 is no number of redirects; 0 to 20",
    ),
    "fewer redirects than none": (
        ('"/cards"\n', '"/cards"\nfollow = -1\n'),
        "operations.enroll.follow  -1 is no number of redirects; 0 to 20",
    ),
    "base URL of a request": (
        ('"/cards"\n', '"/cards"\nbase_url = "cards.example.com"\n'),
        'operations.enroll.base_url  "cards.example.com" is not a base URL; '
        'write it like "https://acs.example.com:8443/otp"',
    ),
    "capture of two sources": (
        capture('{ id = { header = "X-Id", json = "id" } }'),
        "operations.start.capture.id  has json and header: a capture has one source",
    ),
    "capture of nothing": (
        capture("{ id = {} }"),
        "operations.start.capture.id  takes nothing: give json, header, cookie, field or regex",
    ),
    "capture of a number": (
        capture("{ id = 5 }"),
        "operations.start.capture.id  expected text or a table, got 5",
    ),
    "capture from an unknown source": (
        capture('{ id = { cookies = "sid" } }'),
        "operations.start.capture.id.cookies  unknown key; did you mean cookie?",
    ),
    "JMESPath of a capture": (
        capture('{ id = { json = "a[" } }'),
        "operations.start.capture.id.json  not a JMESPath expression: "
        "Invalid jmespath expression: Incomplete expression:",
    ),
    "regex of a capture": (
        capture("{ id = { regex = 'id=(' } }"),
        "operations.start.capture.id.regex  not a regular expression: "
        "missing ), unterminated subpattern at position 3",
    ),
    "regex of a capture without a group": (
        capture("{ id = { header = 'Location', regex = 'id=\\w+' } }"),
        r"operations.start.capture.id.regex  needs a group around what is kept, like 'id=(\w+)'",
    ),
    "regex of an answer": (
        ("status = 403,", "regex = '(',"),
        "operations.verify.answers[1].regex  not a regular expression: "
        "missing ), unterminated subpattern at position 0",
    ),
    "empty list of requests": (
        (table("verify"), "[operations]\nverify = []\n"),
        "operations.verify  empty; give it a request",
    ),
    "empty list of requests that may be left out": (
        ("[operations.enroll]", "[operations]\nresend = []\n[operations.enroll]"),
        "operations.resend  empty; leave the operation out, or give it a request",
    ),
    "last step without its answers": (
        start(GET), ('{ status = 201, outcomes = "done" }, {', "{"),
        'operations.start[1].answers  no pattern has outcomes = "done": '
        "say which answer means success",
    ),
    "mistake in an early step": (
        start('method = "GTE"\npath = "/x"\n'),
        'operations.start[0].method  "GTE" is not known; did you mean GET?',
    ),
    "own capture in the request that begins a transaction": (
        ('"{amount}"', '"{challenge.id}"'),
        "operations.start.json.amount  {challenge.id} is not known here; known: amount, "
        "currency, merchant, card.pan, card.csc, card.phone, card.email, card.passphrase, card.id",
    ),
    "capture of a later step": (
        start(GET + 'query = { x = "{challenge.id}" }'),
        "operations.start[0].query.x  {challenge.id} is not known here; known: amount, "
        "currency, merchant, card.pan, card.csc, card.phone, card.email, card.passphrase, card.id",
    ),
    "rate without its time": (
        target('max_rate = "20"'),
        'target.max_rate  "20" is not a rate; write it like "20/s" or "90/m"',
    ),
    "rate of nothing": (
        target('max_rate = "0/s"'),
        'target.max_rate  "0/s" is not a rate; write it like "20/s" or "90/m"',
    ),
    "certificate without its key": (
        target('tls = { certificate = "ours.pem" }'),
        "target.tls.key  missing; certificate and key go together",
    ),
    "key without its certificate": (
        target('tls = { key = "ours.key" }'),
        "target.tls.certificate  missing; certificate and key go together",
    ),
    "version that captures none": (
        target('version = { method = "GET", path = "/v", capture = { v = "v" } }'),
        "target.version.capture  must capture version",
    ),
    "version with a place": (
        target('version = { method = "GET", path = "/{card.id}", capture = { version = "v" } }'),
        "target.version.path  {card.id} is not known here; there is none",
    ),
    "version that is a number": (
        target("version = 2"),
        "target.version  expected text or a table, got 2",
    ),
    "path of the ownership": (
        target('ownership_path = "proof.txt"'),
        'target.ownership_path  "proof.txt" must begin with /',
    ),
}  # fmt: skip


@pytest.mark.parametrize("mistake", ONE_MISTAKE.values(), ids=ONE_MISTAKE)
def test_one_mistake_is_said_in_these_words(
    tmp_path: Path, mistake: tuple[tuple[str, str] | str, ...]
) -> None:
    *changes, message = mistake

    said = problems(tmp_path, changed(*changes))

    assert said == f"  {message}"


def test_requests_of_a_clock_may_stay_where_it_is_switched_off(tmp_path: Path) -> None:
    request = 'capture = { now = "now" }\n'
    clock = f"[clock.read]\n{GET}{request}[clock.advance]\n{GET}{request}"

    assert read(tmp_path, ('kind = "real"\n', f'kind = "real"\n{clock}')).clock.kind == "real"
