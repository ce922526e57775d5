"""The target over HTTP: a profile with a transport, and the record of what was asked."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx

from otpspec.cards import new_card
from otpspec.clock import Clock, Reading
from otpspec.errors import ClockError, TargetError
from otpspec.guard import GuardedTransport
from otpspec.outcome import Outcome
from otpspec.profile import Message, Operation, Profile, Request
from otpspec.redact import Redactor

MAX_BODY = 1 << 20
"""Bytes of an answer that are read; no answer to a payer is longer."""


@dataclass(frozen=True)
class Answer:
    """What the target said to one request.

    The request was decided somewhere between `called` and `returned`, in the target's time.
    """

    request: Request = field(repr=False)
    status: int | None  # None: no answer came
    outcomes: frozenset[Outcome]
    captures: dict[str, Any] = field(default_factory=dict, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    error: str = ""  # why there is no answer
    called: datetime = datetime.min
    returned: datetime = datetime.min

    @property
    def operation(self) -> str:
        """What was asked: "verify"."""
        return self.request.operation

    def __str__(self) -> str:
        """'approved (HTTP 200)'."""
        if self.status is None:
            return f"no answer ({self.error})"
        return f"{' or '.join(sorted(self.outcomes))} (HTTP {self.status})"


def client(profile: Profile) -> httpx.AsyncClient:
    """An HTTP client of its own for a payer: its connections, its cookies.

    One for each payer, since a pool that many share is searched at every request.
    """
    return httpx.AsyncClient(
        base_url=profile.origin,
        transport=GuardedTransport(),
        timeout=profile.timeout.total_seconds(),
        follow_redirects=False,
        trust_env=False,
    )


class Session:
    """One payer's (or one hook's) conversation with the target."""

    def __init__(
        self,
        profile: Profile,
        clock: Clock,
        http: httpx.AsyncClient,
        answers: list[Answer] | None = None,
    ) -> None:
        self._profile = profile
        self._clock = clock
        self._http = http
        self.answers: list[Answer] = [] if answers is None else answers
        """Every answer to an operation, in the order in which they came."""

    @asynccontextmanager
    async def another(self) -> AsyncIterator["Session"]:
        """A session of someone else, from other connections and without these cookies; its
        answers are kept with this one's."""
        async with client(self._profile) as http:
            yield Session(self._profile, self._clock, http, self.answers)

    async def ask(self, operation: str, values: Mapping[str, Any], **extra: Any) -> Answer:
        """Ask for one operation. Nothing is ever asked again behind the caller's back.

        Raises NotAllowedError where the target's address may not be connected to.
        """
        request = self._profile.build(operation, values, **extra)
        called = self._clock.now()
        try:
            status, headers, body = await send(self._http, request)
        except httpx.HTTPError as error:
            answer = Answer(
                request,
                None,
                frozenset({Outcome.UNAVAILABLE}),
                error=describe(error),
                called=called,
                returned=self._clock.now(),
            )
        else:
            returned = self._clock.now()
            read = self._profile.read(operation, status, headers, body)
            answer = Answer(request, status, *read, headers, body, called=called, returned=returned)
        self.answers.append(answer)
        return answer

    async def probe(self, redact: Redactor) -> None:
        """Enrol a card and read its inbox, before anything is judged: what fails is no verdict.

        Raises TargetError: what is wrong, and what to try.
        """
        card = new_card()
        redact.learn(*card.secrets())
        answer = await self.ask("enroll", card.values)
        request = answer.request._replace(target=redact(answer.request.target))
        if answer.status is None:
            raise TargetError(_no_answer(self._profile, request, answer.error))
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
        await self.messages(card.phone)

    async def messages(self, contact: str) -> list[Message]:
        """The messages that have come to a contact.

        Raises TargetError where the inbox cannot be read.
        """
        inbox = self._profile.inbox
        request = inbox.poll.build({"contact": contact})
        try:
            status, _, body = await send(self._http, request)
        except httpx.HTTPError as error:
            raise TargetError(_no_answer(self._profile, request, describe(error))) from error
        try:
            if status != 200:
                raise ValueError(f"HTTP {status}")
            return inbox.messages(body)
        except ValueError as error:
            raise TargetError(_wrong_answer(self._profile, request, "inbox", error)) from error


