"""What the commands print, and where results are written."""

import shlex
import sys
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from otpspec.errors import OtpspecError
from otpspec.results import Results
from otpspec_reports import terminal, write_all

OK, BROKEN, UNUSABLE, INCONCLUSIVE, INTERRUPTED = 0, 1, 2, 3, 130

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def complain(message: str) -> None:
    """Print an error; the first line stands out."""
    first, _, rest = message.partition("\n")
    err.print(f"[bold red]{escape(first)}[/]", soft_wrap=True)
    if rest:
        err.print(escape(rest), soft_wrap=True)


def prepare(directory: Path) -> None:
    """Make the directory for results before anything is measured.

    Raises OtpspecError where nothing can be written there.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        probe = directory / ".otpspec"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise OtpspecError(
            f"Results cannot be written to {directory} ({error.strerror}).\n"
            "Nothing was sent.\nTry: --out with a directory of your own."
        ) from error


def publish(results: Results, directory: Path) -> None:
    """Print the table and write every file."""
    out.print(terminal.table(results))
    files = {path.name: path for path in write_all(results, directory)}
    out.print(f"report   {files['report.html']}", soft_wrap=True)
    others = ", ".join(name for name in files if name != "report.html")
    out.print(f"         {others} beside it", soft_wrap=True)


def command_line() -> str:
    """The command as it was given."""
    return shlex.join(["otpspec", *sys.argv[1:]])
