"""What several processes measured, together: exactly what one would have measured."""

import random
import time

import msgspec
import pytest

from otpspec.burst.overlap import Overlap
from otpspec.load import parcel
from otpspec.load.card import RacedTold, Told
from otpspec.load.measures import Measures
from otpspec.load.parcel import Packer
from otpspec.load.punctual import CARDS, CPU
from otpspec.load.recorder import Cell, Contradiction, Recorder
from otpspec.load.verdicts import rule_results
from otpspec.model import Judgement, Observation
from otpspec.outcome import Outcome, Verdict
from otpspec.profile import Profile, load
from otpspec.results import LoadResult

SECRETS = ("9999000011112222", "735", "482910")
LEGAL = Observation(Judgement.LEGAL, frozenset({"VERIFY-1", "CSC-1"}))
SILENT = Observation(Judgement.SILENT)
BROKEN = Observation(
    Judgement.BROKEN,
    frozenset({"CSC-2"}),
    rule="CSC-2",
    expected=(Outcome.WRONG_CSC,),
    got=(Outcome.APPROVED,),
    because="735 is not the card's 3CSC",
)
WORKERS = 3
NAMES = ("start", "verify")


@pytest.fixture
def profile(monkeypatch: pytest.MonkeyPatch) -> Profile:
    monkeypatch.setenv("OTPSPEC_TEST_TOKEN", "a-token-of-the-tests")
    return load("safekey-reference")


def late_s(n: int) -> float:
    return (n % 50) / 1000


def told(at: float, outcomes: frozenset[Outcome], operation: str = "verify") -> Told:
    body = b'{"otc":"482910","csc":"735"}'
    sent = b"POST /transactions/t1/verify HTTP/1.1\r\nHost: a\r\n\r\n" + body
    text = b'{"status":"approved","pan":"9999000011112222","token":"a-token-of-the-tests"}'
    return Told(operation, sent, 200, text, outcomes, at - 0.01, at)


def fill(measures: list[Measures], whole: Measures) -> None:
    """The same to one of several, and to the whole: so many answers in five seconds."""
    rng, began = random.Random(7), time.monotonic()
    for each in (*measures, whole):
        each.recorder._began = began
        each.recorder.timeline.__init__(began)  # type: ignore[misc]
    for n in range(4000):
        own, at = rng.choice(measures), n / 800
        outcomes = frozenset({rng.choice([Outcome.APPROVED, Outcome.WRONG_OTC, Outcome.THROTTLED])})
        seen = SILENT if Outcome.THROTTLED in outcomes else LEGAL
        took = rng.expovariate(100)
        answer = told(at, outcomes, rng.choice(NAMES))
        for each in (own, whole):
            each.recorder.answered(answer, seen, took, took / 2, began + at)
            each.recorder.behaviours["right_first_time"] += 1
            if n % 7 == 0:
                each.recorder.tried_wrong(outcomes)
            each.punctual.acted(at, at + late_s(n))
            each.punctual.waited(CARDS, at, at + late_s(n * 3))
            each.waits.record(took)
            each.code_requests += 1
    for n, own in enumerate(measures):
        own.recorder.trouble[f"reason {n}"] += n + 1
        whole.recorder.trouble[f"reason {n}"] += n + 1
    for at in (1.0, 2.0, 3.0):
        history = tuple(told(at - 0.1 * n, frozenset({Outcome.APPROVED})) for n in (3, 2, 1, 0))
        found = Contradiction(BROKEN, history, SECRETS, (True, at))
        whole.recorder.contradicted(found)
        measures[-int(at)].recorder.contradicted(found)  # the last worker is the first to see it


def merged(measures: list[Measures], secrets: frozenset[str]) -> tuple[Measures, list[bytes]]:
    together, sent = Measures(), []
    for own in measures:
        packed = Packer(secrets, lambda: None).pack(own)
        sent.append(parcel.encode(packed))
        told = parcel.decode(sent[-1])
        parcel.merge(together, told)
        together.recorder.timeline.merge(told.seconds)
    return together, sent


def result(measures: Measures) -> LoadResult:
    return measures.recorder.result("closed: 3 users", 3, [], lasted=5.0)


