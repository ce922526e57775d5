"""The commands that put it all together, as a user types them."""

import json
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from otpspec.cli.prove import Mutant, Proof, changes, faults_of, mutants
from otpspec.outcome import Verdict
from otpspec.rules import RULES

Server = Any
Done = Any
Begin = Callable[..., "subprocess.Popen[str]"]


def test_demo_checks_and_loads_a_server_and_writes_the_report(
    otpspec: Callable[..., Done],
) -> None:
    done = otpspec("demo", timeout=120)

    assert done.code == 0, done.out + done.err
    found = done.results
    assert found["complete"] is True
    assert found["load"]["requests"] > 100
    assert found["load"]["judged"] == found["load"]["requests"]
    assert {"EXPIRY-2", "LOAD-1"} <= {rule["id"] for rule in found["rules"]}
    assert (done.folder / "report.html").read_text().startswith("<!doctype html>")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_demo_that_is_cut_short_leaves_results_and_no_server(
    begin: Begin, tmp_path: Path, number: int
) -> None:
    process = begin("demo", cwd=tmp_path)
    assert process.stderr is not None
    url = process.stderr.readline().rpartition(" ")[2].strip()  # "a reference server … at http…"
    time.sleep(1)

    process.send_signal(number)

    assert process.wait(20) == 130
    found = json.loads((tmp_path / "otpspec-report" / "results.json").read_text())
    assert found["complete"] is False
    listening = subprocess.run(["pgrep", "-s", str(process.pid)], capture_output=True, check=False)
    assert listening.stdout == b""
    assert url.startswith("http://127.0.0.1:")


def test_load_names_the_rule_that_a_broken_server_breaks(
    serve: Callable[..., Server], otpspec: Callable[..., Done]
) -> None:
    server = serve("--mutant", "no-lock", "--clock-rate", "100")

    done = otpspec(
        "load", "safekey-reference", "--base-url", server.url, "--for", "4s", "--users", "5"
    )

    assert done.code == 1, done.out + done.err
    assert done.rule("LOCKOUT-1")["verdict"] == "broken"
    assert done.rule("LOAD-1")["verdict"] == "broken"
    assert "LOCKOUT-1" in done.out


def test_load_takes_changes_of_the_profile(
    serve: Callable[..., Server], otpspec: Callable[..., Done]
) -> None:
    server = serve("--max-wrong", "5", "--clock-rate", "100")

    done = otpspec(
        *("load", "safekey-reference", "--base-url", server.url, "--for", "4s"),
        *("--users", "5", "--set", "policy.max_wrong=5"),
    )

    assert done.code in (0, 3), done.out + done.err
    assert not [rule["id"] for rule in done.results["rules"] if rule["verdict"] == "broken"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--for", "10"), 'Invalid value for --for: 10 has no unit; write "10s"'),
        (
            ("--users", "0"),
            "Invalid value for '--users': Input should be greater than or equal to 1",
        ),
        (("--slo", "p99=250"), 'Invalid value for --slo: 250 has no unit; write "250s"'),
        (
            ("--rate", "9/s", "--crowd", "many"),
            'Invalid value for --crowd: "many" is no crowd; write it like "200@10s": 200 journeys '
            "begin at once, ten seconds after the run has; at most 100,000",
        ),
        (
            ("--crowd", "200@10s"),
            "Invalid value for --crowd: a crowd comes on top of a rate; give --rate, too",
        ),
    ],
)
def test_load_refuses_what_it_cannot_do(
    otpspec: Callable[..., Done], words: tuple[str, ...], message: str
) -> None:
    done = otpspec("load", "safekey-reference", *words)

    assert done.code == 2
    assert done.err.splitlines()[0] == message


def test_load_says_who_would_come_and_sends_nothing(otpspec: Callable[..., Done]) -> None:
    done = otpspec("load", "safekey-reference", "--plan", "--set", 'policy.csc="never"')

    assert done.code == 0, done.err
    assert done.out.startswith(
        "The mix is a day at a bank (a judgement, and no bank's figures). Nothing was sent.\n"
    )
    lines = {line.split()[0]: line for line in done.out.splitlines() if line.strip()}
    assert "68.8 %   Reads the code and types it in." in lines["right_first_time"]
    assert "left out   only where the target asks for the 3CSC" in lines["late_csc"]
    assert not done.folder.exists()


