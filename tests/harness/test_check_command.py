"""otpspec check: its messages word for word, its exit codes, and its end when it is cut short."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from otpspec.results import read

from .samples import PROFILE, changed, written
from .scripted import Asked, Said, scripted
from .small_bank import Bank

Server = Any
Done = Any
Run = Callable[..., Done]
Begin = Callable[..., subprocess.Popen[str]]

NOTHING = "No rule was checked, so this says nothing about the target.\n"


def said(done: Done) -> str:
    """What the command says where it cannot even begin."""
    assert done.code == 2
    assert done.out == ""
    assert not (done.folder / "results.json").exists()
    return str(done.err)


# --- a target that cannot be used ---------------------------------------------------------------


def test_target_that_is_down(otpspec: Run) -> None:
    done = otpspec("check", "safekey-reference", "--base-url", "http://127.0.0.1:9")

    assert said(done) == (
        "No answer from http://127.0.0.1:9 (connection refused).\n"
        "  profile   safekey-reference, target.base_url\n"
        "  request   POST /test/clock/lease\n" + NOTHING + "Try: start the target, or give its "
        "address with --base-url.\n"
    )


def test_port_of_another_server(otpspec: Run) -> None:
    with scripted(lambda asked: (404, b"<h1>not here</h1>")) as other:
        done = otpspec("check", "safekey-reference", "--base-url", other.url)

    assert said(done) == (
        f"{other.url} does not answer as the profile's [clock] says (HTTP 404).\n"
        "  profile   safekey-reference\n"
        "  request   POST /test/clock/lease\n" + NOTHING + "Try: check --base-url, and that tokens "
        "in the environment are those of this server.\n"
    )


def test_wrong_token(otpspec: Run, reference_server: Server) -> None:
    done = otpspec(
        "check", "safekey-reference", "--base-url", reference_server.url,
        OTPSPEC_TEST_TOKEN="wrong-token",
    )  # fmt: skip

    where = f"{reference_server.url} does not answer as the profile's"
    assert said(done).splitlines()[0] == f"{where} [clock] says (HTTP 401)."


def test_token_that_is_not_set(otpspec: Run) -> None:
    done = otpspec("check", "safekey-reference", OTPSPEC_TEST_TOKEN="")

    assert said(done) == (
        "safekey-reference: 1 problem\n"
        "  operations.unlock.headers.Authorization  the environment variable OTPSPEC_TEST_TOKEN is "
        "not set; try: export OTPSPEC_TEST_TOKEN=…\n"
    )


# --- a command or a profile that cannot be used -------------------------------------------------


def test_profile_with_five_mistakes(otpspec: Run, tmp_path: Path) -> None:
    text = changed(
        ("base_url =", "base_ulr ="),
        ('validity = "10m"', "validity = 300"),
        ("{card.pan}", "{card.pam}"),
        ('outcomes = "locked"', 'outcomes = "loked"'),
        ('id = "seq"', 'id = "["'),
    )
    written(tmp_path, text)

    first, *rest = said(otpspec("check", "acs.toml")).splitlines()

    assert first == "acs.toml: 5 problems"
    assert [line.split()[0] for line in rest] == [
        "target.base_ulr",
        "operations.start.answers[1].outcomes",
        "policy.validity",
        "operations.enroll.json.pan",
        "inbox.id",
    ]


def test_profile_that_is_not_known(otpspec: Run) -> None:
    assert said(otpspec("check", "safekey-referense")) == (
        "safekey-referense: 1 problem\n"
        "  (profile)  neither a file nor a shipped profile; did you mean safekey-reference?\n"
    )


def test_results_that_cannot_be_written(otpspec: Run, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with scripted(Bank()) as bank:
        done = otpspec("check", written(tmp_path), "--base-url", bank.url, "--out", "file/report")

        assert bank.connections == 0

    assert said(done) == (
        "Results cannot be written to file/report (Not a directory).\n"
        "Nothing was sent.\n"
        "Try: --out with a directory of your own.\n"
    )


def test_words_that_select_nothing(otpspec: Run, reference_server: Server) -> None:
    done = otpspec(
        "check", "safekey-reference", "--base-url", reference_server.url, "-k", "EXPIRY-99"
    )

    assert said(done) == "No rule is selected by -k 'EXPIRY-99'.\nTry: otpspec rules\n"


def test_words_that_are_only_in_the_names_of_folders_above_select_nothing(
    otpspec: Run, reference_server: Server
) -> None:
    """Else -k race would select every rule for who works in a folder of races."""
    done = otpspec(
        "check", "safekey-reference", "--base-url", reference_server.url, "-k", "scenarios"
    )

    assert said(done) == "No rule is selected by -k 'scenarios'.\nTry: otpspec rules\n"


def test_words_that_are_no_expression(otpspec: Run, tmp_path: Path) -> None:
    with scripted(Bank()) as bank:
        done = otpspec("check", written(tmp_path), "--base-url", bank.url, "-k", "EXPIRY-2 and")

        assert bank.connections == 0

    assert said(done) == (
        "-k 'EXPIRY-2 and' cannot be read: "
        "expected not OR left parenthesis OR identifier; got end of input.\n"
        "Try: -k 'EXPIRY-1 or EXPIRY-2', -k 'LOCKOUT and not LOCKOUT-1'\n"
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["check", "--nope", "x"], "No such option: --nope"),
        (["check"], "Missing argument 'PROFILE'."),
        (["chekc"], "No such command 'chekc'."),
        (["check", "x", "--inconclusive", "maybe"], "'maybe'; give fail or warn"),
    ],
)
def test_command_line_that_cannot_be_read(otpspec: Run, words: list[str], message: str) -> None:
    first, *_ = said(otpspec(*words)).splitlines()

    assert message in first


# --- a run --------------------------------------------------------------------------------------


def test_a_part_of_the_rules_is_checked_and_written(
    otpspec: Run, reference_server: Server, tmp_path: Path
) -> None:
    done = otpspec(
        "check", "safekey-reference", "--base-url", reference_server.url,
        "-k", "EXPIRY-2 or CSC-1", "--seed", "11", "--out", "here/report",
    )  # fmt: skip

    assert (done.code, done.err) == (0, "")
    found = read(tmp_path / "here" / "report" / "results.json")
    assert [rule.id for rule in found.rules] == ["EXPIRY-2", "CSC-1"]
    assert (found.seed, found.complete, found.target.clock) == (11, True, "http")
    assert found.command == (
        f"otpspec check safekey-reference --base-url {reference_server.url} "
        "-k 'EXPIRY-2 or CSC-1' --seed 11 --out here/report"
    )
    assert done.out.splitlines()[-2:] == [
        "report   here/report/report.html",
        "         results.json, junit.xml, summary.md beside it",
    ]


def test_settings_of_the_users_own_pytest_change_nothing(
    otpspec: Run, reference_server: Server, tmp_path: Path
) -> None:
    (tmp_path / "conftest.py").write_text("raise SystemExit('not to be imported')")
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --nonsense\n")

    done = otpspec(
        "check", "safekey-reference", "--base-url", reference_server.url, "-k", "VERIFY-1",
        PYTEST_ADDOPTS="--nonsense", PYTEST_PLUGINS="nonsense",
    )  # fmt: skip

    assert (done.code, done.err) == (0, "")


def test_what_cannot_be_judged_is_3_unless_it_is_only_to_be_warned_of(
    otpspec: Run, tmp_path: Path
) -> None:
    def check(*words: str) -> int:
        bank = Bank(resend=(500, {}))
        with scripted(bank) as server:
            source = written(tmp_path, PROFILE + RESEND)
            quick = ("--set", "inbox.wait=1s", "--set", "policy.csc=never")
            done = otpspec("check", source, "--base-url", server.url, *quick, *words)
            return int(done.code)

    rules = ("-k", "VERIFY-1 or RESEND-2")
    assert check(*rules) == 3
    assert check(*rules, "--inconclusive", "warn") == 0


RESEND = """
[operations.resend]
method = "POST"
path = "/transactions/{challenge.id}/resend"
answers = [{ status = 202, outcomes = "done" }]
"""


# --- cut short ----------------------------------------------------------------------------------


@pytest.fixture
def slow_bank() -> Iterator[tuple[str, Callable[[], int]]]:
    """A target with a real clock; how many verifies it has seen."""
    seen: list[int] = []
    bank = Bank()

    def verify(asked: Asked) -> Said | None:
        seen.append(1)
        return None

    bank.answers["verify"] = verify
    with scripted(bank) as server:
        yield server.url, lambda: len(seen)


@pytest.mark.parametrize("which", [signal.SIGINT, signal.SIGTERM])
def test_a_check_that_is_cut_short_writes_what_it_has(
    slow_bank: tuple[str, Callable[[], int]], tmp_path: Path, begin: Begin, which: signal.Signals
) -> None:
    url, seen = slow_bank
    process = begin(
        "check", written(tmp_path), "--base-url", url, "-k", "EXPIRY-2 or VERIFY-1", cwd=tmp_path
    )
    deadline = time.monotonic() + 20
    while not seen() and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.3)  # VERIFY-1 ends; EXPIRY-2 sleeps for ten minutes
    process.send_signal(which)
    out, err = process.communicate(timeout=15)

    assert process.returncode == 130
    assert err == "Interrupted: the report holds what was measured so far.\n"
    found = read(tmp_path / "otpspec-report" / "results.json")
    assert found.complete is False
    verdicts = {rule.id: (rule.verdict, rule.reason) for rule in found.rules}
    assert verdicts == {
        "VERIFY-1": ("passed", ""),
        "EXPIRY-2": ("inconclusive", "the run was ended before it finished"),
    }
    assert "report   otpspec-report/report.html" in out
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)  # nobody of its group is left


def test_a_check_that_is_cut_short_before_anything_was_measured_says_so(
    begin: Begin, tmp_path: Path
) -> None:
    def hang(asked: Asked) -> Said:
        time.sleep(1)
        return 201, {}

    with scripted(hang) as server:
        process = begin("check", written(tmp_path), "--base-url", server.url, cwd=tmp_path)
        deadline = time.monotonic() + 20
        while not server.asked and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=15)

    assert process.returncode == 130
    assert (out, err) == ("", "Interrupted before anything was measured.\n")


def test_a_check_that_is_cut_short_gives_the_clock_back(
    reference_server: Server, begin: Begin, tmp_path: Path
) -> None:
    words = ["check", "safekey-reference", "--base-url", reference_server.url, "-k", "DELIVER-1"]
    process = begin(*words, "--set", "inbox.quiet=1h", cwd=tmp_path)
    before = len(reference_server.hook("/test/outbox")["messages"])
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if len(reference_server.hook("/test/outbox")["messages"]) > before:
            break
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=15)

    assert process.returncode == 130
    lease = reference_server.hook("/test/clock/lease", {})["lease"]
    reference_server.hook(f"/test/clock/lease/{lease}", method="DELETE")
