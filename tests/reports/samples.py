"""Results as real runs leave them, to make every page of."""

from typing import Any

import msgspec

from otpspec.outcome import Verdict
from otpspec.policy import Policy
from otpspec.results import (
    Environment,
    Evidence,
    Exchange,
    Results,
    RuleResult,
    Target,
)

from .load_samples import load

PASSED, BROKEN = Verdict.PASSED, Verdict.BROKEN
NOT_APPLICABLE, INCONCLUSIVE = Verdict.NOT_APPLICABLE, Verdict.INCONCLUSIVE

SAFEKEY = 'SafeKey: "valid only for 10 minutes"'

EXPIRY_2_SOURCES = [SAFEKEY, "OWASP ASVS 5.0 6.5.5", "NIST SP 800-63B-4"]


def exchange(
    at: float = 0.0,
    *,
    took: float = 0.004,
    operation: str = "verify",
    status: int | None = 200,
    outcomes: tuple[str, ...] = ("approved",),
    request: str = 'POST /transactions/7f3a/verify {"otc": "•••482"}',
    answer: str = '{"status": "approved"}',
) -> Exchange:
    """One request and its answer."""
    return Exchange(
        operation=operation,
        request=request,
        status=status,
        answer=answer,
        outcomes=list(outcomes),
        called_s=at,
        returned_s=at + took,
    )


def started(at: float = 0.0) -> Exchange:
    """A transaction started."""
    return exchange(
        at,
        took=0.012,
        operation="start",
        status=201,
        outcomes=("done",),
        request='POST /transactions {"card": "•••• 0017", "amount": "49.90"}',
        answer='{"id": "7f3a", "sent_to": "•••• 42"}',
    )


def denied(at: float, *, took: float = 0.004) -> Exchange:
    """A wrong code denied."""
    return exchange(
        at,
        took=took,
        status=403,
        outcomes=("wrong_otc",),
        answer='{"error": "wrong_otc", "left": 2}',
    )


def rule(
    id: str = "EXPIRY-2",
    verdict: Verdict = PASSED,
    statement: str = "the right code is refused after its validity (10 minutes)",
    **more: Any,
) -> RuleResult:
    """A rule that came to a verdict."""
    if verdict is not PASSED:
        more.setdefault("reason", f"it is {verdict.value} for a reason")
    return RuleResult(
        **{
            "id": id,
            "level": "MUST",
            "statement": statement,
            "sources": [SAFEKEY],
            "verdict": verdict,
            **more,
        }
    )


def expiry_2() -> RuleResult:
    """The broken rule of STYLE.md's example."""
    return rule(
        verdict=BROKEN,
        reason="approved 601.0 s after it was sent",
        sources=EXPIRY_2_SOURCES,
        core=True,
        evidence=[
            Evidence(
                scenario="conformance/test_expiry.py::"
                "test_right_code_is_refused_just_after_it_expires",
                verdict=BROKEN,
                reason="its validity ended a second ago",
                expected="refused 601.0 s after it was sent",
                got="approved (HTTP 200)",
                replay="otpspec check acs.toml -k EXPIRY-2 --seed 7",
                duration_s=0.84,
                measured={"last age accepted": "600.98 to 601.02 s", "first age refused": "none"},
                exchanges=[started(), denied(3.2), exchange(601.012)],
            )
        ],
    )


def race_2(calls: int = 32) -> RuleResult:
    """A lockout that a race breaks."""
    wrong = [
        denied(2.0 + 0.0004 * (n % 9), took=0.02 + 0.0031 * ((n * 7) % 11)) for n in range(calls)
    ]
    return rule(
        "RACE-2",
        BROKEN,
        "of k simultaneous wrong codes at most N are judged, and the card is locked after",
        sources=["RFC 4226 7.3", "GHSA-984p-xq9m-4rjw"],
        reason=f"{calls} of {calls} wrong codes were judged, where 3 may be",
        evidence=[
            Evidence(
                scenario="conformance/test_races.py::test_lock_holds_when_wrong_codes_race[32]",
                verdict=BROKEN,
                expected="at most 3 wrong codes judged, the others refused as locked",
                got=f"{calls} of {calls} judged: the count is read, then awaited, then written",
                replay="otpspec check acs.toml -k RACE-2 --seed 7",
                duration_s=2.31,
                measured={"in flight at once": str(calls), "spread of the release": "1.8 ms"},
                exchanges=[started(), *wrong, exchange(2.4)],
            )
        ],
    )


def race_1() -> RuleResult:
    """A race whose overlap was not proved."""
    return rule(
        "RACE-1",
        INCONCLUSIVE,
        "of k simultaneous right codes at most one is accepted",
        reason="the calls did not overlap: at most 1 of 8 was in flight at once",
        evidence=[
            Evidence(
                scenario="conformance/test_races.py::test_one_code_buys_one_thing",
                verdict=INCONCLUSIVE,
                reason="the calls did not overlap: at most 1 of 8 was in flight at once",
                expected="8 verifications in flight at once",
                got="1 in flight at once, 7 queued by the target",
                replay="otpspec check acs.toml -k RACE-1 --seed 7",
                duration_s=1.12,
                exchanges=[
                    started(),
                    exchange(1.0),
                    exchange(
                        1.005, status=503, outcomes=("unavailable",), answer="upstream timed out"
                    ),
                    exchange(
                        1.02, took=5.0, status=None, outcomes=("unknown",), answer="timed out (5 s)"
                    ),
                ],
            )
        ],
    )


