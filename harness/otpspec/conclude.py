"""From what scenarios came to, to a verdict for each rule and an exit code."""

import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import metadata

import msgspec

from otpspec import results
from otpspec.outcome import Verdict
from otpspec.profile import Profile
from otpspec.redact import Redactor
from otpspec.rules import RULES, Rule
from otpspec.runner import Finished
from otpspec.target import Answer

MAX_EXCHANGES = 40
"""How many requests of a scenario stand in its evidence: the last ones, where it broke."""

_MAX_TEXT = 400
_WORST = (Verdict.BROKEN, Verdict.INCONCLUSIVE, Verdict.PASSED, Verdict.NOT_APPLICABLE)


@dataclass(frozen=True)
class Replay:
    """The command that runs a rule again with the same choices."""

    profile: str
    options: Sequence[str]
    seed: int

    def of(self, rule: Rule) -> str:
        """The command line."""
        words = ["otpspec check", self.profile, *self.options, f"-k {rule.id}"]
        return " ".join([*words, f"--seed {self.seed}"])


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """What several scenarios of a rule come to: broken if one is; not applicable if all are."""
    found = set(verdicts)
    return next((verdict for verdict in _WORST if verdict in found), Verdict.NOT_APPLICABLE)


def rule_results(
    finished: Sequence[Finished], profile: Profile, redact: Redactor, replay: Replay
) -> list[results.RuleResult]:
    """The verdict of each rule that a scenario was run for, in the catalogue's order."""
    by_rule: dict[str, list[Finished]] = {}
    for one in finished:
        for rule_id in one.scenario.rules:
            by_rule.setdefault(rule_id, []).append(one)
    return [
        _rule_result(rule, sorted(by_rule[rule.id], key=_id), profile, redact, replay)
        for rule in RULES.values()
        if rule.id in by_rule
    ]


def _id(finished: Finished) -> str:
    return finished.scenario.id


def _rule_result(
    rule: Rule, finished: list[Finished], profile: Profile, redact: Redactor, replay: Replay
) -> results.RuleResult:
    verdict = worst(one.verdict for one in finished)
    reasons = dict.fromkeys(one.reason for one in finished if one.verdict is verdict)
    return results.RuleResult(
        id=rule.id,
        level=rule.level,
        statement=rule.statement,
        sources=list(rule.sources),
        verdict=verdict,
        reason="" if verdict is Verdict.PASSED else "; ".join(filter(None, reasons)),
        waived=profile.waive.get(rule.id, "") if verdict is Verdict.NOT_APPLICABLE else "",
        evidence=[_evidence(one, redact, replay.of(rule)) for one in finished],
    )


def _evidence(finished: Finished, redact: Redactor, replay: str) -> results.Evidence:
    passed = finished.verdict in (Verdict.PASSED, Verdict.NOT_APPLICABLE)
    answers = finished.answers[-MAX_EXCHANGES:]
    return results.Evidence(
        scenario=finished.scenario.id.rpartition("/")[2],
        verdict=finished.verdict,
        reason=redact(finished.reason),
        expected=redact(finished.expected),
        got=redact(finished.got),
        replay="" if passed else replay,
        duration_s=round(finished.duration_s, 3),
        exchanges=[_exchange(answer, finished, redact) for answer in answers],
    )


def _exchange(answer: Answer, finished: Finished, redact: Redactor) -> results.Exchange:
    request = answer.request
    body = request.body.decode("utf-8", "replace")
    text = answer.error or answer.body.decode("utf-8", "replace")
    return results.Exchange(
        operation=answer.operation,
        request=redact(f"{request.method} {request.target} {body}").rstrip()[:_MAX_TEXT],
        status=answer.status,
        answer=redact(text)[:_MAX_TEXT],
        outcomes=sorted(answer.outcomes),
        called_s=round((answer.called - finished.began).total_seconds(), 4),
        returned_s=round((answer.returned - finished.began).total_seconds(), 4),
    )


def merge(
    first: Sequence[results.RuleResult], second: Sequence[results.RuleResult]
) -> list[results.RuleResult]:
    """Two lists of verdicts as one: of a rule that is in both, the worse verdict, all evidence."""
    merged = {rule.id: rule for rule in first}
    for rule in second:
        if (other := merged.get(rule.id)) is not None:
            verdict = worst((other.verdict, rule.verdict))
            reasons = [r.reason for r in (other, rule) if r.verdict is verdict and r.reason]
            rule = msgspec.structs.replace(
                rule,
                verdict=verdict,
                reason="; ".join(dict.fromkeys(reasons)),
                evidence=[*other.evidence, *rule.evidence],
            )
        merged[rule.id] = rule
    order = {rule_id: index for index, rule_id in enumerate(RULES)}
    return sorted(merged.values(), key=lambda rule: order.get(rule.id, len(order)))


def exit_code(
    found: results.Results, *, strict: bool = False, inconclusive_is_failure: bool = True
) -> int:
    """0 conformant, 1 a rule is broken, 3 something could not be judged.

    A run that checked nothing, and a rule of the policy's core that is not applicable and not
    waived in the profile, are never 0.
    """
    broken = [rule for rule in found.rules if rule.verdict is Verdict.BROKEN]
    if any(strict or rule.level == "MUST" for rule in broken):
        return 1
    if not broken and not found.count(Verdict.PASSED):
        return 3
    open_questions = found.count(Verdict.INCONCLUSIVE) or unwaived(found)
    return 3 if open_questions and inconclusive_is_failure else 0


def unwaived(found: results.Results) -> list[str]:
    """The rules of the core that are not applicable, and that the profile does not waive."""
    return [
        rule.id
        for rule in found.rules
        if rule.verdict is Verdict.NOT_APPLICABLE and not rule.waived and RULES[rule.id].core
    ]


def environment() -> results.Environment:
    """Where this runs."""
    names = ("otpspec", "pytest", "httpx", "locust", "msgspec")
    return results.Environment(
        python=platform.python_version(),
        platform=platform.platform(),
        cpus=os.cpu_count() or 1,
        packages={name: metadata.version(name) for name in names},
    )
