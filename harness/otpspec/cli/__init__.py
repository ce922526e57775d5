"""The command line: otpspec demo, check, load, bench, judge, serve, rules."""

import signal
import sys
from collections.abc import Callable
from functools import wraps
from types import FrameType
from typing import Any, NoReturn

import typer

from otpspec.cli import bench, check, demo, doctor, init, judge, load, prove, rules, serve
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


class _Stopped(Exception):  # noqa: N818 - no error: the user's wish
    """Ctrl-C, or SIGTERM."""


def _stoppable(command: Callable[..., Any]) -> Callable[..., Any]:
    """A command whose interruption reaches `main`: typer would end it without a word."""

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except KeyboardInterrupt as error:
            raise _Stopped from error

    return run


_ENDING = (signal.SIGINT, signal.SIGTERM)

app.command("demo", short_help="A reference server, every check, a short load, a report.")(
    _stoppable(demo.demo)
)
app.command("init", short_help="Write a first profile, of answers or of a template.")(
    _stoppable(init.init)
)
app.command("check", short_help="Check every rule, and give a verdict on each.")(
    _stoppable(check.check)
)
app.command("doctor", short_help="Try each operation once: for who writes a profile.")(
    _stoppable(doctor.doctor)
)
app.command("load", short_help="Load a target, and judge every answer.")(_stoppable(load.load))
app.command(
    "bench",
    short_help="Time the verify path under pytest-benchmark.",
    context_settings=bench.PASS_ON,
)(_stoppable(bench.bench))
app.command("judge", short_help="Judge a history that was recorded.")(
    _stoppable(judge.judge_history)
)
app.command(
    "serve",
    short_help="Start the reference server, strict or broken.",
    context_settings=serve.PASS_ON,
)(_stoppable(serve.serve))
app.command("prove", short_help="Run every check against every broken server.")(
    _stoppable(prove.prove)
)
app.command("rules", short_help="Print the rules, or explain one.")(_stoppable(rules.rules))


def main() -> NoReturn:
    """Run a command; exit codes as in the epilog."""
    for number in _ENDING:  # also where a shell has us ignore Ctrl-C
        signal.signal(number, _interrupted)
    code = _run()
    for number in _ENDING:  # what it came to stands, however often Ctrl-C is pressed
        signal.signal(number, signal.SIG_IGN)
    sys.exit(code)


def _run() -> int:
    try:
        return app(standalone_mode=False) or 0
    except typer.TyperException as error:  # a wrong option, a missing argument
        complain(error.format_message())
        err.print("Try: otpspec --help, or otpspec COMMAND --help", markup=False)
        return UNUSABLE
    except OtpspecError as error:
        complain(str(error))
        return UNUSABLE
    except (_Stopped, typer.Abort, KeyboardInterrupt):
        complain("Interrupted before anything was measured.")
        return INTERRUPTED


def _interrupted(number: int, frame: FrameType | None) -> None:
    """End with what was measured so far, and no process left behind."""
    raise KeyboardInterrupt
