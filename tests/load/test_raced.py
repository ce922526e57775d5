"""A race is judged as a whole: broken only where no order of it explains what was let through."""

from collections.abc import Sequence

import pytest

from otpspec.burst.overlap import Overlap
from otpspec.history import Call
from otpspec.load import Shopper
from otpspec.load.race import rule_of
from otpspec.load.raced import Raced
from otpspec.load.races import Races, Rule
from otpspec.load.steps import Challenge, Unlock, Verify
from otpspec.model import Csc, Judgement, Start, Tracker
from otpspec.model import Verify as Asked
from otpspec.outcome import Outcome
from otpspec.policy import Policy

RIGHT, WRONG = "111111", "999999"
APPROVED, VOID = frozenset({Outcome.APPROVED}), frozenset({Outcome.VOID})
WRONG_OTC, LOCKED = frozenset({Outcome.WRONG_OTC}), frozenset({Outcome.LOCKED})
DONE, FAILED = frozenset({Outcome.DONE}), frozenset({Outcome.UNAVAILABLE})


def raced(policy: Policy | None = None, *, rule: str = "RACE-1", failures: int = 0) -> Raced:
    """A card with a transaction that is alive, and so many failures."""
    policy = policy or Policy()
    tracker = Tracker(policy)
    tracker.observe(Start(0, None, csc_required=False), 0.0, 0.1, DONE)
    tracker.delivered(0, RIGHT, 0.2)
    for n in range(failures):
        tracker.observe(Asked(0, f"88888{n}"), 0.3, 0.4, WRONG_OTC)
    return Raced(tracker, policy, rule)


def at_once(code: str, answers: Sequence[frozenset[Outcome]]) -> list[Call]:
    """The same code, sent at once so many times."""
    return [
        Call(Asked(0, code), 1.0, 1.1 + n / 100, None if answer == FAILED else answer)
        for n, answer in enumerate(answers)
    ]


def judged(found: Raced, code: str, *answers: frozenset[Outcome]) -> Judgement:
    return found.race(at_once(code, answers)).judgement


def test_one_approval_of_several_right_codes_is_legal() -> None:
    assert judged(raced(), RIGHT, VOID, APPROVED, VOID) is Judgement.LEGAL


def test_two_approvals_are_broken_and_told_in_words() -> None:
    seen = raced().race(at_once(RIGHT, [APPROVED, VOID, APPROVED]))

    assert (seen.judgement, seen.rule) == (Judgement.BROKEN, "RACE-1")
    assert seen.because == (
        "of 3 requests released together 2 were approved and 0 answered as wrong: "
        "no order allows this with N = 3"
    )


def test_approval_after_the_race_belongs_to_it() -> None:
    found = raced()
    assert judged(found, RIGHT, VOID, APPROVED) is Judgement.LEGAL

    seen = found.observe(Asked(0, RIGHT), 2.0, 2.1, APPROVED)

    assert (seen.judgement, seen.rule) == (Judgement.BROKEN, "RACE-1")
    assert "; 1 came after them" in seen.because


def test_so_many_wrong_codes_as_lock_may_be_judged() -> None:
    found = raced(rule="RACE-2")

    assert judged(found, WRONG, *[WRONG_OTC] * 3, LOCKED, LOCKED) is Judgement.LEGAL
    assert found.observe(Asked(0, RIGHT), 2.0, 2.1, LOCKED).judgement is Judgement.LEGAL
    assert found.may_be_locked()


@pytest.mark.parametrize(("failures", "most"), [(0, 3), (2, 1)])
def test_one_wrong_code_more_that_is_judged_is_broken(failures: int, most: int) -> None:
    def meets(count: int) -> Judgement:
        answers = [*[WRONG_OTC] * count, LOCKED]
        return judged(raced(rule="RACE-2", failures=failures), WRONG, *answers)

    assert meets(most) is Judgement.LEGAL
    assert meets(most + 1) is Judgement.BROKEN


def test_right_code_that_is_approved_after_too_many_wrong_ones_is_broken() -> None:
    found = raced(rule="RACE-2")
    assert judged(found, WRONG, *[WRONG_OTC] * 3) is Judgement.LEGAL

    seen = found.observe(Asked(0, RIGHT), 2.0, 2.1, APPROVED)

    assert (seen.judgement, seen.rule) == (Judgement.BROKEN, "RACE-2")


