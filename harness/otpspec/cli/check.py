"""otpspec check: every rule, a verdict each."""

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from otpspec import known as known_failures
from otpspec import profile as profiles
from otpspec.cli import coverage
from otpspec.cli.output import BROKEN, INCONCLUSIVE, OK, end, follow, prepare
from otpspec.cli.planning import show_plan
from otpspec.cli.suite import Choice, run
from otpspec.errors import OtpspecError
from otpspec.profile.reader import parse_duration
from otpspec.rules import RULES, StandardName
from otpspec.world import LONGEST_WAIT

ProfileArgument = Annotated[
    str, typer.Argument(metavar="PROFILE", help="A TOML file, or the name of a shipped profile.")
]
BaseUrl = Annotated[
    str | None, typer.Option(metavar="URL", help="Where the target is, if not as in the profile.")
]
Changes = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Change a value of the profile: policy.validity=8s"
    ),
]
Out = Annotated[Path, typer.Option(metavar="DIR", help="Where results and report are written.")]
Seed = Annotated[
    int | None, typer.Option(metavar="N", help="Repeat the choices of an earlier run.")
]
DEFAULT_OUT = Path("otpspec-report")
POWER = "95%/2%"
"""What --power asks for: a race that shows twice in seventy rounds is found in 98 of 100 runs."""


def check(
    profile: ProfileArgument,
    base_url: BaseUrl = None,
    changes: Changes = None,
    select: Annotated[
        str,
        typer.Option("-k", metavar="WORDS", help="One rule by its id, or words as pytest's -k."),
    ] = "",
    standard: Annotated[
        str, typer.Option(metavar="NAME", help="Only the rules of psd2, owasp-asvs, …")
    ] = "",
    known: Annotated[
        str, typer.Option(metavar="FILE", help="Rules that are known to be broken (TOML).")
    ] = "",
    seed: Seed = None,
    out: Out = DEFAULT_OUT,
    deep: Annotated[
        bool, typer.Option(help="Statistics, too: hundreds of codes, and their timing.")
    ] = False,
    power: Annotated[
        bool, typer.Option("--power", help="Many more rounds of each race, for rare ones.")
    ] = False,
    races: Annotated[
        str, typer.Option(metavar="P/S", help="Find a race of 5 % of rounds with 95 %: 95%/5%")
    ] = "",
    max_wait: Annotated[
        str, typer.Option(metavar="TIME", help="Leave out what waits longer in real time: 15m")
    ] = "",
    plan: Annotated[
        bool, typer.Option("--plan", help="Say what a check would take; send nothing.")
    ] = False,
    strict: Annotated[bool, typer.Option(help="A broken SHOULD fails the run, too.")] = False,
    inconclusive: Annotated[
        str, typer.Option(metavar="fail|warn", help="Whether what cannot be judged is exit 3.")
    ] = "fail",
) -> None:
    """Check every rule against a target, and give a verdict on each."""
    if inconclusive not in ("fail", "warn"):
        raise typer.BadParameter(f"{inconclusive!r}; give fail or warn", param_hint="inconclusive")
    named = coverage.standard(standard) if standard else None
    only = selected(select, named)
    races = races or (POWER if power else "")
    changes = [*(changes or ()), *([f"races.power={races}"] if races else [])]
    read = profiles.load(profile, base_url=base_url, changes=changes)
    choice = Choice(select, only, deep, _duration(max_wait))
    if plan:
        raise typer.Exit(show_plan(read, choice, seed))
    expected = known_failures.load(known, today=date.today()) if known else None
    prepare(out)
    with follow("checking") as progress:
        given = [*options(base_url, changes), *(["--deep"] if deep else [])]
        given += [f"--max-wait {max_wait}"] if max_wait else []
        found = run(
            read,
            choice,
            seed=seed,
            options=given,
            strict=strict,
            known=expected,
            progress=progress,
        )
    found = msgspec.structs.replace(found, standard=named or "")
    code = end(found, out, warn=inconclusive == "warn")
    if named is not None:
        coverage.publish(named, found.rules, read.policy)
        if code in (OK, INCONCLUSIVE) and not coverage.within(named, read.policy):
            code = BROKEN
    raise typer.Exit(code)


def _duration(text: str) -> timedelta:
    try:
        return parse_duration(text) if text else LONGEST_WAIT
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="max-wait") from error


def selected(select: str, named: StandardName | None) -> set[str] | None:
    """The rules that are asked for by id or by a standard; None: all that -k leaves.

    pytest's -k alone would take LOCKOUT-10 for LOCKOUT-1, too. Raises OtpspecError where the rule
    is not one of the standard's.
    """
    ids = None if named is None else {rule.id for rule in coverage.rules_of(named)}
    rule_id = select.strip().upper()
    if rule_id not in RULES:
        return ids
    if ids is not None and rule_id not in ids:
        raise OtpspecError(
            f"{rule_id} is no rule of {named}.\nTry: otpspec rules --standard {named}"
        )
    return {rule_id}


def options(base_url: str | None, changes: Sequence[str] | None) -> list[str]:
    """The options that say which target was meant, for a command that repeats a check."""
    words = [f"--base-url {base_url}"] if base_url else []
    return words + [f"--set {change}" for change in changes or ()]
