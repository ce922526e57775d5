"""Writes docs/reference/rules.md from the catalogue: python docs/rules_page.py."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

import msgspec

from otpspec.policy import CLAUSES, LIMITS, POLICIES, WORDS_FOR_NONE, Policy
from otpspec.rules import NEEDS, RULES, STANDARDS, Rule

PAGE = Path(__file__).parent / "reference" / "rules.md"

_HEAD = """\
# The rules, and the ready-made policies

*Made from the catalogue by `python docs/rules_page.py`. `otpspec rules EXPIRY-2` explains one rule,
with what is done to check it and the broken servers that it catches.*

A target that breaks a **MUST** rule fails; one that breaks a **SHOULD** rule fails with `--strict`.
**Core** rules are SafeKey's own: where one cannot be checked, the profile must
[waive](profile.md#waive) it, else the exit code is 3. A rule whose *needs* a profile does not meet
is *not applicable*. N is the profile's `max_wrong`.
"""

_POLICIES = """\
## Policies

A profile names one as `base` and changes single values. What a standard does not say is as in
`safekey`. The numbers of the others are limits, not targets: a server that locks after four wrong
codes keeps within PSD2's five, and its profile says `base = "psd2"` and `max_wrong = 4`.
"""

_PSD2 = """\
PSD2 RTS 4(3)(a) forbids to tell which element was incorrect. Strictly read, so does a transaction
that ends after a wrong 3CSC and goes on after a wrong OTC; a target that follows it there says
`wrong_csc = "retry"`, and waives the core rules that ask for the end of the transaction.
"""

_STANDARDS = """\
## Standards

`otpspec rules --standard NAME` prints the rules that come from one, `otpspec check --standard NAME`
runs them, prints what each clause came to, and holds the profile's policy to these limits.
"""

_NEEDS = """\
## Needs

Every profile has `enroll`, `start`, `verify` and an inbox. A rule may need more:
"""


def page() -> str:
    """The whole page."""
    families = groupby(RULES.values(), key=lambda rule: rule.family)
    parts = [_HEAD, *(_family(name, list(rules)) for name, rules in families)]
    parts += [_NEEDS, _table(("need", "what meets it"), NEEDS.items())]
    parts += [_POLICIES, _policies(), *map(_clauses, CLAUSES), _PSD2]
    parts += [_STANDARDS, _table(("name", "text", "limits"), _standards())]
    parts += [
        "Clauses on one-time codes that cannot be seen from outside, and that no rule checks:\n"
    ]
    parts += [_table(("clause", "what it is about"), _beyond())]
    return "\n".join(parts)


def _family(name: str, rules: list[Rule]) -> str:
    found = [f"## {name}\n", _table(("id", "level", "rule", "comes from", "needs"), _rows(rules))]
    reports = [f"- {r.id}, {report.id}: {report.words}" for r in rules for report in r.field]
    if reports:
        found += ["Seen in the field:\n", "\n".join(reports) + "\n"]
    return "\n".join(found)


def _rows(rules: list[Rule]) -> Iterator[tuple[str, ...]]:
    for rule in rules:
        level = f"{rule.level}, core" if rule.core else rule.level
        sources = "<br>".join(source.full for source in rule.citations)
        yield f"**{rule.id}**", level, rule.statement, sources, ", ".join(rule.needs)


def _policies() -> str:
    defaults = Policy()
    said = {field for clauses in CLAUSES.values() for field in clauses}
    fields = [
        field
        for field in Policy.__struct_fields__
        if field in said or any(getattr(p, field) != getattr(defaults, field) for p in all_())
    ]
    rows = ((f"`{f}`", *(_value(f, getattr(p, f)) for p in all_())) for f in fields)
    return _table(("", *(f"`{name}`" for name in POLICIES)), rows)


def all_() -> list[Policy]:
    """The policies, in their order."""
    return list(POLICIES.values())


def _value(field: str, value: Any) -> str:
    """A value as a profile writes it."""
    if value is None:
        value = WORDS_FOR_NONE[field]
    if isinstance(value, timedelta):
        value = f"{value.total_seconds() / 60:g}m"
    return f"`{msgspec.json.encode(value).decode()}`"


def _clauses(name: str) -> str:
    title = STANDARDS[name].title  # type: ignore[index] # a policy has its standard's name
    lines = [f"- `{field}`: {words}" for field, words in CLAUSES[name].items()]
    return "\n".join([f"`{name}`, by {title}:\n", *lines, ""])


def _standards() -> Iterator[tuple[str, ...]]:
    for name, standard in STANDARDS.items():
        limits = (f"{limit.clause}: {_code(limit.words)}" for limit in LIMITS.get(name, ()))
        yield f"`{name}`", standard.name, "<br>".join(limits)


def _code(words: str) -> str:
    field, _, rest = words.partition(" ")
    return f"`{field}` {rest}"


def _beyond() -> Iterator[tuple[str, ...]]:
    for standard in STANDARDS.values():
        for clause, words in standard.beyond.items():
            yield f"{standard.title} {clause}", words


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
