"""How many requests were in flight at once, from their times alone."""

import pytest

from otpspec.burst import Flight, Overlap, measure, most_at_once


def flights(*times: tuple[float, float]) -> list[Flight]:
    """Released and silent until; the answer comes a little later."""
    return [Flight(released, silent, silent + 0.1) for released, silent in times]


@pytest.mark.parametrize(
    ("times", "count"),
    [
        ((), 0),
        (((0, 1),), 1),
        (((0, 1), (2, 3)), 1),
        (((0, 1), (1, 2)), 2),  # closed: seen silent at the very time of the next release
        (((0, 9), (1, 9), (2, 9)), 3),
        (((0, 9), (1, 2), (3, 4)), 2),
        (((0, 0), (0, 0), (0, 0)), 3),
        (((0, 5), (1, 3), (2, 6), (4, 7)), 3),
    ],
)
def test_most_in_flight_is_found_at_a_release(
    times: tuple[tuple[float, float], ...], count: int
) -> None:
    assert most_at_once(flights(*times)) == count


def test_request_that_was_answered_before_it_was_looked_at_again_overlaps_nothing_after() -> None:
    """It was released at 0, and found answered at 1: nobody saw it silent after 0."""
    answered_meanwhile = Flight(0.0, 0.0, 1.0)

    found = measure([answered_meanwhile, Flight(0.5, 1.0, 2.0)], of=2)

    assert (found.in_flight, found.between, found.proven) == (1, 1, False)


def test_answers_that_say_nothing_are_no_part_of_the_proof() -> None:
    mute = [Flight(0.0, 1.0, None)] * 6

    found = measure([*mute, *flights((0.0, 1.0), (0.0, 1.0))], of=8)

    assert (found.in_flight, found.silent, found.proven) == (2, 6, False)
    assert found.why_not == "they got no answer that says anything"


@pytest.mark.parametrize(
    ("of", "in_flight", "proven"),
    [(2, 1, False), (2, 2, True), (3, 2, True), (8, 3, False), (8, 4, True), (32, 16, True)],
)
def test_proof_takes_half_of_the_requests_and_no_fewer_than_two(
    of: int, in_flight: int, proven: bool
) -> None:
    assert Overlap(of=of, in_flight=in_flight).proven is proven


def test_spread_and_span_are_those_of_the_burst() -> None:
    found = measure(flights((10.0, 10.3), (10.2, 10.4)), of=2)

    assert found.spread_s == pytest.approx(0.2)
    assert found.took_s == pytest.approx(0.5)
    assert str(found) == "2 of 2 in flight at once, released within 200.00 ms"


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (Overlap(of=8, in_flight=1), ""),
        (
            Overlap(of=8, in_flight=1, between=7, silent=1),
            "they were answered before the last one was released: the target answers one after "
            "the other, faster than they can be released",
        ),
        (
            Overlap(of=8, in_flight=1, early=6, between=1),
            "they were answered or cut off before their last byte was sent: the target, or a proxy "
            "before it, does not wait for whole requests",
        ),
        (
            Overlap(of=8, in_flight=1, unopened=7),
            "their connections could not be opened while the others waited",
        ),
        (
            Overlap(of=8, in_flight=0, ended=8),
            "they came to an end before the request that carries the code",
        ),
    ],
)
def test_missing_overlap_is_explained_by_what_happened_most(found: Overlap, why: str) -> None:
    assert found.why_not == why
