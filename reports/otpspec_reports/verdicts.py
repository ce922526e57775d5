"""How verdicts are shown, and how rules are put in order."""

from collections.abc import Iterable

from otpspec.outcome import Verdict
from otpspec.results import Evidence, RuleResult
from otpspec_reports.conclusion import excused, mended

SYMBOLS: dict[Verdict, str] = {
    Verdict.PASSED: "✓",
    Verdict.BROKEN: "✗",
    Verdict.NOT_APPLICABLE: "-",
    Verdict.INCONCLUSIVE: "?",
}

WORDS: dict[Verdict, str] = {verdict: verdict.value.replace("_", " ") for verdict in Verdict}

URGENCY = (Verdict.BROKEN, Verdict.INCONCLUSIVE, Verdict.NOT_APPLICABLE, Verdict.PASSED)
"""The verdicts, what needs a reader's eye first."""


def words(rule: RuleResult) -> str:
    """A rule's verdict in words: "broken, known" where that does not fail the run."""
    word = WORDS[rule.verdict]
    return f"{word}, known" if excused(rule) or mended(rule) else word


def why_known(rule: RuleResult) -> str:
    """Why a rule is known to be broken, and how long it may be; empty where nothing hangs on it."""
    if rule.known is None or not (excused(rule) or rule.known.fault):
        return ""
    until = f" (until {rule.known.until})" if rule.known.until else ""
    return rule.known.reason + until


def family(rule_id: str) -> str:
    """The family of a rule is what its id begins with: EXPIRY of EXPIRY-2."""
    return rule_id.rpartition("-")[0] or rule_id


def by_family(rules: Iterable[RuleResult]) -> dict[str, list[RuleResult]]:
    """The rules by family; families and rules in the order in which they came."""
    families: dict[str, list[RuleResult]] = {}
    for rule in rules:
        families.setdefault(family(rule.id), []).append(rule)
    return families


def urgent_first(evidence: Iterable[Evidence]) -> list[Evidence]:
    """What broke the rule first, then what could not be judged; else in the order it came."""
    return sorted(evidence, key=lambda one: URGENCY.index(one.verdict))


def against(rule: RuleResult) -> list[Evidence]:
    """The evidence that bears out the rule's verdict, each finding once."""
    found: dict[tuple[str, str, str], Evidence] = {}
    for one in rule.evidence:
        if one.verdict is rule.verdict:
            found.setdefault((one.expected, one.got, one.replay), one)
    return list(found.values())
