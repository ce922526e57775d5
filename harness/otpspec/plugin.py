"""The pytest plugin: scenarios are coroutines that take a `trial`; all of them run at once.

pytest collects them and reports them one by one, in its order, as if it had run them itself.
"""

import inspect
from collections.abc import Generator, Iterator
from typing import Any

import pytest
from _pytest.skipping import evaluate_skip_marks, evaluate_xfail_marks

from otpspec import profile as profiles
from otpspec.bench import VerifyPath
from otpspec.errors import OtpspecError, TargetError
from otpspec.outcome import Verdict
from otpspec.redact import Redactor
from otpspec.runner import Finished, Runner, Scenario
from otpspec.verdicts import RULES_ATTRIBUTE, Broken

_scenario = pytest.StashKey[Scenario]()
_finished = pytest.StashKey[Finished]()
RUNNER = pytest.StashKey[Runner]()
"""Who runs the scenarios; put there before, it is used and not closed."""
_owned = pytest.StashKey[bool]()
_redactor = pytest.StashKey[Redactor]()


def scenarios(session: pytest.Session) -> list[Scenario]:
    """The scenarios that pytest has selected and does not skip, in its order."""
    return [item.stash[_scenario] for item in _to_run(session)]


def _to_run(session: pytest.Session) -> list[pytest.Item]:
    return [item for item in session.items if _scenario in item.stash and not _skipped(item)]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options; all begin with --otp-."""
    group = parser.getgroup("otpspec", "OTP endpoints")
    group.addoption("--otp-target", metavar="PROFILE", help="profile (TOML), or a shipped one")
    group.addoption(
        "--otp-base-url", metavar="URL", help="instead of the profile's target.base_url"
    )
    group.addoption(
        "--otp-set", metavar="KEY=VALUE", action="append", default=[], help="change the profile"
    )
    group.addoption("--otp-deep", action="store_true", help="run the statistical checks, too")
    group.addoption("--otp-seed", metavar="N", type=int, help="repeat the choices of another run")
    group.addoption("--otp-app", metavar="MODULE:APP", help="bench: an ASGI app in this process")
    parser.addini("otp_target", "profile (TOML), or a shipped one, where --otp-target is not given")


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line("markers", "otpspec_rule(id): the rule that a scenario proves")


@pytest.fixture
def trial() -> None:
    """What a scenario is given: cards of its own, the target's operations, the clock, expect."""


@pytest.fixture
def verify_path(request: pytest.FixtureRequest) -> Iterator[VerifyPath]:
    """The verify path of the target, ready to be timed by the benchmark fixture."""
    try:
        path = VerifyPath(_profile(request.config), request.config.option.otp_app)
    except OtpspecError as error:
        pytest.exit(str(error), returncode=pytest.ExitCode.USAGE_ERROR)
    request.node.stash[_redactor] = path.redact
    yield path
    path.close()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(session: pytest.Session, items: list[pytest.Item]) -> None:
    """Find the scenarios, and refuse what cannot work before anything is sent."""
    wrong: list[str] = []
    for item in items:
        if not isinstance(item, pytest.Function) or _origin(item, "trial") != __name__:
            continue  # a fixture of that name may be somebody else's
        wrong += _why_not(item)
        rules: tuple[str, ...] = getattr(item.function, RULES_ATTRIBUTE, ())
        item.stash[_scenario] = Scenario(item.nodeid, rules, _bind(item))
        for rule in rules:
            item.add_marker(pytest.mark.otpspec_rule(rule))
            item.extra_keyword_matches.add(rule)
    found = any(_scenario in item.stash for item in items)
    if found and (hasattr(session.config, "workerinput") or _uses_xdist(session.config)):
        wrong.append("scenarios run all at once by themselves, and share a clock: leave out -n")
    if wrong:
        raise pytest.UsageError("\n".join(wrong))


def _why_not(item: pytest.Function) -> list[str]:
    """What hinders a test that asks for a trial from being a scenario."""
    if not inspect.iscoroutinefunction(item.function):
        return [f"{item.nodeid}: a scenario is a coroutine; write 'async def {item.name}(trial)'"]
    parameters = {name for name in _parameters(item) if _origin(item, name) == "_pytest.python"}
    asked = set(inspect.signature(item.function).parameters) - {"self"}
    asked |= {name for mark in item.iter_markers("usefixtures") for name in mark.args}
    if others := sorted(asked - parameters - {"trial"}):
        return [
            f"{item.nodeid}: a scenario can only ask for trial, not for {', '.join(others)}: "
            "it runs before pytest sets fixtures up"
        ]
    return []


