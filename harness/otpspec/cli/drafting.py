"""From answers to a profile's text: a template with what was answered in its place."""

import shlex
import tomllib
from collections.abc import Mapping
from typing import Any

from otpspec.cli.questions import (
    ANY,
    CHALLENGE,
    NONE,
    Answers,
    Asked,
    Pattern,
    contact,
    pattern,
    places,
    request,
)
from otpspec.cli.templates import Draft, toml

Row = tuple[Pattern, str, str]
"""A pattern, its outcome, and a comment."""

_POLICY = {"validity": "validity", "digits": "digits", "max_wrong": "max_wrong", "csc": "csc"}
_NUMBERS = ("digits", "max_wrong")


def tell(draft: Draft, answers: Answers) -> None:
    """Write the answers that any template takes."""
    if "base_url" in answers:
        draft.set("target", "base_url", toml(answers["base_url"]))
    for name, key in _POLICY.items():
        if name in answers:
            value: Any = int(answers[name]) if name in _NUMBERS else answers[name]
            draft.set("policy", key, toml(value))
    if answers.get("lock") == CHALLENGE:
        draft.drop("policy", "lock_for")
        draft.set("policy", "lock_scope", toml(CHALLENGE), "only the one code dies; nothing locks")
    elif "lock" in answers:
        draft.set("policy", "lock_for", toml(answers["lock"]))
    if "inbox" in answers:
        before = tomllib.loads(str(draft))["inbox"]
        draft.replace("inbox", "\n".join(_inbox(answers, before)))


def _inbox(answers: Answers, before: Mapping[str, Any]) -> list[str]:
    """The table [inbox], of any kind; who gets a message and what a code looks like stays."""
    kind, at = answers["inbox"], answers.get("inbox_at", "")
    lines = ["[inbox]", f"kind = {toml(kind)} # {_INBOX[kind]}"]
    mails = before["kind"] in _BY_MAIL or contact(answers) == "email"
    if mails and kind not in (*_BY_MAIL, "totp", "static"):
        lines.append('contact = "email" # which of a card\'s contacts it goes to')
    if "code" in before:
        lines.append(f"code = {toml(before['code'])} # its first group is the code")
    if kind == "http":
        lines += [
            f'messages = {toml(answers["messages"])} # JMESPath: the list in its answer; "@" where '
            "the answer is the list",
            f"id = {toml(answers['message_id'])} # in a message: what tells it from the others",
            f"text = {toml(answers['message_text'])} # in a message: its text, in which the code "
            "stands alone",
        ]
    else:
        value = shlex.split(at) if kind == "command" else at
        lines.append(f"{_WHERE[kind]} = {toml(value)}")
    if kind not in ("totp", "static"):
        lines += [
            'wait = "5s" # how long a message may take',
            'quiet = "500ms" # how long silence must last to count as silence',
        ]
    if kind == "http":
        poll = request(answers["poll"])
        lines += ["", "[inbox.poll]", *_request(poll, answers.get("header", NONE))]
    return lines


_BY_MAIL = ("smtp", "maildir")
_INBOX = {
    "http": "a URL of a test installation that lists what was sent",
    "smtp": "the harness is the mail server: give its address to your target",
    "sms": "the harness is the SMS gateway: give its address to your target",
    "file": "a file to which the target adds a line for each message",
    "maildir": "a folder of mails, a file each",
    "command": "it prints the messages; {contact} in it is whose",
    "totp": "no messages: codes are made of a secret and the time",
    "static": "no messages: a test code that is always right; most rules need real ones",
}
_WHERE = {
    "smtp": "listen",
    "sms": "listen",
    "file": "path",
    "maildir": "path",
    "command": "command",
    "totp": "secret",
    "static": "otc",
}


def _request(asked: Asked, header: str, note: str = "") -> list[str]:
    """A request's own keys."""
    lines = [f"method = {toml(asked.method)}", f"path = {toml(asked.path)}"]
    if asked.query:
        lines.append(f"query = {toml(asked.query)}")
    if header != NONE:
        name, _, value = header.partition(":")
        lines.append(f"headers = {toml({name: value.strip()})}")
    for key, body in (("json", asked.json), ("form", asked.form)):
        if body is not None:
            lines.append(f"{key} = {toml(body)} {note and f'# {note}'}".rstrip())
    return lines


def write_own(draft: Draft, answers: Answers) -> None:
    """Write the answers about an API of one's own: its operations."""
    enroll = answers["enroll"]
    if enroll in (NONE, ANY):
        draft.drop_comment("operations.enroll")
        lines = _cards(answers) if enroll == NONE else _MADE_UP
        draft.replace("operations.enroll", "\n".join(lines))
    else:
        draft.replace("operations.enroll", "\n".join(_enroll(answers)))
    draft.replace("operations.start", "\n".join(_start(answers)))
    draft.replace("operations.verify", "\n".join(_verify(answers)))
    for name in ("resend", "unlock"):
        if answers[name] != NONE:
            draft.uncomment(f"operations.{name}", "\n".join(_more(name, answers)))
    if "{amount}" not in answers["start"]:
        draft.set("policy", "message_names_payment", "false", "start carries no amount to name")


