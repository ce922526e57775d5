"""From what scenarios came to, to a verdict for each rule, its evidence and an exit code."""

import itertools
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from otpspec import Outcome, Verdict
from otpspec.cli.output import exit_code
from otpspec.conclude import MAX_EXCHANGES, Replay, document, merge, rule_results, worst
from otpspec.profile import Profile, Request
from otpspec.redact import Redactor
from otpspec.results import Evidence, RuleResult, read, write
from otpspec.rules import RULES
from otpspec.runner import Finished, Scenario
from otpspec.target import Answer
from otpspec.verdicts import Broken

from .samples import read as read_profile
from .scripted import Asked, Said, scripted

Server = Any
Done = Any
B, U, P, N = Verdict.BROKEN, Verdict.INCONCLUSIVE, Verdict.PASSED, Verdict.NOT_APPLICABLE
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
REPLAY = Replay("acs.toml", ["--base-url http://127.0.0.1:1"], 7)


@pytest.fixture
def profile(tmp_path: Path) -> Profile:
    return read_profile(tmp_path, ("[clock]\n", '[waive]\nLOCKOUT-7 = "by hand"\n[clock]\n'))


def scenario(*rules: str, name: str = "conformance/test_expiry.py::test_a[1/2]") -> Scenario:
    async def nothing(trial: Any) -> None: ...

    return Scenario(name, rules, nothing)


def answer(body: bytes = b"{}", asked: bytes = b"{}", n: int = 0) -> Answer:
    request = Request("verify", "POST", f"/transactions/t{n}/verify", (), asked)
    called = BEGAN + timedelta(seconds=n)
    return Answer(
        request,
        403,
        frozenset({Outcome.WRONG_OTC, Outcome.VOID}),
        body=body,
        called=called,
        returned=called + timedelta(seconds=0.25),
    )


# --- verdicts -----------------------------------------------------------------------------------


def test_the_worst_verdict_of_a_rules_scenarios_counts() -> None:
    order = [B, U, P, N]
    for length in (1, 2, 3):
        for verdicts in itertools.product(order, repeat=length):
            assert worst(verdicts) is min(verdicts, key=order.index)


def test_a_rule_has_the_worst_of_its_scenarios_and_all_their_evidence(profile: Profile) -> None:
    finished = [
        Finished(scenario("EXPIRY-2", name="t.py::c"), U, "why not"),
        Finished(scenario("EXPIRY-2", "EXPIRY-1", name="t.py::b"), B, "too old", got="approved"),
        Finished(scenario("EXPIRY-1", name="t.py::a"), P),
        Finished(scenario("EXPIRY-2", name="t.py::a"), B, "too old"),
        Finished(scenario(name="t.py::none"), B),
    ]

    first, second = rule_results(finished, profile, Redactor(), REPLAY)

    assert (first.id, first.verdict, first.reason) == ("EXPIRY-1", B, "too old")
    assert (second.id, second.verdict, second.reason) == ("EXPIRY-2", B, "too old")
    assert [e.scenario for e in second.evidence] == ["t.py::a", "t.py::b", "t.py::c"]
    assert (first.level, first.core) == (RULES["EXPIRY-1"].level, RULES["EXPIRY-1"].core)


@pytest.mark.parametrize("verdict", list(Verdict))
def test_only_what_is_not_applicable_is_waived(profile: Profile, verdict: Verdict) -> None:
    (rule,) = rule_results(
        [Finished(scenario("LOCKOUT-7"), verdict, "no desk")], profile, Redactor(), REPLAY
    )

    assert rule.waived == ("by hand" if verdict is N else "")
    assert rule.reason == ("" if verdict is P else "no desk")


def result(rule_id: str, verdict: Verdict, reason: str = "", **more: Any) -> RuleResult:
    evidence = [Evidence(scenario=reason, verdict=verdict)]
    rule = {"level": "MUST", "statement": "x", "sources": [], "evidence": evidence}
    return RuleResult(id=rule_id, verdict=verdict, reason=reason, **{**rule, **more})