async def send(http: httpx.AsyncClient, request: Request) -> tuple[int, dict[str, str], bytes]:
    """Send a request; status, headers (names in lower case) and body of the answer.

    Raises httpx.HTTPError where no answer came.
    """
    headers = [(name.encode(), value.encode()) for name, value in request.headers]
    built = http.build_request(
        request.method, request.target, headers=headers, content=request.body or None
    )
    response = await http.send(built, stream=True)
    try:
        body = bytearray()
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > MAX_BODY:
                raise httpx.ReadError(f"the answer is longer than {MAX_BODY} bytes")
        return response.status_code, dict(response.headers), bytes(body)
    finally:
        await response.aclose()


def describe(error: httpx.HTTPError) -> str:
    """Why no answer came, in a few words."""
    if isinstance(error, httpx.TimeoutException):
        return "no answer in time"
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ConnectionRefusedError):
            return "connection refused"
        if isinstance(cause, ConnectionResetError):
            return "connection reset"
        cause = cause.__cause__ or cause.__context__
    return str(error) or type(error).__name__


def _no_answer(profile: Profile, request: Request, why: str) -> str:
    return (
        f"No answer from {profile.base_url} ({why}).\n"
        f"  profile   {profile.source}, target.base_url\n"
        f"  request   {request.method} {request.target}\n"
        "No rule was checked, so this says nothing about the target.\n"
        "Try: start the target, or give its address with --base-url."
    )


def _wrong_answer(profile: Profile, request: Request, table: str, why: object) -> str:
    return (
        f"{profile.base_url} does not answer as the profile's [{table}] says ({why}).\n"
        f"  profile   {profile.source}\n"
        f"  request   {request.method} {request.target}\n"
        "No rule was checked, so this says nothing about the target.\n"
        "Try: check --base-url, and that tokens in the environment are those of this server."
    )


class HttpTimeHook:
    """Moves a target's time through its test endpoint; holds the endpoint's lease meanwhile."""

    def __init__(self, profile: Profile, http: httpx.AsyncClient) -> None:
        self._profile = profile
        self._http = http
        self._lease = ""

    async def read(self) -> Reading:
        """Read the target's clock. Raises TargetError where that cannot be done."""
        return _reading(await self._ask(self._profile.clock.read, {}))

    async def advance(self, seconds: float) -> Reading:
        """Move the target's clock. Raises ClockError where it refuses."""
        values = {"seconds": seconds, "lease": self._lease}
        try:
            return _reading(await self._ask(self._profile.clock.advance, values))
        except TargetError as error:
            raise ClockError(str(error)) from error

    async def lease(self) -> None:
        """Take the lease, if the endpoint has one. Raises TargetError where another run has it."""
        if self._profile.clock.lease:
            self._lease = str((await self._ask(self._profile.clock.lease, {}))["lease"])

    async def release(self) -> None:
        """Give the lease back."""
        if self._profile.clock.release and self._lease:
            lease, self._lease = self._lease, ""
            await self._ask(self._profile.clock.release, {"lease": lease})

    async def _ask(self, operation: Operation | None, values: dict[str, Any]) -> dict[str, Any]:
        assert operation is not None, "the profile's reader demands it"  # noqa: S101
        request = operation.build(values)
        try:
            status, _, body = await send(self._http, request)
        except httpx.HTTPError as error:
            raise TargetError(_no_answer(self._profile, request, describe(error))) from error
        if status == 409:
            raise TargetError(
                f"Another run moves the clock of {self._profile.base_url} at the moment.\n"
                "Try: wait for it to end; a run that was killed gives it free after half a minute."
            )
        try:
            if status >= 300:
                raise ValueError(f"HTTP {status}")
            captured = operation.captured(body)
            if None in captured.values():
                raise ValueError("something that [clock] captures is not in the answer")
            return captured
        except ValueError as error:
            raise TargetError(_wrong_answer(self._profile, request, "clock", error)) from error


def _reading(captured: dict[str, Any]) -> Reading:
    try:
        return Reading(float(captured["now"]), float(captured.get("rate", 1.0)))
    except (TypeError, ValueError) as error:
        raise TargetError("The target's clock does not read as seconds since 1970.") from error