def test_refusals_of_another_kind_prove_nothing() -> None:
    """A page whose hidden field is good once refuses the second of two at once."""
    found = raced()

    assert judged(found, RIGHT, VOID, VOID) is Judgement.SILENT
    assert found.unknown
    assert found.observe(Asked(0, RIGHT), 2.0, 2.1, APPROVED).judgement is Judgement.SILENT


def test_answers_that_say_nothing_may_have_happened_or_not() -> None:
    assert judged(raced(), RIGHT, FAILED, VOID) is Judgement.LEGAL  # the first one used it
    assert judged(raced(), RIGHT, FAILED, APPROVED) is Judgement.LEGAL


def test_contradiction_is_told_once() -> None:
    found = raced()
    assert judged(found, RIGHT, APPROVED, APPROVED) is Judgement.BROKEN

    assert found.observe(Asked(0, RIGHT), 2.0, 2.1, APPROVED).judgement is Judgement.SILENT


def test_transaction_that_is_started_after_a_race_is_judged_with_it() -> None:
    found = raced()
    assert judged(found, RIGHT, APPROVED, VOID) is Judgement.LEGAL
    start = Start(1, None, csc_required=False)

    assert found.observe(start, 2.0, 2.1, DONE).judgement is Judgement.LEGAL
    found.delivered(1, "222222", 2.2)

    assert found.dies(1) == 2.2 + 601.0
    assert found.observe(Asked(1, "222222"), 3.0, 3.1, APPROVED).judgement is Judgement.LEGAL
    assert found.observe(Asked(1, "222222"), 4.0, 4.1, APPROVED).judgement is Judgement.BROKEN


def test_card_of_a_race_is_not_used_again() -> None:
    found = raced()
    judged(found, RIGHT, APPROVED, VOID)

    assert found.spent
    assert not found.may_be_locked()


def test_which_rule_a_race_may_break_follows_from_what_was_sent() -> None:
    pending = Challenge(0, RIGHT, csc_required=True, surely_expired=601.0)
    right, wrong = (Verify(pending, otc, Csc.RIGHT) for otc in (RIGHT, WRONG))

    assert rule_of((right, right)) == "RACE-1"
    assert rule_of((wrong, wrong)) == "RACE-2"
    assert rule_of((right, wrong)) == "RACE-2"
    assert rule_of((right, Unlock())) == "RACE-3"
    assert rule_of((right, Verify(pending, RIGHT, Csc.WRONG))) == "RACE-5"


# --- what is counted ------------------------------------------------------------------------------


def test_race_counts_only_with_proven_overlap() -> None:
    races = Races()

    assert races.saw("RACE-1", Overlap(of=4, in_flight=4, spread_s=0.0002), judged=True)
    assert not races.saw("RACE-1", Overlap(of=4, in_flight=1, between=3), judged=True)
    assert not races.saw("RACE-1", Overlap(of=4, in_flight=4), judged=False)

    found = races.rules["RACE-1"]
    assert (found.races, found.proven, found.unknown, races.requests) == (3, 1, 1, 12)
    assert str(found) == ("4.0 of 4.0 in flight at once on average, each released within 0.20 ms")
    assert list(found.why_not) == [
        "they were answered before the last one was released: the target answers one after the "
        "other, faster than they can be released"
    ]


def test_races_of_several_processes_add_up() -> None:
    one, other = Races(), Races()
    one.saw("RACE-1", Overlap(of=2, in_flight=2, spread_s=0.001), judged=True)
    other.saw("RACE-1", Overlap(of=8, in_flight=6, spread_s=0.003), judged=True)
    other.saw("RACE-2", Overlap(of=8, in_flight=1, early=7), judged=True)

    one.merge(other)

    assert one.requests == 18
    assert (one.rules["RACE-1"].of, one.rules["RACE-1"].in_flight) == (10, 8)
    assert one.rules["RACE-1"].spread_s == 0.003
    assert one.rules["RACE-2"] == Rule(races=1, why_not=other.rules["RACE-2"].why_not)


def test_size_of_a_race_is_one_of_the_profiles() -> None:
    import random

    shopper = Shopper(
        Policy(), random.Random(1), operations=set(), codes=lambda: set(), sizes=(2, 8)
    )

    assert {shopper.race_size() for _ in range(40)} == {2, 8}
