"""From what scenarios came to, to a verdict for each rule and the results of a run."""

import os
import platform
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata

import msgspec

from otpspec import results
from otpspec.outcome import Verdict
from otpspec.profile import Profile
from otpspec.redact import Redactor
from otpspec.rules import RULES, Rule
from otpspec.runner import Finished
from otpspec.target import Answer
from otpspec.verdicts import Broken

MAX_EXCHANGES = 40
"""How many requests of a scenario stand in its evidence: the last ones, where it broke; and of a
race all of the last burst besides."""

_IF_PASSED = 3  # where nothing is wrong, enough to see what was asked

_MAX_TEXT = 400
_MAX_READ = 4 * _MAX_TEXT  # redacted before it is cut, so that no half of a secret is left
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
    if "card lock" in rule.needs and profile.policy.lock_scope != "card":
        verdict = Verdict.NOT_APPLICABLE  # what one challenge shows of it is no proof for the card
    reasons = dict.fromkeys(one.reason for one in finished if one.verdict is verdict)
    return results.RuleResult(
        id=rule.id,
        level=rule.level,
        core=rule.core,
        statement=rule.statement,
        sources=list(rule.sources),
        verdict=verdict,
        reason="" if verdict is Verdict.PASSED else "; ".join(filter(None, reasons)),
        waived=profile.waive.get(rule.id, "") if verdict is Verdict.NOT_APPLICABLE else "",
        evidence=[_evidence(one, redact, replay.of(rule)) for one in finished],
    )


def _evidence(finished: Finished, redact: Redactor, replay: str) -> results.Evidence:
    passed = finished.verdict in (Verdict.PASSED, Verdict.NOT_APPLICABLE)
    answers, contradiction = _kept(finished, _IF_PASSED if passed else _most(finished))
    return results.Evidence(
        scenario=_in_short(finished.scenario.id),
        verdict=finished.verdict,
        reason=finished.reason,
        expected=finished.expected,
        got=finished.got,
        measured=finished.measured,
        replay="" if passed else replay,
        duration_s=round(finished.duration_s, 3),
        exchanges=[_exchange(answer, finished, redact) for answer in answers],
        releases_s=_releases(answers, finished),
        contradiction=contradiction,
    )


def _most(finished: Finished) -> int:
    bursts = Counter(a.flown.first for a in finished.answers if a.flown and a.flown.first)
    return MAX_EXCHANGES + (bursts[max(bursts)] if bursts else 0)


def _releases(answers: Sequence[Answer], finished: Finished) -> list[float]:
    found = {answer.flown.first for answer in answers if answer.flown and answer.flown.first}
    return sorted(_since(at, finished) for at in found)


def _since(at: datetime, finished: Finished) -> float:
    """Seconds since the scenario began."""
    return round((at - finished.began).total_seconds(), 5)


def _kept(finished: Finished, most: int) -> tuple[list[Answer], list[int]]:
    """The last answers and those that broke the rule, wherever they stand; which of them did."""
    against = finished.error.answers if isinstance(finished.error, Broken) else ()
    sent = {(id(answer.request), answer.returned) for answer in against}
    of_it = [(id(answer.request), answer.returned) in sent for answer in finished.answers]
    places = sorted(range(len(of_it)), key=lambda place: (of_it[place], place))
    kept = sorted(places[-most:])
    contradiction = [number for number, place in enumerate(kept) if of_it[place]]
    return [finished.answers[place] for place in kept], contradiction


def _in_short(node_id: str) -> str:
    """A scenario's name with its file, but without the folders; its parameters may hold a /."""
    file, colons, name = node_id.partition("::")
    return file.rpartition("/")[2] + colons + name


def _exchange(answer: Answer, finished: Finished, redact: Redactor) -> results.Exchange:
    request, flown = answer.request, answer.flown
    unanswered = flown.unanswered if flown else None
    body = request.body[:_MAX_READ].decode("utf-8", "replace")
    text = answer.error or answer.body[:_MAX_READ].decode("utf-8", "replace")
    return results.Exchange(
        operation=answer.operation,
        id=answer.id,
        request=redact(f"{request.method} {request.target} {body}").rstrip()[:_MAX_TEXT],
        status=answer.status,
        answer=redact(text)[:_MAX_TEXT],
        outcomes=sorted(answer.outcomes),
        # a request of a burst is there when it is whole, and that is drawn
        called_s=_since((flown and flown.released) or answer.called, finished),
        returned_s=_since(answer.returned, finished),
        lane=flown.lane if flown else "",
        label=answer.label,
        unanswered_s=None if unanswered is None else _since(unanswered, finished),
    )


def doubted(rules: Sequence[results.RuleResult], profile: Profile) -> list[results.RuleResult]:
    """The verdicts, without those that may come of what a card went through before.

    A race is broken by what was let through, whatever a card went through. Else, where only a
    success clears the count of the profile's own cards, and LOCKOUT-8 did not show that it does, a
    refusal may be that of a card that was used before.
    """
    known = {"enroll", "unlock"} & profile.operations.keys()
    if not profile.cards or known or profile.policy.lock_scope == "challenge":
        return list(rules)
    if profile.policy.max_wrong == 1:  # what was approved a moment ago has no wrong try to its name
        return list(rules)
    shown = any(r.id == "LOCKOUT-8" and r.verdict is Verdict.PASSED for r in rules)
    return [r if shown or r.id == "LOCKOUT-8" else _doubted(r) for r in rules]


_SUCCESS = ("approved", "done")


def _doubted(rule: results.RuleResult) -> results.RuleResult:
    broken = [e for e in rule.evidence if e.verdict is Verdict.BROKEN]
    refused = [e for e in broken if e.expected.startswith(_SUCCESS)]  # and that may be a count's
    raced = rule.id.startswith("RACE-")
    if rule.verdict is not Verdict.BROKEN or raced or len(refused) < len(broken):
        return rule
    why = (
        "its card was used before, and LOCKOUT-8 does not show that a success has cleared its count"
    )
    reason = f"{rule.reason}; but {why}" if rule.reason else why
    return msgspec.structs.replace(rule, verdict=Verdict.INCONCLUSIVE, reason=reason)


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


def document(
    profile: Profile,
    rules: list[results.RuleResult],
    *,
    command: str,
    started: datetime,
    seed: int,
    complete: bool,
    strict: bool = False,
    load: results.LoadResult | None = None,
    clock: str = "",
    version: str = "",
    notes: Sequence[str] = (),
) -> results.Results:
    """All that one run found out, with what a reader must know of the run itself."""
    where = environment()
    return results.Results(
        otpspec_version=where.packages["otpspec"],
        command=command,
        started=started.isoformat(timespec="seconds"),
        duration_s=round((datetime.now(UTC) - started).total_seconds(), 3),
        complete=complete,
        strict=strict,
        seed=seed,
        target=results.Target(
            name=profile.name,
            profile=profile.source,
            base_url=profile.base_url,
            clock=clock or profile.clock.kind,
            version=version or profile.version_text,
        ),
        policy=msgspec.json.decode(msgspec.json.encode(profile.policy)),  # as it will be read
        environment=where,
        rules=rules,
        load=load,
        notes=list(notes),
    )


def environment() -> results.Environment:
    """Where this runs."""
    names = ("otpspec", "pytest", "httpx", "locust", "msgspec")
    return results.Environment(
        python=platform.python_version(),
        platform=platform.platform(),
        cpus=os.cpu_count() or 1,
        packages={name: metadata.version(name) for name in names},
    )
