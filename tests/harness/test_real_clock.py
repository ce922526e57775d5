"""Against a clock that nobody moves, the same rules pass, in little more than one validity."""

import json
from typing import Any

Begun = Any


def test_every_rule_passes_in_real_time_and_in_little_more_than_one_validity(
    in_real_time: Begun,
) -> None:
    out, err = in_real_time.process.communicate(timeout=60)

    found = json.loads((in_real_time.folder / "otpspec-report" / "results.json").read_text())
    unclear = [r for r in found["rules"] if r["verdict"] in ("broken", "inconclusive")]
    assert {rule["id"]: rule["reason"] for rule in unclear} == {}
    assert (in_real_time.process.returncode, err) == (0, "")
    assert "conformant: " in out
    assert found["target"]["clock"] == "real"
    assert 8 < found["duration_s"] < 1.1 * 8 + 30  # one after the other, they take minutes
    assert in_real_time.server.hook("/test/clock")["jumps"] == 0
