"""Which exchanges a timeline draws, and on which line each lies."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otpspec.results import Evidence, Exchange
from otpspec_reports.lanes import BETWEEN, Label, Piece, choose, extent, free, label, lines, marked

from .samples import BROKEN, denied

times = st.floats(0, 1e6)
calls = st.builds(denied, times, took=st.floats(-1, 100))


def evidence(exchanges: list[Exchange], *contradiction: int, **more: list[float]) -> Evidence:
    return Evidence(
        scenario="s", verdict=BROKEN, exchanges=exchanges, contradiction=list(contradiction), **more
    )


def row(count: int) -> list[Exchange]:
    return [denied(float(at)) for at in range(count)]


def test_few_exchanges_are_all_drawn() -> None:
    assert choose(evidence(row(5)), 5) == [0, 1, 2, 3, 4]


def test_of_many_those_around_the_contradiction_are_drawn() -> None:
    assert choose(evidence(row(100), 50), 5) == [48, 49, 50, 51, 52]


def test_what_lies_between_two_of_the_contradiction_is_nearer_than_what_lies_around() -> None:
    assert choose(evidence(row(100), 20, 24), 6) == [20, 21, 22, 23, 24, 25]


def test_without_a_contradiction_the_last_ones_are_drawn() -> None:
    assert choose(evidence(row(100)), 3) == [97, 98, 99]


def test_of_a_race_without_a_contradiction_those_around_its_last_release_are_drawn() -> None:
    assert choose(evidence(row(100), releases_s=[10.0, 40.0]), 3) == [39, 40, 41]


def test_of_a_contradiction_that_is_too_long_its_last_ones_are_drawn() -> None:
    assert choose(evidence(row(100), *range(100)), 4) == [96, 97, 98, 99]


def test_they_are_drawn_in_the_order_of_their_calls() -> None:
    assert choose(evidence([denied(3.0), denied(1.0), denied(2.0)]), 3) == [1, 2, 0]


def test_a_place_that_is_none_is_passed_over() -> None:
    assert marked(evidence(row(3), -1, 3, 2, 2)) == [2]


@given(st.lists(calls, max_size=60), st.lists(st.integers(-5, 70)), st.integers(1, 50))
def test_no_more_are_drawn_than_may_be_and_all_of_the_contradiction_that_fit(
    exchanges: list[Exchange], contradiction: list[int], most: int
) -> None:
    of = evidence(exchanges, *contradiction)

    chosen = choose(of, most)

    assert len(chosen) == len(set(chosen)) == min(most, len(exchanges))
    assert set(marked(of)[-most:]) <= set(chosen)


# --- lines --------------------------------------------------------------------------------------


def piece(left: float, right: float, lane: str = "") -> Piece:
    return Piece(lane, left, right)


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        ([], []),
        ([piece(0, 10), piece(20, 30)], [("", [[0, 1]])]),
        ([piece(0, 10), piece(15, 30)], [("", [[0], [1]])]),  # nearer than words can be told apart
        ([piece(0, 50), piece(10, 20), piece(40, 70)], [("", [[0], [1, 2]])]),
        ([piece(0, 50), piece(10, 20), piece(90, 99)], [("", [[0, 2], [1]])]),
        (
            [piece(0, 9, "b"), piece(0, 9, "a"), piece(9, 12, "b")],
            [("b", [[0], [2]]), ("a", [[1]])],
        ),
    ],
)
def test_pieces_are_put_on_lines_like_steps(
    pieces: list[Piece], expected: list[tuple[str, list[list[int]]]]
) -> None:
    assert lines(pieces) == expected


@given(
    st.lists(
        st.builds(
            lambda lane, left, width: Piece(lane, left, left + width),
            st.sampled_from(["", "connection 1", "session"]),
            st.floats(0, 900),
            st.floats(0, 400),
        ),
        max_size=48,
    )
)
def test_no_two_pieces_on_a_line_touch_and_none_is_lost(pieces: list[Piece]) -> None:
    found = lines(pieces)

    placed = [place for _, of_lane in found for line in of_lane for place in line]
    assert sorted(placed) == list(range(len(pieces)))
    for lane, of_lane in found:
        for line in of_lane:
            in_order = sorted((pieces[place] for place in line), key=lambda one: one.left)
            assert all(one.lane == lane for one in in_order)
            for one, other in itertools.pairwise(in_order):
                assert one.right + BETWEEN <= other.left


# --- words --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bar", "expected"),
    [
        ((100, 200), Label(205)),
        ((700, 950), Label(695, ends=True)),
        ((10, 950), Label(10, above=True)),
        ((90, 990), Label(90, above=True)),
    ],
)
def test_words_stand_after_a_bar_or_before_it_or_above_it(
    bar: tuple[float, float], expected: Label
) -> None:
    assert label(bar, 120, (0, 1000)) == expected


@given(st.floats(0, 1000), st.floats(0, 1000), st.floats(0, 1000), st.floats(0, 100))
def test_a_bar_and_its_words_stay_between_left_and_right(
    one: float, other: float, width: float, left: float
) -> None:
    begin, end = sorted((max(one, left), max(other, left)))
    width = min(width, 1000 - left)

    words = label((begin, end), width, (left, 1000))

    first, last = extent((begin, end), words, width)
    assert left - 1e-6 <= first <= last <= 1000 + 1e-6


@given(st.lists(st.tuples(st.floats(0, 1000), st.floats(0, 100)), max_size=40))
def test_texts_on_one_line_never_touch_and_the_first_is_always_there(
    texts: list[tuple[float, float]],
) -> None:
    spans = [(at, at + width) for at, width in texts]

    kept = [spans[place] for place in free(spans, 6)]

    assert kept[:1] == spans[:1]
    ordered = sorted(kept)
    assert all(a[1] + 6 <= b[0] for a, b in itertools.pairwise(ordered))
