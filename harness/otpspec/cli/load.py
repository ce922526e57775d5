"""otpspec load: Locust underneath, every answer judged."""

import asyncio
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from otpspec import conclude, reach, results
from otpspec import load as locust_load
from otpspec import profile as profiles
from otpspec.cli.check import DEFAULT_OUT, BaseUrl, Changes, Out, ProfileArgument, Seed
from otpspec.cli.output import command_line, end, err, prepare
from otpspec.cli.output import out as console
from otpspec.cli.people import planned_mix
from otpspec.load.arrivals import Arrivals, Crowd
from otpspec.profile import Profile
from otpspec.profile.goals import of_command
from otpspec.profile.reader import parse_duration
from otpspec.redact import Redactor

LATE_MS = 10.0
"""From here on it is said while the run goes on that the generator is late."""


def load(
    profile: ProfileArgument,
    base_url: BaseUrl = None,
    changes: Changes = None,
    users: Annotated[
        int, typer.Option(min=1, help="How many payers at once, in a closed loop.")
    ] = 20,
    rate: Annotated[
        str,
        typer.Option(
            metavar="RATE",
            help="Journeys begun a second, whatever the target does: 300/s, 10..500/s, "
            "100/s,200/s. In place of --users.",
        ),
    ] = "",
    arrivals: Annotated[
        str, typer.Option(metavar="KIND", help="With --rate: constant or poisson.")
    ] = "constant",
    crowd: Annotated[
        str,
        typer.Option(
            metavar="CROWD",
            help="With --rate: 200@10s are 200 journeys more that begin at once, 10 s into the "
            "run; several: 200@10s,500@20s.",
        ),
    ] = "",
    connections: Annotated[
        int, typer.Option(min=1, help="With --rate: connections at most; the rest waits.")
    ] = 1000,
    cards: Annotated[int | None, typer.Option(min=1, help="How many cards are kept ready.")] = None,
    think: Annotated[
        str, typer.Option(metavar="TIME", help="How long a payer thinks before each answer.")
    ] = "",
    duration: Annotated[
        str, typer.Option("--for", metavar="TIME", help="How long: 30s, 2m.")
    ] = "30s",
    spawn_rate: Annotated[
        float | None, typer.Option(min=0.1, help="Payers begun a second; all in the first.")
    ] = None,
    slo: Annotated[
        list[str] | None,
        typer.Option(
            metavar="LIMIT",
            help="p99=250ms, errors=0.1%, verify.p99=200ms: beside the profile's [load.slo]. "
            "Exit 1 where one is broken.",
        ),
    ] = None,
    plan: Annotated[
        bool, typer.Option("--plan", help="Say who would come, and send nothing.")
    ] = False,
    seed: Seed = None,
    out: Out = DEFAULT_OUT,
    strict: Annotated[bool, typer.Option(help="A broken SHOULD fails the run, too.")] = False,
) -> None:
    """Load a target with payers like those of a real day, and judge every answer."""
    read = profiles.load(profile, base_url=base_url, changes=changes or ())
    try:
        lasts = parse_duration(duration)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--for") from error
    try:
        thinks = parse_duration(think) if think else timedelta(0)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--think") from error
    if rate:
        try:
            Arrivals.parse(rate, arrivals, lasts.total_seconds())
        except ValueError as error:
            raise typer.BadParameter(str(error), param_hint="--rate") from error
    try:
        if Crowd.parse(crowd) and not rate:
            raise ValueError("a crowd comes on top of a rate; give --rate, too")
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--crowd") from error
    try:
        of_command(slo or ())
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--slo") from error
    if plan:
        console.print(planned_mix(read))
        raise typer.Exit
    prepare(out)
    found = run(
        read,
        base_url=base_url,
        changes=changes or [],
        users=users,
        spawn_rate=spawn_rate,
        rate=rate,
        arrivals=arrivals,
        crowd=crowd,
        connections=connections,
        cards=cards,
        think=thinks,
        slo=slo or [],
        lasts=lasts,
        seed=secrets.randbelow(1_000_000) if seed is None else seed,
        strict=strict,
    )
    raise typer.Exit(end(found, out))


def run(
    profile: Profile,
    *,
    base_url: str | None,
    changes: list[str],
    users: int,
    lasts: timedelta,
    seed: int,
    spawn_rate: float | None = None,
    rate: str = "",
    arrivals: str = "constant",
    crowd: str = "",
    connections: int = 1000,
    cards: int | None = None,
    think: timedelta = timedelta(0),
    slo: Sequence[str] = (),
    strict: bool = False,
) -> results.Results:
    """Run the load, and show how it goes.

    Raises OtpspecError where nothing could be measured.
    """
    started = datetime.now(UTC)
    redact = Redactor()
    redact.learn(*profile.secrets)
    with _started(profile, redact), _follow(lasts) as show:
        ran = locust_load.run(
            profile.source,
            base_url=base_url,
            changes=changes,
            users=users,
            spawn_rate=spawn_rate,
            rate=rate,
            arrivals=arrivals,
            crowd=crowd,
            connections=connections,
            cards=cards,
            think=think,
            slo=slo,
            duration=lasts,
            seed=seed,
            on_progress=show,
        )
    return conclude.document(
        profile,
        ran.rules,
        command=redact(command_line()),
        started=started,
        seed=seed,
        complete=ran.complete,
        strict=strict,
        load=ran.load,
        clock=ran.clock,
    )


@contextmanager
def _started(profile: Profile, redact: Redactor) -> Iterator[None]:
    """The target's own command, where the profile has one, for as long as the block lasts."""
    rate = profile.load.clock_rate
    with asyncio.Runner() as runner:
        target = reach.started(profile, redact, clock_rate=rate)
        runner.run(target.__aenter__())
        try:
            yield
        finally:
            runner.run(target.__aexit__(None, None, None))


@contextmanager
def _follow(lasts: timedelta) -> Iterator["Show"]:
    """Show how a load run is going, for as long as the block lasts."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as progress:
        yield Show(progress, lasts.total_seconds())


class Show:
    """Is told once a second how a load run goes."""

    def __init__(self, progress: Progress, seconds: float) -> None:
        self._progress = progress
        self._task = progress.add_task("loading", total=seconds)

    def __call__(self, told: locust_load.Progress) -> None:
        words = f"loading, {told.rate_per_s:,.0f}/s, p99 {told.p99_ms:.1f} ms"
        if told.late_ms > LATE_MS:
            words += f", the generator up to {told.late_ms:,.0f} ms late"
        if told.failures:
            words += f", {told.failures} failures"
        self._progress.update(self._task, completed=told.elapsed_s, description=words)
