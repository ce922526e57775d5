"""Servers that are right as long as they are asked one thing at a time; and the strict one."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

MUTANTS = {
    "used-read-then-written": "RACE-1",
    "two-processes": "RACE-1",
    "count-read-then-written": "RACE-2",
    "resend-in-two-steps": "RACE-3",
    "unlock-in-two-steps": "RACE-3",
    "lock-looked-at-too-soon": "RACE-4",
    "void-written-late": "RACE-5",
}
ROUNDS = int(os.environ.get("OTPSPEC_RACE_ROUNDS", "40"))
"""Of each race against the strict server, with all cores busy: 500 by hand, in half an hour."""

Server = Any
Done = Any


@pytest.mark.parametrize(("mutant", "rule"), MUTANTS.items())
def test_race_is_found_within_twenty_rounds_by_its_rule(
    serve: Callable[..., Server], otpspec: Callable[..., Done], mutant: str, rule: str
) -> None:
    server = serve("--mutant", mutant)

    done = otpspec("check", "safekey-reference", "--base-url", server.url, "-k", rule)

    assert done.code == 1, done.out + done.err
    caught = done.rule(rule)
    assert caught["verdict"] == "broken"
    broken = [one for one in caught["evidence"] if one["verdict"] == "broken"]
    assert broken
    assert all(one["exchanges"] and one["reason"] and one["got"] for one in broken)
    assert all(one["releases_s"] and one["contradiction"] for one in broken)


def test_burst_of_64_stands_whole_in_its_evidence_each_request_on_a_lane_of_its_own(
    serve: Callable[..., Server], otpspec: Callable[..., Done]
) -> None:
    server = serve("--mutant", "count-read-then-written")

    words = ("-k", "RACE-2", "--set", "races.sizes=[64]")
    done = otpspec("check", "safekey-reference", "--base-url", server.url, *words)

    for one in done.rule("RACE-2")["evidence"]:
        released = one["releases_s"][-1]
        burst = [e for e in one["exchanges"] if e["lane"] and e["called_s"] >= released]
        assert sorted(e["lane"] for e in burst) == sorted(f"conn. {n}" for n in range(1, 65))
        assert {e["label"] for e in burst} == {"another code"}
        assert all(e["called_s"] <= e["unanswered_s"] <= e["returned_s"] for e in burst)
        marked = [one["exchanges"][place] for place in one["contradiction"]]
        assert {tuple(e["outcomes"]) for e in marked} == {("wrong_otc",)}


def test_strict_server_passes_with_its_overlap_and_power_told(
    serve: Callable[..., Server], otpspec: Callable[..., Done]
) -> None:
    done = otpspec(
        "check", "safekey-reference", "--base-url", serve().url, "-k", "RACE-1 or RACE-2 or RACE-5"
    )

    assert done.code == 0, done.out + done.err
    for rule in ("RACE-1", "RACE-2", "RACE-5"):
        for one in done.rule(rule)["evidence"]:
            assert one["verdict"] == "passed"
            assert (
                "in flight at once, as seen from here; released within"
                in one["measured"]["overlap"]
            )
            assert "rounds would have been seen with 95 %" in one["measured"]["power"]
            assert "for 95%/15%" in one["measured"]["power"]


@pytest.fixture
def busy() -> Iterator[None]:
    """Every core is kept busy by someone else."""
    burn = [sys.executable, "-c", "while True: pass"]
    burning = [subprocess.Popen(burn) for _ in range(os.cpu_count() or 1)]
    yield
    for process in burning:
        process.kill()
        process.wait()


def test_strict_server_is_never_accused_while_all_cores_are_busy(
    busy: None, serve: Callable[..., Server], otpspec: Callable[..., Done]
) -> None:
    """By hand: OTPSPEC_RACE_ROUNDS=500 python -m pytest tests/detectors/test_races.py -k busy"""
    words = ["--races", "99.9%/1%", "--set", f"races.rounds={ROUNDS}"]
    url = serve().url
    selected = ["-k", "RACE-1 or RACE-2 or RACE-3 or RACE-4 or RACE-5"]

    done = otpspec(
        "check", "safekey-reference", "--base-url", url, *words, *selected, timeout=60 + 8 * ROUNDS
    )

    rules = {rule["id"]: rule for rule in done.results["rules"] if rule["id"].startswith("RACE")}
    assert len(rules) == 5
    for rule in rules.values():
        assert rule["verdict"] in ("passed", "inconclusive"), rule["reason"]
        assert not [one for one in rule["evidence"] if one["verdict"] == "broken"]