def test_parts_merge_into_exactly_the_whole(profile: Profile) -> None:
    measures, whole = [Measures() for _ in range(WORKERS)], Measures()
    fill(measures, whole)

    together, _ = merged(measures, profile.secrets)

    ours, one = result(together), result(whole)
    users = [msgspec.structs.replace(point, users=0) for point in one.timeline]
    assert ours.timeline == users
    assert msgspec.structs.replace(ours, timeline=[]) == msgspec.structs.replace(one, timeline=[])
    assert ours.requests == 4000
    assert together.recorder.chances == whole.recorder.chances
    assert together.recorder.guarded == whole.recorder.guarded > 0
    assert together.recorder.let_through == whole.recorder.let_through > 0
    assert together.punctual.limits() == whole.punctual.limits()
    assert {limit.cause for limit in together.punctual.limits()} == {CPU, CARDS}
    assert together.punctual.late.packed() == whole.punctual.late.packed()
    assert together.waits.packed() == whole.waits.packed()
    assert together.code_requests == whole.code_requests


def test_evidence_is_the_first_and_the_worst_of_all(profile: Profile) -> None:
    measures, whole = [Measures() for _ in range(WORKERS)], Measures()
    fill(measures, whole)

    together, sent = merged(measures, profile.secrets)

    assert rule_results(together.recorder, profile) == rule_results(whole.recorder, profile)
    broken = together.recorder.broken["CSC-2"]
    assert broken.count == 3
    assert broken.first.history[-1].returned == 1.0
    assert broken.worst.weight == (True, 3.0)
    for secret in (*SECRETS, "a-token-of-the-tests"):
        assert not [one for one in sent if secret.encode() in one], secret


def test_races_add_up_and_keep_their_lanes(profile: Profile) -> None:
    measures = [Measures() for _ in range(2)]
    raced = [
        RacedTold(
            *("verify", b"POST / HTTP/1.1\r\n\r\n{}", 200, b"{}", frozenset({Outcome.APPROVED})),
            *(1.0, 1.1),
            lane=f"connection {n}",
            released=1.05,
            silent_until=1.06,
        )
        for n in (1, 2)
    ]
    seen = msgspec.structs.replace(BROKEN, rule="RACE-1", expected=("some order",))
    for own in measures:
        overlap = Overlap(of=2, in_flight=2, spread_s=0.001)
        assert own.recorder.races.saw("RACE-1", overlap, judged=True)
        own.recorder.saw_in_flight(30)
        own.recorder.noted(frozenset({"RACE-1"}))
    measures[1].recorder.contradicted(Contradiction(seen, raced, SECRETS, (True, 1.0)))

    together, _ = merged(measures, profile.secrets)

    rules = {rule.id: rule for rule in rule_results(together.recorder, profile)}
    found = rules["RACE-1"]
    assert rules["LOAD-2"].evidence[0].measured == {
        "in flight": "at least 30 requests at once, at the busiest moment seen"
    }
    assert (found.verdict, found.chances) == (Verdict.BROKEN, 2)
    assert found.evidence[0].measured["races"] == "2, 2 of them with proven overlap"
    assert found.evidence[0].expected.startswith("some order")
    exchanges = found.evidence[0].exchanges
    assert [one.lane for one in exchanges] == ["connection 1", "connection 2"]
    assert [one.unanswered_s for one in exchanges] == [0.06, 0.06]
    assert found.evidence[0].releases_s == [0.05]
    assert found.evidence[0].contradiction == [0, 1]


def test_users_of_a_second_are_those_of_all_workers() -> None:
    measures = [Measures() for _ in range(WORKERS)]
    for n, own in enumerate(measures):
        own.recorder.users(n + 1)

    together, _ = merged(measures, frozenset())

    assert [point.users for point in together.recorder.timeline.points(1.0)] == [6]


def test_nothing_that_is_counted_stays_behind() -> None:
    """Whoever adds something to count has it merged, too: then it belongs in this list."""
    recorder = {
        *("_began", "cells", "timeline", "failed", "lost", "failures", "_chances", "guarded"),
        *("let_through", "broken", "behaviours", "trouble", "_unanswered", "_hooks_answered"),
        *("races", "most_in_flight"),
    }
    cell = {
        *("chances", "due", "length", "operation", "outcomes", "sent", "silent", "untold"),
    }

    assert set(vars(Recorder())) == recorder
    assert set(Cell.__slots__) == cell
