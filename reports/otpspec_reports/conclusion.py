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

    *Broken* if a MUST rule is (or a SHOULD rule in a strict run, or one with a declared limit) and
    that is not known, or if what is known of a rule is no longer true. *Nothing was checked* if no
    rule came to a verdict of its own. *Inconclusive* if a rule is, if the run was interrupted, or
    if a rule of the policy's core is not applicable and not waived. Else *conformant*.
    """
    conclusion = _conclusion(results)
    return Summary(
        conclusion=conclusion,
        headline=_headline(conclusion, results),
        tally=_tally(results),
        caveats=_caveats(results, conclusion),
    )


def fails(rule: RuleResult, *, strict: bool) -> bool:
    """Whether a rule, as it came out, makes the run fail: a SHOULD rule only in a strict run.

    Unless it holds the target to a limit that the user has declared: who names one wants it kept.

    A rule whose known failure is at fault does always: the file that says so is no longer true.
    """
    return bool(fault(rule)) or (
        _counts(rule) and (strict or rule.level == "MUST" or rule.declared)
    )


def excused(rule: RuleResult) -> bool:
    """Whether a rule is broken, but known to be, so that it does not fail the run."""
    return rule.verdict is Verdict.BROKEN and rule.known is not None and not rule.known.fault


def mended(rule: RuleResult) -> bool:
    """Whether a rule passes that is known to be broken."""
    return rule.verdict is Verdict.PASSED and bool(fault(rule))


def fault(rule: RuleResult) -> str:
    """Why what is known of a rule fails the run; empty where it does not."""
    return rule.known.fault if rule.known is not None else ""


def _counts(rule: RuleResult) -> bool:
    return rule.verdict is Verdict.BROKEN and not excused(rule)


def unwaived(results: Results) -> list[RuleResult]:
    """The rules of the policy's core that were not checked, and that nobody waived."""
    return [
        rule
        for rule in results.rules
        if rule.verdict is Verdict.NOT_APPLICABLE and rule.core and not rule.waived
    ]


def lost_workers(results: Results) -> str:
    """What a load run lacks because workers of it were lost; empty where none was."""
    workers = results.load.workers if results.load else []
    lost = [str(worker.number) for worker in workers if worker.lost_s is not None]
    if not lost:
        return ""
    if len(lost) == 1:
        return f"not whole: worker {lost[0]} was lost, and what it asked last is in no figure"
    return f"not whole: workers {', '.join(lost)} were lost; what they asked last is in no figure"


def _conclusion(results: Results) -> Conclusion:
    if any(fails(rule, strict=results.strict) for rule in results.rules):
        return Conclusion.BROKEN
    if all(rule.verdict is Verdict.NOT_APPLICABLE for rule in results.rules):
        return Conclusion.NOTHING_CHECKED
    if results.count(Verdict.INCONCLUSIVE) or not results.complete or unwaived(results):
        return Conclusion.INCONCLUSIVE
    return Conclusion.CONFORMANT


def _headline(conclusion: Conclusion, results: Results) -> str:
    match conclusion:
        case Conclusion.BROKEN:
            return _what_fails(results)
        case Conclusion.CONFORMANT if known := sum(map(excused, results.rules)):
            return f"conformant, with {known} known failure{'s' if known > 1 else ''}"
        case Conclusion.NOTHING_CHECKED:
            return "nothing was checked"
        case _:
            return conclusion.value


def _what_fails(results: Results) -> str:
    broken = [rule for rule in results.rules if _counts(rule)]
    again = sum(map(mended, results.rules))
    parts = []
    if any(fails(rule, strict=results.strict) for rule in broken):
        parts.append("1 rule broken" if len(broken) == 1 else f"{len(broken)} rules broken")
    if again:
        parts.append(f"{again} known failure{'s pass' if again > 1 else ' passes'} again")
    return ", ".join(parts)


def _tally(results: Results) -> str:
    counts = {"SHOULD": len(_broken_should(results)), "known": sum(map(excused, results.rules))}
    among = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
    return (
        f"{results.count(Verdict.PASSED)} passed, "
        f"{results.count(Verdict.BROKEN)} broken{f' ({among})' if among else ''}, "
        f"{results.count(Verdict.NOT_APPLICABLE)} not applicable, "
        f"{results.count(Verdict.INCONCLUSIVE)} inconclusive"
    )


def _caveats(results: Results, conclusion: Conclusion) -> list[str]:
    caveats = []
    if not results.complete:
        caveats.append(lost_workers(results) or INTERRUPTED)
    if conclusion is Conclusion.NOTHING_CHECKED:
        caveats.append("no rule came to a verdict, so this says nothing about the target")
    if missing := unwaived(results):
        caveats.append(
            f"{_ids(missing)}: not applicable and not waived, though the policy's core asks for it"
        )
    if should := [r for r in _broken_should(results) if not fails(r, strict=results.strict)]:
        caveats.append(f"{_ids(should)}: broken, but a SHOULD; it fails a run only with --strict")
    if known := list(filter(excused, results.rules)):
        caveats.append(f"{_ids(known)}: broken, but known; it does not fail the run")
    return caveats + [f"{rule.id}: {why}" for rule in results.rules if (why := fault(rule))]


def _broken_should(results: Results) -> list[RuleResult]:
    return [rule for rule in results.rules if _counts(rule) and rule.level != "MUST"]


def _ids(rules: list[RuleResult]) -> str:
    return ", ".join(rule.id for rule in rules)
