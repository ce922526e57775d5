"""How a journey comes by its code: a message that is pushed to this process, or a secret.

Messages are read by a process of its own (postman.py), which pushes what it finds over a pipe: no
reading of an inbox is in the way of the requests that are measured.
"""

import os
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import gevent
import msgspec
from gevent.event import Event
from gevent.hub import get_hub

from otpspec.errors import TargetError
from otpspec.inboxes import computed
from otpspec.load.histogram import Histogram
from otpspec.load.post import Order, Post, decode
from otpspec.profile import Message, Profile, schema
from otpspec.profile.places import Template

PATIENCE_S = 15.0
"""How long the process that reads messages may take until it can."""

_KEPT = 8  # messages to a contact for which nobody waits yet
_now = time.monotonic
_encode = msgspec.json.Encoder().encode

Take = Callable[[str | None, float], None]
"""Is given a code, and when it was seen (`time.monotonic`); None: none came in time."""


class _Waiting:
    """A journey that waits for its code."""

    __slots__ = ("contact", "deadline", "reference", "since", "take")

    def __init__(
        self, contact: str, reference: Any, since: float, deadline: float, take: Take
    ) -> None:
        self.contact = contact
        self.reference = reference
        self.since = since
        self.deadline = deadline
        self.take: Take | None = take  # None: it has its code


class Desk:
    """Where codes are asked for. One for each process."""

    def __init__(self, profile: Profile, order: Order, fail: Callable[[Exception], None]) -> None:
        self._profile = profile
        self._channel = channel = profile.channels[0]
        settings = channel.settings
        self._always = ""  # the test code, where it is the same for every card
        if isinstance(settings, schema.StaticInbox) and not Template(settings.otc).names:
            self._always = channel.made_of({})
        self._order = order
        self._fail = fail
        self._wait = profile.wait.total_seconds()
        self._waiting: dict[str, list[_Waiting]] = {}
        self._by_age: deque[_Waiting] = deque()
        self._unread: dict[str, deque[tuple[Message, float]]] = {}
        self._wanted: list[str] = []
        self._process: Any = None
        self._readable: Any = None
        self._rest = b""
        self._ready = Event()
        self.waits = Histogram()
        """How long codes were waited for."""

        self._last = Post()

    # --- its life -------------------------------------------------------------------------------

    def open(self) -> None:
        """Start what reads the messages, and wait until it can.

        Raises TargetError where it cannot.
        """
        if not self._channel.sends:
            return
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "otpspec.load.postman"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for who reads what it says
            env=environment,
            bufsize=0,
        )
        self._write(_encode(self._order) + b"\n")
        descriptor = self._process.stdout.fileno()
        os.set_blocking(descriptor, False)
        os.set_blocking(self._process.stdin.fileno(), False)
        self._readable = get_hub().loop.io(descriptor, 1)
        self._readable.start(self._read, descriptor)
        if not self._ready.wait(PATIENCE_S):
            raise TargetError("The process that reads the inbox did not start in time.")
        if self._last.failure:
            raise TargetError(self._last.failure)

    def close(self) -> None:
        """End what reads the messages."""
        if self._readable is not None:
            self._readable.stop()
            self._readable.close()
            self._readable = None
        if self._process is not None:
            with suppress(OSError):
                self._process.stdin.close()
            with gevent.Timeout(2, False):
                self._process.wait()
            if self._process.poll() is None:
                self._process.kill()
                self._process.wait()
            self._process.stdout.close()
            self._process = None

    @property
    def spent(self) -> tuple[int, float]:
        """How many requests were made to read codes, and seconds of processor time."""
        return self._last.requests, self._last.cpu_s

    # --- asking for codes -----------------------------------------------------------------------

    def ask(self, values: dict[str, Any], contact: str, reference: Any, take: Take) -> None:
        """Give a card's newest code to `take`, now or as soon as it comes."""
        now = _now()
        if self._always:
            take(self._always, now)
            return
        if not self._channel.sends:
            digits = self._profile.policy.digits
            code, _ = computed(self._channel, values, digits, datetime.now(UTC))
            take(code, now)
            return
        unread = self._unread.get(contact)
        while unread:
            message, seen = unread.popleft()
            if self._channel.concerns(message, reference):
                self.waits.record(0.0)
                take(self._channel.code(message), seen)
                return
        waiting = _Waiting(contact, reference, now, now + self._wait, take)
        self._waiting.setdefault(contact, []).append(waiting)
        self._by_age.append(waiting)
        if not self._order.pushes:
            self._wanted.append(contact)

    def ticked(self, now: float) -> None:
        """Tell who reads which contacts are waited for, and give up what did not come in time."""
        if self._wanted:
            wanted, self._wanted = self._wanted, []
            self._write(_encode(wanted) + b"\n")
        while self._by_age and (self._by_age[0].take is None or self._by_age[0].deadline <= now):
            late = self._by_age.popleft()
            if late.take is not None:
                take, late.take = late.take, None
                self._forget(late)
                take(None, now)

    # --- what comes over the pipe ---------------------------------------------------------------

    def _read(self, descriptor: int) -> None:
        try:
            try:
                data = os.read(descriptor, 1 << 18)
            except BlockingIOError:
                return
            if not data:
                self._readable.stop()
                self._ended()
                return
            *lines, self._rest = (self._rest + data).split(b"\n")
            for line in lines:
                self._heard(decode(line))
        except Exception as error:  # the hub would only print it
            self._fail(error)

    def _ended(self) -> None:
        self._ready.set()
        error = TargetError(self._last.failure or "The process that reads the inbox has ended.")
        self._fail(error)

    def _heard(self, post: Post) -> None:
        self._last = post
        if post.ready:
            self._ready.set()
        now = time.monotonic()
        for contact, message_id, text, arrived in post.messages:
            self._came(contact, Message(message_id, text), arrived, now)

    def _came(self, contact: str, message: Message, arrived: float, now: float) -> None:
        channel = self._channel
        for waiting in self._waiting.get(contact, ()):
            if channel.concerns(message, waiting.reference):
                take, waiting.take = waiting.take, None
                self._forget(waiting)
                self.waits.record(now - waiting.since)
                assert take is not None  # noqa: S101 - who has its code does not wait
                take(channel.code(message), arrived)
                return
        if contact in self._unread:
            self._unread[contact].append((message, arrived))

    def knows(self, contact: str) -> None:
        """Messages to this contact may come before anyone waits for them."""
        self._unread.setdefault(contact, deque(maxlen=_KEPT))

    def watches(self, contact: str, watch: deque[tuple[Message, float]]) -> None:
        """What comes to this contact is given to `watch`, until it is forgotten."""
        self._unread[contact] = watch

    def code_in(self, message: Message) -> str | None:
        """The code that a message holds."""
        return self._channel.code(message)

    def forgets(self, contact: str) -> None:
        """Nothing more is expected for a contact."""
        self._unread.pop(contact, None)

    def _forget(self, waiting: _Waiting) -> None:
        theirs = self._waiting[waiting.contact]
        theirs.remove(waiting)
        if not theirs:
            del self._waiting[waiting.contact]

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            try:
                view = view[os.write(self._process.stdin.fileno(), view) :]
            except BlockingIOError:
                self._wanted = []  # who reads is behind: it is asked again by whoever waits next
                return
            except BrokenPipeError:
                return
