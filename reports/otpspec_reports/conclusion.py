"""What a run came to as a whole: the command's exit code and every report's headline."""

from dataclasses import dataclass
from enum import StrEnum

from otpspec.outcome import Verdict
from otpspec.results import Results, RuleResult


class Conclusion(StrEnum):
    """What a run says of its target."""

    CONFORMANT = "conformant"
    BROKEN = "broken"
    INCONCLUSIVE = "inconclusive"
    NOTHING_CHECKED = "nothing_checked"


@dataclass(frozen=True, kw_only=True)
class Summary:
    """A conclusion in words."""

    conclusion: Conclusion
    headline: str  # "2 rules broken"
    tally: str  # "21 passed, 2 broken, 3 not applicable, 0 inconclusive"
    caveats: list[str]  # what keeps the headline from being the whole story

    @property
    def line(self) -> str:
        """Headline and tally: how a run closes."""
        return f"{self.headline}: {self.tally}"


INTERRUPTED = "interrupted: holds what was measured so far"


def conclude(results: Results) -> Summary:
    """Sum a run up.

    *Broken* if a MUST rule is (or a SHOULD rule in a strict run). *Nothing was checked* if no rule
    came to a verdict of its own. *Inconclusive* if a rule is, if the run was interrupted, or if a
    rule of the policy's core is not applicable and not waived. Else *conformant*.
    """
    conclusion = _conclusion(results)
    return Summary(
        conclusion=conclusion,
        headline=_headline(conclusion, results.count(Verdict.BROKEN)),
        tally=_tally(results),
        caveats=_caveats(results, conclusion),
    )


def fails(rule: RuleResult, *, strict: bool) -> bool:
    """Whether a rule, as it came out, makes the run fail: a SHOULD rule only in a strict run."""
    return rule.verdict is Verdict.BROKEN and (strict or rule.level == "MUST")


def unwaived(results: Results) -> list[RuleResult]:
    """The rules of the policy's core that were not checked, and that nobody waived."""
    return [
        rule
        for rule in results.rules
        if rule.verdict is Verdict.NOT_APPLICABLE and rule.core and not rule.waived
    ]


def _conclusion(results: Results) -> Conclusion:
    if any(fails(rule, strict=results.strict) for rule in results.rules):
        return Conclusion.BROKEN
    if all(rule.verdict is Verdict.NOT_APPLICABLE for rule in results.rules):
        return Conclusion.NOTHING_CHECKED
    if results.count(Verdict.INCONCLUSIVE) or not results.complete or unwaived(results):
        return Conclusion.INCONCLUSIVE
    return Conclusion.CONFORMANT


def _headline(conclusion: Conclusion, broken: int) -> str:
    match conclusion:
        case Conclusion.BROKEN:
            return "1 rule broken" if broken == 1 else f"{broken} rules broken"
        case Conclusion.NOTHING_CHECKED:
            return "nothing was checked"
        case _:
            return conclusion.value


def _tally(results: Results) -> str:
    should = len(_broken_should(results))
    broken = f"{results.count(Verdict.BROKEN)} broken" + (f" ({should} SHOULD)" if should else "")
    return (
        f"{results.count(Verdict.PASSED)} passed, {broken}, "
        f"{results.count(Verdict.NOT_APPLICABLE)} not applicable, "
        f"{results.count(Verdict.INCONCLUSIVE)} inconclusive"
    )


def _caveats(results: Results, conclusion: Conclusion) -> list[str]:
    caveats = []
    if not results.complete:
        caveats.append(INTERRUPTED)
    if conclusion is Conclusion.NOTHING_CHECKED:
        caveats.append("no rule came to a verdict, so this says nothing about the target")
    if missing := unwaived(results):
        caveats.append(
            f"{_ids(missing)}: not applicable and not waived, though the policy's core asks for it"
        )
    if (should := _broken_should(results)) and not results.strict:
        caveats.append(f"{_ids(should)}: broken, but a SHOULD; it fails a run only with --strict")
    return caveats


def _broken_should(results: Results) -> list[RuleResult]:
    return [r for r in results.rules if r.verdict is Verdict.BROKEN and r.level != "MUST"]


def _ids(rules: list[RuleResult]) -> str:
    return ", ".join(rule.id for rule in rules)
