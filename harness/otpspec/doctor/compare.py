"""How one answer compares with the others, and with the patterns that are written for it."""

from collections.abc import Collection
from dataclasses import dataclass

from otpspec.doctor.declared import Declared, place
from otpspec.doctor.suggest import Sample, alike
from otpspec.doctor.tried import Tried, raw_of, step_numbers
from otpspec.outcome import REFUSED, SILENT, SUCCESS, Outcome
from otpspec.profile import Profile, schema
from otpspec.profile.answers import Pattern
from otpspec.profile.checks import outcomes_of
from otpspec.redact import Redactor

_MOST_CANDIDATES = 4


@dataclass
class Comparing:
    """Everything that was tried, and what the profile says of it."""

    profile: Profile
    declared: Declared
    redact: Redactor
    varying: Collection[str]
    tried: list[Tried]

    def _place(self, one: Tried) -> str:
        requests = self.declared[one.operation]
        numbers = step_numbers(self.profile.operations[one.operation], one.answers)
        return place(one.operation, numbers[-1] if numbers else 0, requests)

    def _patterns(self, one: Tried, index: int = -1) -> list[schema.Answer]:
        numbers = step_numbers(self.profile.operations[one.operation], one.answers)
        return self.declared[one.operation][numbers[index]].answers if numbers else []

    def _matched(self, one: Tried, index: int) -> int | None:
        """Which pattern of its request an answer was read by."""
        raw = raw_of(one.answers[index]) if one.answers else None
        if raw is None:
            return None
        for number, answer in enumerate(self._patterns(one, index)):
            if Pattern(answer).matches(raw):
                return number
        return None

    def _samples(self, one: Tried, *, but: Collection[int] = ()) -> list[Sample]:
        """The answers to other steps of the same request, with what they mean by what was done."""
        where = self._place(one)
        return [
            Sample(other.name, other.raw, other.means)
            for other in self.tried
            if other is not one
            and other.operation == one.operation
            and other.raw is not None
            and self._place(other) == where
            and self._believable(other)
        ]

    def _believable(self, one: Tried) -> bool:
        """Whether an answer means what was done: a yes must have come to something."""
        if one.fault or not one.answers:
            return False
        if one.answer is not None and one.answer.outcomes & SILENT - {Outcome.UNKNOWN}:
            return False
        if one.means & SUCCESS:
            return one.went and not self._as_wrong(one)
        return True

    def _as_wrong(self, one: Tried) -> bool:
        """Whether what should be a yes is answered as a no is."""
        return any(
            other.raw is not None
            and one.raw is not None
            and not other.means & SUCCESS
            and alike(one.raw, other.raw, self.varying)
            for other in self.tried
            if other is not one and other.operation == one.operation
        )

    def _accepted_as_right(self, one: Tried) -> bool:
        return bool(one.means & SUCCESS) and self._as_wrong(one)

    def _targets_own(self, one: Tried) -> bool:
        """Whether a no was answered as a yes is: that may be the target's, and no pattern's."""
        if one.means & SUCCESS or one.raw is None or one.answer is None:
            return False
        if not one.answer.outcomes & SUCCESS:
            return one.answer.outcomes <= REFUSED and one.name.endswith("again")
        yes = [t for t in self.tried if t.operation == one.operation and t.means & SUCCESS]
        return any(t.raw is not None and alike(t.raw, one.raw, self.varying) for t in yes)

    def _merged(self, one: Tried) -> list[str]:
        """Steps of another meaning that are answered alike, and that the pattern does not name."""
        if one.answer is None or one.raw is None or one.means & SUCCESS:
            return []
        if one.means <= one.answer.outcomes:
            return []
        return [
            sample.name
            for sample in self._samples(one)
            if sample.means != one.means and alike(sample.raw, one.raw, self.varying)
        ]

    def _nothing_worked(self, one: Tried) -> bool:
        yes = [t for t in self.tried if t.operation == one.operation and t.means & SUCCESS]
        return any(
            not t.went and t.raw and one.raw and alike(t.raw, one.raw, self.varying) for t in yes
        )

    def _good(self, answer: schema.Answer, one: Tried) -> bool:
        """Whether a pattern matches nothing that means something else."""
        pattern = Pattern(answer)
        return not any(
            pattern.matches(sample.raw)
            for sample in self._samples(one)
            if not sample.means & set(outcomes_of(answer))
        )

    def _lost_and_needed(self, one: Tried) -> list[str]:
        about = self.profile.operations[one.operation].about if one.lost else ""
        return [name for name in one.lost if self._is_used(f"{about}.{name}")]

    def _is_used(self, name: str) -> bool:
        return any(name in s.names for o in self.profile.operations.values() for s in o.steps)
