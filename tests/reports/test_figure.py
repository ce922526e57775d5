"""A timeline is drawn where it belongs, is small whatever was recorded, and cannot be broken."""

import re
import time
from xml.etree import ElementTree as ET

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otpspec.results import Evidence, Exchange
from otpspec_reports.axis import Axis
from otpspec_reports.figure import NARROW, WIDE, Sheet, draw, shows, timeline
from otpspec_reports.html import render

from .samples import (
    BROKEN,
    INCONCLUSIVE,
    PASSED,
    denied,
    exchange,
    expiry_2,
    race_1,
    race_2,
    results,
    rule,
    started,
)

EXPIRY, RACE, QUEUE = (found.evidence[0] for found in (expiry_2(), race_2(32), race_1()))


def svgs(evidence: Evidence) -> dict[str, str]:
    """The drawings of a page with this evidence alone, by sheet."""
    html = render(results([rule("A-1", evidence.verdict, evidence=[evidence])]))
    return dict(re.findall(r'(?s)(?=<svg class="timeline on-(\w+))(<svg.*?</svg>)', html))


def bars(svg: str) -> list[ET.Element]:
    return [one for one in ET.fromstring(svg).iter("g") if "call" in one.get("class", "")]


# --- what is drawn --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verdict", "releases", "drawn"),
    [
        (BROKEN, [], True),
        (INCONCLUSIVE, [1.0], True),
        (INCONCLUSIVE, [], False),
        (PASSED, [], False),
    ],
)
def test_what_broke_a_rule_and_an_inconclusive_race_are_drawn(
    verdict: str, releases: list[float], drawn: bool
) -> None:
    of = msgspec.structs.replace(EXPIRY, verdict=verdict, releases_s=releases)

    assert shows(of) is drawn
    assert bool(svgs(of)) is drawn
    assert timeline(msgspec.structs.replace(of, exchanges=[])) is None


def test_each_connection_of_a_race_is_a_lane_and_each_exchange_a_bar() -> None:
    figure = draw(RACE, WIDE, 48)

    assert [lane.name for lane in figure.lanes][:2] == ["session", "connection 1"]
    assert len(figure.lanes) == 33
    assert len(figure.bars) == len(bars(svgs(RACE)["wide"])) == 34
    assert sum(bar.marked for bar in figure.bars) == 32


def test_bars_of_one_release_begin_at_its_line() -> None:
    figure = draw(RACE, WIDE, 48)

    (release,) = figure.releases
    assert release.text == "released together at 2 s"
    assert min(bar.x for bar in figure.bars if bar.marked) == pytest.approx(release.x)


def test_calls_that_overlapped_overlap_and_calls_that_did_not_do_not() -> None:
    of = Evidence(
        scenario="s",
        verdict=BROKEN,
        exchanges=[exchange(0, took=2), exchange(1, took=2), exchange(4, took=1)],
    )

    one, two, three = draw(of, WIDE, 48).bars

    assert one.x < two.x < one.x + one.width < two.x + two.width < three.x


def test_a_race_is_not_squeezed_by_a_start_or_by_a_time_out() -> None:
    figure = draw(QUEUE, WIDE, 48)

    of_the_race = [bar for bar in figure.bars if "right code" in bar.text]
    right = max(bar.x + bar.width for bar in of_the_race)
    assert right - min(bar.x for bar in of_the_race) > 0.6 * (figure.right - figure.left)


def test_time_in_which_nothing_was_under_way_says_how_long_it_was() -> None:
    assert [gap.text for gap in draw(EXPIRY, WIDE, 48).gaps] == ["3.19 s", "9 min 58 s"]


def test_how_long_a_request_was_surely_in_flight_is_drawn() -> None:
    drawn = draw(RACE, WIDE, 48).bars

    assert all(0 < bar.sure < bar.width for bar in drawn if bar.marked)
    assert [bar.sure for bar in drawn if not bar.marked] == [0, 0]


def test_the_words_of_a_bar_tell_without_colour_what_it_came_to_and_what_is_marked() -> None:
    words = ["".join(bar.find("text").itertext()) for bar in bars(svgs(EXPIRY)["wide"])]  # type: ignore[union-attr]

    assert words == ["start: done", "wrong code: wrong otc", "✗ right code: approved"]


def test_the_contradiction_is_told_in_a_sentence_below() -> None:
    html = render(results([expiry_2()]))

    told = "Marked: right code, sent at 601.012 s, was answered approved at 601.016 s."
    assert f'<p class="sentence">{told}</p>' in html
    assert html.count(f'role="img" aria-label="{told}"') == 2


def test_what_was_left_out_is_said_for_each_sheet() -> None:
    html = render(results([race_2(64)]))

    assert 'on-narrow">Drawn are 36 of 66 exchanges: the last of those that are marked.' in html
    assert 'left-out on-wide"' not in html


# --- bounds ---------------------------------------------------------------------------------------

HOSTILE = "\"'><&\x00\x1b\u202e\ud800" * 500


