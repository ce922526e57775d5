"""From what a load run has seen to a verdict for each rule that its traffic can show."""

from collections.abc import Iterator, Mapping

from otpspec.load.card import Told
from otpspec.load.recorder import Broken, Contradiction, Recorder
from otpspec.outcome import Verdict
from otpspec.profile import Profile
from otpspec.redact import Redactor
from otpspec.results import Evidence, Exchange, RuleResult
from otpspec.rules import RULES

MINIMUM = 10
"""So many answers must have been able to break a rule before it is called kept."""

MINIMUM_OF = {"LOAD-1": 100, "LOAD-2": 50}
"""Where it is another number. LOAD-1's chances are all judged answers."""

_TRIED = (
    *("VERIFY-1", "VERIFY-2", "EXPIRY-2", "LOCKOUT-1", "LOCKOUT-2", "LOCKOUT-7", "ISSUE-5"),
    *("CSC-1", "CSC-2", "CSC-6", "REPLAY-1", "BINDING-1", "RESEND-1"),
)
"""What the shipped behaviours try: reported also where a run had no chance to see it."""

_NEEDS = {
    "CSC-1": "csc",
    "CSC-2": "csc",
    "CSC-6": "csc",
    "LOCKOUT-7": "unlock",
    "RESEND-1": "resend",
}
_MAX_TEXT = 400


def rule_results(recorder: Recorder, profile: Profile, *, untimed: str = "") -> list[RuleResult]:
    """The verdicts, in the catalogue's order.

    `untimed`: why no rule about time can be judged; empty where it can.
    """
    broken = {r: b for r, b in recorder.broken.items() if not (untimed and _is_timed(r))}
    found = {
        "LOAD-1": _everything(recorder, broken, profile),
        "LOAD-2": _fails_closed(recorder, profile),
    }
    seen = {rule for rule, count in recorder.chances.items() if count >= MINIMUM}
    for rule in {*_TRIED, *seen, *recorder.broken} & RULES.keys():
        if untimed and _is_timed(rule):
            found[rule] = _result(rule, Verdict.INCONCLUSIVE, untimed, recorder.chances[rule])
        else:
            found[rule] = _of_rule(rule, recorder, profile)
    return [found[rule] for rule in RULES if rule in found]


def _is_timed(rule: str) -> bool:
    """Whether a verdict on the rule leans on the target's clock."""
    return rule.startswith("EXPIRY-") or rule in ("RESEND-3", "LOCKOUT-6")


def _of_rule(rule: str, recorder: Recorder, profile: Profile) -> RuleResult:
    chances = recorder.chances[rule]
    lacking = _lacking(rule, profile)
    if rule in recorder.broken:
        broken = recorder.broken[rule]
        answers = "1 answer" if broken.count == 1 else f"{broken.count} answers"
        reason = f"{answers} broke it: {broken.first.observation.headline}"
        evidence = list(_evidence(broken, profile))
        return _result(rule, Verdict.BROKEN, reason, chances, evidence)
    if lacking:
        return _result(rule, Verdict.NOT_APPLICABLE, lacking, chances)
    return _counted(rule, chances)


def _counted(rule: str, chances: int) -> RuleResult:
    """Passed, if it was tried often enough."""
    least = MINIMUM_OF.get(rule, MINIMUM)
    if chances >= least:
        return _result(rule, Verdict.PASSED, "", chances)
    reason = (
        f"{chances} answers could have broken it, and {least} are the least that says something"
    )
    return _result(rule, Verdict.INCONCLUSIVE, reason, chances)


def _lacking(rule: str, profile: Profile) -> str:
    need = _NEEDS.get(rule)
    if need == "csc" and profile.policy.csc == "never":
        return 'the profile says policy.csc = "never"'
    if need in ("unlock", "resend") and need not in profile.operations:
        return f"the profile has no [operations.{need}]"
    return ""


def _everything(recorder: Recorder, broken: Mapping[str, Broken], profile: Profile) -> RuleResult:
    """LOAD-1: no answer contradicted the rules."""
    if not broken:
        return _counted("LOAD-1", recorder.judged)
    counts = sorted(broken.items(), key=lambda item: -item[1].count)
    total = sum(one.count for _, one in counts)
    told = ", ".join(f"{rule} ({one.count})" for rule, one in counts)
    reason = f"{total} of {recorder.judged} judged answers broke a rule: {told}"
    first = min((b.first for _, b in counts), key=lambda c: c.history[-1].called)
    evidence = [_shown(first, profile, "the first that was seen")]
    return _result("LOAD-1", Verdict.BROKEN, reason, recorder.judged, evidence)


def _fails_closed(recorder: Recorder, profile: Profile) -> RuleResult:
    """LOAD-2: nothing wrong was let through."""
    if not recorder.let_through:
        return _counted("LOAD-2", recorder.guarded)
    reason = f"{recorder.let_through} of {recorder.guarded} wrong OTCs and 3CSCs were approved"
    rules = ("VERIFY-2", "CSC-2", "CSC-5", "BINDING-1", "BINDING-2", "RESEND-1")
    shown = [recorder.broken[rule].worst for rule in rules if rule in recorder.broken]
    evidence = [_shown(one, profile, "one of them") for one in shown[:1]]
    return _result("LOAD-2", Verdict.BROKEN, reason, recorder.guarded, evidence)


def _result(
    rule_id: str,
    verdict: Verdict,
    reason: str,
    chances: int,
    evidence: list[Evidence] | None = None,
) -> RuleResult:
    rule = RULES[rule_id]
    return RuleResult(
        id=rule.id,
        level=rule.level,
        statement=rule.statement,
        sources=list(rule.sources),
        verdict=verdict,
        reason=reason,
        chances=chances,
        evidence=evidence or [],
    )


def _evidence(broken: Broken, profile: Profile) -> Iterator[Evidence]:
    yield _shown(broken.first, profile, "the first that was seen")
    if broken.worst is not broken.first:
        yield _shown(broken.worst, profile, "the worst that was seen")


def _shown(found: Contradiction, profile: Profile, which: str) -> Evidence:
    """A card's history up to the answer that broke the rule, redacted."""
    redact = Redactor()
    redact.learn(*found.secrets, *profile.secrets)
    seen, history = found.observation, found.history
    began = history[0].called
    return Evidence(
        scenario="load",
        verdict=Verdict.BROKEN,
        reason=f"{seen.rule}: {which}",
        expected=redact(f"{' or '.join(seen.expected)}: {seen.because}"),
        got=f"{' or '.join(seen.got)} (HTTP {history[-1].status})",
        duration_s=round(history[-1].returned - began, 3),
        exchanges=[_exchange(told, began, redact) for told in history],
        contradiction=[len(history) - 1],
    )


def _exchange(told: Told, began: float, redact: Redactor) -> Exchange:
    request = told.request
    body = request.body.decode("utf-8", "replace")
    return Exchange(
        operation=request.operation,
        request=redact(f"{request.method} {request.target} {body}").rstrip()[:_MAX_TEXT],
        status=told.status,
        answer=redact(told.text.decode("utf-8", "replace"))[:_MAX_TEXT],
        outcomes=[] if told.status is None else sorted(told.outcomes),
        called_s=round(told.called - began, 4),
        returned_s=round(told.returned - began, 4),
    )
