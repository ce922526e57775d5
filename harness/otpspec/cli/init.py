"""otpspec init: a first profile, made of a template and of a few answers."""

import re
import socket
import sys
from collections.abc import Iterable, Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer
from rich.table import Table
from rich.text import Text

from otpspec import profile as profiles
from otpspec.cli import drafting, templates
from otpspec.cli.output import UNUSABLE, complain, err, out
from otpspec.cli.questions import GENERAL, OWN, Question
from otpspec.errors import OtpspecError, ProfileError
from otpspec.guard import new_token, verification
from otpspec.guard.kinds import Kind, kind, unwrapped
from otpspec.profile import schema

PLAINEST = "json-api"
"""The template that the questions are about."""

_BY_NAME = {question.name: question for question in (*GENERAL, *OWN)}
_OWNERSHIP_PATH = schema.Target(base_url="").ownership_path
_LOCAL_NAMES = (".internal", ".local", ".lan", ".home.arpa", ".test")


def _option(name: str, metavar: str) -> Any:
    """The option that answers a question without asking."""
    return typer.Option(metavar=metavar, help=f"{_BY_NAME[name].text}?")


_METHOD = "'METHOD PATH BODY'"
_TELLS = "'STATUS FIELD=VALUE'"


def init(  # as long as the command has options: each answers one question
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="The profile to write.")] = Path("acs.toml"),
    template: Annotated[
        str, typer.Option("--from", metavar="TEMPLATE", help="Begin with one of --list.")
    ] = "",
    base_url: Annotated[str | None, _option("base_url", "URL")] = None,
    validity: Annotated[str | None, _option("validity", "10m")] = None,
    digits: Annotated[str | None, _option("digits", "6")] = None,
    max_wrong: Annotated[str | None, _option("max_wrong", "3")] = None,
    lock: Annotated[str | None, _option("lock", "support|30m")] = None,
    csc: Annotated[str | None, _option("csc", "never|sometimes|always")] = None,
    inbox: Annotated[str | None, _option("inbox", "http|smtp|sms|file|…")] = None,
    inbox_at: Annotated[str | None, _option("inbox_at", "WHERE")] = None,
    poll: Annotated[str | None, _option("poll", "'METHOD PATH'")] = None,
    messages: Annotated[str | None, _option("messages", "FIELD")] = None,
    message_id: Annotated[str | None, _option("message_id", "FIELD")] = None,
    message_text: Annotated[str | None, _option("message_text", "FIELD")] = None,
    header: Annotated[str | None, _option("header", "'NAME: VALUE'")] = None,
    enroll: Annotated[str | None, _option("enroll", _METHOD)] = None,
    card_id: Annotated[str | None, _option("card_id", "FIELD")] = None,
    start: Annotated[str | None, _option("start", _METHOD)] = None,
    started: Annotated[str | None, _option("started", _TELLS)] = None,
    transaction_id: Annotated[str | None, _option("transaction_id", "FIELD")] = None,
    verify: Annotated[str | None, _option("verify", _METHOD)] = None,
    approved: Annotated[str | None, _option("approved", _TELLS)] = None,
    wrong: Annotated[str | None, _option("wrong", _TELLS)] = None,
    wrong_csc: Annotated[str | None, _option("wrong_csc", _TELLS)] = None,
    malformed: Annotated[str | None, _option("malformed", _TELLS)] = None,
    locked: Annotated[str | None, _option("locked", _TELLS)] = None,
    expired: Annotated[str | None, _option("expired", _TELLS)] = None,
    used: Annotated[str | None, _option("used", _TELLS)] = None,
    resend: Annotated[str | None, _option("resend", _METHOD)] = None,
    unlock: Annotated[str | None, _option("unlock", _METHOD)] = None,
    listed: Annotated[bool, typer.Option("--list", help="List the templates.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a file.")] = False,
) -> None:
    """Write a first profile: asks on a terminal, or takes options; or begins with a template."""
    if listed:
        out.print(_list())
        return
    name = template or PLAINEST
    text = templates.read(name)
    if file.exists() and not force:
        raise OtpspecError(
            f"{file} is there already, and was left as it is.\n"
            "Try: another name, or --force to replace it"
        )
    given = {key: context.params[key] for key in _BY_NAME if context.params[key] is not None}
    ask = not template and not yes and sys.stdin.isatty() and sys.stdout.isatty()
    answers = _answered(_questions(name, template, given), given, ask=ask)
    draft = templates.Draft(text)
    drafting.tell(draft, answers)
    if name == PLAINEST:
        drafting.write_own(draft, answers)
    if name in (PLAINEST, "html-form"):
        draft.set("target", "name", templates.toml(file.stem))
    found = _place(draft, answers["base_url"]) if "base_url" in answers else []
    _write(file, str(draft))
    raise typer.Exit(_tell(file, name, found))


def _list() -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    for name in templates.NAMES:
        table.add_row(Text(name), Text(templates.about(name)))
    return table


