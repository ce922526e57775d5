"""What a tracker says, what it carries, and what it must not say near an edge."""

from datetime import timedelta

import pytest

from otpspec.model import (
    Challenge,
    Csc,
    Fate,
    Judgement,
    Resend,
    Start,
    Tracker,
    Unlock,
    Verify,
)
from otpspec.model.tracker import MOST_STATES
from otpspec.outcome import Outcome
from otpspec.policy import Policy

POLICY = Policy(validity=timedelta(seconds=600), tolerance=timedelta(seconds=1))
APPROVED, DONE, EXPIRED = ({Outcome.APPROVED}, {Outcome.DONE}, {Outcome.EXPIRED})
WRONG, LOCKED = {Outcome.WRONG_OTC}, {Outcome.LOCKED}


def started(*, seen: float = 2.0, csc: bool | None = False, policy: Policy = POLICY) -> Tracker:
    """A card with one challenge that was asked for between 0 and 1 and seen at `seen`."""
    tracker = Tracker(policy)
    tracker.observe(Start(1, None, csc), 0.0, 1.0, DONE)
    tracker.delivered(1, "111111", seen)
    return tracker


@pytest.mark.parametrize("answer", [APPROVED, EXPIRED], ids=["approved", "expired"])
@pytest.mark.parametrize(
    ("called", "returned"),
    [(599.0, 600.0), (600.5, 600.6), (602.9, 603.5), (590.0, 700.0), (0.0, 600.0)],
    ids=lambda at: f"{at}",
)
def test_either_answer_is_legal_where_the_intervals_do_not_settle_it(
    answer: set[Outcome], called: float, returned: float
) -> None:
    seen = started().observe(Verify(1, "111111"), called, returned, answer)

    assert seen.judgement is Judgement.LEGAL
    assert not seen.chances & {"EXPIRY-1", "EXPIRY-2"}


@pytest.mark.parametrize(
    ("called", "returned", "answer", "rule"),
    [
        (598.0, 599.9, EXPIRED, "EXPIRY-1"),
        (603.0, 603.1, APPROVED, "EXPIRY-2"),
    ],
)
def test_surely_younger_or_older_settles_it(
    called: float, returned: float, answer: set[Outcome], rule: str
) -> None:
    assert started().observe(Verify(1, "111111"), called, returned, answer).rule == rule


def test_code_whose_message_was_not_seen_never_expires_for_sure() -> None:
    tracker = Tracker(POLICY)
    tracker.observe(Start(1, "111111"), 0.0, 1.0, DONE)

    assert tracker.dies(1) == float("inf")
    seen = tracker.observe(Verify(1, "111111"), 9e9, 9e9, APPROVED)
    assert seen.judgement is Judgement.LEGAL


def test_expired_once_is_expired_for_good() -> None:
    tracker = started()

    tracker.observe(Verify(1, "111111"), 600.5, 600.6, EXPIRED)

    assert tracker.observe(Verify(1, "111111"), 600.7, 600.8, APPROVED).rule == "EXPIRY-2"


def test_any_code_may_be_right_while_the_message_was_not_read() -> None:
    tracker = Tracker(POLICY)
    tracker.observe(Start(1), 0.0, 1.0, DONE)

    assert tracker.observe(Verify(1, "999999"), 2.0, 3.0, WRONG).judgement is Judgement.LEGAL
    assert tracker.observe(Verify(1, "888888"), 4.0, 5.0, APPROVED).judgement is Judgement.LEGAL


def test_unknown_whether_the_3csc_is_asked_for_leaves_both() -> None:
    for answer in ({Outcome.WRONG_CSC}, APPROVED):
        seen = started(csc=None).observe(Verify(1, "111111", Csc.MISSING), 2.0, 3.0, answer)
        assert seen.judgement is Judgement.LEGAL


@pytest.mark.parametrize("answer", [None, {Outcome.THROTTLED}, {Outcome.UNAVAILABLE}, set()])
def test_lost_wrong_try_may_have_counted_or_not(answer: set[Outcome] | None) -> None:
    for then in (LOCKED, APPROVED):
        tracker = started()
        tracker.observe(Verify(1, "000000"), 2.0, 3.0, WRONG)
        tracker.observe(Verify(1, "000000"), 3.0, 4.0, WRONG)

        lost = tracker.observe(Verify(1, "000000"), 4.0, 5.0, answer)
        last = tracker.observe(Verify(1, "111111"), 5.0, 6.0, then)

        assert lost.judgement is Judgement.SILENT
        assert last.judgement is Judgement.LEGAL


