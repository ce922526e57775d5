"""otpspec bench: how fast the verify path is, case by case."""

import os
from typing import Annotated

import pytest
import typer

import otpspec_scenarios.bench
from otpspec import plugin
from otpspec import profile as profiles
from otpspec.cli.check import BaseUrl, Changes, ProfileArgument
from otpspec.cli.output import BROKEN, INTERRUPTED, UNUSABLE
from otpspec.cli.suite import alone, folder

PASS_ON = {"ignore_unknown_options": True, "allow_extra_args": True}


def bench(
    context: typer.Context,
    profile: ProfileArgument,
    base_url: BaseUrl = None,
    changes: Changes = None,
    app: Annotated[
        str | None,
        typer.Option(metavar="MODULE:APP", help="An ASGI app, run in this process with time held."),
    ] = None,
    select: Annotated[
        str, typer.Option("-k", metavar="WORDS", help="Only these cases, as pytest's -k.")
    ] = "",
) -> None:
    """Time the verify path under pytest-benchmark; its own options (--benchmark-…) work here.

    Each case is a fresh card and transaction; only the request and its answer are timed, and
    every answer is judged. To compare with an earlier run: --benchmark-autosave first, then
    --benchmark-compare.
    """
    profiles.load(profile, base_url=base_url, changes=changes or ())  # all its mistakes, first
    arguments = ["-p", "pytest_benchmark.plugin", "-p", "no:cacheprovider"]
    arguments += ["-c", os.devnull, "--rootdir", os.curdir, "-q"]
    arguments += ["--benchmark-group-by=func", "--benchmark-sort=name", "--no-header"]
    arguments += ["--benchmark-columns=min,median,mean,stddev,ops,rounds"]
    arguments += ["--otp-target", profile, *context.args]
    arguments += ["--otp-base-url", base_url] if base_url else []
    arguments += [f"--otp-set={change}" for change in changes or ()]
    arguments += ["--otp-app", app] if app else []
    arguments += ["-k", select] if select else []
    with alone():
        ours = str(folder(otpspec_scenarios.bench))  # -k must not look at the folders above
        code = pytest.main([*arguments, "--confcutdir", ours, ours], plugins=[plugin])
    codes = {0: 0, 1: BROKEN, 2: INTERRUPTED}
    raise typer.Exit(codes.get(code, UNUSABLE))
