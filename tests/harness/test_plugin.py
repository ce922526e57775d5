"""Under pytest, scenarios run all at once, are reported in order, and show no secret."""

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from typing import Any

import pytest

from .samples import PROFILE, written
from .scripted import Scripted, scripted
from .small_bank import Bank

Server = Any

HEAD = """
import asyncio, json, time
from pathlib import Path
import pytest
from otpspec import *

EVENTS = Path("events.txt")

def note(*words):
    with EVENTS.open("a") as file:
        print(*words, file=file)

async def fine(trial):
    await trial.approved(await trial.start(), because="the code is right")
"""


@pytest.fixture
def bank() -> Iterator[Scripted]:
    """A target that counts: who connects, and what is asked."""
    with scripted(Bank()) as server:
        yield server


class Pytest:
    """A pytest of its own, against a target."""

    def __init__(self, pytester: pytest.Pytester, *options: str) -> None:
        self.pytester = pytester
        self.options = options

    def run(self, tests: str, *options: str, conftest: str = "") -> pytest.RunResult:
        """In a process of its own."""
        words = self._write(tests, options, conftest)
        return self.pytester.runpytest_subprocess(*words, timeout=30)

    def run_here(self, tests: str, *options: str, conftest: str = "") -> pytest.RunResult:
        """In this process, which is quicker: where no scenario is going to run."""
        return self.pytester.runpytest_inprocess(*self._write(tests, options, conftest))

    def _write(self, tests: str, options: tuple[str, ...], conftest: str) -> list[str]:
        self.pytester.makepyfile(test_scenarios=HEAD + tests)
        if conftest:
            self.pytester.makeconftest(conftest)
        quick = ["-p", "no:cacheprovider", "-p", "no:hypothesispytest"]  # takes half a second
        return [*quick, *self.options, *options]

    def events(self) -> list[str]:
        path = self.pytester.path / "events.txt"
        return path.read_text().splitlines() if path.exists() else []

    def junit(self) -> list[ET.Element]:
        return list(ET.parse(self.pytester.path / "junit.xml").iter("testcase"))


@pytest.fixture
def at_bank(pytester: pytest.Pytester, bank: Scripted, monkeypatch: pytest.MonkeyPatch) -> Pytest:
    monkeypatch.delenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", raising=False)
    written(pytester.path, PROFILE)
    return Pytest(pytester, "--otp-target", "acs.toml", "--otp-base-url", bank.url)


@pytest.fixture
def at_reference(
    pytester: pytest.Pytester, reference_server: Server, monkeypatch: pytest.MonkeyPatch
) -> Pytest:
    monkeypatch.delenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", raising=False)
    monkeypatch.setenv("OTPSPEC_TEST_TOKEN", reference_server.token)
    options = ("--otp-target", "safekey-reference", "--otp-base-url", reference_server.url)
    return Pytest(pytester, *options)


# --- all at once, and reported as pytest reports ------------------------------------------------


def test_scenarios_run_all_at_once_and_are_reported_in_order(at_reference: Pytest) -> None:
    result = at_reference.run(
        """
ready = asyncio.Event()

async def test_first(trial):
    await asyncio.wait_for(ready.wait(), 10)  # it can only end if the third has begun
    note("first")
    await fine(trial)

class TestGroup:
    @pytest.mark.parametrize("share", [0.5, 1.5], ids=["half", "more"])
    async def test_second(self, trial, share):
        challenge = await trial.start()
        await trial.clock.sleep_until(trial.began + share * trial.policy.validity)
        note("second", share)
        answer = await trial.verify(challenge)
        allowed = [Outcome.APPROVED] if share < 1 else REFUSED
        trial.expect(answer, *allowed, because="of its age")

@proves("EXPIRY-1", "EXPIRY-2")
async def test_third(trial):
    ready.set()
    note("third")
    await fine(trial)

def test_plain(tmp_path):
    assert tmp_path.exists()
""",
        "-v",
        "--junitxml=junit.xml",
        "--otp-seed=41",
    )

    result.assert_outcomes(passed=5)
    assert result.ret == 0
    assert [line.split()[0] for line in result.outlines if "PASSED" in line] == [
        "test_scenarios.py::test_first",
        "test_scenarios.py::TestGroup::test_second[half]",
        "test_scenarios.py::TestGroup::test_second[more]",
        "test_scenarios.py::test_third",
        "test_scenarios.py::test_plain",
    ]
    assert at_reference.events() == ["third", "first", "second 0.5", "second 1.5"]
    assert [case.get("name") for case in at_reference.junit()] == [
        "test_first", "test_second[half]", "test_second[more]", "test_third", "test_plain",
    ]  # fmt: skip
    assert "otpspec: safekey-reference" in result.outlines
    assert "otpspec: seed 41 (repeat with --otp-seed)" in result.outlines


