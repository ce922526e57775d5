"""Every rule that the model can name has a history that keeps it and one that breaks it."""

import inspect
import re

import pytest

from otpspec.model import (
    Amend,
    Cancel,
    ChangeContact,
    Csc,
    Judgement,
    Malformed,
    Observation,
    Operation,
    Resend,
    Start,
    Tracker,
    Unlock,
    Verify,
    naming,
)
from otpspec.outcome import Outcome

from .corpus import PAIRS, Pair


def read(line: str) -> tuple[Operation, str, str]:
    """A line's operation, its right answer, and the answer that breaks it ("" for none)."""
    asked, _, answers = line.partition("->")
    right, _, broken = (part.strip() for part in answers.partition("not"))
    kind, *rest = asked.split()
    number = int(rest[0]) if rest and rest[0].isdigit() else 0
    code = rest[1] if len(rest) > 1 else None
    operation: Operation
    match kind:
        case "start":
            operation = Start(number, code, "csc" in rest)
        case "verify":
            operation = Verify(number, str(code), Csc(rest[2]) if len(rest) > 2 else Csc.NOT_ASKED)
        case "resend":
            operation = Resend(number, code)
        case "amend":
            operation = Amend(number, code)
        case "malformed":
            operation = Malformed(number)
        case "cancel":
            operation = Cancel(number)
        case "change":
            operation = ChangeContact(proven=rest[0] == "proven")
        case _:
            operation = Unlock()
    return operation, right, broken


def run(pair: Pair, *, broken: bool) -> tuple[Tracker, Observation, float]:
    """The tracker after the history, and what it made of the last answer."""
    tracker, now, seen = Tracker(pair.policy), 0.0, Observation(Judgement.SILENT)
    for line in pair.history.strip().splitlines():
        if line.split()[0] == "wait":
            now += float(line.split()[1])
            continue
        assert seen.judgement is not Judgement.BROKEN, f"before {line.strip()}: {seen}"
        operation, right, wrong = read(line)
        if isinstance(operation, Start | Resend | Amend):
            code, operation = operation.code, type(operation)(operation.challenge)
            if isinstance(operation, Start):
                operation = Start(operation.challenge, None, "csc" in line.split())
            seen = observe(tracker, operation, now, wrong if broken and wrong else right)
            if code is not None:
                tracker.delivered(operation.challenge, code, now + 0.2)
        else:
            seen = observe(tracker, operation, now, wrong if broken and wrong else right)
        now += 1
    return tracker, seen, now


def observe(tracker: Tracker, operation: Operation, now: float, answer: str) -> Observation:
    return tracker.observe(operation, now, now + 0.1, frozenset({Outcome(answer)}))


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair.rule}: {pair.claim}")
def test_history_that_keeps_the_rule_is_legal(pair: Pair) -> None:
    _, seen, _ = run(pair, broken=False)

    assert seen.judgement is Judgement.LEGAL


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair.rule}: {pair.claim}")
def test_history_broken_by_one_answer_is_named_by_its_rule(pair: Pair) -> None:
    _, seen, _ = run(pair, broken=True)

    assert seen.judgement is Judgement.BROKEN
    assert seen.rule == pair.rule
    assert pair.rule in seen.chances
    assert seen.because


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair.rule}: {pair.claim}")
def test_tracker_goes_on_after_a_contradiction(pair: Pair) -> None:
    tracker, _, now = run(pair, broken=True)

    tracker.observe(Unlock(), now, now, frozenset({Outcome.DONE}))
    begun = tracker.observe(Start(99, "987654", False, now), now, now, frozenset({Outcome.DONE}))
    used = tracker.observe(Verify(99, "987654"), now, now, frozenset({Outcome.APPROVED}))

    assert [begun.judgement, used.judgement] == [Judgement.LEGAL] * 2
    assert not tracker.spent


def test_every_rule_that_can_be_named_has_a_pair() -> None:
    named = set(re.findall(r'"([A-Z]+-\d+)"', inspect.getsource(naming)))

    assert named == {pair.rule for pair in PAIRS}


TRIED = (
    *("VERIFY-1", "VERIFY-2", "EXPIRY-1", "EXPIRY-2", "EXPIRY-5", "ISSUE-5", "REPLAY-1"),
    *("LOCKOUT-1", "LOCKOUT-2", "LOCKOUT-3", "LOCKOUT-7", "LOCKOUT-8", "RESEND-1", "RESEND-2"),
    *("CSC-1", "CSC-2", "CSC-5", "CSC-6", "CSC-7", "BINDING-1", "CONTACT-2"),
)


@pytest.mark.parametrize("rule", TRIED)
def test_history_that_keeps_the_rule_was_a_chance_to_break_it(rule: str) -> None:
    seen = [run(pair, broken=False)[1] for pair in PAIRS if pair.rule == rule]

    assert any(rule in observation.chances for observation in seen)