def _questions(name: str, template: str, given: Mapping[str, str]) -> list[Question]:
    """What is to be answered: all, or of a template that is complete only what was given."""
    own = [question.name for question in OWN if question.name in given]
    if name != PLAINEST and own:
        option = own[0].replace("_", "-")
        raise OtpspecError(
            f"--{option} does not go with --from {name}, which is complete: change its file.\n"
            f"Try: otpspec init --from {PLAINEST} --{option} …"
        )
    if name == PLAINEST:
        return [*GENERAL, *OWN]
    wanted = set(given)
    if "inbox" in wanted:
        wanted |= {"inbox_at", "poll", "messages", "message_id", "message_text"}
    return [question for question in GENERAL if question.name in wanted]


def _answered(
    questions: Iterable[Question], given: Mapping[str, str], *, ask: bool
) -> dict[str, str]:
    """An answer to each question: given, asked for, or its default."""
    answers: dict[str, str] = {}
    for question in questions:
        if not question.when(answers):
            continue
        if question.name in given:
            answers[question.name] = _checked(question, given[question.name])
        elif ask:
            answers[question.name] = _asked(question, question.default(answers))
        else:
            answers[question.name] = question.default(answers)
    return answers


def _checked(question: Question, text: str) -> str:
    try:
        question.check(text)
    except ValueError as error:
        raise OtpspecError(f"--{question.name.replace('_', '-')}: {error}") from error
    return text


def _asked(question: Question, default: str) -> str:
    """Ask until the answer can be used."""

    def checked(text: str) -> str:
        try:
            question.check(text.strip())
        except ValueError as error:
            raise typer.BadParameter(str(error)) from error
        return text.strip()

    out.print(Text(question.help, "dim"))
    answer: str = typer.prompt(f"{question.text}?", default=default, value_proc=checked)
    return answer


# --- where the target is ------------------------------------------------------------------------


def _place(draft: templates.Draft, base_url: str) -> list[str]:
    """Write what the guard needs to know of this place; what the user has to do for it."""
    parts = urlsplit(base_url)
    kinds = _kinds(parts.hostname or "")
    if Kind.PUBLIC in kinds:
        token = new_token()
        origin = f"{parts.scheme}://{parts.netloc}"
        line = verification(token, origin)
        where = f"{origin}{_OWNERSHIP_PATH}"
        draft.insert("target", "base_url", [
            "# It is public: it is only talked to where the file",
            f"# {where}",
            "# holds this line, which shows that its owner agrees:",
            f"# {line}",
            f"ownership_token = {templates.toml(token)} # secret: who has it can run otpspec there",
        ])  # fmt: skip
        return [
            "It is public, and is only talked to where its owner agrees. Put this line",
            f"  {line}",
            f"into {where}",
        ]
    if Kind.PRIVATE in kinds:
        line = "private = true # it is in a private network, yours to test"
        draft.insert("target", "base_url", [line])
    return []


def _kinds(host: str) -> set[Kind]:
    """What kinds of addresses stand behind a name; public, where nobody knows.

    Raises OtpspecError where one of them is no place for a target.
    """
    if host == "localhost" or host.endswith(".localhost"):
        return {Kind.LOOPBACK}
    try:
        found = [str(ip_address(host))]
    except ValueError:
        found = _resolved(host)
    if not found:
        local = "." not in host or host.endswith(_LOCAL_NAMES)
        return {Kind.PRIVATE if local else Kind.PUBLIC}
    kinds = [(address, *kind(unwrapped(address))) for address in found]
    for address, one, what in kinds:
        if one is Kind.NEVER:
            raise OtpspecError(
                f"{host} is no place for a target: {address} is {what}.\nTry: --base-url"
            )
    return {one for _, one, _ in kinds}


def _resolved(host: str) -> list[str]:
    try:
        return [str(found[4][0]) for found in socket.getaddrinfo(host, None)]
    except (OSError, UnicodeError):
        return []


# --- the end ------------------------------------------------------------------------------------


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise OtpspecError(f"{file} cannot be written: {error.strerror}") from error


class _Anything(dict[str, str]):
    """An environment in which every variable is set: only the profile itself is looked at."""

    def get(self, key: str, default: Any = None) -> Any:
        return "x" * 32


def _tell(file: Path, name: str, found: list[str]) -> int:
    """Say what was written and what to do next; the exit code."""
    try:
        profile = profiles.load(str(file), environ=_Anything())
    except ProfileError as error:
        complain(str(error))
        err.print(f"It was written all the same. Mend it there, then: otpspec doctor {file}",
                  markup=False, soft_wrap=True)  # fmt: skip
        return UNUSABLE
    lines = [f"{file}: a profile for {profile.base_url}, begun with {name}.", *found]
    text = file.read_text("utf-8")
    told = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    if needed := sorted(set(re.findall(r"\{env\.(\w+)\}", told))):
        lines.append(f"It reads from the environment: {', '.join(needed)}")
    if "# fill in:" in text:
        lines.append("Something is for you to fill in: look for “fill in:” in it.")
    lines += ["Next:", f"  otpspec doctor {file}", f"  otpspec check {file}"]
    out.print("\n".join(lines), markup=False, soft_wrap=True)
    return 0
