"""From what was counted to verdicts: too few chances say nothing, and nothing secret is shown."""

import time

import msgspec

from otpspec.cards import new_card
from otpspec.load.card import LoadCard, Told
from otpspec.load.recorder import HOPELESS, Contradiction, Recorder
from otpspec.load.verdicts import MINIMUM, MINIMUM_OF, rule_results
from otpspec.model import Judgement, Observation
from otpspec.outcome import Outcome, Verdict
from otpspec.profile import Profile, load
from otpspec.results import RuleResult

APPROVED, UNKNOWN = frozenset({Outcome.APPROVED}), frozenset({Outcome.UNKNOWN})
TOKEN = "t0ken-of-the-environment"


def profile(*changes: str) -> Profile:
    return load("safekey-reference", changes=changes, environ={"OTPSPEC_TEST_TOKEN": TOKEN})


def told(outcomes: frozenset[Outcome] = APPROVED, body: bytes = b"{}") -> Told:
    sent = b"POST /transactions/7/verify HTTP/1.1\r\nHost: x\r\n\r\n" + body
    return Told("verify", sent, 200, b'{"status":"approved"}', outcomes, 1.0, 1.5)


def legal(*chances: str) -> Observation:
    return Observation(Judgement.LEGAL, frozenset(chances))


BROKEN = Observation(
    Judgement.BROKEN,
    frozenset({"EXPIRY-2"}),
    "EXPIRY-2",
    (Outcome.EXPIRED,),
    (Outcome.APPROVED,),
    "its validity had ended",
)


def answered(
    recorder: Recorder,
    told: Told,
    seen: Observation,
    *,
    due_s: float = 0.002,
    sent_s: float = 0.001,
) -> None:
    recorder.answered(told, seen, due_s, sent_s, time.monotonic())


def judged(recorder: Recorder, times: int, observation: Observation) -> None:
    for _ in range(times):
        answered(recorder, told(), observation)


def verdicts(recorder: Recorder, *changes: str, untimed: str = "") -> dict[str, RuleResult]:
    found = rule_results(recorder, profile(*changes), untimed=untimed)
    return {rule.id: rule for rule in found}


def test_rule_that_was_tried_often_enough_is_kept() -> None:
    recorder = Recorder()
    judged(recorder, MINIMUM, legal("EXPIRY-2"))

    found = verdicts(recorder)["EXPIRY-2"]

    assert (found.verdict, found.chances) == (Verdict.PASSED, MINIMUM)


def test_rule_that_was_hardly_tried_is_inconclusive() -> None:
    recorder = Recorder()
    judged(recorder, MINIMUM - 1, legal("EXPIRY-2"))

    found = verdicts(recorder)["EXPIRY-2"]

    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.reason == (
        "9 answers could have broken it, and 10 are the least that says something: 1 more"
    )


def test_run_that_judged_next_to_nothing_passes_nothing() -> None:
    found = verdicts(Recorder())

    assert found.pop("LOAD-3").verdict is Verdict.NOT_APPLICABLE  # nothing was declared
    assert {rule.verdict for rule in found.values()} == {Verdict.INCONCLUSIVE}


def test_answers_that_judge_nothing_are_no_chances() -> None:
    recorder = Recorder()
    for _ in range(200):
        answered(recorder, told(UNKNOWN), Observation(Judgement.SILENT))

    assert verdicts(recorder)["LOAD-1"].verdict is Verdict.INCONCLUSIVE
    assert recorder.result("closed: 1 users", 1, []).notes == [
        "200 answers were unknown, and judge nothing"
    ]


def test_contradiction_breaks_its_own_rule_and_load_1() -> None:
    recorder = Recorder()
    judged(recorder, MINIMUM_OF["LOAD-1"], legal())
    answered(recorder, told(), BROKEN)
    recorder.contradicted(Contradiction(BROKEN, [told()], [], (True, 1.0)))

    found = verdicts(recorder)

    assert found["EXPIRY-2"].verdict is Verdict.BROKEN
    assert found["EXPIRY-2"].reason == "1 answer broke it: EXPIRY-2: approved, expected expired"
    assert found["LOAD-1"].reason == "1 of 101 judged answers broke a rule: EXPIRY-2 (1)"
    assert found["LOAD-2"].verdict is Verdict.INCONCLUSIVE