def test_limit_that_is_broken_fails_the_run_though_it_is_a_should(
    serve: Callable[..., Server], otpspec: Callable[..., Done]
) -> None:
    server = serve("--clock-rate", "300")

    done = otpspec(
        *("load", "safekey-reference", "--base-url", server.url, "--for", "4s"),
        *("--users", "5", "--slo", "p50=1ms", "--slo", "p50=0.001ms", "--slo", "errors=50%"),
    )

    assert done.code == 1, done.out + done.err
    rule = done.rule("LOAD-3")
    assert (rule["level"], rule["verdict"], rule["declared"]) == ("SHOULD", "broken", True)
    assert [o["verdict"] for o in done.results["load"]["objectives"]] == ["broken", "passed"]
    assert "✗ broken" in done.out
    assert "1 rule broken" in done.out
    junit = (done.folder / "junit.xml").read_text()
    assert 'name="p50 at most 0.001ms"' in junit
    assert "| p50 |" in (done.folder / "summary.md").read_text()
    assert "Limits that were declared" in (done.folder / "report.html").read_text()


def test_prove_shows_that_a_mutant_is_caught_by_its_own_rule(
    otpspec: Callable[..., Done], tmp_path: Path
) -> None:
    done = otpspec("prove", "-k", "used-code-accepted-later", "--out", str(tmp_path), timeout=90)

    assert done.code == 0, done.out + done.err
    found = json.loads((tmp_path / "proof.json").read_text())
    assert found["faults"] == []
    assert [server["mutant"] for server in found["servers"]] == ["", "used-code-accepted-later"]
    assert found["servers"][1]["verdicts"]["REPLAY-2"] == "broken"
    assert "used-code-accepted-later" in (tmp_path / "proof.html").read_text()


def test_every_option_of_a_mutant_has_its_word_in_the_profile() -> None:
    for mutant in mutants():
        assert len(changes(mutant.options)) == sum(o.startswith("--") for o in mutant.options)


def test_every_rule_has_a_mutant() -> None:
    proven = {mutant.rule for mutant in mutants()}

    assert proven == set(RULES)


def proof(mutant: str, rule: str, **verdicts: Verdict) -> Proof:
    named = {name.replace("_", "-"): verdict for name, verdict in verdicts.items()}
    return Proof(mutant, rule, "A sentence.", [], named, {}, 1.0)


def loaded(**verdicts: Verdict) -> Proof:
    return msgspec.structs.replace(proof("", "", **verdicts), load=True)


CLEAN = proof("", "", EXPIRY_2=Verdict.PASSED)


@pytest.mark.parametrize(
    ("found", "faults"),
    [
        (proof("late", "EXPIRY-2", EXPIRY_2=Verdict.BROKEN), []),
        (
            proof("late", "EXPIRY-2", EXPIRY_2=Verdict.PASSED),
            ["late survives: EXPIRY-2 is passed"],
        ),
        (
            proof("late", "EXPIRY-2", EXPIRY_2=Verdict.INCONCLUSIVE),
            ["late survives: EXPIRY-2 is inconclusive"],
        ),
        (
            proof("late", "EXPIRY-2", EXPIRY_2=Verdict.PASSED, VERIFY_1=Verdict.BROKEN),
            ["late is caught by VERIFY-1, not by its own EXPIRY-2"],
        ),
        (
            proof("", "", EXPIRY_2=Verdict.BROKEN),
            ["strict server: EXPIRY-2 is broken ()"],
        ),
        (
            proof("", "", EXPIRY_2=Verdict.INCONCLUSIVE),
            ["strict server: EXPIRY-2 is inconclusive ()"],
        ),
        (
            loaded(LOAD_1=Verdict.PASSED, LOAD_2=Verdict.INCONCLUSIVE),
            ["strict server under load: LOAD-2 is inconclusive ()"],
        ),
        (
            loaded(LOAD_3=Verdict.INCONCLUSIVE, RACE_1=Verdict.INCONCLUSIVE),
            [],  # how much a run can tell hangs on the machine
        ),
        (
            loaded(LOAD_3=Verdict.BROKEN, RACE_1=Verdict.PASSED),
            ["strict server under load: LOAD-3 is broken ()"],
        ),
    ],
)
def test_faults_of_a_suite_are_named(found: Proof, faults: list[str]) -> None:
    assert faults_of([CLEAN, found], everything=False) == faults


def test_rule_without_a_mutant_is_a_fault() -> None:
    faults = faults_of([CLEAN], everything=True)

    assert "EXPIRY-2 has no mutant" in faults
    assert "LOAD-2 has no mutant" in faults


def test_a_proof_can_be_read_again() -> None:
    again = msgspec.json.decode(msgspec.json.encode(CLEAN), type=Proof)

    assert again == CLEAN
    assert Mutant("a", "B-1", "c", ()).deep is False