_MADE_UP = [
    "# It takes any phone or address: the harness makes them up, and nobody enrols them.",
    "[cards]",
    "made_up = true",
]


def _operation(
    name: str,
    answers: Answers,
    rows: list[Row],
    *,
    capture: list[str] | None = None,
    note: str = "",
) -> list[str]:
    """The table of an operation."""
    asked = request(answers[name])
    lines = [f"[operations.{name}]", *_request(asked, answers["header"], note), *(capture or [])]
    told = [f"    {row}" for row in _rows(rows)]
    if len(told) == 1:
        return [*lines, f"answers = [{told[0].strip().removesuffix(',')}]"]
    return [*lines, "answers = [", *told, "]"]


def _enroll(answers: Answers) -> list[str]:
    kept = {} if answers["card_id"] == NONE else {"id": answers["card_id"]}
    if answers["inbox"] == "totp":
        kept["secret"] = "secret"  # noqa: S105 - a field's name
    note = "{card.id}: the field of the answer that later requests need"
    return _operation(
        "enroll",
        answers,
        [(pattern(answers["started"]), "done", "")],
        capture=_capture(kept, note),
        note="must hold where codes are sent" if contact(answers) else "",
    )


def _start(answers: Answers) -> list[str]:
    kept = {} if answers["transaction_id"] == NONE else {"id": answers["transaction_id"]}
    rows = [
        (pattern(answers["started"]), "done", ""),
        *_row(answers, "locked"),
        (Pattern((404,), {}), "void", "no such card"),
        *_row(answers, "malformed"),
    ]
    note = "{challenge.id}: the field of the answer that verify needs"
    return _operation("start", answers, rows, capture=_capture(kept, note))


def _capture(kept: dict[str, str], note: str) -> list[str]:
    return [f"capture = {toml(kept)} # {note}"] if kept else []


def _verify(answers: Answers) -> list[str]:
    rows = [
        (pattern(answers["approved"]), "approved", ""),
        (pattern(answers["wrong"]), "wrong_otc", ""),
        *(_row(answers, "wrong_csc") if answers["csc"] != "never" else []),
        *_row(answers, "malformed", "what is no code at all"),
        *_row(answers, "locked"),
        *_row(answers, "expired"),
        *_row(answers, "used", "used, ended, or no such transaction"),
    ]
    asks = answers["csc"] != "never"
    note = "" if asks else 'csc = "{csc}" beside it, where it asks for the 3CSC'
    return _operation("verify", answers, rows, note=note)


def _more(name: str, answers: Answers) -> list[str]:
    """A resend, or an unlock by support."""
    started = pattern(answers["started"])
    statuses = tuple(sorted({200, 201, 202, 204, *started.statuses})) if started.statuses else ()
    rows: list[Row] = [(Pattern(statuses, started.json), "done", "")]
    if name == "resend":
        rows += [r for state in ("locked", "expired", "used") for r in _row(answers, state)]
    else:
        rows.append((Pattern((401, 403), {}), "denied", ""))
    return _operation(name, answers, rows)


def _row(answers: Answers, state: str, note: str = "") -> list[Row]:
    """What a state is answered with, if it has an answer."""
    outcome = "void" if state == "used" else state
    return [] if answers[state] == NONE else [(pattern(answers[state]), outcome, note)]


def _rows(rows: list[Row]) -> list[str]:
    """Patterns as lines. Equal ones are one, with several outcomes; the narrower come first."""
    merged: dict[str, tuple[Pattern, list[str], str]] = {}
    for found, outcome, note in rows:
        _, outcomes, first = merged.setdefault(str(found), (found, [], note))
        outcomes.append(outcome)
        merged[str(found)] = (found, outcomes, first if len(outcomes) == 1 else "")
    narrower_first = sorted(merged.values(), key=lambda row: not row[0].json)
    return [_line(*row) for row in narrower_first]


def _line(found: Pattern, outcomes: list[str], note: str) -> str:
    table: dict[str, Any] = {}
    if found.statuses:
        table["status"] = found.statuses[0] if len(found.statuses) == 1 else list(found.statuses)
    if found.json:
        table["json"] = found.json
    table["outcomes"] = outcomes[0] if len(outcomes) == 1 else outcomes
    return f"{toml(table)}, {note and f'# {note}'}".rstrip()


def _cards(answers: Answers) -> list[str]:
    """Cards that the user lists: what requests take of a card, with values to be replaced."""
    named = places(answers, "start", "verify", "resend", "unlock", "inbox_at")
    columns: dict[str, None] = dict.fromkeys(named)
    if contact(answers):
        columns[contact(answers)] = None
    if answers["csc"] != "never":
        columns["csc"] = None
    samples = {"phone": "+99900000001", "email": "payer1@example.com", "csc": "123"}
    return [
        "# fill in: cards (accounts) that your target knows, thirty or more, each with a table of",
        '# its own; or name a CSV file with these columns: [cards] csv = "cards.csv"',
        "[[cards.given]]",
        *(f"{name} = {toml(samples.get(name, f'{name}-of-card-1'))}" for name in columns),
    ]
