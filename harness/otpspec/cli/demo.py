"""otpspec demo: the whole arch in one command."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Annotated

import msgspec
import typer

from otpspec import conclude
from otpspec import profile as profiles
from otpspec.cli import load, suite
from otpspec.cli.check import DEFAULT_OUT, Out, Seed
from otpspec.cli.output import end, err, follow, prepare
from otpspec.cli.server import ReferenceServer
from otpspec.results import Results

PROFILE = "safekey-reference"
USERS = 10
SECONDS = 10
RATE = 200
"""How fast the server's time runs under load: ten minutes pass in three seconds."""


def demo(
    out: Out = DEFAULT_OUT,
    seed: Seed = 7,
    mutant: Annotated[
        str, typer.Option(metavar="NAME", help="Break the server: see serve --list-mutants.")
    ] = "",
) -> None:
    """Start a reference server, check every rule, load it for ten seconds, write a report."""
    prepare(out)
    broken = ["--mutant", mutant] if mutant else []
    with ReferenceServer(broken) as server, _token(server):
        err.print(f"a reference server {mutant or 'that keeps the rules'} at {server.url}")
        profile = profiles.load(PROFILE, base_url=server.url)
        with follow("checking every rule") as progress:
            found = suite.run(profile, seed=seed, progress=progress)
    if found.complete:
        with ReferenceServer([*broken, "--clock-rate", str(RATE)]) as server, _token(server):
            err.print(f"the same at {server.url}, its time {RATE} times as fast, under load")
            profile = profiles.load(PROFILE, base_url=server.url)
            loaded = load.run(
                profile,
                base_url=server.url,
                changes=[],
                users=USERS,
                lasts=timedelta(seconds=SECONDS),
                seed=seed or 0,
            )
        found = _both(found, loaded)
    raise typer.Exit(end(found, out))


def _both(checked: Results, loaded: Results) -> Results:
    return msgspec.structs.replace(
        checked,
        duration_s=round(checked.duration_s + loaded.duration_s, 3),
        complete=loaded.complete,
        rules=conclude.merge(checked.rules, loaded.rules),
        load=loaded.load,
    )


@contextmanager
def _token(server: ReferenceServer) -> Iterator[None]:
    """The server's token in the environment, where the profile reads it."""
    before = os.environ.get("OTPSPEC_TEST_TOKEN")
    os.environ["OTPSPEC_TEST_TOKEN"] = server.token
    try:
        yield
    finally:
        if before is None:
            del os.environ["OTPSPEC_TEST_TOKEN"]
        else:
            os.environ["OTPSPEC_TEST_TOKEN"] = before
