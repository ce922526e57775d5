"""The inboxes of a run: opened at its start, read by whoever waits for a code."""

from contextlib import ExitStack
from datetime import datetime

import httpx

from otpspec.errors import Problem, ProfileError
from otpspec.exchange import Wire, describe
from otpspec.faults import no_answer, wrong_answer
from otpspec.inbox import (
    CommandInbox,
    FileInbox,
    Inbox,
    MaildirInbox,
    Message,
    SmsInbox,
    SmtpInbox,
    totp,
)
from otpspec.profile import Channel, Profile, Raw, Request, schema
from otpspec.profile.places import Values


class Inboxes:
    """Every inbox of a profile. Close it in any case."""

    def __init__(self, profile: Profile) -> None:
        """Raises ProfileError where one is described in a way that cannot work."""
        self._profile = profile
        self._opened = ExitStack()
        self._boxes: dict[Channel, Inbox] = {}
        self.read: dict[tuple[int, str], set[str]] = {}
        """The ids of the messages that were read, by channel and contact."""

        for number, channel in enumerate(profile.channels):
            try:
                box = _inbox(channel.settings, profile)
            except ValueError as error:
                where = f"inbox[{number}]" if len(profile.channels) > 1 else "inbox"
                raise ProfileError(profile.source, [Problem(where, str(error))]) from error
            if box is not None:
                self._boxes[channel] = box

    def open(self) -> None:
        """Start those that the harness runs itself. Raises TargetError where one cannot start."""
        for box in self._boxes.values():
            self._opened.callback(box.close)
            box.open()

    def close(self) -> None:
        """End what was started."""
        self._opened.close()

    def came(self) -> str:
        """What came so far, in a sentence; nothing is known of an inbox that the target keeps."""
        return "; ".join(box.seen() for box in self._boxes.values())

    async def messages(self, channel: Channel, contact: str, wire: Wire) -> list[Message]:
        """The messages to a contact, oldest first. Raises TargetError where they cannot be read."""
        if (box := self._boxes.get(channel)) is not None:
            return await box.messages(contact)
        assert channel.poll is not None, "what sends nothing is not asked"  # noqa: S101
        request = channel.poll.build({"contact": contact})
        try:
            raw = await _read(wire, request)
        except httpx.HTTPError as error:
            raise no_answer(self._profile, request, describe(error)) from error
        try:
            if raw.status != 200:
                raise ValueError(f"HTTP {raw.status}")
            return channel.messages(raw.body)
        except ValueError as error:
            raise wrong_answer(self._profile, request, "inbox", error) from error


async def _read(wire: Wire, request: Request) -> Raw:
    """Ask an inbox; once more where a connection broke: to read changes nothing."""
    try:
        return await wire.send(request)
    except (httpx.ReadError, httpx.RemoteProtocolError):
        if request.method != "GET":
            raise
        return await wire.send(request)


def _inbox(settings: schema.Inbox, profile: Profile) -> Inbox | None:
    """An inbox that is not a URL of the target's."""
    match settings:
        case schema.SmtpInbox():
            return SmtpInbox(listen=settings.listen)
        case schema.SmsInbox():
            return SmsInbox(listen=settings.listen, to=settings.to, text=settings.text)
        case schema.FileInbox():
            path = profile.folder / settings.path
            return FileInbox(path=path, to=settings.to, text=settings.text)
        case schema.MaildirInbox():
            return MaildirInbox(path=profile.folder / settings.path)
        case schema.CommandInbox():
            return CommandInbox(
                command=settings.command,
                messages=settings.messages,
                id=settings.id,
                text=settings.text,
                folder=profile.folder,
            )
        case _:
            return None


def computed(channel: Channel, values: Values, digits: int, now: datetime) -> tuple[str, datetime]:
    """The code of a channel that sends nothing, and when its life began.

    Raises ValueError where its secret is none, KeyError where a place has no value.
    """
    made_of = channel.made_of(values)
    settings = channel.settings
    if not isinstance(settings, schema.TotpInbox):
        return made_of, now
    period, epoch = settings.period.total_seconds(), now.timestamp()
    began = epoch - epoch % period
    code = totp(made_of, epoch, digits, period, settings.algorithm)
    return code, datetime.fromtimestamp(began, now.tzinfo)