def test_merged_rules_keep_the_worse_verdict_with_its_reasons_and_all_evidence() -> None:
    first = [result("EXPIRY-2", B, "x"), result("CSC-1", P), result("LOCKOUT-1", U, "same")]
    second = [result("LOCKOUT-1", U, "same"), result("EXPIRY-2", U, "y"), result("LOAD-1", P)]

    merged = merge(first, second)

    assert [(r.id, r.verdict, r.reason, len(r.evidence)) for r in merged] == [
        ("EXPIRY-2", B, "x", 2),
        ("LOCKOUT-1", U, "same", 2),
        ("CSC-1", P, "", 1),
        ("LOAD-1", P, "", 1),
    ]
    assert merge([], second) == merge(second, [])


# --- exit codes ---------------------------------------------------------------------------------

CORE, FREE = {"core": True}, {"core": False}
SHOULD = {"level": "SHOULD"}
CODES = [
    # what the rules came to                              exit, with --inconclusive warn, --strict
    ([result("A", P)], 0, 0, 0),
    ([result("A", P), result("B", B, "x")], 1, 1, 1),
    ([result("A", P), result("B", B, "x", **SHOULD)], 0, 0, 1),
    ([result("A", P), result("B", U, "x")], 3, 0, 3),
    ([result("A", P), result("B", U, "x"), result("C", B, "x")], 1, 1, 1),
    ([result("A", P), result("B", U, "x"), result("C", B, "x", **SHOULD)], 3, 0, 1),
    ([result("A", P), result("B", N, "x", **CORE)], 3, 0, 3),
    ([result("A", P), result("B", N, "x", waived="y", **CORE)], 0, 0, 0),
    ([result("A", P), result("B", N, "x", **FREE)], 0, 0, 0),
    ([result("A", U, "x")], 3, 3, 3),
    ([result("A", N, "x", **FREE)], 3, 3, 3),
    ([result("A", N, "x", waived="y", **CORE)], 3, 3, 3),
    ([], 3, 3, 3),
]


@pytest.mark.parametrize(
    ("rules", "code", "warned", "strict"),
    CODES,
    ids=lambda value: "+".join(r.verdict for r in value) if isinstance(value, list) else None,
)
def test_exit_code_of_a_run(
    profile: Profile, rules: list[RuleResult], code: int, warned: int, strict: int
) -> None:
    def results(**more: Any) -> Any:
        return document(profile, rules, command="", started=BEGAN, seed=7, complete=True, **more)

    assert exit_code(results()) == code
    assert exit_code(results(), warn=True) == warned
    assert exit_code(results(strict=True)) == strict


# --- evidence -----------------------------------------------------------------------------------


def evidence(profile: Profile, redact: Redactor, verdict: Verdict, *answers: Answer) -> Evidence:
    finished = Finished(scenario("EXPIRY-2"), verdict, answers=list(answers), began=BEGAN)
    (rule,) = rule_results([finished], profile, redact, REPLAY)
    return rule.evidence[0]


def test_evidence_says_what_was_asked_when_and_how_to_repeat_it(profile: Profile) -> None:
    found = evidence(profile, Redactor(), B, answer(b'{"a":1}', b'{"otc":"x"}', 3))

    (exchange,) = found.exchanges
    assert exchange.request == 'POST /transactions/t3/verify {"otc":"x"}'
    assert (exchange.status, exchange.answer) == (403, '{"a":1}')
    assert exchange.outcomes == ["void", "wrong_otc"]
    assert (exchange.called_s, exchange.returned_s) == (3.0, 3.25)
    assert found.scenario == "test_expiry.py::test_a[1/2]"
    assert found.replay == (
        "otpspec check acs.toml --base-url http://127.0.0.1:1 -k EXPIRY-2 --seed 7"
    )
    assert evidence(profile, Redactor(), P).replay == ""


def test_evidence_is_bounded(profile: Profile) -> None:
    answers = [answer(b"a" * 5000, b"q" * 5000, n) for n in range(MAX_EXCHANGES + 10)]

    broken = evidence(profile, Redactor(), B, *answers)
    passed = evidence(profile, Redactor(), P, *answers)

    assert len(broken.exchanges) == MAX_EXCHANGES
    assert broken.exchanges[-1].called_s == MAX_EXCHANGES + 9
    assert len(passed.exchanges) < len(broken.exchanges)
    assert all(len(e.request) <= 400 and len(e.answer) <= 400 for e in broken.exchanges)


def broken_by(profile: Profile, answers: list[Answer], *against: Answer) -> Evidence:
    error = Broken(expected="e", got="g", because="b", answers=against)
    finished = Finished(scenario("EXPIRY-2"), B, error=error, answers=answers, began=BEGAN)
    (result,) = rule_results([finished], profile, Redactor(), REPLAY)
    return result.evidence[0]


