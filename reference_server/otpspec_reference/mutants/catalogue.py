"""What a mutant is: the strict server with one decision overridden, and the rule that sees it."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property
from typing import Any, TypeVar

from otpspec_reference.answers import Asked
from otpspec_reference.http import Face
from otpspec_reference.rules import SafeKey
from otpspec_reference.settings import Settings, StartLimit
from otpspec_reference.store import Transaction

Broken = TypeVar("Broken", bound=type[SafeKey] | type[Face])


@dataclass(frozen=True, slots=True)
class Mutant:
    """A server that is broken on purpose.

    `presets` are settings under which the override shows: `--max-starts` must be set for a server
    to ignore it. They fill in what was left at its default; the strict server with the same
    settings is the control.
    """

    name: str
    rule: str
    sentence: str
    safekey: type[SafeKey] = SafeKey
    face: type[Face] = Face
    presets: dict[str, Any] = field(default_factory=dict)

    def with_presets(self, settings: Settings) -> Settings:
        """These settings, and where they are the defaults, the mutant's."""
        default = Settings()
        left = [name for name in self.presets if getattr(settings, name) == getattr(default, name)]
        return replace(settings, **{name: self.presets[name] for name in left})

    def options(self, settings: Settings) -> list[str]:
        """The settings that the mutant needs, as the command line says them to the control."""
        needed = self.with_presets(settings)
        return [word for name in self.presets for word in as_option(name, getattr(needed, name))]


def as_option(name: str, value: Any) -> list[str]:
    """A setting as words of the command line."""
    flag = "--" + name.replace("_", "-")
    if isinstance(value, bool):
        return [flag] if value else []
    if isinstance(value, StartLimit):
        return [flag, f"{value.starts}/{_seconds(value.within)}"]
    return [flag, _seconds(value) if isinstance(value, timedelta) else str(value)]


def _seconds(length: timedelta) -> str:
    return f"{length.total_seconds():g}s"


STRICT = Mutant("", "", "Nothing is broken.")

MUTANTS: dict[str, Mutant] = {}
"""All mutants by name, family by family."""


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


class ClearCodes(SafeKey):
    """A base for mutants: every code that was sent is also kept in the clear."""

    @cached_property
    def sent_codes(self) -> dict[str, str]:
        """The last code of each transaction."""
        return {}

    def deliver(self, transaction: Transaction, code: str, asked: Asked, now: float) -> None:
        """Keep the code, and send it."""
        self.sent_codes[transaction.id] = code
        super().deliver(transaction, code, asked, now)
