"""The ready-made policies keep within their standards, and a profile can change each value."""

from datetime import timedelta
from pathlib import Path

import pytest
from tests.harness.samples import written

from otpspec.errors import ProfileError
from otpspec.policy import CLAUSES, LIMITS, POLICIES, WORDS_FOR_NONE, Limit, Policy, StartLimit
from otpspec.profile import load
from otpspec.rules import RULES, STANDARDS

TEN_MINUTES = timedelta(minutes=10)


def cited(standard: str) -> set[str]:
    """The clauses of a standard that rules come from."""
    found = (source for rule in RULES.values() for source in rule.citations)
    return {source.clause for source in found if source.standard == standard}


def test_safekey_is_the_default() -> None:
    assert POLICIES["safekey"] == Policy()


def test_policies_keep_within_the_numbers_of_their_standards() -> None:
    assert POLICIES["psd2"].max_wrong <= 5
    assert not POLICIES["psd2"].tells_wrong_element
    assert POLICIES["psd2"].message_names_payment
    assert POLICIES["pci-dss"].max_wrong <= 10
    assert (POLICIES["pci-dss"].lock_for or timedelta.max) >= timedelta(minutes=30)
    assert POLICIES["nist-800-63b"].max_wrong <= 100
    assert POLICIES["nist-800-63b"].validity <= TEN_MINUTES
    assert POLICIES["nist-800-63b"].digits >= 6
    assert POLICIES["owasp-asvs"].validity <= TEN_MINUTES
    assert POLICIES["owasp-asvs"].digits >= 6
    assert POLICIES["owasp-asvs"].hides_unknown_cards


@pytest.mark.parametrize("name", POLICIES)
def test_policy_is_told_by_the_clauses_of_its_standard(name: str) -> None:
    assert name in STANDARDS
    assert CLAUSES[name].keys() <= set(Policy.__struct_fields__)
    changed = [f for f in Policy.__struct_fields__ if value(name, f) != value("safekey", f)]
    assert set(changed) <= CLAUSES[name].keys()
    if name != "safekey":
        assert {words.partition(": ")[0] for words in CLAUSES[name].values()} <= cited(name)


def value(name: str, field: str) -> object:
    """What a policy says."""
    return getattr(POLICIES[name], field)


def limits() -> list[tuple[str, Limit]]:
    """Every limit, with its standard."""
    return [(name, limit) for name, of_it in LIMITS.items() for limit in of_it]


@pytest.mark.parametrize(("name", "limit"), limits(), ids=str)
def test_limit_is_of_a_clause_and_its_policy_keeps_it(name: str, limit: Limit) -> None:
    assert limit.clause in cited(name)
    assert limit.words.partition(" ")[0] in Policy.__struct_fields__
    assert not limit.broken_by(POLICIES[name])


@pytest.mark.parametrize(
    ("name", "policy", "clauses"),
    [
        ("psd2", Policy(max_wrong=6, tells_wrong_element=False), ["4(3)(b)"]),
        ("psd2", Policy(max_wrong=5), ["4(3)(a)"]),
        ("psd2", Policy(max_wrong=5, csc="never"), []),
        ("psd2", Policy(csc="never", message_names_payment=False), ["5(1)(a)"]),
        ("pci-dss", Policy(max_wrong=11), ["8.3.4"]),
        ("pci-dss", Policy(lock_for=timedelta(minutes=29)), ["8.3.4"]),
        ("nist-800-63b", Policy(max_wrong=101), ["3.2.2"]),
        ("nist-800-63b", Policy(validity=timedelta(minutes=11)), ["3.1.3.2"]),
        ("owasp-asvs", Policy(validity=timedelta(minutes=11)), ["6.5.5"]),
        ("owasp-asvs", Policy(digits=5), ["6.5.4"]),
        ("owasp-asvs", Policy(digits=5, alphabet="letters"), []),
        ("owasp-asvs", Policy(digits=4, alphabet="letters"), ["6.5.4"]),
    ],
    ids=str,
)
def test_promise_outside_a_standard_breaks_its_clause(
    name: str, policy: Policy, clauses: list[str]
) -> None:
    assert [limit.clause for limit in LIMITS[name] if limit.broken_by(policy)] == clauses


def read(folder: Path, *changes: str) -> Policy:
    """The policy of a profile with changes."""
    return load(written(folder), changes=[f"policy.{change}" for change in changes]).policy


