"""Broken servers that must be caught, each by its own rule; and the strict one, by none."""

from collections.abc import Callable
from typing import Any

import pytest

MUTANTS = {
    "never-expires": "EXPIRY-2",
    "no-lock": "LOCKOUT-1",
    "locks-at-n-plus-1": "LOCKOUT-1",
    "csc-ignored": "CSC-2",
    "csc-retry": "CSC-1",
    "used-code-accepted": "REPLAY-1",
}

Server = Any
Done = Any


@pytest.mark.parametrize(("mutant", "rule"), MUTANTS.items())
def test_broken_server_is_caught_by_its_rule(
    serve: Callable[..., Server], otpspec: Callable[..., Done], mutant: str, rule: str
) -> None:
    server = serve("--mutant", mutant)

    done = otpspec("check", "safekey-reference", "--base-url", server.url, "-k", rule)

    assert done.code == 1
    caught = done.rule(rule)
    assert caught["verdict"] == "broken"
    assert any(one["verdict"] == "broken" and one["exchanges"] for one in caught["evidence"])
    assert done.results["complete"] is True


def test_strict_server_passes_every_rule(
    reference_server: Server, otpspec: Callable[..., Done]
) -> None:
    done = otpspec("check", "safekey-reference", "--base-url", reference_server.url)

    assert done.code == 0
    rules = done.results["rules"]
    passed = [rule["id"] for rule in rules if rule["verdict"] == "passed"]
    others = [rule for rule in rules if rule["verdict"] != "passed"]
    assert set(MUTANTS.values()) <= set(passed)
    assert len(passed) > 30
    assert [r["id"] for r in others if r["core"] or r["verdict"] != "not_applicable"] == []
