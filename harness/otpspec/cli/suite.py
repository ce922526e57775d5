"""Runs the conformance suite: pytest underneath, with nothing of the user's own setup."""

import os
import secrets
from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType

import pytest
from _pytest.mark.expression import Expression

import otpspec_scenarios.conformance
from otpspec import conclude, plan, plugin, results
from otpspec import known as known_failures
from otpspec.cli.output import command_line
from otpspec.errors import OtpspecError
from otpspec.outcome import Verdict
from otpspec.profile import Profile
from otpspec.runner import Finished, Runner, Scenario
from otpspec.world import LONGEST_WAIT

_PROVES = "otpspec_rule"  # the marker that the plugin gives a scenario, once for each of its rules
Progress = Callable[[int, int, int], None]
"""Told as scenarios end: how many have, of how many, and how many of them found a rule broken."""


@dataclass
class _Watch:
    """Follows a run: which scenarios there are, and what they came to."""

    progress: Progress
    runner: Runner | None = None
    selected: list[Scenario] = field(default_factory=list)
    finished: list[Finished] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    only: Container[str] | None = None
    left_out: set[str] = field(default_factory=set)  # rules with a scenario that is not run
    broken: int = 0

    def pytest_configure(self, config: pytest.Config) -> None:
        """Give the plugin the runner that has found the target."""
        if self.runner is not None:
            config.stash[plugin.RUNNER] = self.runner

    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        """Leave out the scenarios that prove none of the rules that are asked for."""
        if (only := self.only) is not None:
            kept = [i for i in items if any(m.args[0] in only for m in i.iter_markers(_PROVES))]
            config.hook.pytest_deselected(items=[item for item in items if item not in kept])
            items[:] = kept

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        """Note of which rules a part is left out."""
        self.left_out |= {m.args[0] for item in items for m in item.iter_markers(_PROVES)}

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Note what is going to be run."""
        self.selected = plugin.scenarios(session)
        self.progress(0, len(self.selected), 0)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A scenario that cannot be imported is our own mistake, and must be seen."""
        if report.failed:
            self.unreadable.append(report.longreprtext)

    def note(self, finished: Finished) -> None:
        """Note what a scenario came to. Called on the runner's thread."""
        self.finished.append(finished)
        self.broken += finished.verdict is Verdict.BROKEN
        self.progress(len(self.finished), len(self.selected), self.broken)


@dataclass(frozen=True)
class Choice:
    """Which scenarios are run, and how."""

    select: str = ""  # as pytest's -k
    only: Container[str] | None = None  # ids of rules: nothing else is run, or has a verdict
    deep: bool = False
    max_wait: timedelta = LONGEST_WAIT


def planned(profile: Profile, choice: Choice, seed: int) -> plan.Plan:
    """What a check would do; nothing is sent. Raises OtpspecError where nothing is selected."""
    _read_words(choice.select)
    watch = _Watch(lambda done, total, broken: None, only=choice.only)
    _refuse(watch, _pytest(watch, choice.select, "--collect-only"), choice.select)
    return plan.make(profile, watch.selected, seed=seed, deep=choice.deep, max_wait=choice.max_wait)


def run(
    profile: Profile,
    choice: Choice = Choice(),
    *,
    seed: int | None = None,
    options: Sequence[str] = (),
    strict: bool = False,
    known: known_failures.Known | None = None,
    progress: Progress = lambda done, total, broken: None,
) -> results.Results:
    """Check a target with every conformance scenario, or those that are chosen.

    Raises OtpspecError where the target cannot be used, its cards do not suffice, or nothing is
    selected.
    """
    _read_words(choice.select)
    started = datetime.now(UTC)
    seed = secrets.randbelow(1_000_000) if seed is None else seed
    watch = _Watch(progress, only=choice.only)
    runner = watch.runner = _runner(profile, choice, seed, watch)
    runner.open()
    try:
        code = _pytest(watch, choice.select)
    finally:
        runner.close()
    _refuse(watch, code, choice.select)
    replay = conclude.Replay(profile.source, options, seed)
    rules = conclude.rule_results(watch.finished, profile, runner.redact, replay)
    rules = conclude.doubted(rules, profile)
    found = conclude.document(
        profile,
        [rule for rule in rules if choice.only is None or rule.id in choice.only],
        command=runner.redact(command_line()),
        started=started,
        seed=seed,
        complete=code != pytest.ExitCode.INTERRUPTED,
        strict=strict,
        version=runner.redact(runner.version),
        notes=runner.notes,
    )
    return known_failures.judge(found, known, partly=watch.left_out) if known else found


def _runner(profile: Profile, choice: Choice, seed: int, watch: _Watch) -> Runner:
    """Who runs the scenarios; with the profile's own cards or in real time by a plan."""
    needs, lasts = None, None
    if profile.cards or profile.clock.kind == "real":  # who waits longest begins first
        made = planned(profile, choice, seed)
        plan.refuse_if_short(profile, made)
        needs, lasts = made.needs, made.lasts
    return Runner(
        profile,
        seed,
        watch.note,
        deep=choice.deep,
        max_wait=choice.max_wait,
        needs=needs,
        lasts=lasts,
    )


def _refuse(watch: _Watch, code: int, select: str) -> None:
    if watch.unreadable:
        raise OtpspecError("\n".join(["Scenarios cannot be read.", *watch.unreadable]))
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.INTERRUPTED):
        raise OtpspecError(_why_nothing(code, select))


def _read_words(select: str) -> None:
    """Have -k read before anything is sent."""
    try:
        Expression.compile(select)
    except Exception as error:  # which it is depends on pytest's version
        raise OtpspecError(
            f"-k {select!r} cannot be read: {getattr(error, 'msg', error)}.\n"
            "Try: -k 'EXPIRY-1 or EXPIRY-2', -k 'LOCKOUT and not LOCKOUT-1'"
        ) from error


def _pytest(watch: _Watch, select: str, *more: str) -> int:
    """Run pytest with our plugin and our scenarios, and with nothing of the user's own setup."""
    arguments = ["-p", "no:terminal", "-p", "no:cacheprovider"]
    ours = str(folder(otpspec_scenarios))
    # Without a cut, -k would look for its words in the names of all folders above, too.
    arguments += ["-c", os.devnull, "--rootdir", ours, "--confcutdir", ours]
    arguments += [str(folder(otpspec_scenarios.conformance)), *(["-k", select] if select else [])]
    with alone():
        return pytest.main([*arguments, *more], plugins=[plugin, watch])


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