_PASSED = {
    "ISSUE-1": "a fresh code is made for every transaction",
    "ISSUE-2": "codes have the declared digits, at least 6 (20 bits), and are unpredictable",
    "ISSUE-3": "the code is never in a response to the payer (body, header, HTML comment)",
    "ISSUE-5": "a locked card gets no new code",
    "DELIVER-1": "the code goes to the registered contact only, whatever the request says",
    "DELIVER-2": "the answer to start shows only the last digits of the contact",
    "VERIFY-1": "the right code is accepted",
    "VERIFY-2": "a wrong code is denied and may be tried again",
    "VERIFY-3": "nothing is accepted before a code was issued",
    "EXPIRY-1": "the right code is accepted until T",
    "EXPIRY-3": "wrong tries, reads and refusals do not extend a code's life",
    "EXPIRY-4": "an expired transaction cannot be revived: it is started again",
    "LOCKOUT-1": "N wrong codes lock the card: the right one is refused then",
    "LOCKOUT-2": "N-1 wrong codes do not lock",
    "LOCKOUT-3": "the count spans transactions and sessions of a card",
    "LOCKOUT-4": "the lock holds on every endpoint (start, resend, verify)",
    "LOCKOUT-9": "other cards are not locked",
    "LOCKOUT-10": "a locked card's answer does not tell a right code from a wrong one",
    "REPLAY-1": "a used code is refused",
    "REPLAY-2": "also later, and in other spellings",
    "BINDING-1": "a code works for its own transaction only: same card, other card, other session",
    "RESEND-1": "the earlier code dies at a resend",
    "RESEND-2": "a resend does not zero the count",
    "INPUT-1": "missing, empty, null, lists and true in place of the code are never approved",
    "INPUT-2": "too short, too long and prefixes are refused",
    "INPUT-3": "leading zeros count",
}


def passed(id: str) -> RuleResult:
    """A rule that holds, with what was seen of it."""
    scenario = f"conformance/test_{id.partition('-')[0].lower()}.py::test_{id.lower()}"
    seen = Evidence(
        scenario=scenario.replace("-", "_"),
        verdict=PASSED,
        replay=f"otpspec check acs.toml -k {id} --seed 7",
        duration_s=0.4,
        exchanges=[started(), denied(0.4), denied(0.8), exchange(1.2)],
    )
    return rule(id, PASSED, _PASSED[id], core=True, evidence=[seen])


def not_applicable() -> list[RuleResult]:
    """Rules that the target gives no way to check; the core's are waived."""
    no_csc = "the profile has no 3CSC: set target.verify.csc"
    return [
        rule("CSC-1", NOT_APPLICABLE, "a wrong 3CSC voids the transaction", reason=no_csc,
             core=True, waived="the bank asks for no 3CSC on this channel"),
        rule("CSC-2", NOT_APPLICABLE, "where asked for, both OTC and 3CSC must be right",
             reason=no_csc, core=True, waived="the bank asks for no 3CSC on this channel"),
        rule("CONTACT-3", NOT_APPLICABLE, "the next code goes to the new contact, none to the old",
             reason="the profile has no operation change_contact"),
    ]  # fmt: skip


def load_rules() -> list[RuleResult]:
    """What a load run says of the rules."""
    return [
        rule("LOAD-1", PASSED, "every rule above holds for every answer at the declared rate",
             chances=18_204),
        rule("LOAD-2", PASSED, "overload and errors fail closed", chances=3_120),
        rule("LOAD-3", INCONCLUSIVE, "p99 and error budget as declared, at the declared rate",
             level="SHOULD", reason="12 chances, and 100 are needed", chances=12),
    ]  # fmt: skip


def results(rules: list[RuleResult] | None = None, **more: Any) -> Results:
    """What a run found out; by default one that conforms."""
    given: dict[str, Any] = {
        "otpspec_version": "0.1.0",
        "command": "otpspec check acs.toml --seed 7",
        "started": "2026-03-02T09:14:05+00:00",
        "duration_s": 12.4,
        "complete": True,
        "seed": 7,
        "target": Target(
            name="acs-staging",
            profile="acs.toml",
            base_url="http://127.0.0.1:8080",
            clock="http: the target's own, moved by its test hook",
        ),
        "policy": msgspec.json.decode(msgspec.json.encode(Policy())),
        "environment": Environment(
            python="3.11.7",
            platform="Linux 6.1 x86_64",
            cpus=4,
            packages={"locust": "2.43.1", "httpx": "0.28.1", "pytest": "9.2.0"},
        ),
        "rules": [passed("EXPIRY-1"), passed("LOCKOUT-1")] if rules is None else rules,
    }
    return Results(**{**given, **more})


def everything(**more: Any) -> Results:
    """A run with each verdict, a waiver, a broken SHOULD, and load."""
    ids = list(_PASSED)
    at = ids.index("EXPIRY-3")
    should = rule("ISSUE-4", BROKEN, "starts per card are limited, as declared", level="SHOULD",
                  reason="1,000 starts in a row were carried out")  # fmt: skip
    rules = [
        *map(passed, ids[:3]), should, *map(passed, ids[3:at]), expiry_2(),
        *map(passed, ids[at:]), *not_applicable(), race_1(), race_2(), *load_rules(),
    ]  # fmt: skip
    return results(rules, **{"load": load(), **more})


def poisoned(original: Results, text: str) -> Results:
    """The same results with this text in every text field, and in every key."""

    def poison(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            free = key in {"policy", "packages", "measured", "behaviours", "outcomes"}
            pairs = enumerate(value.items())
            return {(f"{text}{n}" if free else k): poison(v, k) for n, (k, v) in pairs}
        if isinstance(value, list):
            return [poison(one, key) for one in value]
        return text if isinstance(value, str) and key != "verdict" else value

    return msgspec.convert(poison(msgspec.to_builtins(original)), Results)
