"""What every inbox can be asked for, wherever its messages come from."""

from typing import Protocol

from otpspec.profile import Message


class Inbox(Protocol):
    """Where codes are read. Nothing that it does blocks the event loop of its caller."""

    def open(self) -> None:
        """Begin to take messages. What came before this belongs to an earlier run.

        Raises TargetError where that cannot be done: what is in the way, and what to try.
        """

    def close(self) -> None:
        """End it, and every thread and process of its own, within two seconds. May be repeated."""

    async def messages(self, contact: str) -> list[Message]:
        """All messages that are kept for a contact, oldest first.

        Raises TargetError where the inbox cannot be read.
        """

    def seen(self) -> str:
        """What has come so far, for a sentence that begins with 'no message came': no texts of
        messages, and of contacts only their ends."""
