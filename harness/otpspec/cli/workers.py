"""The options of otpspec load that are about several processes and hosts."""

from typing import Annotated

import typer

from otpspec import load as locust_load
from otpspec.cli.output import Interrupts, err
from otpspec.load import LoadRun, Progress
from otpspec.profile import Profile

PORT = 5557  # Locust's own

_MASTERS = (
    *("users", "rate", "arrivals", "connections", "cards", "think", "duration", "spawn_rate"),
    *("seed", "strict"),
)
"""Options that say what a run is: a worker is told by its master."""

Processes = Annotated[
    int,
    typer.Option(
        min=-1,
        metavar="N",
        help="How many processes do it, on this machine; -1 or 0: one for each core.",
    ),
]
Master = Annotated[
    bool,
    typer.Option("--master", help="Be the master of workers that are started elsewhere."),
]
ExpectWorkers = Annotated[
    int,
    typer.Option(min=1, metavar="N", help="With --master: how many workers it waits for."),
]
MaxWait = Annotated[
    float, typer.Option(min=0.1, metavar="SECONDS", help="With --master: how long it waits.")
]
BindHost = Annotated[
    str,
    typer.Option(
        "--master-bind-host",
        metavar="HOST",
        help="With --master: where it listens. Other hosts reach it at 0.0.0.0.",
    ),
]
BindPort = Annotated[
    int, typer.Option("--master-bind-port", metavar="PORT", help="With --master: on which port.")
]
WorkerOption = Annotated[
    bool, typer.Option("--worker", help="Be a worker: what the run is, the master says.")
]
MasterHost = Annotated[
    str, typer.Option("--master-host", metavar="HOST", help="With --worker: where the master is.")
]
MasterPort = Annotated[
    int, typer.Option("--master-port", metavar="PORT", help="With --worker: on which port.")
]


def check_role(context: typer.Context, *, master: bool, worker: bool) -> None:
    """Raises BadParameter where options do not go together."""

    def given(name: str) -> bool:
        return getattr(context.get_parameter_source(name), "name", "") == "COMMANDLINE"

    if master and worker:
        raise typer.BadParameter("a process is one of them", param_hint="--master, --worker")
    if given("processes") and (master or worker):
        text = "goes with neither --master nor --worker: start one worker for each core instead"
        raise typer.BadParameter(text, param_hint="--processes")
    for name in (
        *("expect_workers", "expect_workers_max_wait"),
        *("master_bind_host", "master_bind_port"),
    ):
        if given(name) and not master:
            raise typer.BadParameter("goes with --master only", param_hint=_option(name))
    for name in ("master_host", "master_port"):
        if given(name) and not worker:
            raise typer.BadParameter("goes with --worker only", param_hint=_option(name))
    for name in _MASTERS:
        if given(name) and worker:
            text = "is the master's to say: leave it out at a worker"
            raise typer.BadParameter(text, param_hint=_option(name))


def _option(name: str) -> str:
    return "--for" if name == "duration" else "--" + name.replace("_", "-")


def say(text: str) -> None:
    """Show what the user should see at once."""
    err.print(text, markup=False, soft_wrap=True)


def work(
    profile: Profile,
    *,
    base_url: str | None,
    changes: list[str],
    host: str,
    port: int,
    interrupts: Interrupts,
) -> LoadRun | None:
    """Do a worker's part; its own measures, where its master was lost and cannot report them."""

    def show(told: Progress) -> None:
        interrupts.measured = True

    found = locust_load.work(
        profile.source,
        base_url=base_url,
        changes=changes,
        host=host,
        port=port,
        on_progress=show,
        on_word=say,
    )
    if isinstance(found, LoadRun):
        return found
    interrupts.came = found.interrupted
    if not found.interrupted:
        say("the run is over: its results are the master's")
    return None
