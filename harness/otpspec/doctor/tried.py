"""What was tried, as it went: the material of a diagnosis."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from otpspec.doctor.captures import Candidate
from otpspec.doctor.shorten import cookies_of
from otpspec.doctor.texts import Candidate as CodeCandidate
from otpspec.outcome import SUCCESS, Outcome
from otpspec.profile import Channel, Operation, Raw
from otpspec.profile.requests import redirected
from otpspec.target import Answer


@dataclass
class Mail:
    """What one inbox brought, or why nothing."""

    channel: Channel
    index: int
    contact: str = field(repr=False)
    known: tuple[str, ...] = field(default=(), repr=False)  # the card's numbers, which are no code
    text: str | None = field(default=None, repr=False)  # None: no message came
    after_s: float | None = None
    waited_s: float = 0.0
    code: str = field(default="", repr=False)
    by_pattern: bool = False  # whether inbox.code has found it; else it is guessed
    several: int = 0  # different codes that the pattern finds
    candidates: list[CodeCandidate] = field(default_factory=list, repr=False)
    refuted: bool = False  # the target took another part of the text for its code
    fault: str = ""  # why the inbox cannot be read
    polled: Answer | None = None
    came: str = ""  # what the inboxes saw instead
    others: dict[str, str] = field(default_factory=dict, repr=False)  # the card's other contacts
    elsewhere: str = ""  # to which of them a message came instead: "email"


@dataclass
class Tried:
    """One thing that was tried."""

    name: str
    operation: str
    expects: frozenset[Outcome]  # outcomes any of which is as expected
    means: frozenset[Outcome]  # what the answer means, by what was done
    answers: list[Answer] = field(default_factory=list)
    answer: Answer | None = None
    skipped: str = ""
    fault: str = ""  # why it could not be asked, or not to the end
    notes: list[str] = field(default_factory=list)
    assumed: str = ""  # why it was taken as carried out, although it is not read so
    lost: dict[str, list[Candidate]] = field(default_factory=dict)  # captures that found nothing
    kept: dict[str, Any] | None = field(default=None, repr=False)  # with what was guessed
    mails: list[Mail] = field(default_factory=list)
    quiet: bool = False  # done before, and not shown again

    @property
    def went(self) -> bool:
        """Whether it was carried out, as far as can be told."""
        if self.answer is None:
            return False
        return bool(self.answer.outcomes & SUCCESS) or bool(self.assumed)

    @property
    def raw(self) -> Raw | None:
        """The last answer."""
        return raw_of(self.answers[-1]) if self.answers else None


def raw_of(answer: Answer) -> Raw | None:
    """An answer as it came."""
    if answer.status is None:
        return None
    return Raw(answer.status, answer.headers, answer.body, cookies_of(answer.headers))


def step_numbers(operation: Operation, answers: Sequence[Answer]) -> list[int]:
    """To which of an operation's requests each answer belongs; redirects belong to theirs."""
    numbers: list[int] = []
    step, followed = 0, 0
    for index, answer in enumerate(answers):
        if index:
            before = answers[index - 1]
            raw = raw_of(before)
            request_to = redirected(before.request, raw) if raw else None
            limit = operation.steps[step].follow
            if request_to and followed < limit and request_to.target == answer.request.target:
                followed += 1
            elif answer.request == before.request:  # asked again: it was throttled
                followed = 0
            else:
                step, followed = min(step + 1, len(operation.steps) - 1), 0
        numbers.append(step)
    return numbers