@pytest.mark.parametrize("name", POLICIES)
def test_profile_takes_a_policy_by_its_name(tmp_path: Path, name: str) -> None:
    changed = {"validity": POLICIES[name].validity, "max_wrong": POLICIES[name].max_wrong}

    found = read(tmp_path, f"base={name}", f"max_wrong={POLICIES[name].max_wrong}")

    assert {field: getattr(found, field) for field in changed} == changed
    assert found.lock_for == POLICIES[name].lock_for
    assert found.tells_wrong_element == POLICIES[name].tells_wrong_element


@pytest.mark.parametrize(
    ("change", "policy"),
    [
        ("lock_for=30m", Policy(lock_for=timedelta(minutes=30))),
        ("lock_for=support", Policy()),
        ("lock_scope=challenge", Policy(lock_scope="challenge")),
        ("max_starts=5/10m", Policy(max_starts="5/10m")),
        ("max_starts=unlimited", Policy()),
        ("max_resends=0", Policy(max_resends=0)),
        ("max_resends=unlimited", Policy()),
        ("malformed_counts=true", Policy(malformed_counts=True)),
        ("expired_counts=true", Policy(expired_counts=True)),
        ("tells_wrong_element=false", Policy(tells_wrong_element=False)),
        ("message_names_payment=false", Policy(message_names_payment=False)),
        ("hides_unknown_cards=false", Policy(hides_unknown_cards=False)),
    ],
)
def test_profile_sets_each_switch(tmp_path: Path, change: str, policy: Policy) -> None:
    assert read(tmp_path, change) == policy


def test_profile_takes_a_lock_back_to_support(tmp_path: Path) -> None:
    assert read(tmp_path, "base=pci-dss").lock_for == timedelta(minutes=30)
    assert read(tmp_path, "base=pci-dss", "lock_for=support").lock_for is None


def test_words_for_none_are_those_of_the_fields_that_may_be_none() -> None:
    assert set(WORDS_FOR_NONE) == {
        f for f in Policy.__struct_fields__ if value("safekey", f) is None
    }


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ("lock_for=30", 'policy.lock_for  30 has no unit; write "30s"'),
        (
            "lock_for=0s",
            'policy.lock_for  must be longer than nothing; "support" is a lock that only support '
            "ends",
        ),
        (
            "lock_for=forever",
            'policy.lock_for  "forever" is not a duration; write a number and a unit, like "10m" '
            'or "30s"',
        ),
        (
            "max_starts=5",
            "policy.max_starts  expected text, got 5",
        ),
        (
            "max_starts=5 per day",
            'policy.max_starts  "5 per day" is not a limit; write it like "5/10m": 5 in 10 minutes',
        ),
        (
            "max_starts=0/10m",
            'policy.max_starts  "0/10m" is not a limit; write it like "5/10m": 5 in 10 minutes',
        ),
        (
            "max_resends=-1",
            'policy.max_resends  -1 is too small; at least 0, or "unlimited"',
        ),
        ("base=psd3", 'policy.base  "psd3" is not a policy; did you mean psd2?'),
    ],
)
def test_switch_that_cannot_be_is_refused_with_what_to_write(
    tmp_path: Path, change: str, problem: str
) -> None:
    with pytest.raises(ProfileError) as refused:
        read(tmp_path, change)

    assert [f"{p.place}  {p.text}" for p in refused.value.problems] == [problem]


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("5/10m", StartLimit(5, TEN_MINUTES)),
        (" 1/30s ", StartLimit(1, timedelta(seconds=30))),
        ("3/1d", StartLimit(3, timedelta(days=1))),
        ("5/600s", StartLimit(5, TEN_MINUTES)),
    ],
)
def test_limit_on_starts_is_read(text: str, limit: StartLimit) -> None:
    assert StartLimit.parse(text) == limit
    assert Policy(max_starts=text).start_limit == limit


@pytest.mark.parametrize(
    "text", ["", "5", "5/10", "/10m", "5/m", "-5/10m", "\u0665/10m", "5/99999999h"]
)
def test_what_is_no_limit_on_starts_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a limit; write it like"):
        StartLimit.parse(text)


def test_where_no_limit_on_starts_is_declared_there_is_none() -> None:
    assert Policy().start_limit is None
