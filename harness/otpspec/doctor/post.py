"""Waits for a message on one channel, and says how that went."""

import asyncio

import httpx

from otpspec import realtime
from otpspec.doctor import texts
from otpspec.doctor.tried import Mail
from otpspec.doctor.ward import Ward
from otpspec.errors import TargetError
from otpspec.policy import Policy
from otpspec.profile import Channel, Message
from otpspec.target import Session

_LOOK = 0.05  # seconds between two looks


async def wait(
    ward: Ward, session: Session, mail: Mail, reference: object, began_s: float, wait_s: float
) -> Mail:
    """Wait for a message that nobody has read yet; `began_s`: when it was asked for."""
    read = session.read(mail.index, mail.contact)
    until = realtime.monotonic() + wait_s
    while True:
        try:
            messages = await session.messages(mail.channel, mail.contact)
        except TargetError as error:
            mail.fault = str(error)
            break
        new = [m for m in messages if m.id not in read and mail.channel.concerns(m, reference)]
        if new:
            read.add(new[0].id)
            _open(mail, new[0], began_s, ward.profile.policy)
            if mail.text:
                return mail
            break
        if realtime.monotonic() >= until:
            break
        await asyncio.sleep(_LOOK)
    mail.waited_s = realtime.monotonic() - began_s
    mail.came = session.came()
    mail.elsewhere = await _elsewhere(session, mail)
    if mail.channel.poll is not None:
        request = mail.channel.poll.build({"contact": mail.contact})
        try:
            mail.polled = await ward.poll(request)
        except httpx.HTTPError as error:
            mail.fault = mail.fault or str(error)
    return mail


async def _elsewhere(session: Session, mail: Mail) -> str:
    """Which other contact of the card a message came to, where the inbox knows."""
    try:
        for kind, contact in mail.others.items():
            if await session.messages(mail.channel, contact):
                return kind
    except TargetError:  # it is said above
        return ""
    return ""


def _open(mail: Mail, message: Message, began_s: float, policy: Policy) -> None:
    mail.text = message.text
    mail.after_s = max(0.0, (message.arrived_s or realtime.monotonic()) - began_s)
    codes = mail.channel.codes(message.text, mail.known)
    mail.several = len(codes)
    mail.candidates = texts.candidates(message.text, policy)
    if codes:
        mail.code, mail.by_pattern = codes[0], True
    elif mail.candidates:
        mail.code = mail.candidates[0].code


async def skip(session: Session, channel: Channel, index: int, contact: str) -> None:
    """What came before is nobody's."""
    try:
        read = session.read(index, contact)
        read.update(m.id for m in await session.messages(channel, contact))
    except TargetError:
        return  # it is said when a message is waited for
