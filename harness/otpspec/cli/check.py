"""otpspec check: every rule, a verdict each."""

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Annotated

import msgspec
import pytest
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

import otpspec_scenarios.conformance
from otpspec import conclude, plugin, results
from otpspec import profile as profiles
from otpspec.cli.output import INTERRUPTED, command_line, complain, err, prepare, publish
from otpspec.errors import OtpspecError
from otpspec.outcome import Verdict
from otpspec.profile import Profile
from otpspec.runner import Finished, Runner, Scenario

ProfileArgument = Annotated[
    str, typer.Argument(metavar="PROFILE", help="A TOML file, or the name of a shipped profile.")
]
BaseUrl = Annotated[
    str | None, typer.Option(metavar="URL", help="Where the target is, if not as in the profile.")
]
Changes = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Change a value of the profile: policy.validity=8s"
    ),
]
Out = Annotated[Path, typer.Option(metavar="DIR", help="Where results and report are written.")]
Seed = Annotated[
    int | None, typer.Option(metavar="N", help="Repeat the choices of an earlier run.")
]
DEFAULT_OUT = Path("otpspec-report")


def check(
    profile: ProfileArgument,
    base_url: BaseUrl = None,
    changes: Changes = None,
    select: Annotated[
        str, typer.Option("-k", metavar="WORDS", help="Only these rules, as pytest's -k.")
    ] = "",
    seed: Seed = None,
    out: Out = DEFAULT_OUT,
    strict: Annotated[bool, typer.Option(help="A broken SHOULD fails the run, too.")] = False,
    inconclusive: Annotated[
        str, typer.Option(metavar="fail|warn", help="Whether what cannot be judged is exit 3.")
    ] = "fail",
) -> None:
    """Check every rule against a target, and give a verdict on each."""
    if inconclusive not in ("fail", "warn"):
        raise typer.BadParameter(f"{inconclusive!r}; give fail or warn", param_hint="inconclusive")
    read = profiles.load(profile, base_url=base_url, changes=changes or ())
    prepare(out)
    found = run(read, select=select, seed=seed, options=options(base_url, changes))
    publish(found, out)
    if not found.complete:
        complain("Interrupted: the report holds what was measured so far.")
        raise typer.Exit(INTERRUPTED)
    code = conclude.exit_code(found, strict=strict, inconclusive_is_failure=inconclusive == "fail")
    raise typer.Exit(code)


def options(base_url: str | None, changes: Sequence[str] | None) -> list[str]:
    """The options that say which target was meant, for a command that repeats a check."""
    words = [f"--base-url {base_url}"] if base_url else []
    return words + [f"--set {change}" for change in changes or ()]


@dataclass
class _Watch:
    """Follows a run: which scenarios there are, and what they came to."""

    progress: Progress
    runner: Runner | None = None
    selected: list[Scenario] = field(default_factory=list)
    finished: list[Finished] = field(default_factory=list)
    broken: int = 0

    def __post_init__(self) -> None:
        self._task = self.progress.add_task("checking", total=None)

    def pytest_configure(self, config: pytest.Config) -> None:
        """Give the plugin the runner that has found the target."""
        assert self.runner is not None  # noqa: S101
        config.stash[plugin.RUNNER] = self.runner

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Note what is going to be run."""
        self.selected = plugin.scenarios(session)
        self.progress.update(self._task, total=len(self.selected))

    def note(self, finished: Finished) -> None:
        """Note what a scenario came to. Called on the runner's thread."""
        self.finished.append(finished)
        self.broken += finished.verdict is Verdict.BROKEN
        words = f"checking, {self.broken} broken" if self.broken else "checking"
        self.progress.update(self._task, advance=1, description=words)


def run(
    profile: Profile, *, select: str = "", seed: int | None = None, options: Sequence[str] = ()
) -> results.Results:
    """Check a target with every conformance scenario, or those that `select` selects.

    Raises OtpspecError where the target cannot be used, or nothing is selected.
    """
    started, began = datetime.now(UTC), time.monotonic()
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=err, transient=True) as progress:
        watch = _Watch(progress)
        runner = watch.runner = Runner(profile, seed, watch.note)
        runner.open()
        try:
            code = _pytest(watch, select)
        finally:
            runner.close()
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.INTERRUPTED):
        raise OtpspecError(_why_nothing(code, select))
    return results.Results(
        otpspec_version=conclude.environment().packages["otpspec"],
        command=runner.redact(command_line()),
        started=started.isoformat(timespec="seconds"),
        duration_s=round(time.monotonic() - began, 3),
        complete=code != pytest.ExitCode.INTERRUPTED,
        seed=runner.seed,
        target=results.Target(
            name=profile.name,
            profile=profile.source,
            base_url=profile.base_url,
            clock=profile.clock.kind,
        ),
        policy=msgspec.to_builtins(profile.policy),
        environment=conclude.environment(),
        rules=conclude.rule_results(
            watch.finished,
            profile,
            runner.redact,
            conclude.Replay(profile.source, options, runner.seed),
        ),
    )


def _pytest(watch: _Watch, select: str) -> int:
    """Run pytest with our plugin and our scenarios, and with nothing of the user's own setup."""
    arguments = ["-p", "no:terminal", "-p", "no:cacheprovider"]
    arguments += ["-c", os.devnull, "--rootdir", str(folder(otpspec_scenarios))]
    arguments += [str(folder(otpspec_scenarios.conformance)), *(["-k", select] if select else [])]
    with alone():
        return pytest.main(arguments, plugins=[plugin, watch])


def folder(package: ModuleType) -> Path:
    """Where a package is."""
    return Path(str(package.__file__)).parent


@contextmanager
def alone() -> Iterator[None]:
    """Keep other plugins and options of the environment out of a check."""
    kept = {name: os.environ.pop(name, None) for name in ("PYTEST_ADDOPTS", "PYTEST_PLUGINS")}
    kept["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = os.environ.get("PYTEST_DISABLE_PLUGIN_AUTOLOAD")
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    try:
        yield
    finally:
        for name, value in kept.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _why_nothing(code: int, select: str) -> str:
    if code == pytest.ExitCode.NO_TESTS_COLLECTED:
        return f"No rule is selected by -k {select!r}.\nTry: otpspec rules"
    return f"The scenarios could not be run (pytest ended with {code}); see above."
