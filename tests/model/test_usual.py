"""The short way for what is usual comes to the same as the general way, in every detail."""

import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otpspec.model import (
    Csc,
    Malformed,
    Observation,
    Operation,
    Resend,
    Start,
    Tracker,
    Unlock,
    Verify,
    step,
    usual,
)
from otpspec.model.memory import Past
from otpspec.outcome import Outcome
from otpspec.policy import Policy

from .test_against_oracle import SWITCHES, policy_of

CODES = ("111111", "222222", "333333")
GAPS = (0.01, 1.0, 30.0, 545.0, 599.5, 601.5)


class General(usual.Usual):
    """Finds nothing usual, so that everything takes the general way."""

    def judge(self, *_: Any) -> None:
        return None


class Twins:
    """Two trackers of one card that must never differ: one of them has no short way."""

    def __init__(self, policy: Policy, rng: random.Random) -> None:
        self.policy = policy
        self.short, self.long = Tracker(policy), Tracker(policy)
        self.long._usual = General(policy)
        self.long._judge_usual = self.long._usual.judge
        self.rng = rng
        self.now = 0.0
        self.started = 0

    def ask(self, operation: Operation, *, legal: bool) -> None:
        time = (self.now, self.now + self.rng.choice((0.0, 0.01, 2.0)))
        outcomes: frozenset[Outcome] | None = frozenset({self.rng.choice(list(Outcome))})
        if legal:
            branches = [b for s in self.long.states for b in step(self.policy, s, operation, time)]
            outcomes = frozenset({self.rng.choice(branches)[0]})
        elif self.rng.random() < 0.1:
            outcomes = None
        seen = [t.observe(operation, *time, outcomes) for t in (self.short, self.long)]
        self.now = time[1] + self.rng.choice(GAPS)
        self.same(*seen)

    def same(self, one: Observation, other: Observation) -> None:
        assert one == other
        assert self.short.states == self.long.states
        assert self.short.spent == self.long.spent
        assert remembered(self.short) == remembered(self.long)

    def delivered(self, number: int) -> None:
        code = self.rng.choice(CODES)
        for tracker in (self.short, self.long):
            tracker.delivered(number, code, self.now)

    def anything(self, *, legal: float) -> None:
        rng = self.rng
        kind = rng.choice(("start", "verify", "verify", "verify", "resend", "unlock", "malformed"))
        number = rng.randrange(max(self.started, 1))
        right = rng.random() < legal
        if kind == "start":
            code = rng.choice((None, *CODES))
            asked = rng.choice((False, False, True, None))
            self.ask(Start(self.started, code, asked, rng.choice((None, self.now))), legal=right)
            if code is None and rng.random() < 0.9:
                self.delivered(self.started)
            self.started += 1
        elif kind == "verify":
            otc = rng.choice((*CODES, *sorted(self.long.codes()) * 3))
            self.ask(Verify(number, otc, rng.choice(list(Csc))), legal=right)
        elif kind == "resend":
            self.ask(Resend(number), legal=right)
            self.delivered(number)
        else:
            self.ask(Unlock() if kind == "unlock" else Malformed(number), legal=right)


def remembered(tracker: Tracker) -> dict[str, Any]:
    memory = tracker._memory
    found = {name: getattr(memory, name) for name in memory.__slots__}
    found["challenges"] = {
        number: [getattr(past or Past(), name) for name in Past.__slots__]
        for number, past in memory.challenges.items()
    }
    return found


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(SWITCHES, st.sampled_from(("keeps", "voids")), st.integers(0, 2**32), st.floats(0.5, 1.0))
def test_short_way_comes_to_what_the_general_way_comes_to(
    switches: dict[str, bool], new_start: Any, seed: int, legal: float
) -> None:
    base = policy_of(switches, tolerance=1.0)
    fields = {name: getattr(base, name) for name in base.__struct_fields__}
    twins = Twins(Policy(**{**fields, "new_start": new_start}), random.Random(seed))

    for _ in range(40):
        twins.anything(legal=legal)


def test_what_is_usual_takes_the_short_way(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: Any) -> None:
        raise AssertionError("the general way was taken")

    monkeypatch.setattr(Tracker, "_observe", never)
    tracker, done = Tracker(Policy()), frozenset({Outcome.DONE})

    for number in range(30):
        at = 10.0 * number
        tracker.observe(Start(number), at, at + 1, done)
        tracker.delivered(number, "123456", at + 1)
        wrong = tracker.observe(Verify(number, "1"), at + 2, at + 3, {Outcome.WRONG_OTC})
        right = tracker.observe(Verify(number, "123456"), at + 4, at + 5, {Outcome.APPROVED})

        assert wrong.chances == {"VERIFY-2"}
        assert right.chances >= {"VERIFY-1", "VERIFY-2"}
