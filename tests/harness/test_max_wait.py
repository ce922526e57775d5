"""--max-wait: what would wait longer in real time is left out, and said."""

import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.cards.bank import bank, profile, verdicts

Otpspec = Callable[..., Any]

LEFT_OUT = "left out: it would wait longer than --max-wait 1m"


def test_rules_that_wait_longer_are_left_out(otpspec: Otpspec) -> None:
    with bank() as ours:
        began = time.monotonic()
        done = otpspec(
            *("check", "safekey-reference", "--base-url", ours.url, "--set", "clock.kind=real"),
            *("-k", "EXPIRY-2 or LOCKOUT-6 or VERIFY-1", "--max-wait", "1m"),
        )

    assert time.monotonic() - began < 30
    found = verdicts(done.results)
    assert found == {
        "VERIFY-1": "passed",
        "EXPIRY-2": "not_applicable",
        "LOCKOUT-6": "not_applicable",
    }
    assert done.rule("EXPIRY-2")["reason"] == LEFT_OUT
    assert LEFT_OUT in done.rule("LOCKOUT-6")["reason"]
    assert done.code == 3  # rules of the core: nobody has seen that they hold


def test_waits_that_a_clock_jumps_over_are_not_too_long(otpspec: Otpspec) -> None:
    with bank() as ours:
        done = otpspec(
            *("check", "safekey-reference", "--base-url", ours.url),
            *("-k", "EXPIRY-2 or LOCKOUT-6", "--max-wait", "1s"),
        )

    assert done.code == 0, done.err
    assert verdicts(done.results) == {"EXPIRY-2": "passed", "LOCKOUT-6": "passed"}


def test_locks_length_is_waited_for_where_it_is_short_enough(
    otpspec: Otpspec, tmp_path: Path
) -> None:
    with bank(lock_for=timedelta(seconds=3)) as ours:
        ends = ('base = "safekey"', 'base = "safekey"\nlock_for = "3s"')
        path = profile(tmp_path, ours, ends, without=(), cards="")
        words = ("check", str(path), "-k", "LOCKOUT-6", "--set", "clock.kind=real")
        short = otpspec(*words, "--max-wait", "2s")
        reason = short.rule("LOCKOUT-6")["reason"]
        long = otpspec(*words, "--max-wait", "20s")

    assert "left out: it would wait longer than --max-wait 0.0333" in reason
    assert long.rule("LOCKOUT-6")["verdict"] == "passed"


def test_time_without_a_unit_is_refused(otpspec: Otpspec) -> None:
    done = otpspec("check", "safekey-reference", "--max-wait", "15", "--plan")

    assert done.code == 2
    assert 'write "15s"' in done.err
