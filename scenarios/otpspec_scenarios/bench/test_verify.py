"""How long one verify takes, case by case; only the request and its answer are timed."""

from collections.abc import Callable
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from otpspec import REFUSED, Outcome, VerifyPath

ROUNDS = 150

CASES: dict[str, tuple[Callable[[VerifyPath], Callable[[], Any]], frozenset[Outcome]]] = {
    "right": (lambda path: path.right, frozenset({Outcome.APPROVED})),
    "right with 3CSC": (lambda path: path.right_with_csc, frozenset({Outcome.APPROVED})),
    "wrong": (lambda path: path.wrong, frozenset(REFUSED)),
    "wrong 3CSC": (lambda path: path.wrong_csc, frozenset(REFUSED)),
    "locked": (lambda path: path.locked, frozenset(REFUSED)),
}


@pytest.mark.parametrize("case", CASES)
def test_verify(benchmark: BenchmarkFixture, verify_path: VerifyPath, case: str) -> None:
    prepare, allowed = CASES[case]
    if "3CSC" in case and not verify_path.asks_for_csc:
        pytest.skip("not applicable: the profile says that the 3CSC is never asked for")

    benchmark.pedantic(  # type: ignore[no-untyped-call]
        verify_path.send, setup=prepare(verify_path), rounds=ROUNDS, warmup_rounds=10
    )

    benchmark.extra_info["judged"] = verify_path.judge(*allowed)