def _parameters(item: pytest.Function) -> dict[str, Any]:
    return dict(item.callspec.params) if hasattr(item, "callspec") else {}


def _origin(item: pytest.Function, name: str) -> str:
    """The module of the fixture that a name means to a test; pytest's own for a parameter."""
    fixtures = item._fixtureinfo.name2fixturedefs.get(name)
    return fixtures[-1].func.__module__ if fixtures else ""


def _uses_xdist(config: pytest.Config) -> bool:
    return bool(config.getoption("numprocesses", None))


def _bind(item: pytest.Function) -> Any:
    parameters = _parameters(item)

    async def run(trial: Any) -> None:
        await item.obj(trial=trial, **parameters)

    return run


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> None:
    """Find the target and start every scenario that pytest is going to report."""
    option = session.config.option
    planning = any(getattr(option, o, False) for o in ("collectonly", "setupplan", "setuponly"))
    failed = session.testsfailed and not option.continue_on_collection_errors
    selected = scenarios(session)
    if planning or failed or not selected:
        return
    runner = session.config.stash.get(RUNNER, None)
    if runner is None:
        runner = session.config.stash[RUNNER] = _open(session.config)
        session.config.stash[_owned] = True
    if not option.maxfail:  # with -x, each runs alone, when pytest comes to it
        runner.start(selected)


def _skipped(item: pytest.Item) -> bool:
    """Whether pytest will not run the item: asked before there is traffic, not at its set-up."""
    try:
        if evaluate_skip_marks(item) is not None:
            return True
        xfail = evaluate_xfail_marks(item)
    except pytest.fail.Exception:  # no condition at all: pytest says so at the item's set-up
        return True
    return xfail is not None and not xfail.run and not item.config.option.runxfail


def _open(config: pytest.Config) -> Runner:
    try:
        runner = Runner(_profile(config), config.option.otp_seed, deep=config.option.otp_deep)
        runner.open()
    except OtpspecError as error:
        raise pytest.UsageError(str(error)) from error
    return runner


def _profile(config: pytest.Config) -> profiles.Profile:
    option = config.option
    source = option.otp_target or config.getini("otp_target")
    if not source:
        raise TargetError(
            "scenarios need a target; try: pytest --otp-target PROFILE.toml "
            "--pyargs otpspec_scenarios.conformance"
        )
    return profiles.load(source, base_url=option.otp_base_url, changes=option.otp_set)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Wait for the scenario that pytest wants to report now."""
    if _scenario not in pyfuncitem.stash:
        return None
    runner = pyfuncitem.config.stash[RUNNER]
    finished = pyfuncitem.stash[_finished] = runner.result(pyfuncitem.stash[_scenario])
    match finished.verdict:
        case Verdict.PASSED:
            return True
        case Verdict.NOT_APPLICABLE:
            pytest.skip(f"not applicable: {finished.reason}")
        case Verdict.BROKEN if isinstance(finished.error, Broken):
            raise finished.error
    pytest.fail(f"inconclusive: {finished.reason}", pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Report how long the scenario took, not how long pytest waited for it; and no secret.

    What scenarios print comes while any test is being reported, so every report is redacted.
    """
    report = yield
    if call.when == "call" and _finished in item.stash:
        report.duration = item.stash[_finished].duration_s
    if runner := item.config.stash.get(RUNNER, None):
        _redact(report, runner.redact)
    if redact := item.stash.get(_redactor, None):
        _redact(report, redact)
    return report


def _redact(report: pytest.TestReport, redact: Redactor) -> None:
    """Tracebacks show source lines, and with -l local values: neither may show a code."""
    if isinstance(report.longrepr, tuple):  # skipped: where, and why
        path, line, why = report.longrepr
        report.longrepr = (path, line, redact(why))
    elif redact(report.longreprtext) != report.longreprtext:
        report.longrepr = redact(report.longreprtext)
    report.sections = [(title, redact(content)) for title, content in report.sections]


def pytest_report_header(config: pytest.Config) -> str | None:
    """Name the target."""
    source = config.option.otp_target or config.getini("otp_target")
    return f"otpspec: {source}" if source else None


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say how to repeat the run's choices."""
    if runner := config.stash.get(RUNNER, None):
        terminalreporter.write_line(f"otpspec: seed {runner.seed} (repeat with --otp-seed)")


def pytest_unconfigure(config: pytest.Config) -> None:
    """End what is under way, whatever the reason."""
    if config.stash.get(_owned, False):
        config.stash[RUNNER].close()
