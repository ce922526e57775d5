"""What the tests of inboxes share: asking one, until there is what is waited for."""

import asyncio
import time
from collections.abc import Callable

from otpspec.inbox import Inbox, Message


def ask(inbox: Inbox, contact: str) -> list[Message]:
    """What there is for a contact now."""
    return asyncio.run(inbox.messages(contact))


def texts(inbox: Inbox, contact: str) -> list[str]:
    """The texts that there are for a contact now."""
    return [message.text for message in ask(inbox, contact)]


def wait_for(inbox: Inbox, contact: str, count: int, *, within: float = 5) -> list[str]:
    """The texts for a contact, once there are so many of them, or the time is over."""
    return [m.text for m in wait_until(lambda: ask(inbox, contact), count, within=within)]


def wait_until(read: Callable[[], list[Message]], count: int, *, within: float) -> list[Message]:
    """What is read, once it is that long, or the time is over."""
    end = time.monotonic() + within
    while len(found := read()) < count and time.monotonic() < end:
        time.sleep(0.01)
    return found
