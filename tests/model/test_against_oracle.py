"""The model and a brute-force oracle with exact times agree on every history."""

import random
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otpspec.model import (
    Cancel,
    ChangeContact,
    Csc,
    Judgement,
    Malformed,
    Operation,
    Resend,
    Start,
    Tracker,
    Unlock,
    Verify,
    step,
)
from otpspec.model.state import REMEMBERED
from otpspec.outcome import Outcome
from otpspec.policy import Policy

from .oracle import LOCK, TRIES, VALIDITY, Oracle

CODES = ["111111", "222222", "333333"]
SILENT = frozenset({Outcome.UNAVAILABLE})

SWITCHES = st.fixed_dictionaries(
    {
        name: st.booleans()
        for name in (
            *("clears", "voids", "rotates", "ends_locks", "locks_challenge"),
            *("counts_csc", "counts_malformed", "counts_expired"),
        )
    }
)


def policy_of(switches: dict[str, bool], tolerance: float = 0.0) -> Policy:
    return Policy(
        validity=timedelta(seconds=VALIDITY),
        tolerance=timedelta(seconds=tolerance),
        max_wrong=TRIES,
        success_clears_count=switches["clears"],
        wrong_csc_counts=switches["counts_csc"],
        wrong_csc="void" if switches["voids"] else "retry",
        resend="rotate" if switches["rotates"] else "reuse",
        lock_for=timedelta(seconds=LOCK) if switches["ends_locks"] else None,
        lock_scope="challenge" if switches["locks_challenge"] else "card",
        malformed_counts=switches["counts_malformed"],
        expired_counts=switches["counts_expired"],
    )


@st.composite
def histories(draw: st.DrawFn, *, width: float, starts: int) -> list[dict[str, Any]]:
    """Operations with exact times of decision and arrival, and intervals around them.

    `width`: how wide the intervals are at most, in seconds; 0 makes them exact. `starts`: how many
    transactions there are at most.
    """
    slack = st.floats(0, width) if width else st.just(0.0)
    now, started, history = 0.0, 0, []
    for _ in range(draw(st.integers(1, 12 + 2 * starts))):
        now += draw(st.sampled_from([1.0, 5.0, 250.0, 599.0, 600.0, 601.0]))
        kinds = ["start"] * (started < starts) + ["unlock", "change"]
        if started:
            kinds += ["verify"] * 6 + ["malformed", "cancel", "resend", "resend"]
        ask: dict[str, Any] = {"operation": draw(st.sampled_from(kinds)), "now": now}
        if ask["operation"] == "start":
            ask["number"] = started
            started += 1
        elif ask["operation"] not in ("unlock", "change"):
            ask["number"] = draw(st.integers(0, started - 1))
        ask["code"] = draw(st.sampled_from(CODES))
        ask["asked"] = draw(st.booleans())
        ask["otc"] = draw(st.sampled_from(CODES))
        ask["csc"] = draw(st.sampled_from(list(Csc)))
        before, after, late = draw(slack), draw(slack), draw(slack)
        ask["called"], ask["returned"] = now - before, now + after
        ask["arrives"], ask["seen"] = now, now + late
        history.append(ask)
        now += after
    return history


def operation_of(ask: dict[str, Any]) -> Operation:
    number = ask.get("number", 0)
    match ask["operation"]:
        case "start":
            return Start(number, ask["code"], ask["asked"], ask["seen"])
        case "verify":
            return Verify(number, ask["otc"], ask["csc"])
        case "malformed":
            return Malformed(number)
        case "resend":
            return Resend(number, ask["code"], ask["seen"])
        case "cancel":
            return Cancel(number)
        case "change":
            return ChangeContact()
        case _:
            return Unlock()


def answer_of(oracle: Oracle, ask: dict[str, Any]) -> set[Outcome]:
    sent: dict[str, Any] = {"number": ask.get("number", 0), "arrives": ask["arrives"]}
    sent |= {"code": ask["code"], "otc": ask["otc"]}
    sent["csc"] = ask["asked"] if ask["operation"] == "start" else ask["csc"]
    return {Outcome(word) for word in oracle.ask(ask["operation"], ask["now"], **sent)}


def was_never_started(oracle: Oracle, ask: dict[str, Any]) -> bool:
    """A transaction whose start the locked card refused has no id to be asked with."""
    needs = ask["operation"] not in ("start", "unlock", "change")
    return needs and ask["number"] not in oracle.transactions


@given(histories(width=0, starts=REMEMBERED), SWITCHES)
@settings(max_examples=800, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_with_exact_times_the_model_allows_exactly_what_the_oracle_answers(
    history: list[dict[str, Any]], switches: dict[str, bool]
) -> None:
    policy, oracle = policy_of(switches), Oracle(**switches)
    tracker = Tracker(policy)
    for ask in history:
        if was_never_started(oracle, ask):
            continue
        operation, time = operation_of(ask), (ask["called"], ask["returned"])
        allowed = answer_of(oracle, ask)

        branches = [b for state in tracker.states for b in step(policy, state, operation, time)]
        legal = {outcome for outcome, _ in branches}
        assert legal >= allowed if switches["counts_expired"] else legal == allowed, ask

        answer = min(allowed)
        assert tracker.observe(operation, *time, {answer}).judgement is Judgement.LEGAL
        # Whether a try counts on what is dead and old at once, the policy does not say.
        assert len(tracker.states) == 1 or switches["counts_expired"]


@given(histories(width=400.0, starts=4 * REMEMBERED), SWITCHES, st.randoms(use_true_random=False))
@settings(max_examples=800, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_target_that_keeps_the_rules_is_never_accused_however_little_is_known(
    history: list[dict[str, Any]], switches: dict[str, bool], chance: random.Random
) -> None:
    tracker, oracle = Tracker(policy_of(switches, tolerance=1.0)), Oracle(**switches)
    for ask in history:
        if was_never_started(oracle, ask):
            continue
        operation = operation_of(ask)
        fate = chance.choice(["answered"] * 4 + ["lost", "never arrived", "error", "vague"])
        if fate == "never arrived":
            tracker.observe(operation, ask["called"], ask["returned"], None)
            if ask["operation"] == "start":
                oracle.transactions.setdefault(
                    ask["number"],
                    {"code": "", "csc": False, "dead": True, "sent": ask["now"], "count": 0},
                )
            continue
        allowed = answer_of(oracle, ask)
        if fate in ("lost", "error"):
            seen = tracker.observe(
                operation, ask["called"], ask["returned"], None if fate == "lost" else SILENT
            )
            assert seen.judgement is Judgement.SILENT
            continue
        answer = {chance.choice(sorted(allowed))}
        if fate == "vague" and not answer & {Outcome.APPROVED, Outcome.DONE}:
            answer |= {Outcome.VOID, Outcome.WRONG_OTC}
        seen = tracker.observe(operation, ask["called"], ask["returned"], frozenset(answer))
        assert seen.judgement is not Judgement.BROKEN, (ask, seen)


@pytest.mark.parametrize("lost", [1, 2, 5, 20])
def test_lost_answers_do_not_make_states_grow_without_bound(lost: int) -> None:
    tracker = Tracker(Policy())
    for number in range(lost):
        tracker.observe(Start(number), number, number + 0.5, None)
        tracker.observe(Verify(number, "000000"), number, number + 0.5, None)

    assert tracker.spent or len(tracker.states) <= 64
