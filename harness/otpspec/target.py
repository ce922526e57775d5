"""The target over HTTP: what was asked, what was answered, and the record of it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx

from otpspec.answer import Answer as Answer
from otpspec.asking import saying
from otpspec.clock import Clock
from otpspec.errors import TargetError
from otpspec.exchange import Access, Jar, Wire, describe
from otpspec.faults import no_answer
from otpspec.inboxes import Inboxes
from otpspec.outcome import Outcome
from otpspec.profile import Channel, Message, Profile, Request
from otpspec.redact import Redactor
from otpspec.together import Together


class Session(Together):
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
        exchange = self._exchange(operation, values, patient=patient, **extra)
        with saying(operation):
            answer = await self._drive(exchange, next(exchange), jar)
        return replace(answer, jar=jar)

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
