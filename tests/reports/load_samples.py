"""A load run as it leaves its figures."""

import math

from otpspec.results import Latency, LoadPoint, LoadResult, OperationLoad


def latency(p50: float = 11.8, worst: float = 412.0) -> Latency:
    """A spread of latencies."""
    return Latency(
        p50_ms=p50,
        p90_ms=p50 * 2.1,
        p99_ms=p50 * 5.3,
        p999_ms=p50 * 14,
        max_ms=worst,
        mean_ms=p50 * 1.2,
    )


def load(seconds: int = 120) -> LoadResult:
    """Two minutes of load, with a bad moment in it."""
    points = []
    for t in range(seconds):
        bad = 70 <= t < 76
        ramp = min(1.0, (t + 1) / 15)
        points.append(
            LoadPoint(
                t_s=float(t),
                users=round(60 * ramp),
                rate_per_s=(140 if bad else 300 + 14 * math.sin(t / 3)) * ramp,
                failures_per_s=22.0 if bad else (1.0 if t % 31 == 0 else 0.0),
                p50_ms=95.0 if bad else 11.5 + math.sin(t / 5),
                p99_ms=640.0 if bad else 58 + 9 * math.sin(t / 4),
            )
        )
    operations = [
        OperationLoad(
            operation="start", count=12_008, failures=0, rate_per_s=100.1, latency=latency(9.1),
            outcomes={"done": 12_001, "locked": 7},
        ),
        OperationLoad(
            operation="verify", count=23_391, failures=139, rate_per_s=194.9,
            latency=latency(12.6, 688.0),
            outcomes={"approved": 10_420, "wrong_otc": 9_800, "locked": 2_610, "expired": 422,
                      "unavailable": 139},
        ),
        OperationLoad(
            operation="resend", count=604, failures=0, rate_per_s=5.0, latency=latency(10.2),
            outcomes={"done": 604},
        ),
    ]  # fmt: skip
    return LoadResult(
        arrivals="open: 100 journeys/s",
        duration_s=float(seconds),
        users=60,
        requests=36_003,
        failures=139,
        judged=35_864,
        rate_per_s=300.0,
        latency=latency(11.8, 688.0),
        operations=operations,
        behaviours={"buys": 9_004, "mistypes_then_right": 1_801, "guesses_until_locked": 902,
                    "comes_too_late": 301},
        timeline=points,
        notes=["The generator was 3.1 ms late at worst: the figures are the target's."],
    )  # fmt: skip
