"""Which times an axis names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otpspec_reports.ticks import seconds, ticks


@pytest.mark.parametrize(
    ("stretch", "width", "texts"),
    [
        ((0.0, 1.0), 400, ["0 s", "0 s", "0.2 s", "0.4 s", "0.6 s", "0.8 s", "1 s"]),
        ((601.012, 601.016), 200, ["601.012 s", "+2 ms", "+4 ms"]),
        ((2.0, 2.05), 300, ["2 s", "+20 ms", "+40 ms"]),
        ((1.0, 1.0008), 500, ["1 s", "+0.2 ms", "+0.4 ms", "+0.6 ms", "+0.8 ms"]),
        ((7_203.25, 7_503.25), 300, ["7,203.25 s", "7,300 s", "7,400 s", "7,500 s"]),
        ((3.0, 3.0), 300, ["3 s"]),  # time stood still
        ((3.0, 4.0), 20, ["3 s"]),  # no room for another
    ],
)
def test_a_stretch_is_named_where_it_begins_and_in_round_steps(
    stretch: tuple[float, float], width: float, texts: list[str]
) -> None:
    assert [tick.text for tick in ticks(stretch, width, 76)] == texts


def test_around_a_release_times_are_counted_from_it() -> None:
    found = ticks((0.95, 1.2), 600, 76, [1.0])

    assert [(tick.at_s, tick.text) for tick in found[:3]] == [
        (1.0, "1 s"),
        (pytest.approx(0.95), "-50 ms"),
        (pytest.approx(1.05), "+50 ms"),
    ]


def test_a_release_elsewhere_is_of_no_account() -> None:
    assert ticks((2.0, 2.05), 300, 76, [9.0]) == ticks((2.0, 2.05), 300, 76)


@given(
    st.floats(0, 1e6),
    st.floats(0, 1e6),
    st.floats(0, 1000),
    st.lists(st.floats(0, 2e6), max_size=3),
)
def test_ticks_are_few_and_lie_within_their_stretch(
    begin: float, span: float, width: float, releases: list[float]
) -> None:
    found = ticks((begin, begin + span), width, 62, releases)

    assert 1 <= len(found) <= width / 62 + 3
    slack = 1e-6 * max(span, 1)
    assert all(begin - slack <= tick.at_s <= begin + span + slack for tick in found)
    assert all(len(tick.text) <= 16 for tick in found)


@pytest.mark.parametrize(
    ("at_s", "text"), [(0, "0 s"), (601.012, "601.012 s"), (1e6, "1,000,000 s"), (-1e-9, "0 s")]
)
def test_a_moment_has_no_zeros_that_say_nothing(at_s: float, text: str) -> None:
    assert seconds(at_s) == text
