"""The latency histogram against the values themselves."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otpspec.load.histogram import Histogram

DURATIONS = st.lists(st.floats(1e-6, 3600.0), min_size=1, max_size=300)


def filled(durations: list[float]) -> Histogram:
    histogram = Histogram()
    for duration in durations:
        histogram.record(duration)
    return histogram


@given(DURATIONS, st.floats(0.01, 1.0))
def test_each_percentile_is_at_most_one_part_in_a_hundred_off(
    durations: list[float], part: float
) -> None:
    exact = sorted(durations)[max(math.ceil(part * len(durations)) - 1, 0)] * 1e3

    (found,) = filled(durations).percentiles(part)

    assert found == pytest.approx(exact, rel=0.01, abs=0.0006)


@given(DURATIONS, DURATIONS)
def test_merged_histograms_are_one_of_all_values(one: list[float], other: list[float]) -> None:
    merged = filled(one)
    merged.merge(filled(other))

    assert merged.latency() == filled(one + other).latency()


def test_maximum_and_mean_are_exact() -> None:
    latency = filled([0.001, 0.002, 0.0123457]).latency()

    assert latency.max_ms == 12.346
    assert latency.mean_ms == pytest.approx(5.115, abs=0.001)


def test_nothing_recorded_reads_as_zero() -> None:
    assert Histogram().latency().p99_ms == 0.0


@pytest.mark.parametrize("duration", [-1.0, 0.0, 1e15])
def test_what_cannot_be_a_duration_still_counts(duration: float) -> None:
    histogram = filled([duration])

    assert histogram.count == 1


def test_percentiles_of_many_values_are_those_of_the_values() -> None:
    rng = random.Random(7)
    values = sorted(rng.lognormvariate(-6, 1.0) for _ in range(20_000))

    found = filled(values).percentiles(0.5, 0.9, 0.99, 0.999)

    exact = [values[math.ceil(part * len(values)) - 1] * 1e3 for part in (0.5, 0.9, 0.99, 0.999)]
    assert found == pytest.approx(exact, rel=0.01)


@given(DURATIONS)
def test_what_was_noted_is_counted_once(durations: list[float]) -> None:
    histogram, rest = filled(durations), durations[: len(durations) // 2]

    fresh = histogram.settle()
    assert histogram.settle() is None
    for duration in rest:
        histogram.record(duration)

    assert fresh is not None
    assert int(fresh.sum()) == len(durations)
    assert histogram.count == len(durations) + len(rest)
    assert histogram.latency() == filled(durations + rest).latency()


def test_packed_histogram_is_the_same_one() -> None:
    histogram = filled([0.001, 0.001, 2.5])

    assert Histogram.unpacked(histogram.packed()).latency() == histogram.latency()
