"""otpspec load: Locust underneath, every answer judged."""

import asyncio
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from otpspec import conclude, reach, results
from otpspec import load as locust_load
from otpspec import profile as profiles
from otpspec.cli.check import DEFAULT_OUT, BaseUrl, Changes, Out, ProfileArgument, Seed
from otpspec.cli.output import INTERRUPTED, OK, Interrupts, command_line, end, err, prepare
from otpspec.cli.output import out as console
from otpspec.cli.people import planned_mix
from otpspec.cli.workers import (
    PORT,
    BindHost,
    BindPort,
    ExpectWorkers,
    Master,
    MasterHost,
    MasterPort,
    MaxWait,
    Processes,
    WorkerOption,
    check_role,
    say,
    work,
)
from otpspec.load import LoadRun
from otpspec.load.arrivals import Arrivals, Crowd
from otpspec.profile import Profile
from otpspec.profile.goals import of_command
from otpspec.profile.reader import parse_duration
from otpspec.redact import Redactor
from otpspec_reports import lost_workers

LATE_MS = 10.0
"""From here on it is said while the run goes on that the generator is late."""


def load(
    context: typer.Context,
    profile: ProfileArgument,
    base_url: BaseUrl = None,
    changes: Changes = None,
    users: Annotated[
        int, typer.Option(min=1, help="How many payers at once, in a closed loop.")
    ] = 50,
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
    processes: Processes = 1,
    master: Master = False,
    expect_workers: ExpectWorkers = 1,
    expect_workers_max_wait: MaxWait = 120.0,
    master_bind_host: BindHost = "127.0.0.1",
    master_bind_port: BindPort = PORT,
    worker: WorkerOption = False,
    master_host: MasterHost = "127.0.0.1",
    master_port: MasterPort = PORT,
) -> None:
    """Load a target with payers like those of a real day, and judge every answer."""
    check_role(context, master=master, worker=worker)
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
    with Interrupts() as interrupts:
        if worker:
            code = _work(read, base_url, changes or [], master_host, master_port, out, interrupts)
            raise typer.Exit(code)
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
            processes=expect_workers if master else processes or -1,
            master=(master_bind_host, master_bind_port) if master else None,
            gather=timedelta(seconds=expect_workers_max_wait),
            interrupts=interrupts,
        )
        lacking = "" if interrupts.came else lost_workers(found)
        code = end(found, out, lacking=lacking)
    raise typer.Exit(code)


def _work(
    profile: Profile,
    base_url: str | None,
    changes: list[str],
    host: str,
    port: int,
    out: Path,
    interrupts: Interrupts,
) -> int:
    """Be a worker; the exit code."""
    started = datetime.now(UTC)
    found = work(
        profile, base_url=base_url, changes=changes, host=host, port=port, interrupts=interrupts
    )
    if found is None:
        return INTERRUPTED if interrupts.came else OK
    results = _document(profile, found, started=started, seed=0)
    return end(results, out, lacking="the master was lost: the report holds this worker's part")


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
    processes: int = 1,
    master: tuple[str, int] | None = None,
    gather: timedelta = timedelta(minutes=2),
    interrupts: Interrupts | None = None,
) -> results.Results:
    """Run the load, and show how it goes.

    Raises OtpspecError where nothing could be measured.
    """
    started = datetime.now(UTC)
    interrupts = interrupts or Interrupts()
    redact = Redactor()
    redact.learn(*profile.secrets)
    with _started(profile, redact), _follow(lasts, interrupts) as show:
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
            processes=processes,
            master=master,
            gather=gather,
            on_progress=show,
            on_word=say,
        )
    interrupts.came = ran.interrupted
    return _document(profile, ran, started=started, seed=seed, strict=strict)


def _document(
    profile: Profile, ran: LoadRun, *, started: datetime, seed: int, strict: bool = False
) -> results.Results:
    redact = Redactor()
    redact.learn(*profile.secrets)
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
def _follow(lasts: timedelta, interrupts: Interrupts) -> Iterator["Show"]:
    """Show how a load run is going, for as long as the block lasts."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    quiet = not err.is_terminal  # else a log begins with an empty line
    with Progress(*columns, console=err, transient=True, disable=quiet) as progress:
        yield Show(progress, lasts.total_seconds(), interrupts)


class Show:
    """Is told once a second how a load run goes."""

    def __init__(self, progress: Progress, seconds: float, interrupts: Interrupts) -> None:
        self._progress = progress
        self._interrupts = interrupts
        self._task = progress.add_task("loading", total=seconds)

    def __call__(self, told: locust_load.Progress) -> None:
        self._interrupts.measured = True
        words = f"loading, {told.rate_per_s:,.0f}/s, p99 {told.p99_ms:.1f} ms"
        if told.late_ms > LATE_MS:
            words += f", the generator up to {told.late_ms:,.0f} ms late"
        if told.failures:
            words += f", {told.failures} failures"
        self._progress.update(self._task, completed=told.elapsed_s, description=words)
