"""From what a load run has seen to a verdict for each rule that its traffic can show."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from otpspec.load import slo
from otpspec.load.card import RacedTold, Told
from otpspec.load.recorder import Broken, Contradiction, Recorder
from otpspec.outcome import SUCCESS, Verdict
from otpspec.power import share_seen
from otpspec.profile import Profile
from otpspec.redact import Redactor
from otpspec.results import Evidence, Exchange, Objective, RuleResult
from otpspec.rules import RULES

MINIMUM = 10
"""So many answers must have been able to break a rule before it is called kept."""

MINIMUM_OF = {"LOAD-1": 100, "LOAD-2": 50}
"""Where it is another number. LOAD-1's chances are all judged answers."""

_TRIED = (
    *("VERIFY-1", "VERIFY-2", "EXPIRY-1", "EXPIRY-2", "LOCKOUT-1", "LOCKOUT-2", "LOCKOUT-7"),
    *("ISSUE-5", "CSC-1", "CSC-2", "CSC-6", "REPLAY-1", "BINDING-1", "RESEND-1"),
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
SURE = 0.95
"""How surely a race would have been seen that shows as often as its verdict says."""


def rule_results(
    recorder: Recorder,
    profile: Profile,
    *,
    untimed: str = "",
    objectives: Sequence[Objective] = (),
) -> list[RuleResult]:
    """The verdicts, in the catalogue's order.

    `untimed`: why no rule about time can be judged; empty where it can. `objectives`: what the
    declared limits came to.
    """
    broken = {r: b for r, b in recorder.broken.items() if not (untimed and _is_timed(r))}
    found = {
        "LOAD-1": _everything(recorder, broken, profile),
        "LOAD-2": _fails_closed(recorder, profile),
        "LOAD-3": slo.rule_result(objectives),
    }
    for rule in recorder.races.rules:
        found[rule] = _of_race(rule, recorder, profile)
    seen = {rule for rule, count in recorder.chances.items() if count >= MINIMUM}
    for rule in ({*_TRIED, *seen, *recorder.broken} & RULES.keys()) - found.keys():
        if untimed and _is_timed(rule):
            found[rule] = result(rule, Verdict.INCONCLUSIVE, untimed, recorder.chances[rule])
        else:
            found[rule] = _of_rule(rule, recorder, profile)
    return [found[rule] for rule in RULES if rule in found]


def _is_timed(rule: str) -> bool:
    """Whether a verdict on the rule leans on the target's clock."""
    return rule.startswith("EXPIRY-") or rule in ("RESEND-3", "LOCKOUT-6")


def _of_rule(rule: str, recorder: Recorder, profile: Profile) -> RuleResult:
    chances = recorder.chances[rule]
    lacking = _lacking(rule, profile)
    if (broken := _of_broken(rule, recorder, profile)) is not None:
        return broken
    if lacking:
        return result(rule, Verdict.NOT_APPLICABLE, lacking, chances)
    return _counted(rule, chances)


def _of_broken(rule: str, recorder: Recorder, profile: Profile) -> RuleResult | None:
    broken = recorder.broken.get(rule)
    if broken is None:
        return None
    answers = "1 answer" if broken.count == 1 else f"{broken.count} answers"
    reason = f"{answers} broke it: {broken.first.observation.headline}"
    evidence = list(_evidence(broken, profile))
    return result(rule, Verdict.BROKEN, reason, recorder.chances[rule], evidence)


def _of_race(rule: str, recorder: Recorder, profile: Profile) -> RuleResult:
    """A rule about requests that meet: a race counts only where they are proved to have met."""
    races, chances = recorder.races.rules[rule], recorder.chances[rule]
    measured = {"races": f"{races.races}, {races.proven} of them with proven overlap"}
    if races.proven:
        share = 100 * share_seen(races.proven, SURE)
        measured["overlap"] = str(races)
        measured["power"] = (
            f"a race that shows in {share:.2g} % of rounds would have been seen with "
            f"{100 * SURE:g} % probability"
        )
    if (broken := _of_broken(rule, recorder, profile)) is not None:
        first, *others = broken.evidence
        told = msgspec.structs.replace(first, measured=measured)
        return msgspec.structs.replace(broken, evidence=[told, *others])
    counted = _counted(rule, chances, "races with proven overlap")
    reason = counted.reason
    if reason and races.why_not:
        why, times = max(races.why_not.items(), key=lambda item: item[1])
        reason += f"; of {races.races - races.proven} without it {times} because {why}"
    if reason and races.unknown:
        reason += f"; {races.unknown} could not be judged within the budget of the judge"
    evidence = Evidence(scenario="load", verdict=counted.verdict, measured=measured)
    return msgspec.structs.replace(counted, reason=reason, evidence=[evidence])


def _counted(rule: str, chances: int, what: str = "answers") -> RuleResult:
    """Passed, if it was tried often enough."""
    least = MINIMUM_OF.get(rule, MINIMUM)
    if chances >= least:
        return result(rule, Verdict.PASSED, "", chances)
    reason = (
        f"{chances} {what} could have broken it, and {least} are the least that says something: "
        f"{least - chances} more"
    )
    return result(rule, Verdict.INCONCLUSIVE, reason, chances)


def _lacking(rule: str, profile: Profile) -> str:
    need = _NEEDS.get(rule)
    if need == "csc" and profile.policy.csc == "never":
        return 'the profile says policy.csc = "never"'
    if need in ("unlock", "resend") and need not in profile.operations:
        return f"the profile has no [operations.{need}]"
    return ""


def _everything(recorder: Recorder, broken: Mapping[str, Broken], profile: Profile) -> RuleResult:
    """LOAD-1: no answer contradicted the rules that one user's traffic can show."""
    broken = {rule: one for rule, one in broken.items() if not rule.startswith("RACE-")}
    if not broken:
        return _counted("LOAD-1", recorder.judged)
    counts = sorted(broken.items(), key=lambda item: -item[1].count)
    total = sum(one.count for _, one in counts)
    told = ", ".join(f"{rule} ({one.count})" for rule, one in counts)
    reason = f"{total} of {recorder.judged} judged answers broke a rule: {told}"
    first = min((b.first for _, b in counts), key=lambda c: c.history[-1].called)
    evidence = [_shown(first, profile, "the first that was seen")]
    return result("LOAD-1", Verdict.BROKEN, reason, recorder.judged, evidence)


def _fails_closed(recorder: Recorder, profile: Profile) -> RuleResult:
    """LOAD-2: nothing wrong was let through. How busy the target was meanwhile belongs to it."""
    most = recorder.most_in_flight
    measured = {"in flight": f"at least {most} requests at once, at the busiest moment seen"}
    if not recorder.let_through:
        counted = _counted("LOAD-2", recorder.guarded)
        evidence = [Evidence(scenario="load", verdict=counted.verdict, measured=measured)]
        return msgspec.structs.replace(counted, evidence=evidence)
    reason = f"{recorder.let_through} of {recorder.guarded} wrong OTCs and 3CSCs were approved"
    rules = ("VERIFY-2", "CSC-2", "CSC-5", "BINDING-1", "BINDING-2", "RESEND-1")
    shown = [recorder.broken[rule].worst for rule in rules if rule in recorder.broken]
    evidence = [
        msgspec.structs.replace(_shown(one, profile, "one of them"), measured=measured)
        for one in shown[:1]
    ]
    return result("LOAD-2", Verdict.BROKEN, reason, recorder.guarded, evidence)


def result(
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
        contradiction=_contradicting(history),
        releases_s=_releases(history, began),
    )


def _contradicting(history: Sequence[Told]) -> list[int]:
    """The last answer; and where it belongs to a race, what was let through in it."""
    last = len(history) - 1
    if not isinstance(history[last], RacedTold):
        return [last]
    through = [n for n, told in enumerate(history) if isinstance(told, RacedTold)]
    return [n for n in through if history[n].outcomes & SUCCESS] or through


def _releases(history: Sequence[Told], began: float) -> list[float]:
    """When the requests of a race were released: the first of them."""
    found = [t.released for t in history if isinstance(t, RacedTold) and t.released is not None]
    return [round(min(found) - began, 5)] if found else []


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
        lane=told.lane if isinstance(told, RacedTold) else "",
        unanswered_s=round(told.silent_until - began, 5) if isinstance(told, RacedTold) else None,
    )
