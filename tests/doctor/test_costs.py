"""What a profile lacks, in rules: read from what the catalogue says that rules need."""

# ruff: noqa: E501 - answers and messages stand here as they came

from pathlib import Path

import pytest
from tests.harness.samples import PROFILE, written

from otpspec.doctor.costs import costs, lacks, rules_of_operation
from otpspec.profile import load
from otpspec.rules import NEEDS, RULES, Need

TOKEN = {"OTPSPEC_TEST_TOKEN": "any"}
EVERYTHING = [
    "policy.max_resends=3",
    'policy.max_starts="5/10m"',
    "policy.tells_wrong_element=false",
    "policy.hides_unknown_cards=true",
]


def test_nothing_but_the_other_way_to_resend_is_lacking_where_all_is_there() -> None:
    profile = load("safekey-reference", changes=EVERYTHING, environ=TOKEN)

    assert [(cost.lacks, cost.rules) for cost in costs(profile)] == [
        ('policy.resend = "rotate"', ("RESEND-3",))
    ]


def test_every_need_of_a_rule_but_time_and_load_can_be_lacking(tmp_path: Path) -> None:
    """A need whose words cannot be read would never be missing, and cost nothing."""
    without_id = PROFILE.replace('capture = { id = "transaction_id" }', "")
    without_id = without_id.replace("{challenge.id}", "of-this-session")
    poor = load(
        written(tmp_path, without_id),
        changes=[
            "policy.csc=never",
            "policy.lock_scope=challenge",
            "policy.success_clears_count=false",
            "policy.wrong_csc_counts=false",
            "policy.alphabet=letters",
            "policy.message_names_payment=false",
            "policy.hides_unknown_cards=false",
            "policy.max_wrong=1",
            "policy.wrong_csc=retry",
        ],
    )
    either: set[Need] = {"rotate", "reuse"}

    there = {need for need in NEEDS if not lacks(need, poor)}

    assert there == {"clock", "load"} | ({"rotate"} & either)


@pytest.mark.parametrize(
    ("operation", "rules"),
    [("unlock", ("LOCKOUT-7",)), ("amend", ("BINDING-2",)), ("cancel", ()), ("verify", tuple(RULES))],
)  # fmt: skip
def test_an_operation_that_is_not_understood_costs_its_rules(
    operation: str, rules: tuple[str, ...]
) -> None:
    assert rules_of_operation(operation) == rules
