"""What each of the people of a load run does, told step by step."""

import random
from datetime import timedelta

import pytest

from otpspec.load import Challenge, Edge, Share, Shopper
from otpspec.policy import Policy
from otpspec.profile.mix import SHIPPED
from otpspec_scenarios.load import behaviours
from otpspec_scenarios.load.behaviours import DAY

from .by_hand import OPERATIONS, Drive

STORIES = {
    "right_first_time": ["start: done", "verify: approved"],
    "mistypes_then_right": [
        *("start: done", "verify: wrong_otc", "verify: wrong_otc", "verify: approved"),
    ],
    "guesser": [
        *("start: done", "verify: wrong_otc", "verify: wrong_otc", "verify: wrong_otc"),
        *("verify: locked", "verify: locked", "start: locked", "unlock: done"),
        *("verify: void", "start: done", "verify: wrong_otc", "verify: approved"),
    ],
    "sprayer": [
        *("start: done", "verify: wrong_otc", "start: done", "verify: wrong_otc"),
        *("start: done", "verify: wrong_otc", "verify: locked"),
    ],
    "csc_guesser": [
        *("start: done", "verify: wrong_csc", "start: done", "verify: wrong_csc"),
        *("start: done", "verify: wrong_otc", "verify: locked"),
    ],
    "wrong_csc_then_anew": [
        *("start: done", "verify: wrong_csc", "verify: void", "start: done", "verify: approved"),
    ],
    "missing_csc": ["start: done", "verify: wrong_csc", "start: done", "verify: approved"],
    "latecomer": [
        *("start: done", "wait, after", "verify: expired", "start: done", "verify: approved"),
    ],
    "just_in_time": ["start: done", "wait, before", "verify: approved"],
    "on_the_edge": ["start: done", "wait, within", "verify: approved", "verify: void"],
    "much_too_late": ["start: done", "wait, after", "verify: expired"],
    "late_csc": ["start: done", "wait, after", "verify: expired"],
    "mistypes_too_late": [
        *("start: done", "wait, before", "verify: wrong_otc", "wait, after", "verify: expired"),
        *("start: done", "verify: approved"),
    ],
    "two_payers": [
        *("start: done", "start: done", "verify: wrong_otc", "verify: wrong_otc"),
        *("verify: approved", "verify: wrong_otc", "verify: approved"),
    ],
    "changes_contact": [
        *("start: done", "contact: done", "verify: void", "start: done", "verify: approved"),
    ],
    "amends": ["start: done", "amend: done", "verify: wrong_otc", "verify: approved"],
    "cancels": ["start: done", "cancel: done", "verify: void", "start: done", "verify: approved"],
    "late_replayer": ["start: done", "verify: approved", "pause", "verify: void"],
    "contact_thief": ["start: done", "contact: denied", "verify: approved"],
    "double_spender": [
        *("start: done", "together: 2", "verify: approved", "verify: void", "verify: void"),
    ],
    "mass_guesser": [
        *("start: done", "together: 4", "verify: wrong_otc", "verify: wrong_otc"),
        *("verify: wrong_otc", "verify: locked", "verify: locked"),
    ],
    "replayer": ["start: done", "verify: approved", "verify: void"],
    "impatient": ["start: done", "resend: done", "verify: wrong_otc", "verify: approved"],
    "two_baskets": [
        *("start: done", "start: done", "verify: wrong_otc", "verify: approved"),
        "verify: approved",
    ],
}

TRIES = {
    "right_first_time": {"VERIFY-1"},
    "mistypes_then_right": {"VERIFY-2", "LOCKOUT-2"},
    "guesser": {"LOCKOUT-1", "ISSUE-5", "LOCKOUT-7"},
    "sprayer": {"LOCKOUT-3"},
    "csc_guesser": {"CSC-2", "CSC-7"},
    "wrong_csc_then_anew": {"CSC-1", "CSC-2", "CSC-6"},
    "missing_csc": {"CSC-2", "CSC-6"},
    "latecomer": {"EXPIRY-2"},
    "replayer": {"REPLAY-1"},
    "impatient": {"RESEND-1"},
    "two_baskets": {"BINDING-1"},
    "just_in_time": {"EXPIRY-1"},
    "on_the_edge": set(),
    "much_too_late": {"EXPIRY-2"},
    "late_csc": {"EXPIRY-2"},
    "mistypes_too_late": {"EXPIRY-2"},
    "two_payers": {"LOCKOUT-2", "LOCKOUT-8"},
    "changes_contact": {"CONTACT-2"},
    "amends": {"BINDING-2"},
    "cancels": {"REPLAY-3"},
    "late_replayer": {"REPLAY-1"},
    "contact_thief": {"CONTACT-1"},
    "double_spender": {"REPLAY-1"},
    "mass_guesser": {"LOCKOUT-1"},
}


