"""`python -m otpspec.load.postman`: reads the inbox of a load run, in a process of its own.

What needs asyncio or threads (a mail server, an SMS gateway), and what costs requests of its own,
is kept out of the process that measures. It ends when its pipe is closed.
"""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import msgspec

from otpspec.errors import OtpspecError, TargetError
from otpspec.exchange import Access, Wire
from otpspec.faults import wrong_answer
from otpspec.inboxes import Inboxes
from otpspec.load.post import Order, Post
from otpspec.profile import Message, load

_PAUSE_S = 0.003
"""Between two looks at an inbox; after looks that find nothing it grows to ten times that."""

_TELL_S = 0.5  # so often it tells what it has used, also where nothing has come
_AT_ONCE = 32
_LONGEST = 1 << 26  # bytes of the messages to everyone: all that came since the target was started
_encode = msgspec.json.Encoder().encode


class Postman:
    """One run's reading."""

    def __init__(self, order: Order, out: int) -> None:
        profile = load(order.profile, base_url=order.base_url, changes=order.changes)
        self._profile = profile
        self._channel = profile.channels[0]
        self._order = order
        self._out = out
        self._access = Access(profile)
        self._wire = Wire(self._access)
        self._inboxes = Inboxes(profile)
        self._wanted: dict[str, float] = {}  # contact: until when it is looked at
        self._seen: dict[str, set[str]] = {}
        self._found: list[tuple[str, str, str, float]] = []
        self._requests = 0
        self._told = 0.0

    async def run(self) -> None:
        """Read until who gave the order hangs up."""
        await self._access.verify()
        self._inboxes.open()
        gone = asyncio.Event()
        try:
            for contact in self._order.skip:
                await self._look(contact)
            cursor = await self._newest() if self._order.pushes else ""
            self._found.clear()
            listening = await self._listen(gone)
            self._tell(ready=True)
            await (self._feed(cursor, gone) if self._order.pushes else self._each(gone))
            listening.close()
        finally:
            self._inboxes.close()
            await self._wire.aclose()

    async def _listen(self, gone: asyncio.Event) -> asyncio.ReadTransport:
        """Hear which contacts are wanted; and when the pipe is closed."""
        postman, lasts = self, self._profile.wait.total_seconds() + 1.0

        class Hearing(asyncio.Protocol):
            rest = b""

            def data_received(self, data: bytes) -> None:
                *lines, self.rest = (self.rest + data).split(b"\n")
                until = time.monotonic() + lasts
                for line in lines:
                    postman._wanted.update(dict.fromkeys(msgspec.json.decode(line), until))

            def connection_lost(self, error: Exception | None) -> None:
                gone.set()

        loop = asyncio.get_running_loop()
        transport, _ = await loop.connect_read_pipe(Hearing, sys.stdin)
        return transport

    async def _each(self, gone: asyncio.Event) -> None:
        """Look at the inbox of each contact that is waited for."""
        limit = asyncio.Semaphore(_AT_ONCE)

        async def look(contact: str) -> None:
            async with limit:
                if await self._look(contact):
                    self._wanted.pop(contact, None)

        async def once() -> bool:
            now = time.monotonic()
            for contact in [c for c, until in self._wanted.items() if until < now]:
                del self._wanted[contact]
            await asyncio.gather(*map(look, list(self._wanted)))
            return bool(self._found)

        await self._again_and_again(once, gone)

    async def _look(self, contact: str) -> bool:
        """Look for messages to a contact; whether there were new ones."""
        self._requests += self._channel.poll is not None
        try:
            messages = await self._inboxes.messages(self._channel, contact, self._wire)
        except TargetError as error:
            if isinstance(error.__cause__, httpx.HTTPError):
                return False  # no answer: those who wait for a code say so, if it goes on
            raise
        seen, now = self._seen.setdefault(contact, set()), time.monotonic()
        new = [message for message in messages if message.id not in seen]
        seen.update(message.id for message in new)
        self._found += [(contact, m.id, m.text, m.arrived_s or now) for m in new]
        return bool(new)

    async def _newest(self) -> str:
        """The id of the newest message that is there already."""
        found = await self._fed("")
        return found[-1][1].id if found else ""

    async def _feed(self, cursor: str, gone: asyncio.Event) -> None:
        """Look at all new messages at once, whoever they are to."""
        after = cursor

        async def once() -> bool:
            nonlocal after
            found = await self._fed(after)
            now = time.monotonic()
            for contact, message in found:
                self._found.append((contact, message.id, message.text, now))
                after = message.id
            return bool(found)

        await self._again_and_again(once, gone)

    async def _fed(self, after: str) -> list[tuple[str, Message]]:
        feed = self._channel.feed
        assert feed is not None  # noqa: S101 - else nothing is pushed
        request = feed.build({"after": after or "0"})
        self._requests += 1
        try:
            raw = await self._wire.send(request, longest=_LONGEST)
            if raw.status != 200:
                raise ValueError(f"HTTP {raw.status}")
            return self._channel.all_messages(raw.body)
        except httpx.HTTPError:
            return []  # as above
        except ValueError as error:
            raise wrong_answer(self._profile, request, "inbox.feed", error) from error

    async def _again_and_again(
        self, look: Callable[[], Awaitable[bool]], gone: asyncio.Event
    ) -> None:
        pause = _PAUSE_S
        while not gone.is_set():
            found = await look()
            if self._found or time.monotonic() - self._told > _TELL_S:
                self._tell()
            pause = _PAUSE_S if found or self._wanted else min(pause * 1.5, 10 * _PAUSE_S)
            await asyncio.sleep(pause)

    def _tell(self, **more: Any) -> None:
        found, self._found = self._found, []
        self._told = time.monotonic()
        post = Post(messages=found, requests=self._requests, cpu_s=time.process_time(), **more)
        _write(self._out, post)


def _write(out: int, post: Post) -> None:
    view = memoryview(_encode(post) + b"\n")
    while view:
        view = view[os.write(out, view) :]


def main() -> None:
    """Take the order that stands on stdin, and write lines to what was stdout."""
    out = os.dup(1)
    os.dup2(2, 1)  # whatever else prints does not get between the lines
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # who reads what it says ends it, by its pipe
    line = b""
    while not line.endswith(b"\n"):
        more = os.read(0, 1)
        if not more:
            return
        line += more
    try:
        asyncio.run(Postman(msgspec.json.decode(line, type=Order), out).run())
    except BrokenPipeError:
        pass
    except (OtpspecError, OSError) as error:
        _write(out, Post(failure=str(error), ready=True))


if __name__ == "__main__":
    main()
