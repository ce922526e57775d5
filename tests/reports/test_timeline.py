"""Charts may have fewer points than the run had seconds; they never look better for it."""

import json

from otpspec.results import LoadPoint
from otpspec_reports.timeline import as_columns, seconds_each, thin

from .load_samples import load


def test_a_short_run_keeps_every_second() -> None:
    points = load(seconds=120).timeline

    assert thin(points, 400) == points
    assert seconds_each(points, 400) == 1


def test_a_long_run_keeps_its_worst_latencies_and_its_mean_rates() -> None:
    points = load(seconds=3_600).timeline

    thinned = thin(points, 400)

    assert len(thinned) == 400
    assert seconds_each(points, 400) == 9
    assert max(p.p99_ms for p in thinned) == max(p.p99_ms for p in points)
    rate, thinned_rate = (sum(p.rate_per_s for p in some) / len(some) for some in (points, thinned))
    assert abs(rate - thinned_rate) < 1e-6


def test_a_second_without_answers_has_no_latency() -> None:
    quiet = LoadPoint(t_s=0, users=3, rate_per_s=0, failures_per_s=0, p50_ms=0, p99_ms=0)

    columns = json.loads(as_columns([quiet]))

    assert columns["p50"] == [None]
    assert columns["users"] == [3]


def test_no_points_make_no_chart() -> None:
    assert thin([], 400) == []
    assert json.loads(as_columns([]))["t"] == []
