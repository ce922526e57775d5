"""Figures are written for people, with their units."""

from datetime import timedelta
from typing import Any

import pytest

from otpspec_reports.figures import at, duration, millis, moment, setting


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (0, "0 ms"), (0.0004, "0.4 ms"), (0.84, "840 ms"), (12.4, "12.4 s"), (59.999, "60 s"),
        (60, "1 min"), (90, "1 min 30 s"), (600, "10 min"), (3_900, "1 h 5 min"),
        (90_000, "1 d 1 h"),
    ],
)  # fmt: skip
def test_a_span_is_written_in_the_unit_that_reads_best(seconds: float, written: str) -> None:
    assert duration(seconds) == written


@pytest.mark.parametrize(
    ("milliseconds", "written"),
    [(0.25, "0.25 ms"), (9.1, "9.1 ms"), (48.23, "48.2 ms"), (1_234, "1,234 ms"),
     (12_340, "12.3 s")],
)  # fmt: skip
def test_a_latency_has_three_figures_that_matter(milliseconds: float, written: str) -> None:
    assert millis(milliseconds) == written


def test_a_point_in_time_has_milliseconds() -> None:
    assert at(1_601.0121) == "1,601.012"


@pytest.mark.parametrize(
    ("iso", "written"),
    [
        ("2026-03-02T09:14:05Z", "2 Mar 2026, 09:14:05 UTC"),
        ("2026-03-02T09:14:05", "2 Mar 2026, 09:14:05"),
        ("yesterday", "yesterday"),
    ],
)
def test_when_is_written_for_people(iso: str, written: str) -> None:
    assert moment(iso) == written


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("PT600S", "10 min"), ("PT1S", "1 s"), ("P1D", "1 d"), ("PT1H30M", "1 h 30 min"),
        (timedelta(minutes=30), "30 min"), (True, "yes"), (False, "no"), (3, "3"),
        ("rotate", "rotate"), ("P", "P"), ("", ""), (None, "none"), (["a"], "['a']"),
    ],
)  # fmt: skip
def test_a_setting_of_the_policy_is_written_for_people(value: Any, written: str) -> None:
    assert setting(value) == written
