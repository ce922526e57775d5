"""What the charts of a load run are drawn from."""

import math
from statistics import fmean

import msgspec

from otpspec.results import LoadPoint

CHART_POINTS = 400
"""The most points of a chart: about what a screen can show."""

TABLE_POINTS = 20
"""The most rows of the table that stands in for the charts."""


def thin(timeline: list[LoadPoint], at_most: int) -> list[LoadPoint]:
    """The same run in fewer points, and never a better one: rates are means, latencies the worst.

    Percentiles cannot be averaged; the worst second of each group stands for it.
    """
    size = math.ceil(len(timeline) / at_most) or 1
    groups = [timeline[start : start + size] for start in range(0, len(timeline), size)]
    return timeline if size == 1 else [_merged(group) for group in groups]


def seconds_each(timeline: list[LoadPoint], at_most: int) -> int:
    """How many seconds of the run one point of `thin` stands for."""
    return math.ceil(len(timeline) / at_most) or 1


def as_columns(points: list[LoadPoint]) -> str:
    """The points as JSON, a list of numbers for each column; a quiet second has no latency.

    Safe inside a script element: there are numbers and names of ours in it, and nothing else.
    """
    return msgspec.json.encode(
        {
            "t": [point.t_s for point in points],
            "users": [point.users for point in points],
            "rate": [round(point.rate_per_s, 2) for point in points],
            "failures": [round(point.failures_per_s, 2) for point in points],
            "p50": [_latency(point, point.p50_ms) for point in points],
            "p99": [_latency(point, point.p99_ms) for point in points],
        }
    ).decode()


def _latency(point: LoadPoint, value: float) -> float | None:
    return round(value, 3) if point.rate_per_s else None


def _merged(group: list[LoadPoint]) -> LoadPoint:
    return LoadPoint(
        t_s=group[0].t_s,
        users=max(point.users for point in group),
        rate_per_s=fmean(point.rate_per_s for point in group),
        failures_per_s=fmean(point.failures_per_s for point in group),
        p50_ms=max(point.p50_ms for point in group),
        p99_ms=max(point.p99_ms for point in group),
    )
