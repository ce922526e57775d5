"""Releases requests together: each on its own connection, all but the last byte sent before."""

import asyncio
import select
from collections.abc import Sequence
from typing import NamedTuple

import httpx

from otpspec import realtime
from otpspec.burst.line import Line, LineError
from otpspec.guard import Address, Guard

SETTLE_S = 0.01
"""How long the target has, once all is sent but the last bytes, to take all of it in."""


class Shot(NamedTuple):
    """One request of a burst."""

    request: httpx.Request
    delay_s: float = 0.0  # how long after the first release it is released
    hold_head: bool = False  # whether the body is held back, too, and not only the last byte


class Landed(NamedTuple):
    """What became of a request."""

    response: httpx.Response | None
    error: str = ""  # why there is no answer
    opened: bool = False
    early: bool = False  # something came back before its last byte was sent
    sent_s: float = 0.0  # when its first byte was sent: no part of it was read before
    released_s: float | None = None  # None: its last byte was never sent
    silent_until_s: float = 0.0  # the last time it was looked at, and had no answer
    answered_s: float = 0.0  # when its answer was read, or it failed


async def fire(
    guard: Guard, shots: Sequence[Shot], *, timeout_s: float, max_body: int
) -> list[Landed]:
    """Release the requests together; what became of each, in their order.

    `timeout_s`: for opening a connection, and for an answer. Raises NotAllowedError, TargetError
    where the guard gives no address.
    """
    loop = asyncio.get_running_loop()
    barrels = []
    for number, shot in enumerate(shots):
        guard.check(shot.request.url)
        url = shot.request.url
        port = url.port or (443 if url.scheme == "https" else 80)
        async with asyncio.timeout(timeout_s):  # its timer holds the clock, as every wait does
            addresses = await loop.run_in_executor(None, guard.addresses, url.host, port)
        tls = guard.tls if url.scheme == "https" else None
        line = Line(shot.request, tls, hold_head=shot.hold_head)
        barrels.append(_Barrel(line, shot.delay_s, addresses, number))
    try:
        await asyncio.gather(*(barrel.load(timeout_s) for barrel in barrels))
        await asyncio.sleep(SETTLE_S)
        _release([barrel for barrel in barrels if barrel.is_loaded()])
        await asyncio.gather(*(barrel.read(timeout_s, max_body) for barrel in barrels))
    finally:
        for barrel in barrels:
            barrel.line.close()
    return [barrel.landed() for barrel in barrels]


class _Barrel:
    """One connection on its way through a burst."""

    def __init__(
        self, line: Line, delay_s: float, addresses: Sequence[Address], number: int
    ) -> None:
        self.line = line
        self.delay_s = delay_s
        self.released_s: float | None = None
        self.silent_until_s = 0.0
        self._addresses, self._number = addresses, number
        self._opened = self._early = False
        self._error = ""
        self._response: httpx.Response | None = None
        self._sent_s = self._answered_s = 0.0

    async def load(self, timeout_s: float) -> None:
        """Open the connection and send all but the last byte."""
        try:
            async with asyncio.timeout(timeout_s):
                await self.line.open(self._addresses, self._number)
                self._opened, self._sent_s = True, realtime.monotonic()
                await self.line.load()
        except TimeoutError:
            self._error = "the connection was not taken in time"
        except (OSError, LineError) as error:
            self._error = why(error)

    def is_loaded(self) -> bool:
        """Whether it can be released; one that has an answer before its end cannot."""
        if self._opened and not self._error:
            self._early = self.line.peek()
        return self._opened and not self._error and not self._early

    def release(self) -> None:
        """Send the last byte."""
        try:
            self.line.release()
        except OSError as error:
            self._error = why(error)
            return
        self.released_s = self.silent_until_s = realtime.monotonic()

    async def read(self, timeout_s: float, max_body: int) -> None:
        """Read the answer, and hang up: a server with one thread may wait for that before it takes
        the next connection."""
        if self.released_s is None and not self._early:
            return
        try:
            async with asyncio.timeout(timeout_s):
                self._response = await self.line.answer(max_body)
        except TimeoutError:
            self._error = "no answer in time"
        except (OSError, LineError) as error:
            self._error = why(error)
        self._answered_s = realtime.monotonic()
        self.line.close()

    def landed(self) -> Landed:
        """What became of it."""
        return Landed(
            self._response,
            self._error,
            self._opened,
            self._early,
            self._sent_s,
            self.released_s,
            self.silent_until_s,
            self._answered_s,
        )


def _release(barrels: Sequence[_Barrel]) -> None:
    """Send the last bytes, at once or each at its time, and note who is still unanswered.

    Nothing else runs on this thread meanwhile: that is what keeps the spread small.
    """
    poll = select.poll()
    by_number = {barrel.line.fileno(): barrel for barrel in barrels}
    for number in by_number:
        poll.register(number, select.POLLIN)
    began = realtime.monotonic()
    for barrel in sorted(barrels, key=lambda barrel: barrel.delay_s):
        due = began + barrel.delay_s
        if realtime.monotonic() < due:
            while realtime.monotonic() < due:
                pass  # a millisecond or so: a sleep would take longer than asked
            _look(poll, by_number)
        barrel.release()
    _look(poll, by_number)


def _look(poll: select.poll, by_number: dict[int, _Barrel]) -> None:
    """Note of each that was released and has nothing to read that it is unanswered now."""
    now = realtime.monotonic()  # before it is looked: what is silent then was silent now
    answered = {number for number, _ in poll.poll(0) if by_number[number].line.has_answer()}
    for number, barrel in by_number.items():
        if barrel.released_s is not None and number not in answered:
            barrel.silent_until_s = now


def why(error: Exception) -> str:
    """Why no answer came, in a few words."""
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    if isinstance(error, ConnectionResetError | BrokenPipeError):
        return "connection reset"
    return str(error) or type(error).__name__
