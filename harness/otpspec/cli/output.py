"""What the commands print, and where results are written."""

import shlex
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

from otpspec.errors import OtpspecError
from otpspec.outcome import Verdict
from otpspec.results import Results
from otpspec_reports import Conclusion, conclude, terminal, write_all

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


def exit_code(results: Results, *, warn: bool = False) -> int:
    """The exit code that says what a report's headline says.

    `warn`: what could not be judged is 0, too; but a run that passed nothing never is.
    """
    match conclude(results).conclusion:
        case Conclusion.CONFORMANT:
            return OK
        case Conclusion.BROKEN:
            return BROKEN
        case Conclusion.INCONCLUSIVE if warn and results.count(Verdict.PASSED):
            return OK
    return INCONCLUSIVE


def end(results: Results, directory: Path, *, warn: bool = False, lacking: str = "") -> int:
    """Print the table, write every file; the run's exit code.

    `lacking`: what a run lacks that nobody has interrupted.
    """
    publish(results, directory)
    if lacking:
        complain(f"{lacking[0].upper()}{lacking[1:]}.")
    elif not results.complete:
        complain("Interrupted: the report holds what was measured so far.")
        return INTERRUPTED
    return exit_code(results, warn=warn)


@contextmanager
def follow(what: str) -> Iterator[Callable[[int, int, int], None]]:
    """Show how far a check is, for as long as the block lasts."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    quiet = not err.is_terminal  # else a log begins with an empty line
    with Progress(*columns, console=err, transient=True, disable=quiet) as progress:
        task = progress.add_task(what, total=None)

        def show(done: int, total: int, broken: int) -> None:
            words = f"{what}, {broken} broken" if broken else what
            progress.update(task, completed=done, total=total, description=words)

        yield show


class Interrupts:
    """While this is entered, a second Ctrl-C does not lose what was measured until the first."""

    def __init__(self) -> None:
        self.measured = False
        """Set as soon as there is something to lose: from then on whoever runs takes the signal."""

        self.came = False
        """Whether a run was ended by one."""

    def __enter__(self) -> "Interrupts":
        self._before = {n: signal.signal(n, self._came) for n in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():  # what was measured is written: we are ending
            signal.signal(number, signal.SIG_IGN if self.measured else handler)

    def _came(self, *_: object) -> None:
        if not self.measured:
            raise KeyboardInterrupt


def command_line() -> str:
    """The command as it was given."""
    return shlex.join(["otpspec", *sys.argv[1:]])
