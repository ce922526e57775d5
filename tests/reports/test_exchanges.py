"""Which exchanges a page shows, and where each is drawn."""

import pytest

from otpspec.results import Evidence
from otpspec_reports.axis import Axis
from otpspec_reports.exchanges import Limit, at_once, chart, limits

from .samples import BROKEN, PASSED, denied, exchange, rule, started


def test_few_exchanges_are_all_shown() -> None:
    shown = chart([denied(at) for at in range(60)], Limit(60, 600))

    assert (len(shown.first), shown.left_out, len(shown.last)) == (60, 0, 0)


def test_many_exchanges_are_cut_in_the_middle_and_the_last_are_kept() -> None:
    shown = chart([denied(at) for at in range(200)], Limit(60, 600))

    assert (len(shown.first), shown.left_out, len(shown.last)) == (20, 140, 40)
    assert shown.first[0].exchange.called_s == 0
    assert shown.last[-1].exchange.called_s == 199
    assert shown.count == 200


def test_no_exchanges_make_an_empty_chart() -> None:
    shown = chart([], Limit(60, 600))

    assert (shown.count, shown.first, shown.last, shown.quiet) == (0, [], [], [])


def test_bars_stay_within_the_axis_and_can_be_seen() -> None:
    shown = chart([started(), denied(0.5), exchange(601.0, took=0.000001)], Limit(60, 600))

    for row in shown.first:
        assert row.bar.start >= 0
        assert row.bar.width >= 1.5
        assert row.bar.start + row.bar.width <= 100.000001


def test_calls_at_one_frozen_moment_can_be_drawn() -> None:
    shown = chart([exchange(5.0, took=0), exchange(5.0, took=0)], Limit(60, 600))

    assert [row.bar.width for row in shown.first] == [1.5, 1.5]


def test_bars_keep_the_order_and_the_overlap_of_the_calls() -> None:
    axis = Axis.of([exchange(0, took=2), exchange(1, took=2), exchange(900, took=1)])

    first, second, last = axis.bar(0, 2), axis.bar(1, 3), axis.bar(900, 901)
    assert first.start < second.start < first.start + first.width
    assert second.start + second.width < last.start
    assert last.start + last.width == pytest.approx(100)


def test_quiet_time_is_drawn_short_and_marked() -> None:
    axis = Axis.of([exchange(0, took=0.01), exchange(600, took=0.01)])

    (quiet,) = axis.quiet
    assert quiet.width < 15
    assert quiet.start == pytest.approx(axis.bar(0, 0.01).width)


def test_a_short_pause_is_drawn_to_scale() -> None:
    axis = Axis.of([exchange(0, took=1), exchange(1.05, took=1)])

    assert axis.quiet == []
    assert axis.bar(1.05, 2.05).start == pytest.approx(100 * 1.05 / 2.05)


def test_quiet_time_takes_no_more_room_than_the_calls_do() -> None:
    axis = Axis.of([exchange(at * 100, took=0.01) for at in range(40)])

    assert sum(bar.width for bar in axis.quiet) < 50


@pytest.mark.parametrize(
    ("calls", "most"),
    [
        ([], 0),
        ([(0, 1), (1, 1)], 1),
        ([(0, 1), (0.5, 1)], 2),
        ([(0, 9), (1, 1), (1.5, 1), (5, 1)], 3),
    ],
)
def test_calls_in_flight_at_once_are_counted(calls: list[tuple[float, float]], most: int) -> None:
    assert at_once([exchange(at, took=took) for at, took in calls]) == most


@pytest.mark.parametrize(
    ("outcomes", "tone"),
    [
        (("approved",), "through"),
        (("done",), "through"),
        (("wrong_otc", "locked"), "refused"),
        (("locked", "throttled"), "silent"),
        (("no such outcome",), "refused"),
        ((), "silent"),
    ],
)
def test_an_answer_is_drawn_by_what_it_meant(outcomes: tuple[str, ...], tone: str) -> None:
    shown = chart([exchange(outcomes=outcomes)], Limit(60, 600))

    assert shown.first[0].tone == tone


@pytest.mark.parametrize(
    ("failing", "limit", "bars"),
    [(0, 60, 72), (1, 60, 72), (10, 60, 72), (30, 20, 24), (400, 8, 8)],
)
def test_room_is_shared_out_among_what_failed(failing: int, limit: int, bars: int) -> None:
    evidence = [Evidence(scenario="s", verdict=BROKEN)] * failing
    passed = Evidence(scenario="s", verdict=PASSED)

    shared = limits([rule(verdict=BROKEN, evidence=evidence), rule(evidence=[passed])])

    assert shared.failing == Limit(limit, 600, bars)
    assert shared.of(evidence[0] if evidence else passed).exchanges >= 8
    assert shared.of(passed) == Limit(12, 200)