def test_wrong_code_that_was_approved_breaks_load_2() -> None:
    recorder = Recorder()
    for outcomes in (APPROVED, *[frozenset({Outcome.WRONG_OTC})] * 60):
        recorder.tried_wrong(outcomes)

    found = verdicts(recorder)["LOAD-2"]

    assert found.verdict is Verdict.BROKEN
    assert found.reason == "1 of 61 wrong OTCs and 3CSCs were approved"
    assert found.chances == 61


def test_first_and_worst_history_are_kept_however_often_a_rule_is_broken() -> None:
    recorder = Recorder()
    for age in (5.0, 1.0, 90.0, 3.0):
        history = [told(body=f'{{"age":{age}}}'.encode())]
        recorder.contradicted(Contradiction(BROKEN, history, [], (True, age)))

    evidence = verdicts(recorder)["EXPIRY-2"].evidence

    shown = [(one.reason, one.exchanges[0].request[-12:]) for one in evidence]
    assert shown == [
        ("EXPIRY-2: the first that was seen", ' {"age":5.0}'),
        ("EXPIRY-2: the worst that was seen", '{"age":90.0}'),
    ]


def test_nothing_secret_stands_in_the_evidence() -> None:
    recorder, card = Recorder(), LoadCard(new_card(), profile().policy)
    card.codes.add("481516")
    card.sent |= {"234299", card.owner.csc}
    body = f'{{"otc":"481516","b":"234299","csc":"{card.owner.csc}","t":"{TOKEN}"}}'
    history = [told(body=body.encode())]
    recorder.contradicted(Contradiction(BROKEN, history, card.secrets(), (True, 1.0)))

    shown = verdicts(recorder)["EXPIRY-2"].evidence[0].exchanges[0].request

    assert shown.endswith('{"otc":"•••","b":"•••","csc":"•••","t":"•••"}')


def test_clock_that_someone_else_moved_leaves_time_open() -> None:
    recorder = Recorder()
    judged(recorder, 150, legal("EXPIRY-2"))
    recorder.contradicted(Contradiction(BROKEN, [told()], [], (True, 1.0)))

    found = verdicts(recorder, untimed="someone else moved the clock")

    expiry = found["EXPIRY-2"]
    assert (expiry.verdict, expiry.reason) == (Verdict.INCONCLUSIVE, "someone else moved the clock")
    assert found["LOAD-1"].verdict is Verdict.PASSED


def test_rules_of_what_the_target_does_not_have_are_not_applicable() -> None:
    found = verdicts(Recorder(), 'policy.csc="never"')["CSC-1"]

    assert (found.verdict, found.reason) == (
        Verdict.NOT_APPLICABLE,
        'the profile says policy.csc = "never"',
    )


def test_so_many_calls_in_a_row_without_an_answer_are_hopeless() -> None:
    recorder = Recorder()
    for _ in range(HOPELESS - 1):
        recorder.unanswered("verify", measured=True)
    assert not recorder.hopeless()

    recorder.hook_answered()
    recorder.unanswered("verify", measured=True)
    assert not recorder.hopeless()

    for _ in range(HOPELESS):
        recorder.unanswered("inbox", measured=False)
    assert recorder.hopeless()


def test_figures_add_up() -> None:
    recorder = Recorder()
    judged(recorder, 30, legal())
    started = msgspec.structs.replace(told(frozenset({Outcome.DONE})), operation="start")
    answered(recorder, started, legal(), due_s=0.004)
    recorder.unanswered("verify", measured=True)
    recorder.unanswered("inbox", measured=False)

    found = recorder.result("closed: 3 users", 3, ["a note"])

    assert (found.requests, found.judged, found.failures) == (32, 31, 1)
    assert {one.operation: one.count for one in found.operations} == {"start": 1, "verify": 31}
    assert found.operations[1].outcomes == {"approved": 30, "no answer": 1}
    assert found.latency is not None
    assert found.latency.max_ms == 4.0
    assert found.notes == ["a note"]


def test_latency_is_kept_from_when_due_and_from_when_sent_for_each_outcome() -> None:
    recorder = Recorder()
    for due_s in (0.010, 0.500):
        answered(recorder, told(), legal(), due_s=due_s, sent_s=0.010)
    answered(recorder, told(frozenset({Outcome.LOCKED})), legal(), due_s=0.002, sent_s=0.002)

    found = recorder.result("open: 3/s, constant", 3, [])

    assert found.latency is not None
    assert found.latency_sent is not None
    assert (found.latency.max_ms, found.latency_sent.max_ms) == (500.0, 10.0)
    by_outcome = found.operations[0].by_outcome
    assert {name: one.max_ms for name, one in by_outcome.items()} == {
        "approved": 500.0,
        "locked": 2.0,
    }