@pytest.mark.parametrize("name", STORIES)
def test_behaviour_does_as_its_story_says(name: str) -> None:
    assert Drive(getattr(behaviours, name)).said == STORIES[name]


@pytest.mark.parametrize("name", STORIES)
def test_behaviour_tries_its_rules(name: str) -> None:
    assert Drive(getattr(behaviours, name)).chances >= TRIES[name]


@pytest.mark.parametrize("share", DAY, ids=lambda share: share.behaviour.__name__)
def test_everyone_of_a_day_has_a_story(share: Share) -> None:
    assert share.behaviour.__name__ in STORIES
    assert share.behaviour.__doc__


def test_a_day_has_a_hundred_parts_and_most_get_it_right() -> None:
    weights = {share.behaviour.__name__: share.weight for share in DAY}

    assert sum(weights.values()) == 100
    assert weights["right_first_time"] > 50


POLICIES = (
    *(Policy(max_wrong=1), Policy(max_wrong=10), Policy(csc="never"), Policy(csc="always")),
    *(Policy(wrong_csc="retry"), Policy(wrong_csc_counts=False), Policy(digits=8)),
    *(Policy(success_clears_count=False), Policy(alphabet="letters"), Policy(resend="reuse")),
    *(Policy(lock_scope="challenge"), Policy(expired_counts=True)),
)


@pytest.mark.parametrize("name", STORIES)
@pytest.mark.parametrize("policy", POLICIES)
def test_behaviour_is_judged_clean_under_every_policy(name: str, policy: Policy) -> None:
    assert Drive(getattr(behaviours, name), policy).said


def test_what_a_profile_may_name_is_what_there_is() -> None:
    assert list(SHIPPED) == [share.name for share in DAY]


def test_impatient_waits_as_long_as_the_policy_makes_payers_wait() -> None:
    drive = Drive(behaviours.impatient, Policy(resend_after=timedelta(seconds=30)))

    assert drive.said[:3] == ["start: done", "pause", "resend: done"]


def test_more_wrong_codes_than_the_card_bears_are_sent_at_once() -> None:
    drive = Drive(behaviours.mass_guesser, Policy(max_wrong=7))

    assert drive.said[1] == "together: 8"


@pytest.mark.parametrize("name", ["just_in_time", "mistypes_too_late"])
def test_ages_before_the_end_differ_and_are_close_to_it(name: str) -> None:
    asked = set()
    for seed in range(20):
        shopper = Shopper(Policy(), random.Random(seed), operations=OPERATIONS, codes=lambda: set())
        journey = getattr(behaviours, name)(shopper)
        next(journey)
        wait = journey.send(Challenge(1, "111111", csc_required=False, surely_expired=601.0))
        assert wait.edge is Edge.BEFORE
        asked.add(wait.seconds)

    assert all(0 < seconds <= 60 for seconds in asked)  # a tenth of the validity
    assert len(asked) == (20 if name == "just_in_time" else 1)


def test_guesser_stops_where_support_cannot_unlock() -> None:
    drive = Drive(behaviours.guesser, operations=OPERATIONS - {"unlock"})

    assert drive.said[-1] == "start: locked"


def test_impatient_does_not_take_a_repeated_code_for_a_wrong_one() -> None:
    shopper = Shopper(
        Policy(resend="reuse"), random.Random(1), operations=OPERATIONS, codes=lambda: set()
    )
    journey = behaviours.impatient(shopper)
    next(journey)
    challenge = Challenge(1, "111111", csc_required=False, surely_expired=0.0)

    journey.send(challenge)
    step = journey.send(challenge)
    with pytest.raises(StopIteration):
        journey.send(frozenset())

    assert step == shopper.verify(challenge, "111111")


def test_wrong_code_is_well_formed_and_none_of_the_cards() -> None:
    codes = {f"{n:02}" for n in range(100)} - {"42"}
    shopper = Shopper(
        Policy(digits=2), random.Random(3), operations=OPERATIONS, codes=lambda: codes
    )

    assert {shopper.wrong() for _ in range(20)} == {"42"}


def test_letters_make_wrong_codes_of_letters() -> None:
    shopper = Shopper(
        Policy(alphabet="letters"), random.Random(3), operations=OPERATIONS, codes=lambda: set()
    )

    assert shopper.wrong().isalpha()


@pytest.mark.parametrize(("csc", "asked"), [("never", {False}), ("always", {True})])
def test_where_the_3csc_is_not_a_choice_every_transaction_is_alike(
    csc: str, asked: set[bool]
) -> None:
    policy = Policy(csc=csc)  # type: ignore[arg-type]
    shopper = Shopper(policy, random.Random(3), operations=OPERATIONS, codes=lambda: set())

    assert {shopper.start().csc for _ in range(50)} == asked


def test_same_seed_makes_the_same_journey() -> None:
    one, other = (Drive(behaviours.guesser, seed=9) for _ in range(2))

    assert one.said == other.said
