"""How the messages of an inbox are read: which is whose, and where its code is."""

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from otpspec.policy import Policy
from otpspec.profile import schema
from otpspec.profile.answers import decode, query
from otpspec.profile.finding import codes_in
from otpspec.profile.places import Template, Values
from otpspec.profile.requests import Base, Step


class Message(NamedTuple):
    """A message as an inbox holds it."""

    id: str
    text: str
    arrived_s: float | None = None  # time.monotonic() when it came, where that is known

    def __repr__(self) -> str:
        """Without its text, in which the code is."""
        return f"Message(id={self.id!r})"


class Channel:
    """One way by which codes come: an inbox of the profile."""

    def __init__(self, settings: schema.Inbox, base: Base, policy: Policy) -> None:
        self.settings = settings
        self._digits = policy.digits
        self.kind = str(settings.__struct_config__.tag)
        self.contact = settings.contact
        self.sends = not isinstance(settings, schema.TotpInbox | schema.StaticInbox)
        """Whether messages come; a code may also be made of a secret, or be a test code."""

        self.poll = None
        self.feed = None
        """Lists the messages to everyone, where the target can: one request reads many codes."""

        if isinstance(settings, schema.HttpInbox):
            self.poll = Step("inbox", settings.poll, base)
            self.feed = None if settings.feed is None else Step("inbox", settings.feed, base)
            self._to = query(settings.to) if settings.to else None
            self._messages = query(settings.messages)
            self._id = query(settings.id)
            self._text = query(settings.text)
        self._code = re.compile(settings.code)
        self._reference = None if settings.reference is None else re.compile(settings.reference)
        made = {schema.TotpInbox: "secret", schema.StaticInbox: "otc"}.get(type(settings))
        self._made_of = Template(getattr(settings, made)) if made else None

    def messages(self, body: bytes) -> list[Message]:
        """The messages of a polled answer, oldest first as the target gives them.

        Raises ValueError where the answer has no list of messages, or one without its id.
        """
        return [self._message(message) for message in self._listed(body)]

    def all_messages(self, body: bytes) -> list[tuple[str, Message]]:
        """The messages of the feed, oldest first, each with the contact that it went to.

        Raises ValueError as `messages` does.
        """
        assert self._to is not None, "a feed has inbox.to: the profile was checked"  # noqa: S101
        return [(str(self._to(m)), self._message(m)) for m in self._listed(body)]

    def _listed(self, body: bytes) -> list[Any]:
        found = self._messages(decode(body))
        if not isinstance(found, list):
            raise ValueError("no list of messages in the answer: see inbox.messages")
        if any(self._id(message) is None for message in found):
            raise ValueError("a message without an id: see inbox.id")
        return found

    def _message(self, message: Any) -> Message:
        return Message(str(self._id(message)), str(self._text(message) or ""))

    def code(self, message: Message, known: Iterable[str] = ()) -> str | None:
        """The code in a message's text, or None. `known`: the card's numbers: they are none."""
        return next(iter(self.codes(message.text, known)), None)

    def codes(self, text: str, known: Iterable[str] = ()) -> list[str]:
        """What may be the code of a text, the likeliest first; one, where there is no doubt.

        A pattern of the profile's own says what it is. Of all numbers it is the one that is as
        long as declared, that the text calls a code, and that is none of the card's own.
        """
        if self.settings.code == schema.CODE:
            return codes_in(text, self._code, self._digits, known)
        found = (self._of_groups(match) for match in self._code.finditer(text))
        return list(dict.fromkeys(code for code in found if code))

    def _of_groups(self, match: re.Match[str]) -> str | None:
        """The first group of a match; or all of them, where they are the parts of the code."""
        whole = "".join(part or "" for part in match.groups())
        return whole if len(whole) == self._digits else match[1]

    def concerns(self, message: Message, reference: Any) -> bool:
        """Whether a message is about the transaction with this reference, as far as it says."""
        if self._reference is None or reference is None:
            return True
        match = self._reference.search(message.text)
        return match is not None and match[1] == str(reference)

    def made_of(self, values: Values) -> str:
        """The secret, or the test code, of a card. Raises KeyError where a place has no value."""
        assert self._made_of is not None, "asked only of a channel that sends nothing"  # noqa: S101
        return self._made_of.text(values)
