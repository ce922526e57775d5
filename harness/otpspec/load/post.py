"""What the load process and the one that reads its inboxes tell each other: a line of JSON each."""

from collections.abc import Sequence

import msgspec

from otpspec.profile import Profile


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """Which profile's inbox is read: the first line; each further one lists wanted contacts."""

    profile: str  # a path, or a shipped profile's name
    base_url: str | None = None
    changes: list[str] = []
    skip: list[str] = []  # contacts whose messages up to now are nobody's
    pushes: bool = False  # whether all new messages are told, whoever is waited for


class Post(msgspec.Struct, frozen=True, kw_only=True):
    """What has come since the line before."""

    messages: list[tuple[str, str, str, float]] = []
    """Contact, id, text, and when it was seen, as `time.monotonic` shows it."""

    requests: int = 0  # that were made, so far
    cpu_s: float = 0.0  # processor time, so far
    ready: bool = False  # whether messages that are sent from now on will be seen
    failure: str = ""  # why it cannot go on


decode = msgspec.json.Decoder(Post).decode


def order(
    profile: Profile, source: str, base_url: str | None, changes: Sequence[str] = ()
) -> Order:
    """What the process that reads the inbox is told."""
    channel = profile.channels[0]
    contacts = [str(row.get(channel.contact, "")) for row in profile.cards]
    return Order(
        profile=source,
        base_url=base_url,
        changes=list(changes),
        skip=[contact for contact in dict.fromkeys(contacts) if contact],
        pushes=channel.feed is not None,
    )
