"""Which rules a scenario proves, and the three ways in which it ends other than well."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from otpspec.rules import RULES

_Scenario = TypeVar("_Scenario", bound=Callable[..., Any])
RULES_ATTRIBUTE = "_otpspec_rules"


def proves(*rule_ids: str) -> Callable[[_Scenario], _Scenario]:
    """Say which rules of the catalogue a scenario proves.

    Raises ValueError for a rule that is not in the catalogue.
    """
    if unknown := [rule_id for rule_id in rule_ids if rule_id not in RULES]:
        raise ValueError(f"not in the rule catalogue: {', '.join(unknown)}; see otpspec rules")

    def mark(scenario: _Scenario) -> _Scenario:
        setattr(scenario, RULES_ATTRIBUTE, rule_ids)
        return scenario

    return mark


class Broken(AssertionError):  # noqa: N818 - a verdict, and not an error of the harness
    """The target broke the rule.

    `answers`: those that the rule does not allow, each an `otpspec.Answer`; a report marks them.
    """

    def __init__(
        self, *, expected: str, got: str, because: str, answers: Sequence[Any] = ()
    ) -> None:
        super().__init__(f"{because}\nexpected  {expected}\ngot       {got}")
        self.expected = expected
        self.got = got
        self.because = because
        self.answers = answers


class Inconclusive(Exception):  # noqa: N818 - a verdict, and not an error of the harness
    """What was seen does not tell whether the rule holds.

    `passing`: the target failed, or was asked too much, and may do better in a moment.
    """

    def __init__(self, why: str, *, passing: bool = False) -> None:
        super().__init__(why)
        self.passing = passing


class NotApplicable(Exception):  # noqa: N818 - a verdict, and not an error of the harness
    """The rule cannot be asked of this target; the reason names what would change that."""
