"""Results as JUnit XML, as Jenkins, GitLab and GitHub read it.

A suite is a family of rules and a case is a rule. The file is never greener than the run: what
makes a run fail without a rule of its own (it was interrupted, nothing was checked) is a case too.
"""

from xml.etree import ElementTree as ET

from otpspec.outcome import Verdict
from otpspec.results import Objective, Results, RuleResult
from otpspec_reports.conclusion import Conclusion, Summary, conclude, excused, fails, fault
from otpspec_reports.verdicts import against, by_family, why_known
from otpspec_reports.visible import one_line, visible


def render(results: Results) -> str:
    """The results as JUnit XML."""
    root = ET.Element("testsuites", name="otpspec")
    for family, rules in by_family(results.rules).items():
        suite = _suite(root, f"otpspec.{one_line(family)}", results)
        for rule in rules:
            _case(suite, rule, strict=results.strict)
    if results.load and results.load.objectives:
        suite = _suite(root, "otpspec.slo", results)
        for one in results.load.objectives:
            _objective(suite, one)
    summary = conclude(results)
    if _hidden_by_the_rules(results, summary):
        _run_case(_suite(root, "otpspec.run", results), summary)
    for suite in root:
        _count(suite, [suite])
    _count(root, list(root))
    root.set("time", f"{results.duration_s:.3f}")
    ET.indent(root)
    xml = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{xml}\n'


def _suite(root: ET.Element, name: str, results: Results) -> ET.Element:
    suite = ET.SubElement(root, "testsuite", name=name, timestamp=one_line(results.started)[:19])
    properties = ET.SubElement(suite, "properties")
    for key, value in {
        "otpspec.version": results.otpspec_version,
        "otpspec.target": results.target.name,
        "otpspec.base_url": results.target.base_url,
        "otpspec.profile": results.target.profile,
        "otpspec.seed": str(results.seed),
        "otpspec.complete": str(results.complete).lower(),
    }.items():
        ET.SubElement(properties, "property", name=key, value=one_line(value))
    return suite


def _case(suite: ET.Element, rule: RuleResult, *, strict: bool) -> None:
    failing = fails(rule, strict=strict)
    tolerated = rule.verdict is Verdict.BROKEN and not failing and not excused(rule)
    name = f"{rule.id} {rule.statement}" + (" (SHOULD, broken)" if tolerated else "")
    case = ET.SubElement(
        suite,
        "testcase",
        classname=str(suite.get("name")),
        name=one_line(name),
        time=f"{sum(one.duration_s for one in rule.evidence):.3f}",
    )
    reason = one_line(rule.reason) or "no reason was given"
    if excused(rule):  # as pytest writes what it expects to fail
        message = one_line(f"known failure: {why_known(rule)}")
        ET.SubElement(case, "skipped", message=message, type="known").text = _account(rule)
    elif tolerated:
        ET.SubElement(case, "system-out").text = f"{reason}\n{_account(rule)}"
    elif failing:
        message = one_line(fault(rule)) or reason
        kind = "known" if fault(rule) else rule.verdict.value
        failure = ET.SubElement(case, "failure", message=message, type=kind)
        failure.text = _account(rule)
    elif rule.verdict is Verdict.INCONCLUSIVE:
        error = ET.SubElement(case, "error", message=reason, type=rule.verdict.value)
        error.text = _account(rule)
    elif rule.verdict is Verdict.NOT_APPLICABLE:
        waived = f" (waived: {one_line(rule.waived)})" if rule.waived else ""
        ET.SubElement(case, "skipped", message=reason + waived)


def _objective(suite: ET.Element, one: Objective) -> None:
    """A limit that was declared for a load run; what it came to is a part of LOAD-3."""
    name = one_line(f"{one.name} at most {one.limit}")
    case = ET.SubElement(suite, "testcase", classname="otpspec.slo", name=name, time="0.000")
    told = f"measured {one.measured or 'nothing'}, of {one.requests:,} requests"
    if one.verdict is Verdict.PASSED:
        ET.SubElement(case, "system-out").text = one_line(told)
        return
    tag = "failure" if one.verdict is Verdict.BROKEN else "error"
    found = ET.SubElement(case, tag, message=one_line(one.reason), type=one.verdict.value)
    found.text = one_line(told)


def _account(rule: RuleResult) -> str:
    """What was expected, what came, and how to see it again."""
    lines = [
        ("rule", rule.statement),
        ("source", "; ".join(rule.sources)),
        ("known", why_known(rule)),
    ]
    for one in against(rule):
        lines += [
            ("scenario", one.scenario),
            ("reason", one.reason),
            ("expected", one.expected),
            ("got", one.got),
            *one.measured.items(),
            ("replay", one.replay),
        ]
    return "\n".join(f"{one_line(label):<9} {visible(text)}" for label, text in lines if text)


def _hidden_by_the_rules(results: Results, summary: Summary) -> bool:
    """Whether the run does not conform, and the cases of its rules would not show it."""
    told = results.count(Verdict.INCONCLUSIVE) or summary.conclusion is Conclusion.BROKEN
    return not results.complete or (summary.conclusion is not Conclusion.CONFORMANT and not told)


def _run_case(suite: ET.Element, summary: Summary) -> None:
    case = ET.SubElement(
        suite, "testcase", classname="otpspec.run", name="the run is conclusive", time="0.000"
    )
    error = ET.SubElement(case, "error", message=summary.headline, type=summary.conclusion.value)
    error.text = "\n".join(visible(caveat) for caveat in summary.caveats)


def _count(element: ET.Element, suites: list[ET.Element]) -> None:
    """Write down how many cases the suites hold, and how many of each kind."""
    cases = [case for suite in suites for case in suite.iter("testcase")]
    element.set("tests", str(len(cases)))
    for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        element.set(attribute, str(sum(case.find(tag) is not None for case in cases)))
    if element.tag == "testsuite":
        element.set("time", f"{sum(float(case.get('time', 0)) for case in cases):.3f}")