def test_answers_that_broke_the_rule_are_marked_as_they_were_read_later(profile: Profile) -> None:
    answers = [answer(n=n) for n in range(5)]
    of_the_operation = replace(answers[3], captures={"id": "t3"}, called=BEGAN)

    assert broken_by(profile, answers, of_the_operation).contradiction == [3]
    assert broken_by(profile, answers).contradiction == []


def test_answers_that_broke_the_rule_are_kept_however_long_ago_they_came(profile: Profile) -> None:
    answers = [answer(n=n) for n in range(MAX_EXCHANGES * 3)]

    found = broken_by(profile, answers, answers[1], answers[70])

    assert len(found.exchanges) == MAX_EXCHANGES
    marked = [found.exchanges[place].called_s for place in found.contradiction]
    assert marked == [1.0, 70.0]
    assert found.exchanges[-1].called_s == MAX_EXCHANGES * 3 - 1


@pytest.mark.parametrize("before", range(385, 400))
def test_no_half_of_a_secret_is_left_where_a_text_is_cut(profile: Profile, before: int) -> None:
    redact = Redactor()
    redact.learn("123456789")
    body = b"x" * before + b"123456789" + b"y" * 50

    (exchange,) = evidence(profile, redact, B, answer(body, body)).exchanges

    assert "1" not in exchange.answer
    assert "1" not in exchange.request


def test_bodies_that_are_no_text_are_no_hindrance(profile: Profile) -> None:
    (exchange,) = evidence(profile, Redactor(), B, answer(b"\xff\x00", b"\xff")).exchanges

    assert exchange.answer == "\ufffd\x00"


def test_results_are_read_as_they_were_written(profile: Profile, tmp_path: Path) -> None:
    rules = rule_results(
        [Finished(scenario("EXPIRY-2"), B, "x", answers=[answer()], began=BEGAN)],
        profile,
        Redactor(),
        REPLAY,
    )
    found = document(profile, rules, command="otpspec", started=BEGAN, seed=7, complete=False)

    write(found, tmp_path / "results.json")

    assert read(tmp_path / "results.json") == found
    assert [path.name for path in tmp_path.glob("results*")] == ["results.json"]


# --- a whole run --------------------------------------------------------------------------------


def passed_on(server: Server) -> Callable[[Asked], Said]:
    """A proxy that stands before a server, and sees every request of a run."""

    def ask(asked: Asked) -> Said:
        headers = {k: v for k, v in asked.headers if k.lower() != "host"}
        request = urllib.request.Request(
            server.url + asked.target, asked.body or None, headers, method=asked.method
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as said:
                return said.status, said.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    return ask


def test_no_file_of_a_run_holds_a_secret(
    serve: Callable[..., Server], otpspec: Callable[..., Done], tmp_path: Path
) -> None:
    server = serve("--mutant", "never-expires")
    with scripted(passed_on(server)) as proxy:
        done = otpspec("check", "safekey-reference", "--base-url", proxy.url, "--seed", "7")
        cards = [asked.json for asked in proxy.asked if asked.target == "/cards"]
    messages = server.hook("/test/outbox")["messages"]

    assert done.code == 1
    assert done.rule("EXPIRY-2")["verdict"] == "broken"
    codes = {message["text"].split()[1] for message in messages}
    assert len(codes) > 50
    assert len(cards) > 50
    whole = {server.token, *codes}
    whole |= {card[key] for card in cards for key in ("pan", "passphrase")}
    files = ["results.json", "junit.xml", "summary.md"]
    written = [(done.folder / name).read_text() for name in files] + [done.out, done.err]
    assert all(len(text) > 100 for text in written[:4])
    assert not [secret for secret in whole for text in written if secret in text]
    report = (done.folder / "report.html").read_text()
    assert not [card["pan"] for card in cards if card["pan"] in report]
    texts = " ".join(
        str(exchange[key])
        for rule in done.results["rules"]
        for one in rule["evidence"]
        for exchange in one["exchanges"]
        for key in ("request", "answer")
    )
    assert '"otc":"•••"' in texts
    assert '"csc":"•••"' in texts
    assert not [card["csc"] for card in cards if f'"{card["csc"]}"' in texts]
