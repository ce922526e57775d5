"""Drives an operation's exchange over the wire: each request sent, each answer kept."""

import asyncio
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import httpx

from otpspec.answer import Answer
from otpspec.clock import Clock, JumpingClock
from otpspec.exchange import Access, Jar, Wire, describe
from otpspec.outcome import Outcome
from otpspec.profile import Profile, Raw, Reading, Request, UnsayableError
from otpspec.verdicts import Inconclusive, NotApplicable

Exchange = Generator[Request, Raw, Reading]


class Asking:
    """The part of a session that sends requests and keeps answers."""

    _access: Access
    _profile: Profile
    _clock: Clock
    _wire: Wire
    answers: list[Answer]

    def _exchange(
        self, operation: str, values: Mapping[str, Any], *, patient: bool, **extra: Any
    ) -> Exchange:
        asked = self._profile.operations[operation]
        return asked.exchange(values, self._profile.origins, patient=patient, **extra)

    async def _drive(self, exchange: Exchange, request: Request, jar: Jar | None) -> Answer:
        """Send an operation's requests one after the other; the last answer, for all of them."""
        answer, _ = await self._drive_on(exchange, request, jar, hold=False)
        assert answer is not None  # noqa: S101 - nothing was held back
        return answer

    async def _drive_on(
        self, exchange: Exchange, request: Request, jar: Jar | None, *, hold: bool
    ) -> tuple[Answer | None, Request | None]:
        """As far as the operation's end: its answer; or, with `hold`, as far as its decisive
        request: that, not sent."""
        began: datetime | None = None
        while True:
            if hold and request.decisive:
                return None, request
            if request.after_s is not None:
                if not request.guessed:
                    self._access.slow_down()
                await self._pass(request.after_s)
            answer, raw = await self._send(request, jar)
            began = began or answer.called
            self.answers.append(answer)
            if raw is None:
                return replace(answer, called=began), None
            following, reading = go_on(exchange, raw)
            answer = replace(answer, outcomes=reading.outcomes, captures=reading.captures)
            self.answers[-1] = answer
            if request.guessed and request.after_s is not None:
                helped = Outcome.THROTTLED not in reading.outcomes
                self._access.backed_off(request.after_s, helped=helped)
            if following is not None and following.guessed and not self._access.may_back_off:
                exchange.close()
                following = None
            if following is None:
                return replace(answer, called=began), None
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
            return self._silent(request, describe(error), called, self._clock.now()), None
        return self._said(request, raw, called, self._clock.now()), raw

    def _said(self, request: Request, raw: Raw, called: datetime, returned: datetime) -> Answer:
        """An answer that came, not yet read."""
        return Answer(
            request,
            raw.status,
            frozenset(),
            {},
            raw.headers,
            raw.body,
            id=self._access.mark_of(request),
            called=called,
            returned=returned,
        )

    def _silent(self, request: Request, why: str, called: datetime, returned: datetime) -> Answer:
        """What stands for an answer where none came."""
        silent, mark = frozenset({Outcome.UNAVAILABLE}), self._access.mark_of(request)
        return Answer(request, None, silent, error=why, id=mark, called=called, returned=returned)


def go_on(exchange: Exchange, raw: Raw) -> tuple[Request | None, Reading]:
    """The operation's next request, or None and what it came to."""
    try:
        following = exchange.send(raw)
    except StopIteration as end:
        return None, end.value
    outcome = Outcome.DONE if following.after_s is None else Outcome.THROTTLED
    return following, Reading(frozenset({outcome}), {})


@contextmanager
def saying(operation: str) -> Iterator[None]:
    """Say of a request that cannot be built what it lacks: Inconclusive, NotApplicable."""
    try:
        yield
    except KeyError as error:
        raise Inconclusive(
            f"{operation} needs {{{error.args[0]}}}, which no answer before it held: "
            "see what the profile captures"
        ) from error
    except UnsayableError as error:
        raise NotApplicable(f"the request of {operation} cannot say it: {error}") from error