def test_lost_resend_leaves_both_codes_until_the_message_tells() -> None:
    tracker = started()
    tracker.observe(Resend(1), 2.0, 3.0, None)

    tracker.delivered(1, "111111", 4.0)  # still the first message: it tells nothing
    assert len(tracker.states) == 2
    tracker.delivered(1, "222222", 5.0)
    assert len(tracker.states) == 1
    assert tracker.observe(Verify(1, "111111"), 6.0, 7.0, APPROVED).rule == "RESEND-1"


def test_answer_that_may_mean_several_things_is_broken_only_if_none_is_legal() -> None:
    vague = {Outcome.EXPIRED, Outcome.VOID, Outcome.LOCKED}

    assert started().observe(Verify(1, "111111"), 700.0, 701.0, vague).judgement is Judgement.LEGAL
    assert started().observe(Verify(1, "111111"), 3.0, 4.0, vague).judgement is Judgement.BROKEN


@pytest.mark.parametrize("answer", [WRONG, LOCKED], ids=["wrong", "locked"])
def test_the_wrong_code_that_locks_may_say_either(answer: set[Outcome]) -> None:
    tracker = started(policy=Policy(max_wrong=1))

    assert tracker.observe(Verify(1, "0"), 2.0, 3.0, answer).judgement is Judgement.LEGAL
    assert tracker.may_be_locked()
    assert tracker.observe(Verify(1, "111111"), 4.0, 5.0, LOCKED).judgement is Judgement.LEGAL


def test_used_and_old_may_be_called_either() -> None:
    for answer in ({Outcome.VOID}, EXPIRED):
        tracker = started()
        tracker.observe(Verify(1, "111111"), 2.0, 3.0, APPROVED)
        seen = tracker.observe(Verify(1, "111111"), 700.0, 701.0, answer)
        assert seen.judgement is Judgement.LEGAL


def test_contradiction_reads_as_a_sentence() -> None:
    tracker = started()

    seen = tracker.observe(Verify(1, "111111"), 700.0, 700.5, APPROVED)

    assert str(seen) == (
        "EXPIRY-2: approved, expected expired: "
        "its validity of 600.0 s had ended; the code was 698.0 s to 700.5 s old"
    )


def test_one_fault_is_told_once() -> None:
    tracker = started()
    for at in (2.0, 4.0, 6.0):
        tracker.observe(Verify(1, "000000"), at, at + 1, WRONG)
    told = [
        tracker.observe(Verify(1, "000000"), 10.0 + at, 10.5 + at, WRONG).judgement
        for at in range(3)
    ]

    assert told.count(Judgement.BROKEN) == 1


def test_card_that_locks_one_try_late_is_told_of_once() -> None:
    tracker = started()
    for at in range(4):
        tracker.observe(Verify(1, "000000"), 2.0 + at, 2.5 + at, WRONG)

    seen = tracker.observe(Verify(1, "111111"), 10.0, 10.5, LOCKED)

    assert seen.judgement is Judgement.LEGAL


def test_card_of_which_too_much_is_unknown_is_spent() -> None:
    tracker = Tracker(POLICY)
    for number in range(12):
        tracker.observe(Start(number), 0.0, 1.0, None)

    assert tracker.spent
    assert len(tracker.states) > MOST_STATES
    assert tracker.observe(Unlock(), 2.0, 3.0, {Outcome.DENIED}).judgement is Judgement.SILENT


def test_memory_of_a_card_is_bounded() -> None:
    tracker = Tracker(POLICY)
    for number in range(500):
        at = number * 10.0
        tracker.observe(Start(number, f"{number:06}", False, at), at, at, DONE)
        tracker.observe(Verify(number, "x"), at, at, WRONG)
        tracker.observe(Verify(number, f"{number:06}"), at, at, APPROVED)

    (state,) = tracker.states
    assert len(state.challenges) < 10
    assert len(tracker._memory.challenges) < 20
    assert tracker.observe(Verify(3, "000003"), 6e3, 6e3, APPROVED).rule == "REPLAY-3"


def test_equal_histories_in_another_order_end_in_equal_states() -> None:
    first = Challenge(1, "111111", False, (0.0, 1.0), Fate.USED)
    second = Challenge(2, "222222", False, (0.0, 1.0))
    base = Tracker(POLICY).states[0]

    one_way = type(base)(0, type(base)(0, base.put(first)).put(second))
    other_way = type(base)(0, type(base)(0, base.put(second)).put(first))

    assert one_way == other_way
    assert hash(one_way) == hash(other_way)
