"""The schedule of an open run: how many journeys by when, and what is no schedule."""

import itertools
import random

import pytest

from otpspec.load import Arrivals


def times(text: str, kind: str = "constant", lasts: float = 10.0, **more: float) -> list[float]:
    schedule = Arrivals.parse(text, kind, lasts).times(random.Random(7), **more)
    return list(itertools.takewhile(lambda at: at < lasts, schedule))


def by_second(found: list[float]) -> list[int]:
    return [sum(n <= at < n + 1 for at in found) for n in range(10)]


def test_constant_arrivals_are_evenly_spaced() -> None:
    found = times("300/s")

    assert len(found) == 3000
    assert max(b - a for a, b in itertools.pairwise(found)) == pytest.approx(1 / 300)


def test_ramp_rises_evenly() -> None:
    found = by_second(times("0..100/s"))

    assert found == [5, 15, 25, 35, 45, 55, 65, 75, 85, 95]


def test_steps_last_equally_long() -> None:
    assert by_second(times("100/s,200/s"))[3:7] == [100, 100, 200, 200]


def test_poisson_arrivals_have_the_rate_and_vary_as_chance_does() -> None:
    found = times("1000/s", "poisson")

    assert len(found) == pytest.approx(10_000, abs=500)
    gaps = [b - a for a, b in itertools.pairwise(found)]
    mean = sum(gaps) / len(gaps)
    assert sum((gap - mean) ** 2 for gap in gaps) / len(gaps) == pytest.approx(mean**2, rel=0.1)


@pytest.mark.parametrize("kind", ["constant", "poisson"])
def test_parts_of_several_processes_add_up(kind: str) -> None:
    parts = [len(times("500/s", kind, share=share)) for share in (0.25, 0.75)]

    assert parts == pytest.approx([1250, 3750], rel=0.1)


def test_who_comes_late_begins_where_the_schedule_is() -> None:
    found = times("0..100/s", after=9.0)

    assert found[0] >= 9.0
    assert len(found) == 95


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("300", '"300" is no rate; write it like "300/s", "10..500/s" (a ramp) or'),
        ("1..2..3/s", '"1..2..3/s" is no rate; write it like'),
        ("5/s,0/s", '"5/s,0/s" ends with no journeys at all; write it like'),
        ("9999999/s", '"9999999/s" is no rate; write it like'),
    ],
)
def test_what_is_no_rate_says_what_to_write(text: str, said: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - its text is looked at
        Arrivals.parse(text, "constant", 10.0)

    assert str(caught.value).startswith(said)


def test_what_is_no_kind_says_which_there_are() -> None:
    with pytest.raises(ValueError, match=r'^"even" is no kind of arrivals; constant or poisson$'):
        Arrivals.parse("5/s", "even", 10.0)


def test_crowd_begins_at_once_on_top_of_the_rate() -> None:
    arrivals = Arrivals.parse("10/s", "constant", 4, crowd="5@1.05s, 3@2s")

    times = [*itertools.islice(arrivals.times(random.Random(1)), 29)]

    assert times.count(1.05) == 5
    assert times.count(2.0) == 4  # one of them is the rate's
    assert times == sorted(times)
    assert str(arrivals) == (
        "open: 10/s, constant, and 5 at once after 1.05 s, and 3 at once after 2 s"
    )
    assert arrivals.at_once() == 5


def test_part_of_a_crowd_is_a_processs_own_and_what_is_past_is_not_made_up_for() -> None:
    arrivals = Arrivals.parse("10/s", "constant", 4, crowd="8@1s")
    rng = random.Random(1)

    half = [*itertools.islice(arrivals.times(rng, share=0.5), 15)]
    late = [*itertools.islice(arrivals.times(rng, after=1.5), 15)]

    assert half.count(1.0) in (4, 5)  # and perhaps one of the rate's
    assert late.count(1.0) == 0


@pytest.mark.parametrize("text", ["many", "0@1s", "5@", "5@1", "200000@1s", "@3s"])
def test_crowd_that_is_none_says_what_to_write(text: str) -> None:
    with pytest.raises(ValueError, match=r"200@10s|has no unit|is not a duration"):
        Arrivals.parse("10/s", "constant", 4, crowd=text)
