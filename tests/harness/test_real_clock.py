"""Against a clock that nobody moves, the same rules pass; a validity of time takes a validity."""

from collections.abc import Callable
from typing import Any

Server = Any
Done = Any


def test_every_rule_passes_in_real_time_and_in_little_more_than_one_validity(
    serve: Callable[..., Server], otpspec: Callable[..., Done]
) -> None:
    server = serve("--validity", "8s")

    done = otpspec(
        "check", "safekey-reference", "--base-url", server.url,
        "--set", "clock.kind=real", "--set", "policy.validity=8s",
    )  # fmt: skip

    rules = done.results["rules"]
    assert {r["id"]: r["reason"] for r in rules if r["verdict"] in ("broken", "inconclusive")} == {}
    assert done.code == 0
    assert done.results["target"]["clock"] == "real"
    assert 8 < done.results["duration_s"] <= 12
    assert server.hook("/test/clock")["jumps"] == 0
