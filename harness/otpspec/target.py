"""The target over HTTP: what was asked, what was answered, and the record of it."""

import asyncio
from collections.abc import AsyncIterator, Generator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import httpx

from otpspec.clock import Clock, JumpingClock
from otpspec.errors import TargetError
from otpspec.exchange import Access, Jar, Wire, describe
from otpspec.faults import no_answer
from otpspec.inboxes import Inboxes
from otpspec.outcome import Outcome
from otpspec.profile import Channel, Message, Profile, Raw, Reading, Request, UnsayableError
from otpspec.redact import Redactor
from otpspec.verdicts import Inconclusive, NotApplicable


@dataclass(frozen=True)
class Answer:
    """What the target said to one request, or to the requests of one operation.

    It was decided somewhere between `called` and `returned`, in the target's time.
    """

    request: Request = field(repr=False)
    status: int | None  # None: no answer came
    outcomes: frozenset[Outcome]
    captures: dict[str, Any] = field(default_factory=dict, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    error: str = ""  # why there is no answer
    dies: datetime | None = None  # a right code was sent: from then on it may have expired
    id: str = ""  # of the request, to be found in the target's own logs
    jar: Jar | None = field(default=None, repr=False)  # the cookies of the payer who asked
    called: datetime = datetime.min
    returned: datetime = datetime.min

    @property
    def seen(self) -> str:
        """The body as a reader sees it: of a page the text, with single spaces."""
        return Raw(self.status or 0, self.headers, self.body).seen

    @property
    def operation(self) -> str:
        """What was asked: "verify"."""
        return self.request.operation

    def __str__(self) -> str:
        """'approved (HTTP 200)'."""
        if self.status is None:
            return f"no answer ({self.error})"
        return f"{' or '.join(sorted(self.outcomes))} (HTTP {self.status})"


class Session:
    """One payer's (or one hook's) conversation with the target."""

    def __init__(
        self,
        access: Access,
        clock: Clock,
        inboxes: Inboxes,
        answers: list[Answer] | None = None,
    ) -> None:
        self._access = access
        self._profile: Profile = access.profile
        self._clock = clock
        self._inboxes = inboxes
        self._wire = Wire(access)
        self.answers: list[Answer] = [] if answers is None else answers
        """Every answer to a request of an operation, in the order in which they came."""

    async def aclose(self) -> None:
        """Close its connections."""
        await self._wire.aclose()

    @asynccontextmanager
    async def another(self) -> AsyncIterator["Session"]:
        """A session of someone else, from other connections; its answers are kept with this
        one's."""
        session = Session(self._access, self._clock, self._inboxes, self.answers)
        try:
            yield session
        finally:
            await session.aclose()

    def jar(self) -> Jar:
        """The cookies of a payer who comes for the first time: none."""
        return self._access.jar()

    async def ask(
        self,
        operation: str,
        values: Mapping[str, Any],
        jar: Jar | None = None,
        *,
        patient: bool = True,
        **extra: Any,
    ) -> Answer:
        """Ask for one operation, with all its requests.

        Nothing is asked again behind the caller's back but what the target has refused unread, with
        a Retry-After: that is asked again when the time has come, unless the caller is not
        `patient`. `extra` is for Step.build.

        Raises Inconclusive where the profile's request needs what no answer held, NotApplicable
        where it cannot say what is asked for, NotAllowedError where the target's address may not
        be connected to.
        """
        asked = self._profile.operations[operation]
        exchange = asked.exchange(values, self._profile.origins, patient=patient, **extra)
        try:
            answer = await self._drive(exchange, next(exchange), jar)
        except KeyError as error:
            raise Inconclusive(
                f"{operation} needs {{{error.args[0]}}}, which no answer before it held: "
                "see what the profile captures"
            ) from error
        except UnsayableError as error:
            raise NotApplicable(f"the request of {operation} cannot say it: {error}") from error
        return replace(answer, jar=jar)

    async def _drive(
        self, exchange: Generator[Request, Raw, Reading], request: Request, jar: Jar | None
    ) -> Answer:
        """Send an operation's requests one after the other; the last answer, for all of them."""
        began: datetime | None = None
        while True:
            if request.after_s is not None:
                self._access.slow_down()
                await self._pass(request.after_s)
            answer, raw = await self._send(request, jar)
            began = began or answer.called
            self.answers.append(answer)
            if raw is None:
                return replace(answer, called=began)
            following, reading = _go_on(exchange, raw)
            answer = replace(answer, outcomes=reading.outcomes, captures=reading.captures)
            self.answers[-1] = answer
            if following is None:
                return replace(answer, called=began)
            if following.after_s is not None and began == answer.called:
                began = None  # nothing was carried out so far
            request = following

    async def _pass(self, seconds: float) -> None:
        """Let time pass for a target that counts requests: real time, unless its own is still."""
        if isinstance(self._clock, JumpingClock) and self._clock.stands_still:
            await self._clock.sleep_until(self._clock.now() + timedelta(seconds=seconds))
        else:
            await asyncio.sleep(seconds)

    async def _send(self, request: Request, jar: Jar | None) -> tuple[Answer, Raw | None]:
        """One request; its answer as it came, not yet read, or None where none came."""
        request = self._access.marked(request)
        await self._access.turn()
        called = self._clock.now()
        try:
            raw = await self._wire.send(request, jar, at_once=True)
        except httpx.HTTPError as error:
            silent = frozenset({Outcome.UNAVAILABLE})
            why, now, mark = describe(error), self._clock.now(), self._access.mark_of(request)
            answer = Answer(request, None, silent, error=why, id=mark, called=called, returned=now)
            return answer, None
        answer = Answer(
            request,
            raw.status,
            frozenset(),
            {},
            raw.headers,
            raw.body,
            id=self._access.mark_of(request),
            called=called,
            returned=self._clock.now(),
        )
        return answer, raw

    async def messages(self, channel: Channel, contact: str) -> list[Message]:
        """The messages to a contact. Raises TargetError where they cannot be read."""
        return await self._inboxes.messages(channel, contact, self._wire)

    def read(self, channel: int, contact: str) -> set[str]:
        """The ids of the messages to a contact that someone has read: each is read once in a run,
        whoever has the same contact."""
        return self._inboxes.read.setdefault((channel, contact), set())

    def came(self) -> str:
        """What came to the inboxes so far, in a sentence."""
        return self._inboxes.came()

    async def probe(self, card: Mapping[str, Any] | None, redact: Redactor) -> None:
        """See whether the target is there, before anything is judged: what fails is no verdict.

        `card`: one to be enrolled, where the target enrols cards. Raises TargetError: what is
        wrong, and what to try.
        """
        if card is None:
            await self._reach()
            return
        answer = await self.ask("enroll", card, self.jar())
        request = answer.request._replace(target=redact(answer.request.target))
        if answer.status is None:
            raise no_answer(self._profile, request, answer.error)
        if Outcome.DONE not in answer.outcomes:
            body = redact(answer.body.decode("utf-8", "replace")[:200]).strip()
            raise TargetError(
                f"{self._profile.base_url} does not enrol a card: {answer}\n"
                f"  profile   {self._profile.source}, operations.enroll\n"
                f"  request   {request.method} {request.target}\n"
                + (f"  answer    {body}\n" if body else "")
                + "No rule was checked, so this says nothing about the target.\n"
                "Try: check --base-url and the patterns of operations.enroll."
            )
        for channel in self._profile.channels:
            if channel.poll is not None:
                await self.messages(channel, str(card[f"card.{channel.contact}"]))

    async def _reach(self) -> None:
        request = Request("probe", "GET", "/", (), b"", self._profile.origin)
        try:
            await self._wire.send(request)
        except httpx.HTTPError as error:
            raise no_answer(self._profile, request, describe(error)) from error

    async def version(self) -> str:
        """The target's build, as it says itself; empty where the profile does not ask for it."""
        step = self._profile.version
        if step is None:
            return self._profile.version_text
        try:
            raw = await self._wire.send(step.build({}))
        except httpx.HTTPError:
            return ""
        return str(step.captured(raw).get("version", ""))


def _go_on(exchange: Generator[Request, Raw, Reading], raw: Raw) -> tuple[Request | None, Reading]:
    """The operation's next request, or None and what it came to."""
    try:
        following = exchange.send(raw)
    except StopIteration as end:
        return None, end.value
    outcome = Outcome.DONE if following.after_s is None else Outcome.THROTTLED
    return following, Reading(frozenset({outcome}), {})
