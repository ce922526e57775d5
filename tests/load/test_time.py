"""Ten minutes under load, in seconds: time that libfaketime makes run fast, and is seen to."""

import sys
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from otpspec.load.clock import DATE_SLACK_S, FAKED, Reading, describe, drift

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="libfaketime is for Linux")

REST = """
[clock]
kind = "faketime"

[load]
clock_rate = 150

[launch]
command = ["{python}", "-m", "otpspec_reference", "--test-hooks", "--port", "{port}"{mutant}]
env = {{ OTPSPEC_TEST_TOKEN = "{{env.OTPSPEC_TEST_TOKEN}}" }}
ready = "/health"
"""


def profile(folder: Path, port: int, mutant: str = "") -> str:
    shipped = resources.files("otpspec.profile") / "shipped" / "safekey-reference.toml"
    text = shipped.read_text("utf-8").partition("\n[clock]")[0]
    named = f', "--mutant", "{mutant}"' if mutant else ""
    rest = REST.format(python=sys.executable, port=port, mutant=named)
    path = folder / "acs.toml"
    path.write_text(text.replace("127.0.0.1:8000", f"127.0.0.1:{port}") + rest)
    return str(path)


@pytest.mark.parametrize(("mutant", "verdict"), [("", "passed"), ("never-expires", "broken")])
def test_end_of_a_life_of_ten_minutes_is_judged_in_seconds(
    otpspec: Callable[..., Any], tmp_path: Path, unused_port: int, mutant: str, verdict: str
) -> None:
    acs = profile(tmp_path, unused_port, mutant)

    done = otpspec("load", acs, "--for", "9s", "--users", "12")  # a life takes four of them

    expiry = done.rule("EXPIRY-2")
    assert expiry["verdict"] == verdict, done.out + done.err
    assert expiry["chances"] >= 10
    assert done.results["target"]["clock"] == f"runs 150 times as fast as real time{FAKED}"


def test_target_that_nobody_starts_cannot_be_sped_up(
    otpspec: Callable[..., Any], tmp_path: Path, unused_port: int
) -> None:
    acs = Path(profile(tmp_path, unused_port))
    acs.write_text(acs.read_text().partition("\n[launch]")[0])

    done = otpspec("load", str(acs), "--for", "1s")

    assert done.code == 2
    assert done.err.splitlines() == [
        f"{acs}: 1 problem",
        '  launch  missing; clock.kind = "faketime" moves a target that the harness starts itself',
    ]


def test_clock_that_does_not_run_as_it_should_judges_no_time() -> None:
    first = Reading(1000.0, 60.0, 5.0, 5.1, DATE_SLACK_S * 60)
    real = Reading(1010.0, 60.0, 15.0, 15.1, DATE_SLACK_S * 60)
    fast = Reading(1600.0, 60.0, 15.0, 15.1, DATE_SLACK_S * 60)

    assert drift(first, fast) == ""
    assert drift(first, real) == (
        "someone else moved the target's clock, or it does not run as the profile says: it went "
        "10.0 s on during the run, and 594.0 s were due"
    )
    assert describe(fast) == "runs 60 times as fast as real time"