VERDICTS = """
async def test_passed(trial):
    await fine(trial)

async def test_broken(trial):
    answer = await trial.verify(await trial.start())
    trial.expect(answer, *REFUSED, because="of the test")

async def test_inconclusive(trial):
    await trial.start()

async def test_not_applicable(trial):
    raise NotApplicable("the profile says so")

async def test_skipped_within(trial):
    pytest.skip("not today")

async def test_failed_within(trial):
    pytest.fail("not good")

@pytest.mark.xfail(reason="known")
async def test_known_to_be_broken(trial):
    await test_broken(trial)

@pytest.mark.xfail(reason="mended", strict=True)
async def test_no_longer_broken(trial):
    await fine(trial)
"""


def test_verdicts_are_pytests_outcomes(at_bank: Pytest) -> None:
    result = at_bank.run(VERDICTS, "-rA", "--junitxml=junit.xml")

    result.assert_outcomes(passed=1, failed=4, skipped=2, xfailed=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        [
            "E*Broken: of the test",
            "E*expected  refused: of the test",
            "E*got       approved (HTTP 200)",
            "inconclusive: the scenario judged nothing",
            "SKIPPED * not applicable: the profile says so",
            "SKIPPED * not today",
            "XFAIL *test_known_to_be_broken - known",
        ],
        consecutive=False,
    )
    kinds = {case.get("name"): [child.tag for child in case] for case in at_bank.junit()}
    assert kinds == {
        "test_passed": [],
        "test_broken": ["failure"],
        "test_inconclusive": ["failure"],
        "test_not_applicable": ["skipped"],
        "test_skipped_within": ["skipped"],
        "test_failed_within": ["failure"],
        "test_known_to_be_broken": ["skipped"],
        "test_no_longer_broken": ["failure"],
    }


def test_a_report_says_how_long_the_scenario_took(at_bank: Pytest) -> None:
    at_bank.run(
        """
async def test_longer(trial):
    await asyncio.sleep(0.4)
    await fine(trial)

async def test_long(trial):  # it is over when pytest comes to it
    await asyncio.sleep(0.2)
    await fine(trial)
""",
        "--junitxml=junit.xml",
    )

    times = {case.get("name"): float(case.get("time", 0)) for case in at_bank.junit()}
    assert times["test_longer"] >= 0.4
    assert times["test_long"] >= 0.2


def test_only_what_is_selected_is_run(at_bank: Pytest, bank: Scripted) -> None:
    tests = """
@proves("EXPIRY-2")
async def test_a(trial):
    note("a")
    await fine(trial)

@proves("LOCKOUT-1", "LOCKOUT-2")
@pytest.mark.quick
async def test_b(trial):
    note("b")
    await fine(trial)

async def test_c(trial):
    note("c")
    await fine(trial)
"""
    conftest = """
def pytest_configure(config):
    config.addinivalue_line("markers", "quick: for this test")
"""
    for words in (["-k", "LOCKOUT-2 and not expiry-2"], ["-m", "quick"]):
        result = at_bank.run(tests, *words, conftest=conftest)

        result.assert_outcomes(passed=1, deselected=2)
        assert at_bank.events() == ["b"]
        (at_bank.pytester.path / "events.txt").unlink()


