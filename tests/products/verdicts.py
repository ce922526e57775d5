"""What a run of the harness came to, in the form of a table that a test states."""

from collections.abc import Iterable, Mapping
from typing import Any


def table(
    *, passed: str, broken: Iterable[str], not_applicable: Mapping[str, str]
) -> dict[str, str]:
    """Rule id to verdict, of its parts; several ids in one text are parted by spaces."""
    parts = {"passed": [passed], "broken": broken, "not_applicable": not_applicable}
    return {
        rule_id: verdict
        for verdict, texts in parts.items()
        for text in texts
        for rule_id in text.split()
    }


def verdicts(results: Mapping[str, Any]) -> dict[str, str]:
    """Rule id to verdict, as results.json has them; with its reason where it cannot be read off."""
    return {
        rule["id"]: f"inconclusive: {rule['reason']}"
        if rule["verdict"] == "inconclusive"
        else rule["verdict"]
        for rule in results["rules"]
    }


def broken_by(results: Mapping[str, Any]) -> dict[str, set[str]]:
    """Rule id to the scenarios that found it broken, without the files they stand in."""
    return {
        rule["id"]: {
            evidence["scenario"].partition("::")[2]
            for evidence in rule["evidence"]
            if evidence["verdict"] == "broken"
        }
        for rule in results["rules"]
        if rule["verdict"] == "broken"
    }
