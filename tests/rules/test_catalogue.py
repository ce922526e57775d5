"""The rule catalogue: its ids, its sentences, its sources."""

import re
from importlib import import_module
from typing import get_args

import pytest

from otpspec.policy import Policy
from otpspec.profile import schema
from otpspec.rules import NEEDS, RULES, STANDARDS, Need, Report, Rule, Source, StandardName

FAMILIES = ["ISSUE", "DELIVER", "VERIFY", "EXPIRY", "LOCKOUT", "CSC", "REPLAY", "BINDING"]
FAMILIES += ["RESEND", "CONTACT", "INPUT", "PRIVACY", "RACE", "LOAD"]
FILES = {"INPUT": "inputs"}  # `input` is a function that nobody wants to hide

CLAUSE: dict[StandardName, str] = {
    "owasp-asvs": r"\d+\.\d+\.\d+",
    "nist-800-63b": r"\d(\.\d+){1,3}",
    "psd2": r"\d\(\d\)(\([a-d]\))?",
    "pci-dss": r"\d+(\.\d+){2,3}",
    "owasp-cheat-sheet": r"[A-Z][a-z]+( [A-Z][a-z]+)* Cheat Sheet( \d\.\d+)?",
    "owasp-wstg": r"WSTG-[A-Z]{4}-\d\d",
    "rfc-4226": r"\d\.\d",
    "cwe": r"CWE-\d+",
}
REPORT = r"CVE-\d{4}-\d{4,}|GHSA(-[0-9a-z]{4}){3}|[a-z-]+#\d+"


def family(name: str) -> list[Rule]:
    """The rules of a family as its file has them."""
    module = import_module(f"otpspec.rules.{FILES.get(name, name.lower())}")
    return list(getattr(module, name))


def test_families_stand_in_their_order_each_in_a_file_of_its_own() -> None:
    assert list(dict.fromkeys(rule.family for rule in RULES.values())) == FAMILIES
    assert [rule for name in FAMILIES for rule in family(name)] == list(RULES.values())


@pytest.mark.parametrize("name", FAMILIES)
def test_ids_of_a_family_are_unique_and_rise(name: str) -> None:
    numbers = [int(rule.id.removeprefix(f"{name}-")) for rule in family(name)]

    assert numbers == sorted(set(numbers))


@pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))
def test_statement_is_one_sentence_without_a_full_stop(rule: Rule) -> None:
    assert rule.statement[0].islower() or rule.statement[0] == "N"
    assert not re.search(r"[.!?]( |$)", rule.statement)
    assert len(rule.statement) <= 90


def test_no_two_rules_say_the_same() -> None:
    assert len({rule.statement for rule in RULES.values()}) == len(RULES)


@pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))
def test_every_rule_has_sources_each_once(rule: Rule) -> None:
    assert rule.citations
    assert len(set(rule.citations)) == len(rule.citations)
    assert rule.sources == tuple(source.text for source in rule.citations)


@pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))
def test_core_rules_are_those_that_safekey_says(rule: Rule) -> None:
    assert rule.core == any(source.standard == "safekey" for source in rule.citations)


def sources() -> list[Source]:
    """Every citation, once."""
    return list(dict.fromkeys(source for rule in RULES.values() for source in rule.citations))


@pytest.mark.parametrize("source", sources(), ids=lambda source: source.full)
def test_clause_is_numbered_as_its_standard_numbers_it(source: Source) -> None:
    assert source.words
    assert re.fullmatch(CLAUSE.get(source.standard, ""), source.clause)


@pytest.mark.parametrize("name", STANDARDS)
def test_clause_is_checked_or_out_of_sight_and_never_both(name: StandardName) -> None:
    cited = {source.clause for source in sources() if source.standard == name}

    assert cited
    assert not cited & STANDARDS[name].beyond.keys()
    assert all(re.fullmatch(CLAUSE[name], clause) for clause in STANDARDS[name].beyond)


def reports() -> list[Report]:
    """Every report from the field."""
    return [report for rule in RULES.values() for report in rule.field]


@pytest.mark.parametrize("report", reports(), ids=lambda report: report.id)
def test_report_from_the_field_is_apart_from_the_standards(report: Report) -> None:
    assert re.fullmatch(REPORT, report.id)
    assert report.words
    assert not any(report.id in source.full for source in sources())


def test_every_name_of_a_type_has_its_data_and_is_used() -> None:
    assert set(get_args(StandardName)) == set(STANDARDS)
    assert set(get_args(Need)) == set(NEEDS)
    assert set(NEEDS) == {need for rule in RULES.values() for need in rule.needs}


@pytest.mark.parametrize("need", NEEDS)
def test_need_names_lines_that_a_profile_has(need: Need) -> None:
    for field in re.findall(r"`policy\.(\w+)", NEEDS[need]):
        assert field in Policy.__struct_fields__
    for operation in re.findall(r"operations\.(\w+)", NEEDS[need]):
        assert operation in schema.Operations.__struct_fields__
    for table in re.findall(r"`\[(\w+)\]`", NEEDS[need]):
        assert table in schema.Profile.__struct_fields__


@pytest.mark.parametrize(
    ("source", "text", "full"),
    [
        (Source("safekey", "", '"ten"'), 'SafeKey: "ten"', 'SafeKey: "ten"'),
        (Source("psd2", "4(1)", "once"), "PSD2 RTS 4(1)", "PSD2 RTS 4(1): once"),
        (Source("cwe", "CWE-639", "key"), "CWE-639", "CWE-639: key"),
        (
            Source("owasp-cheat-sheet", "Transaction Authorization Cheat Sheet 2.9", "time"),
            "OWASP Transaction Authorization Cheat Sheet 2.9",
            "OWASP Transaction Authorization Cheat Sheet 2.9: time",
        ),
    ],
    ids=["safekey", "psd2", "cwe", "cheat sheet"],
)
def test_source_is_told_short_and_in_full(source: Source, text: str, full: str) -> None:
    assert (source.text, source.full) == (text, full)