def test_with_x_each_runs_alone_and_nothing_after_the_first_failure(at_bank: Pytest) -> None:
    tests = """
@pytest.mark.parametrize("n", range(4))
async def test_one(trial, n):
    note("begin", n)
    await trial.start()
    note("end", n)
    trial.check(n != 2, expected="another", got="2", because="of the test")
"""
    result = at_bank.run(tests, "-x")

    result.assert_outcomes(passed=2, failed=1)
    assert at_bank.events() == [f"{word} {n}" for n in range(3) for word in ("begin", "end")]


# --- what sends nothing -------------------------------------------------------------------------

UNTOUCHED = """
async def test_a(trial):
    note("ran")
    await fine(trial)
"""


def silent(at_bank: Pytest, bank: Scripted) -> bool:
    return (bank.connections, bank.asked, at_bank.events()) == (0, [], [])


@pytest.mark.parametrize("option", ["--collect-only", "--setup-plan", "--setup-only"])
def test_planning_sends_nothing(at_bank: Pytest, bank: Scripted, option: str) -> None:
    result = at_bank.run_here(UNTOUCHED, option)

    assert result.ret == 0
    assert silent(at_bank, bank)


def test_a_collection_error_sends_nothing(at_bank: Pytest, bank: Scripted) -> None:
    at_bank.pytester.makepyfile(test_other="import a_module_that_is_not_there")

    result = at_bank.run_here(UNTOUCHED)

    result.assert_outcomes(errors=1)
    assert silent(at_bank, bank)


def test_what_is_marked_to_be_skipped_sends_nothing(at_bank: Pytest, bank: Scripted) -> None:
    marks = """
@pytest.mark.skip(reason="x")
async def test_skip(trial):
    await test_a(trial)

@pytest.mark.skipif("True", reason="x")
async def test_skipif(trial):
    await test_a(trial)

@pytest.mark.xfail(run=False, reason="x")
async def test_xfail(trial):
    await test_a(trial)

@pytest.mark.skipif("1 +", reason="x")
async def test_no_condition(trial):
    await test_a(trial)

@pytest.mark.skip
class TestGroup:
    async def test_a(self, trial):
        note("ran")

async def a_helper(trial):
    note("ran")
"""
    result = at_bank.run_here(
        UNTOUCHED.replace("test_a", "helper") + marks.replace("test_a(t", "helper(t")
    )

    result.assert_outcomes(skipped=3, xfailed=1, errors=1)
    result.stdout.fnmatch_lines(["*Error evaluating 'skipif' condition*"])
    assert silent(at_bank, bank)


def test_marks_that_skip_nothing_are_no_hindrance(at_bank: Pytest) -> None:
    result = at_bank.run(
        """
@pytest.mark.skipif("False", reason="x")
@pytest.mark.xfail(False, run=False, reason="x")
async def test_a(trial):
    await fine(trial)

@pytest.mark.xfail(run=False, reason="x")
async def test_b(trial):
    await fine(trial)
""",
        "--runxfail",
    )

    result.assert_outcomes(passed=2)


REFUSED_BEFORE = """
@pytest.fixture
def other():
    note("ran")

@pytest.fixture(params=[1, 2])
def flavour(request):
    return "flavour"

def test_sync(trial):
    note("ran")

async def test_other(trial, other, tmp_path):
    note("ran")

@pytest.mark.usefixtures("other")
async def test_uses(trial):
    note("ran")

async def test_flavour(trial, flavour):
    note("ran")

@pytest.mark.parametrize("other", [1], indirect=True)
async def test_indirect(trial, other):
    note("ran")

async def test_good(trial):
    note("ran")
"""


