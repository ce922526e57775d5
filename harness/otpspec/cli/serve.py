"""otpspec serve: the reference server, strict or broken on purpose."""

import os
import sys

import typer

PASS_ON = {"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []}


def serve(context: typer.Context) -> None:
    """Start the reference server, strict or broken on purpose (--mutant NAME; --help for more)."""
    # Its own process, and no code shared: it takes this one's place.
    os.execv(sys.executable, [sys.executable, "-m", "otpspec_reference", *context.args])  # noqa: S606
