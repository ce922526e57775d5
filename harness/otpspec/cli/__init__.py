"""The command line: otpspec demo, check, load, bench, serve, rules."""

import signal
import sys
from types import FrameType
from typing import NoReturn

import typer

from otpspec.cli import bench, check, demo, load, prove, rules, serve
from otpspec.cli.output import INTERRUPTED, UNUSABLE, complain, err
from otpspec.errors import OtpspecError

app = typer.Typer(
    name="otpspec",
    help="Checks and loads OTP verification endpoints: expiry, lockout, 3CSC, one use.",
    epilog="Exit codes: 0 conformant, 1 a rule is broken, 2 profile or target cannot be used, "
    "3 something could not be judged, 130 interrupted.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("demo")(demo.demo)
app.command("check")(check.check)
app.command("load")(load.load)
app.command("bench", context_settings=bench.PASS_ON)(bench.bench)
app.command("serve", context_settings=serve.PASS_ON)(serve.serve)
app.command("prove")(prove.prove)
app.command("rules")(rules.rules)


def main() -> NoReturn:
    """Run a command; exit codes as in the epilog."""
    signal.signal(signal.SIGTERM, _terminated)
    try:
        code = app(standalone_mode=False)
    except typer.TyperException as error:  # a wrong option, a missing argument
        complain(error.format_message())
        err.print("Try: otpspec --help, or otpspec COMMAND --help", markup=False)
        sys.exit(UNUSABLE)
    except OtpspecError as error:
        complain(str(error))
        sys.exit(UNUSABLE)
    except (typer.Abort, KeyboardInterrupt):
        complain("Interrupted before anything was measured.")
        sys.exit(INTERRUPTED)
    sys.exit(code or 0)


def _terminated(number: int, frame: FrameType | None) -> None:
    """End as on Ctrl-C: with what was measured so far, and no process left behind."""
    raise KeyboardInterrupt