def test_what_cannot_be_a_scenario_is_refused_at_once(at_bank: Pytest, bank: Scripted) -> None:
    result = at_bank.run_here(REFUSED_BEFORE)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    why = "it runs before pytest sets fixtures up"
    only = "a scenario can only ask for trial, not for"
    assert result.stderr.str().strip().splitlines() == [
        "ERROR: test_scenarios.py::test_sync: a scenario is a coroutine; "
        "write 'async def test_sync(trial)'",
        f"test_scenarios.py::test_other: {only} other, tmp_path: {why}",
        f"test_scenarios.py::test_uses: {only} other: {why}",
        f"test_scenarios.py::test_flavour[1]: {only} flavour: {why}",
        f"test_scenarios.py::test_flavour[2]: {only} flavour: {why}",
        f"test_scenarios.py::test_indirect[1]: {only} other: {why}",
    ]
    assert silent(at_bank, bank)


# xdist is not needed to refuse it: it adds an option, and gives its workers a workerinput.
XDIST = """
def pytest_addoption(parser):
    parser.addoption("--numprocesses", type=int)
"""
WORKER = """
def pytest_configure(config):
    config.workerinput = {"workerid": "gw0"}
"""


@pytest.mark.parametrize(
    ("conftest", "options"),
    [(XDIST, ["--numprocesses=2"]), (WORKER, [])],
    ids=["its option", "its worker"],
)
def test_distribution_over_processes_is_refused(
    at_bank: Pytest, bank: Scripted, conftest: str, options: list[str]
) -> None:
    result = at_bank.run_here(UNTOUCHED, *options, conftest=conftest)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert result.stderr.str().strip() == (
        "ERROR: scenarios run all at once by themselves, and share a clock: leave out -n"
    )
    assert silent(at_bank, bank)


# --- what is the user's own ---------------------------------------------------------------------


def test_tests_with_a_fixture_of_that_name_of_their_own_are_left_alone(
    at_bank: Pytest, bank: Scripted
) -> None:
    result = at_bank.run_here(
        """
@pytest.fixture
def trial(tmp_path):
    return "mine"

def test_mine(trial):
    assert trial == "mine"

@pytest.mark.parametrize("trial", ["given"])
def test_given(trial):
    assert trial == "given"
"""
    )

    result.assert_outcomes(passed=2)
    assert silent(at_bank, bank)


def test_autouse_fixtures_stay_around_the_report(at_bank: Pytest) -> None:
    result = at_bank.run(
        UNTOUCHED,
        conftest="""
import pytest
@pytest.fixture(autouse=True)
def around():
    yield
""",
    )

    result.assert_outcomes(passed=1)


def test_without_a_target_it_says_how_to_give_one(pytester: pytest.Pytester) -> None:
    result = Pytest(pytester).run_here(UNTOUCHED)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert result.stderr.str().strip() == (
        "ERROR: scenarios need a target; try: pytest --otp-target PROFILE.toml "
        "--pyargs otpspec_scenarios.conformance"
    )


def test_target_may_stand_in_the_ini_file(at_bank: Pytest, bank: Scripted) -> None:
    at_bank.pytester.makeini("[pytest]\notp_target = acs.toml\n")
    at_bank.options = ("--otp-base-url", bank.url, "-p", "no:setuponly")

    result = at_bank.run(UNTOUCHED)

    result.assert_outcomes(passed=1)
    assert "otpspec: acs.toml" in result.outlines


def test_a_target_that_cannot_be_used_ends_the_run_with_its_message(at_bank: Pytest) -> None:
    result = at_bank.run_here(UNTOUCHED, "--otp-base-url=http://127.0.0.1:9")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["ERROR: No answer from http://127.0.0.1:9 (connection refused).", "  profile   acs.toml*"]
    )
    assert at_bank.events() == []


# --- secrets ------------------------------------------------------------------------------------

