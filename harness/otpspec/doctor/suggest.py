"""The smallest pattern that tells an answer from the others that were seen."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import combinations
from typing import NamedTuple

from otpspec.doctor import toml
from otpspec.doctor.facts import Fact, facts, pattern
from otpspec.outcome import SUCCESS, Outcome
from otpspec.profile import Raw, schema
from otpspec.profile.answers import Pattern, query

_FEW = 12  # facts of which pairs are tried
_LONGEST_SHOWN = 40
_TELLING = 10.0  # the rank from which on a fact says more than the status


class Sample(NamedTuple):
    """An answer, and what it means by what was done to get it."""

    name: str  # "verify, a wrong code"
    raw: Raw
    means: frozenset[Outcome]


class Suggested(NamedTuple):
    """A pattern, and with which samples of another meaning it must share its outcomes."""

    answer: schema.Answer
    shares: tuple[str, ...] = ()  # names of samples that are answered alike
    last: bool = False  # only good after the patterns of the others


def suggest(
    this: Sample, others: Sequence[Sample], varying: Collection[str] = ()
) -> Suggested | None:
    """A pattern for an answer that none of the others matches which mean something else.

    None where an answer that means yes cannot be told from one that means no.
    """
    found = _own(this, others, varying)
    same = [other for other in others if other.means == this.means]
    different = [other for other in others if other.means != this.means]
    outcomes = sorted(this.means)
    for chosen in _choices(found):
        made = pattern(this.raw.status, chosen, outcomes)
        if _fits(made, [this, *same], different):
            return Suggested(made)
    apart = [o for o in different if not alike(this.raw, o.raw, varying)]
    shares = [o for o in different if o not in apart]
    together = frozenset().union(this.means, *(other.means for other in shares))
    if together & SUCCESS and len(together) > 1:
        return None
    for chosen in _choices(found):
        made = pattern(this.raw.status, chosen, sorted(together))
        if _fits(made, [this, *same, *shares], apart):
            return Suggested(made, tuple(other.name for other in shares))
    made = pattern(this.raw.status, found[:1], sorted(together))
    return Suggested(made, tuple(other.name for other in shares), last=True)


def alike(one: Raw, other: Raw, varying: Collection[str] = ()) -> bool:
    """Whether two answers say the same, but for what is new in every answer."""
    if one.status != other.status:
        return False
    return _said(one, varying) == _said(other, varying)


def _said(raw: Raw, varying: Collection[str]) -> set[tuple[str, str, str]]:
    return {(fact.kind, fact.key, repr(fact.value)) for fact in facts(raw, varying)}


def _own(this: Sample, others: Sequence[Sample], varying: Collection[str]) -> list[Fact]:
    """Facts of an answer, those first that others of another meaning have not."""
    found = facts(this.raw, varying)
    different = [other.raw for other in others if other.means != this.means]
    absent = [fact for fact in found if not any(_holds(fact, raw) for raw in different)]
    return [*absent, *(fact for fact in found if fact not in absent)]


def _choices(found: Sequence[Fact]) -> Iterator[tuple[Fact, ...]]:
    """Conditions to try, the smallest first; a status alone only where there is nothing else."""
    yield from ((fact,) for fact in found if fact.rank >= _TELLING)
    yield ()
    yield from ((fact,) for fact in found if fact.rank < _TELLING)
    fields = [fact for fact in found if fact.kind == "json"]
    yield from combinations(fields[:_FEW], 2)


def _fits(answer: schema.Answer, wanted: Iterable[Sample], unwanted: Iterable[Sample]) -> bool:
    made = Pattern(answer)
    return all(made.matches(sample.raw) for sample in wanted) and not any(
        made.matches(sample.raw) for sample in unwanted
    )


def _holds(fact: Fact, raw: Raw) -> bool:
    return Pattern(pattern(None, [fact], [Outcome.UNKNOWN])).matches(raw)


def misses(answer: schema.Answer, raw: Raw) -> list[str]:
    """Why a pattern does not match an answer, condition by condition."""
    found = []
    wanted = answer.status if isinstance(answer.status, list) else [answer.status]
    if answer.status is not None and raw.status not in wanted:
        found.append(f"status {' or '.join(map(str, wanted))} (here {raw.status})")
    parts: list[tuple[str, dict[str, object]]] = []
    parts += [(f"json {key}", {"json": {key: value}}) for key, value in answer.json.items()]
    parts += [(f"header {key}", {"header": {key: rx}}) for key, rx in answer.header.items()]
    parts += [("text", {"text": answer.text})] if answer.text is not None else []
    parts += [("regex", {"regex": answer.regex})] if answer.regex is not None else []
    for words, condition in parts:
        single = schema.Answer(outcomes=answer.outcomes, **condition)  # type: ignore[arg-type]
        if not Pattern(single).matches(raw):
            (wanted_value,) = condition.values()
            here = ""
            if isinstance(wanted_value, dict):
                ((key, wanted_value),) = wanted_value.items()
                if words.startswith("json "):
                    here = f" (here {_shown(query(key)(raw.document))})"
            found.append(f"{words} = {toml.value(wanted_value)}{here}")
    return found


def _shown(value: object) -> str:
    if value is None:
        return "nothing"
    text = toml.value(value) if isinstance(value, str | bool | int | float) else "a list or table"
    return text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "…"
