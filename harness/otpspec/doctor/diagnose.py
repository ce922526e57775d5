"""From what was tried to what it means for the profile: step by step, with what to write."""

from collections.abc import Iterator, Mapping

import msgspec

from otpspec.doctor import hints, mailbox, shorten, toml
from otpspec.doctor.captures import Candidate
from otpspec.doctor.compare import Comparing
from otpspec.doctor.report import Exchange, Mark, Step, Suggestion
from otpspec.doctor.suggest import Sample, Suggested, misses, suggest
from otpspec.doctor.tried import Tried, raw_of, step_numbers
from otpspec.outcome import SILENT, SUCCESS
from otpspec.profile import Raw
from otpspec.profile.answers import Pattern
from otpspec.profile.checks import outcomes_of

_MOST_CANDIDATES = 4


class Diagnosing(Comparing):
    """What was tried, as steps to be read."""

    # --- one step -------------------------------------------------------------------------------

    def steps(self) -> Iterator[Step]:
        """Everything that is to be shown, in order."""
        said: set[tuple[str, str]] = set()
        wrong: set[str] = set()
        for one in self.tried:
            mails = [mailbox.step(self.profile, self.redact, one, m) for m in one.mails]
            for step in (self._step(one), *mails):
                again = step.place in wrong and one.quiet
                if not one.quiet or (step.mark == "wrong" and not again):
                    yield _once(step, said)
                    wrong |= {step.place} if step.mark == "wrong" else set()

    def _step(self, one: Tried) -> Step:
        if one.skipped:
            where = f"operations.{one.operation}"
            return Step(name=one.name, place=where, mark="skipped", says=one.skipped)
        read = sorted(one.answer.outcomes) if one.answer else []
        suggestions, notes = self._advice(one)
        return Step(
            name=one.name,
            place=self._place(one),
            mark=self._mark(one),
            expected=sorted(one.expects),
            best=sorted(one.means),
            read=[str(outcome) for outcome in read],
            says=self._says(one),
            notes=[self.redact.own(note) for note in (*one.notes, *notes)],
            exchanges=[self._exchange(one, index) for index in range(len(one.answers))],
            suggestions=suggestions,
        )

    def _mark(self, one: Tried) -> Mark:
        if one.skipped:
            return "skipped"
        if one.fault or one.answer is None or one.answer.outcomes & SILENT:
            return "wrong"
        if self._lost_and_needed(one):
            return "wrong"
        if one.answer.outcomes & one.expects:
            alike_to = self._accepted_as_right(one)
            return "doubt" if alike_to or self._merged(one) else "ok"
        return "doubt" if self._targets_own(one) else "wrong"

    def _says(self, one: Tried) -> str:
        if one.fault:
            return one.fault
        if one.answer is None or one.answer.status is None:
            return f"no answer came: {one.answer.error if one.answer else ''}"
        outcomes = " or ".join(sorted(one.answer.outcomes))
        number = self._matched(one, len(one.answers) - 1)
        if number is None:
            by = "no pattern matches" if self._patterns(one) else "it has no answers"
        elif frozenset(outcomes_of(self._patterns(one)[number])) != one.answer.outcomes:
            by = "by target.adapter"
        else:
            by = f"by answers[{number}]"
        return f"{outcomes} ({by})" if by.startswith(("no", "it")) else f"{outcomes}, {by}"

    # --- requests and answers -------------------------------------------------------------------

    def _exchange(self, one: Tried, index: int) -> Exchange:
        answer = one.answers[index]
        raw, request = raw_of(answer), answer.request
        number = self._matched(one, index)
        kept = {} if raw is None else self._kept(one, index, raw)
        took = (answer.returned - answer.called).total_seconds()
        return Exchange(
            method=request.method,
            target=self.redact(shorten.cut(request.target, 200)),
            asked_headers=self._masked(shorten.asked_headers(request)),
            asked_body=self.redact(shorten.asked_body(request)),
            status=answer.status,
            error=answer.error,
            took_s=round(took, 4),
            headers=self._masked(shorten.answered_headers(answer.headers)),
            body="" if raw is None else self.redact(shorten.answered_body(raw)),
            outcomes=sorted(answer.outcomes),
            pattern="" if number is None else f"answers[{number}]",
            captured=kept,
        )

    def _masked(self, headers: Mapping[str, str]) -> dict[str, str]:
        return {name: self.redact(shorten.cut(text, 120)) for name, text in headers.items()}

    def _kept(self, one: Tried, index: int, raw: Raw) -> dict[str, str]:
        operation = self.profile.operations[one.operation]
        numbers = step_numbers(operation, one.answers)
        if index + 1 < len(numbers) and numbers[index + 1] == numbers[index]:
            return {}  # a redirect: what follows is what is looked at
        captured = operation.steps[numbers[index]].captured(raw)
        return {name: self.redact(shorten.hint(value)) for name, value in captured.items()}

    # --- comparing ------------------------------------------------------------------------------

    # --- advice ---------------------------------------------------------------------------------

    def _advice(self, one: Tried) -> tuple[list[Suggestion], list[str]]:
        suggestions = list(self._for_captures(one))
        notes = []
        if one.assumed:
            notes.append(one.assumed)
        if one.fault or one.answer is None or one.raw is None:
            return suggestions, [*notes, *hints.no_answer(one)]
        as_expected = bool(one.answer.outcomes & one.expects)
        if as_expected and not self._merged(one):
            return suggestions, notes
        if one.means & SUCCESS and not one.went and self._as_wrong(one):
            return suggestions, [*notes, *hints.right_answered_as_wrong(one, self.tried)]
        if self._targets_own(one) and one.answer.outcomes & SUCCESS:
            return suggestions, [*notes, hints.accepted(one)]
        wants_yes = bool(one.means & SUCCESS)
        if forged := hints.forged(one):
            return [*suggestions, *self._origin(one)], [*notes, *forged]
        if wants_yes:
            notes += hints.status(one, self.declared[one.operation])
            notes += hints.signed_in(one, self.tried)
        if not wants_yes and self._nothing_worked(one):
            notes.append("the right code is answered alike: mend that first")
            return suggestions, notes
        made = self._pattern(one)
        if made is not None:
            notes += self._why(one, made)
            suggestions.append(made)
        return suggestions, notes

    def _origin(self, one: Tried) -> list[Suggestion]:
        found = hints.origin(one, self._place(one), self.declared[one.operation])
        return [] if found is None else [found]

    def _pattern(self, one: Tried) -> Suggestion | None:
        """What to write for an answer that is not read as what it is."""
        if one.raw is None or one.raw.status >= 500 or one.raw.status == 429:
            return None
        if one.means & SUCCESS and not one.went and not _may_mean_yes(one, one.raw):
            return None
        here = f"{self._place(one)}.answers"
        for number, answer in enumerate(self._patterns(one)):  # a good one may only stand too late
            fits = set(outcomes_of(answer)) & one.expects and Pattern(answer).matches(one.raw)
            if fits and self._good(answer, one):
                how = f"move answers[{number}] to the first place"
                return Suggestion(place=here, toml=toml.pattern(answer), how=how)
        made = suggest(Sample(one.name, one.raw, one.means), self._samples(one), self.varying)
        if made is None:
            return None
        sure = one.went or not one.means & SUCCESS
        return Suggestion(
            place=here,
            toml=self.redact(toml.pattern(made.answer)),
            how=_how(made),
            why=_why_shared(one, made) if sure else "if this answer means yes",
            sure=sure,
        )

    def _why(self, one: Tried, made: Suggestion) -> list[str]:
        """Which pattern is in the way, and which nearly matches."""
        notes = []
        number = self._matched(one, len(one.answers) - 1)
        patterns = self._patterns(one)
        if number is not None:
            says = " or ".join(sorted(outcomes_of(patterns[number])))
            later = made.how.startswith("move ")
            then = f", and stands before {made.how.split()[1]}" if later else ""
            notes.append(f"answers[{number}] says {says}, and matches this answer, too{then}")
        near = [
            (index, answer, missed)
            for index, answer in enumerate(patterns)
            if one.means & set(outcomes_of(answer))
            and one.raw is not None
            and (missed := misses(answer, one.raw))
        ]
        if near and number is None:
            index, answer, missed = min(near, key=lambda found: len(found[2]))
            says = " or ".join(sorted(outcomes_of(answer)))
            notes.append(f"answers[{index}] says {says}, but asks for {' and '.join(missed)}")
        return [self.redact(note) for note in notes]

    # --- captures -------------------------------------------------------------------------------

    def _for_captures(self, one: Tried) -> Iterator[Suggestion]:
        about = self.profile.operations[one.operation].about
        for name, found in one.lost.items():
            used = self._is_used(f"{about}.{name}")
            where = f"{self._place(one)}.capture"
            if not found:
                why = f"{name} is not in the answer, and nothing there looks like it"
                yield Suggestion(place=where, toml="", why=why, sure=used)
                continue
            first, *others = found[:_MOST_CANDIDATES]
            text = f"{toml.key(name)} = {toml.capture(first.capture)}"
            why = f"{name} is not where the profile says; there is {self._shown(first)}"
            if others:
                why += "; or " + ", ".join(map(self._shown, others))
            yield Suggestion(place=where, toml=self.redact(text), why=why, sure=used)

    def _shown(self, one: Candidate) -> str:
        return f"{one.name} {self.redact(shorten.hint(one.value))} ({one.where})"


def _once(step: Step, said: set[tuple[str, str]]) -> Step:
    """A step whose suggestions were not made before: one line in the profile is enough."""
    new = [one for one in step.suggestions if (one.place, one.toml) not in said]
    said |= {(one.place, one.toml) for one in new}
    if len(new) == len(step.suggestions):
        return step
    notes = [*step.notes, "what is to be written above is for this answer, too"]
    return msgspec.structs.replace(step, suggestions=new, notes=notes)


def _may_mean_yes(one: Tried, raw: Raw) -> bool:
    """Whether an error's status may be how a target says yes: 401, you are logged out."""
    return raw.status < 400 or (one.operation in ("cancel", "amend") and raw.status in (401, 410))


def _how(made: Suggested) -> str:
    return "as the last of them" if made.last else "as the first of them"


def _why_shared(one: Tried, made: Suggested) -> str:
    if not made.shares:
        return ""
    return f"answered alike: {', '.join((one.name, *made.shares))}; the list is the honest answer"