SECRETS = """
import logging

async def reveal(trial):
    challenge = await trial.start(csc=True)
    otc, csc = challenge.otc, challenge.card.csc
    pan, phrase = challenge.card.values["card.pan"], challenge.card.passphrase
    spaced = " ".join(pan[i:i + 4] for i in range(0, 16, 4))
    Path("secrets.txt").open("a").write(json.dumps([otc, csc, pan, phrase, spaced]) + "\\n")
    text = f"otc {otc}, csc {csc}, pan {pan}, {spaced}, phrase {phrase}"
    print("printed", text)
    logging.getLogger("scenario").error("logged %s", text)
    return challenge, text

async def test_broken(trial):
    challenge, text = await reveal(trial)
    answer = await trial.verify(challenge)
    trial.expect(answer, *REFUSED, because=text)

async def test_checked(trial):
    challenge, text = await reveal(trial)
    trial.check(False, expected=text, got=text, because=text)

async def test_error(trial):
    challenge, text = await reveal(trial)
    raise LookupError(text)

async def test_asserted(trial):
    challenge, text = await reveal(trial)
    assert text == "another"

async def test_failed(trial):
    challenge, text = await reveal(trial)
    pytest.fail(text)

async def test_skipped(trial):
    challenge, text = await reveal(trial)
    pytest.skip(text)

async def test_not_applicable(trial):
    challenge, text = await reveal(trial)
    raise NotApplicable(text)

@pytest.mark.xfail(reason="known")
async def test_known(trial):
    await test_broken(trial)

async def test_passed(trial):
    challenge, text = await reveal(trial)
    await trial.approved(challenge, because=text)
"""


@pytest.mark.parametrize("style", ["long", "native"])
def test_no_report_shows_a_secret(at_reference: Pytest, style: str) -> None:
    result = at_reference.run(
        SECRETS, "-l", f"--tb={style}", "-rA", "--xfail-tb", "--junitxml=junit.xml",
        "-o", "junit_logging=all", "-o", "junit_log_passing_tests=true",
    )  # fmt: skip

    result.assert_outcomes(passed=1, failed=5, skipped=2, xfailed=1)
    path = at_reference.pytester.path
    junit = (path / "junit.xml").read_text()
    lines = (path / "secrets.txt").read_text().splitlines()
    assert len(lines) == 9
    for secret in {secret for line in lines for secret in json.loads(line)}:
        alone = rf"(?<![0-9A-Za-z]){re.escape(secret)}(?![0-9A-Za-z])"
        for said in (result.stdout.str(), result.stderr.str(), junit):
            assert not re.search(alone, said)
    assert "printed otc •••, csc •••, pan •••, •••, phrase •••" in result.stdout.str()
    assert "approved (HTTP 200)" in result.stdout.str()


# --- the clock's lease --------------------------------------------------------------------------


def test_the_clock_is_given_back_whatever_happens(
    at_reference: Pytest, reference_server: Server
) -> None:
    broken = "async def test_a(trial):\n    await trial.start()\n    raise SystemExit"

    at_reference.run(broken)

    lease = reference_server.hook("/test/clock/lease", {})["lease"]
    refused = at_reference.run(UNTOUCHED)
    reference_server.hook(f"/test/clock/lease/{lease}", method="DELETE")

    assert refused.ret == pytest.ExitCode.USAGE_ERROR
    assert refused.stderr.str().strip() == (
        f"ERROR: Another run moves the clock of {reference_server.url} at the moment.\n"
        "Try: wait for it to end; a run that was killed gives it free after half a minute."
    )


def test_scenarios_that_come_with_otpspec_run_under_pytest(
    at_reference: Pytest, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = at_reference.pytester.runpytest_subprocess(
        "-p", "no:cacheprovider", "-p", "no:hypothesispytest", *at_reference.options,
        "-k", "EXPIRY-2 or CSC-1", "--pyargs", "otpspec_scenarios.conformance", timeout=30,
    )  # fmt: skip

    assert result.ret == 0
    assert result.parseoutcomes()["passed"] >= 3
