"""Asks a server on this machine for operations, as a session of a run does."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from otpspec.clock import JumpingClock, RealClock
from otpspec.exchange import Access
from otpspec.inboxes import Inboxes
from otpspec.profile import load
from otpspec.target import Answer, Session

from .driven import CARD, START
from .samples import PROFILE, written

_T = TypeVar("_T")


class Waits(JumpingClock):
    """A clock that stands still, and on which nobody waits: it notes how long each would have."""

    stands_still = True

    def __init__(self) -> None:
        self.at = datetime(2026, 1, 1, tzinfo=UTC)
        self.waited: list[timedelta] = []

    def now(self) -> datetime:
        return self.at

    async def sleep_until(self, when: datetime) -> None:
        self.waited.append(when - self.at)
        self.at = when


def in_session(
    url: str,
    play: Callable[[Session], Awaitable[_T]],
    *changes: str,
    text: str = PROFILE,
    clock: Any = None,
) -> _T:
    """What comes of a session with a server, by the sample's profile with these changes."""

    async def run() -> _T:
        with tempfile.TemporaryDirectory() as folder:
            profile = load(written(Path(folder), text), base_url=url, changes=changes, environ={})
        session = Session(Access(profile), clock or RealClock(), Inboxes(profile))
        try:
            return await asyncio.wait_for(play(session), 20)
        finally:
            await session.aclose()

    return asyncio.run(run())


def enrolled(url: str, *changes: str, **options: Any) -> Answer:
    """The answer of a server to enrolling."""
    return in_session(url, lambda session: session.ask("enroll", CARD), *changes, **options)


def started(url: str, *changes: str, patient: bool = True, **options: Any) -> Answer:
    """The answer of a server to a start."""

    async def play(session: Session) -> Answer:
        return await session.ask("start", START, patient=patient)

    return in_session(url, play, *changes, **options)


def trickling(answer: bytes, *changes: str) -> Answer:
    """The answer to enrolling of a server that says a byte of it every 20 ms."""

    async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        with suppress(ConnectionError):
            for byte in answer:
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(0.02)
        writer.close()

    async def run() -> Answer:
        server = await asyncio.start_server(trickle, "127.0.0.1", 0)
        url = "http://{}:{}".format(*server.sockets[0].getsockname())
        try:
            return await asyncio.to_thread(enrolled, url, *changes)
        finally:
            server.close()

    return asyncio.run(run())
