"""Asks the target about a card over one connection, and has every answer judged and counted."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import gevent

from otpspec import model
from otpspec.errors import TargetError
from otpspec.load.card import LoadCard, Told
from otpspec.load.connection import Connection, NoAnswerError
from otpspec.load.plan import Plan
from otpspec.load.recorder import Contradiction, Recorder
from otpspec.load.wire import Answer, encode
from otpspec.model import Judgement, Observation
from otpspec.outcome import SUCCESS, Outcome
from otpspec.profile import Message, Request

_UNANSWERED = frozenset({Outcome.UNAVAILABLE})

Report = Callable[[Request, float, int, Exception | None, bool], None]
"""Told of each call: its request, seconds, bytes of the answer, what is wrong, is it measured."""


class RuleBrokenError(Exception):
    """An answer that broke a rule: "EXPIRY-2: approved, expected expired"."""

    def __repr__(self) -> str:
        """What Locust shows."""
        return str(self)


class EndedError(Exception):
    """A journey cannot go on; the message says why, in words that are the same each time."""


class Caller:
    """One user's conversation with the target."""

    def __init__(self, plan: Plan, recorder: Recorder, report: Report) -> None:
        self._plan = plan
        self._profile = plan.profile
        self._recorder = recorder
        self._report = report
        self._connection = Connection(plan.place, plan.profile.timeout.total_seconds())
        self.unanswered = 0
        """How many calls in a row got no answer."""

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def call(
        self, card: LoadCard, operation: str, values: Mapping[str, Any]
    ) -> tuple[Told, dict[str, Any]]:
        """Ask once, and keep what was said in the card's history; what was captured of it.

        Nothing is asked again, and nothing is judged yet: see `judge`. Raises TargetError where
        the target has not given what the profile needs for the request.
        """
        try:
            request = self._profile.build(operation, values)
        except KeyError as error:
            raise TargetError(
                f"The target's answers did not hold {error.args[0]}, which {operation} needs.\n"
                f"  profile   {self._profile.source}, capture of [operations.enroll] or [.start]"
            ) from error
        data = encode(request, self._plan.place.host)
        called = self._plan.now()
        try:
            answer = self._connection.exchange(data)
        except NoAnswerError as error:
            told = Told(request, None, str(error).encode(), _UNANSWERED, called, self._plan.now())
            captures: dict[str, Any] = {}
        else:
            returned = self._plan.now()
            outcomes, captures = self._profile.read(operation, *answer)
            told = Told(request, answer.status, answer.body, outcomes, called, returned)
        card.history.append(told)
        return told, captures

    def judge(self, card: LoadCard, told: Told, operation: model.Operation) -> Observation:
        """Judge an answer by all that came before it, and count it.

        Raises EndedError where no answer came.
        """
        recorder, name = self._recorder, told.request.operation
        seconds = (told.returned - told.called) / self._plan.rate
        if told.status is None:
            card.tracker.observe(operation, told.called, told.returned, None)
            self.unanswered += 1
            recorder.unanswered(name, measured=True)
            why = told.text.decode()
            self._report(told.request, seconds, 0, EndedError(why), True)
            raise EndedError(f"no answer to {name} ({why})")
        seen = card.tracker.observe(operation, told.called, told.returned, told.outcomes)
        self.unanswered = 0
        recorder.answered(name, seconds, told, seen)
        error = None
        if seen.judgement is Judgement.BROKEN:
            error = RuleBrokenError(seen.headline)
            recorder.contradicted(_contradiction(card, seen, told))
        self._report(told.request, seconds, len(told.text), error, True)
        return seen

    def enrol(self, card: LoadCard) -> None:
        """Make a card known to the target. Raises EndedError, TargetError where it is refused."""
        owner = card.owner
        answer = self._hook(self._profile.build("enroll", owner.values))
        outcomes, captures = self._profile.read("enroll", *answer)
        if outcomes & {Outcome.THROTTLED, Outcome.UNAVAILABLE}:
            raise EndedError(f"enroll was answered with {words(outcomes)}")
        if not outcomes & SUCCESS:
            raise TargetError(
                f"The target does not enrol cards: {words(outcomes)} (HTTP {answer.status}).\n"
                f"  profile   {self._profile.source}, [operations.enroll]\n"
                "Try: otpspec check, which says more of a single answer."
            )
        owner.values |= {f"card.{key}": value for key, value in captures.items()}

    def message(self, card: LoadCard) -> Message:
        """Wait for the newest message to the card that was not yet read.

        Raises EndedError where none comes in time, TargetError where the inbox cannot be read.
        """
        poll = self._profile.channels[0].poll
        assert poll is not None  # noqa: S101 - Plan has seen to it
        request = poll.build({"contact": card.owner.contact})
        deadline, pause = time.monotonic() + self._profile.wait.total_seconds(), 0.005
        while True:
            new = [m for m in self._messages(request) if m.id not in card.seen]
            if new:
                card.seen.update(m.id for m in new)
                return new[-1]
            if time.monotonic() >= deadline:
                raise EndedError("no message came in time")
            gevent.sleep(pause)
            pause = min(pause * 1.5, 0.25)

    def _messages(self, request: Request) -> list[Message]:
        answer = self._hook(request)
        try:
            if answer.status != 200:
                raise ValueError(f"HTTP {answer.status}")
            return self._profile.channels[0].messages(answer.body)
        except ValueError as error:
            raise TargetError(
                f"{self._profile.base_url} does not answer as the profile's [inbox] says "
                f"({error}).\n"
                f"  profile   {self._profile.source}\n"
                f"  request   {request.method} {request.target}\n"
                "Try: check --base-url, and that tokens in the environment are this server's."
            ) from error

    def _hook(self, request: Request) -> Answer:
        """A call that is not measured. Raises EndedError where no answer comes."""
        called = time.monotonic()
        try:
            answer = self._connection.exchange(encode(request, self._plan.place.host))
        except NoAnswerError as error:
            self.unanswered += 1
            self._recorder.unanswered(request.operation, measured=False)
            self._report(request, time.monotonic() - called, 0, error, False)
            raise EndedError(f"no answer to {request.operation} ({error})") from None
        self.unanswered = 0
        self._recorder.hook_answered()
        self._report(request, time.monotonic() - called, len(answer.body), None, False)
        return answer


def _contradiction(card: LoadCard, seen: Observation, told: Told) -> Contradiction:
    let_through = any(outcome in SUCCESS for outcome in seen.got)
    age = told.called - card.history[0].called
    return Contradiction(seen, tuple(card.history), card.secrets(), (let_through, age))


def words(outcomes: frozenset[Outcome]) -> str:
    """Outcomes as a reader would say them."""
    return " or ".join(sorted(outcomes)).replace("_", " ")
