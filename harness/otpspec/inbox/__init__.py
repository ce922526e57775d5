"""Inboxes: where the codes that a target sends are read.

Those here take messages from whoever sends them, or look where the target leaves them; the inbox
that asks a URL of the target is the target's (otpspec.target).
"""

from otpspec.inbox.command import CommandInbox
from otpspec.inbox.computed import hotp, totp
from otpspec.inbox.file import FileInbox
from otpspec.inbox.kinds import Inbox
from otpspec.inbox.maildir import MaildirInbox
from otpspec.inbox.sms import SmsInbox
from otpspec.inbox.smtp import SmtpInbox
from otpspec.profile import Message

__all__ = [
    "CommandInbox",
    "FileInbox",
    "Inbox",
    "MaildirInbox",
    "Message",
    "SmsInbox",
    "SmtpInbox",
    "hotp",
    "totp",
]
