"""A run second by second: an answer is counted in the second in which it came."""

import time

from otpspec.load.card import Told
from otpspec.load.recorder import Recorder
from otpspec.model import Judgement, Observation
from otpspec.outcome import Outcome

APPROVED = frozenset({Outcome.APPROVED})
LEGAL = Observation(Judgement.LEGAL, frozenset({"VERIFY-1"}))
TOLD = Told("verify", b"", 200, b"{}", APPROVED, 1.0, 1.5)


def test_answers_belong_to_the_second_in_which_they_came() -> None:
    recorder, began = Recorder(), time.monotonic()

    for at, due_s in ((0.2, 0.010), (0.4, 0.010), (0.9, 0.010), (1.1, 0.500), (3.2, 0.020)):
        recorder.answered(TOLD, LEGAL, due_s, 0.001, began + at)
        if at == 0.4:
            recorder.settle()  # in the middle of a second, as it happens now and then

    points = {point.t_s: point for point in recorder.result("", 1, [], lasted=4.0).timeline}
    assert {t: point.rate_per_s for t, point in points.items()} == {0.0: 3.0, 1.0: 1.0, 3.0: 1.0}
    assert 9.9 < points[0.0].p99_ms < 10.1
    assert 495 < points[1.0].p50_ms < 505


def test_what_is_counted_does_not_depend_on_when_it_is_asked_for() -> None:
    asked, quiet, began = Recorder(), Recorder(), time.monotonic()

    for n in range(50):
        for recorder in (asked, quiet):
            recorder.answered(TOLD, LEGAL, 0.001 * n, 0.001, began + 0.01 * n)
        assert asked.requests == n + 1
        assert asked.chances["VERIFY-1"] == n + 1

    assert asked.judged == quiet.judged == 50
    assert asked.chances == quiet.chances
    assert asked.latency.latency() == quiet.latency.latency()
