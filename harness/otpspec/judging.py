"""How a scenario judges what it saw: against outcomes, against times, against anything else."""

from collections.abc import Sequence, Set
from dataclasses import dataclass, field

from otpspec.challenge import Challenge
from otpspec.clock import Clock, TrialClock
from otpspec.outcome import REFUSED, SILENT, SUCCESS, Outcome, Verdict, judge
from otpspec.policy import Policy
from otpspec.profile import Raw
from otpspec.redact import Redactor
from otpspec.target import Answer
from otpspec.verdicts import Broken, Inconclusive


@dataclass
class Notes:
    """What a trial has come to so far."""

    checks: int = 0  # how often something was judged
    checked_refusal: bool = False
    saw_approval: bool = False
    measured: dict[str, str] = field(default_factory=dict)  # for the report: what, and how much


class Judging:
    """The part of a trial that judges."""

    policy: Policy
    clock: Clock
    notes: Notes
    _redact: Redactor

    def expect(self, answer: Answer, *allowed: Outcome, because: str) -> None:
        """Judge an answer: broken only if no outcome of its set is allowed here.

        Where an answer judges nothing (throttled, unavailable, unknown): inconclusive.
        """
        self.notes.checks += 1
        wanted = frozenset(allowed)
        verdict = judge(answer.outcomes, wanted)
        if verdict is Verdict.INCONCLUSIVE:
            raise Inconclusive(f"{answer.operation}: {self.seen_as(answer)}")
        if verdict is Verdict.BROKEN:
            because = self._redact.own(because)
            expected, got = f"{_words(wanted)}: {because}", str(answer)
            raise Broken(expected=expected, got=got, because=because, answers=[answer])
        if not wanted & SUCCESS:
            self._needs_life(answer)
            self.notes.checked_refusal = True

    def _needs_life(self, answer: Answer) -> None:
        """The refusal of a right code proves nothing where it may have died of its age: unless the
        scenario has waited for that."""
        aged = isinstance(self.clock, TrialClock) and self.clock.slept
        if not aged and answer.dies is not None and answer.returned > answer.dies:
            raise Inconclusive("too close to call: the target is so slow that the code may be old")

    def check(
        self,
        holds: bool,
        *,
        expected: str,
        got: str,
        because: str,
        answers: Sequence[Answer] = (),
    ) -> None:
        """Judge something other than an answer's outcome; `answers`: those that it shows in."""
        self.notes.checks += 1
        if not holds:
            expected, got, because = map(self._redact.own, (expected, got, because))
            raise Broken(expected=expected, got=got, because=because, answers=answers)

    def expect_alive(self, challenge: Challenge, answer: Answer, *, because: str) -> None:
        """Judge the answer to a right code that must still be accepted.

        Inconclusive where the answer came too late to tell: it may have been decided after the end.
        """
        refused = Outcome.APPROVED not in answer.outcomes
        if refused and answer.returned > challenge.surely_alive:
            raise Inconclusive(f"too close to call: {self.age_of(challenge, answer)}")
        if answer.outcomes == {Outcome.LOCKED} and not challenge.card.wronged:
            raise Inconclusive("the card is locked, and no wrong code was sent for it: LOCKOUT-9?")
        self.expect(answer, Outcome.APPROVED, because=because)

    def age_of(self, challenge: Challenge, answer: Answer) -> str:
        """How old a code was when it was judged, as the interval that is known."""
        youngest = (answer.called - challenge.sent_latest).total_seconds()
        oldest = (answer.returned - challenge.sent_earliest).total_seconds()
        validity = self.policy.validity.total_seconds()
        return f"{youngest:.1f} to {oldest:.1f} s after it was sent (validity {validity:g} s)"

    def measured(self, what: str, how_much: str) -> None:
        """Note a measurement for the report, whatever the verdict is going to be."""
        self.notes.measured[what] = self._redact.own(how_much)

    def seen_as(self, answer: Answer) -> str:
        """An answer in words; one that judges nothing with its body, redacted."""
        text = str(answer)
        if answer.outcomes & SILENT and answer.body and answer.status is not None:
            raw = Raw(answer.status, answer.headers, answer.body)
            text += ": " + self._redact((" ".join(raw.seen.split()) or raw.text)[:200])
        if Outcome.THROTTLED in answer.outcomes:
            text += "; see target.max_rate and policy.max_starts"
        return text


def _words(outcomes: Set[Outcome]) -> str:
    """Outcomes as a reader would say them."""
    if outcomes == REFUSED:
        return "refused"
    return " or ".join(sorted(outcomes))
