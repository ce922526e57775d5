"""What a mutant is: the strict server with one decision overridden, and the rule that sees it."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from otpspec_reference.http import Face
from otpspec_reference.rules import SafeKey
from otpspec_reference.settings import Settings

Broken = TypeVar("Broken", bound=type[SafeKey] | type[Face])


@dataclass(frozen=True, slots=True)
class Mutant:
    """A server that is broken on purpose.

    `presets` are the settings under which the override shows: `--max-starts` must be set for a
    server to ignore it. They replace what was asked for; the strict server under the same presets
    is the control.
    """

    name: str
    rule: str
    sentence: str
    safekey: type[SafeKey] = SafeKey
    face: type[Face] = Face
    presets: dict[str, Any] = field(default_factory=dict)

    def with_presets(self, settings: Settings) -> Settings:
        """These settings, as far as the mutant leaves them alone."""
        return replace(settings, **self.presets)


STRICT = Mutant("", "", "Nothing is broken.")

MUTANTS: dict[str, Mutant] = {}
"""All mutants by name, in the order of the rules."""


def breaks(rule: str, name: str, **presets: Any) -> Callable[[Broken], Broken]:
    """Register a class as a mutant; its docstring says in one sentence what is broken."""

    def register(broken: Broken) -> Broken:
        sentence = (broken.__doc__ or "").strip()
        if name in MUTANTS or "\n" in sentence or not sentence:
            raise ValueError(f"mutant {name}: needs a name of its own and one sentence")
        if issubclass(broken, Face):
            mutant = Mutant(name, rule, sentence, face=broken, presets=presets)
        else:
            mutant = Mutant(name, rule, sentence, safekey=broken, presets=presets)
        MUTANTS[name] = mutant
        return broken

    return register


def find(name: str) -> Mutant:
    """The mutant of this name; KeyError where there is none."""
    return MUTANTS[name]
