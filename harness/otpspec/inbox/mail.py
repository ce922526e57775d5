"""What stands in a mail: whom it is to, and what its reader sees."""

import email
import email.errors
from email import policy
from email.message import EmailMessage
from email.utils import getaddresses
from typing import NamedTuple

from otpspec.profile.page import readable

_RECIPIENTS = ("To", "Cc", "Bcc", "Delivered-To", "X-Original-To", "Envelope-To")


class Mail(NamedTuple):
    """A mail, read."""

    recipients: tuple[str, ...]  # of its headers, in their order
    text: str  # its subject and its readable text


def read_mail(raw: bytes) -> Mail:
    """Read a mail of bytes; whatever is wrong with it, the rest is read.

    The text part is preferred; of one that has none, or an empty one, the HTML is read.
    """
    message = email.message_from_bytes(raw, policy=policy.default)
    subject = " ".join(_header(message, "Subject"))
    return Mail(_recipients(message), f"{subject}\n{_body(message)}".strip())


def _header(message: EmailMessage, name: str) -> list[str]:
    """A header's values, decoded (RFC 2047, or UTF-8 as it is)."""
    try:
        return [str(value) for value in message.get_all(name, [])]
    except Exception:  # the standard library fails in many ways at headers that are none
        return [str(value) for key, value in message.raw_items() if key.lower() == name.lower()]


def _recipients(message: EmailMessage) -> tuple[str, ...]:
    found = (address for name in _RECIPIENTS for address in _addresses(message, name))
    return tuple(dict.fromkeys(found))


def _addresses(message: EmailMessage, name: str) -> list[str]:
    return [address for _, address in getaddresses(_header(message, name)) if address]


def _body(message: EmailMessage) -> str:
    plain, html = [], []
    for part in message.walk():
        if part.is_multipart() or part.get_content_disposition() == "attachment":
            continue
        if part.get_content_type() == "text/plain":
            plain.append(_text(part))
        elif part.get_content_type() == "text/html":
            html.append(readable(_text(part)))
    return "\n".join(text for text in plain if text.strip()) or "\n".join(html)


def _text(part: EmailMessage) -> str:
    """A part's text. Its charset is taken for UTF-8 where it names none, or one that is none."""
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    charset = part.get_content_charset() or "utf-8"
    try:
        return payload.decode("utf-8" if charset == "us-ascii" else charset).replace("\r\n", "\n")
    except (LookupError, ValueError):
        return payload.decode("utf-8", "replace").replace("\r\n", "\n")