def hostile(at: float, n: int) -> Exchange:
    return exchange(
        at, took=0.5, lane=f"{n} {HOSTILE}", label=HOSTILE, operation=HOSTILE,
        outcomes=(HOSTILE,) * 40, unanswered_s=at + 0.2,
    )  # fmt: skip


def test_the_worst_drawing_is_small_and_well_formed() -> None:
    of = Evidence(
        scenario="s",
        verdict=BROKEN,
        exchanges=[hostile(n * (1 + n % 3), n) for n in range(400)],
        contradiction=list(range(0, 400, 2)),
        releases_s=[float(n) for n in range(800)],
    )

    found = svgs(of)

    assert set(found) == {"wide", "narrow"}
    for name, svg in found.items():
        assert len(svg.encode()) < 90_000
        assert len(bars(svg)) == {"wide": 72, "narrow": 36}[name]
        assert {one.tag for one in ET.fromstring(svg).iter()} <= {
            "svg", "rect", "text", "tspan", "title", "path", "g",
        }  # fmt: skip


def test_a_history_of_a_million_is_drawn_at_once_and_its_contradiction_is_in_it() -> None:
    some = [denied(n / 10, took=0.3) for n in range(1000)]
    of = Evidence(scenario="s", verdict=BROKEN, exchanges=some * 1000, contradiction=[7, 500_007])
    began = time.process_time()

    found = timeline(of)

    assert found is not None
    assert time.process_time() - began < 15  # about 3 on an idle machine
    for figure in found.sheets:
        assert sum(bar.marked for bar in figure.bars) == 2
        assert len(figure.bars) == figure.sheet.bars
    assert found.count == 1_000_000


exchanges = st.builds(
    exchange,
    st.floats(0, 1e5),
    took=st.one_of(st.just(0.0), st.floats(1e-6, 1e4), st.floats(-5, 0)),
    status=st.sampled_from([200, 403, None]),
    outcomes=st.sampled_from([("approved",), ("wrong_otc", "locked"), ("unknown",), ()]),
    lane=st.sampled_from(["", "session", "connection 1", "c" * 30]),
    label=st.text(max_size=50),
    unanswered_s=st.one_of(st.none(), st.floats(0, 1e5)),
)


@settings(deadline=None)
@given(
    st.lists(exchanges, min_size=1, max_size=60),
    st.lists(st.integers(0, 60), max_size=8),
    st.lists(st.floats(0, 1e5), max_size=4),
    st.sampled_from([WIDE, NARROW]),
)
def test_whatever_was_recorded_stays_on_the_sheet(
    recorded: list[Exchange], contradiction: list[int], releases: list[float], sheet: Sheet
) -> None:
    of = Evidence(
        scenario="s",
        verdict=BROKEN,
        exchanges=recorded,
        contradiction=contradiction,
        releases_s=releases,
    )

    figure = draw(of, sheet, 48)

    assert len(figure.bars) == min(len(recorded), sheet.bars)
    assert figure.height < 48 * 40 + 60
    for bar in figure.bars:
        assert figure.left - 1e-6 <= bar.x
        assert bar.x + bar.width <= figure.right + 1e-6
        assert 0 <= bar.sure <= bar.width
        assert figure.top <= bar.y < bar.y + 9 <= figure.bottom
        assert figure.top < bar.text_y <= figure.bottom
    for mark in [*figure.ticks, *figure.releases]:
        assert figure.left - 1e-6 <= mark.x <= figure.right + 1e-6
    for gap in figure.gaps:
        assert figure.left <= gap.x < gap.x + gap.width <= figure.right + 1e-6
    ends = [lane.y + lane.height for lane in figure.lanes]
    assert [figure.top, *ends] == [*(lane.y for lane in figure.lanes), figure.bottom]


# --- the axis -------------------------------------------------------------------------------------


@given(st.lists(exchanges, min_size=1, max_size=40))
def test_time_never_runs_backwards_on_the_axis(recorded: list[Exchange]) -> None:
    axis = Axis.of(recorded).spread()

    places = [place for _, place in sorted(axis.moments)]
    assert places == sorted(places)
    assert places[0] == 0
    assert places[-1] <= 100 + 1e-6


def test_stretches_on_scales_of_their_own_share_the_room_by_their_calls() -> None:
    axis = Axis.of([started(), *(denied(5 + n / 1000) for n in range(9))]).spread()

    (quiet,) = axis.quiet
    assert quiet.width == 9
    assert quiet.start == pytest.approx((100 - 9) * 1 / (1 + 3))


def test_where_time_stood_still_all_is_drawn_at_one_place() -> None:
    figure = draw(
        Evidence(scenario="s", verdict=BROKEN, exchanges=[denied(5, took=0)] * 3), WIDE, 48
    )

    assert {bar.x for bar in figure.bars} == {0}
    assert len({bar.y for bar in figure.bars}) == 3
    assert [tick.text for tick in figure.ticks] == ["5 s"]
