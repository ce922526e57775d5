"""What may stand in a profile: the tables and keys of the TOML file, typed.

docs/reference/profile.md describes each key. Reading (reader.py) reports every mistake at once;
compiling (compiled.py) makes requests and readers of these values.
"""

from datetime import timedelta
from typing import Any, Literal

import msgspec

from otpspec.outcome import Outcome

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Contact = Literal["phone", "email"]


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the file: what is not named in it is a mistake."""


# --- requests and answers -----------------------------------------------------------------------


class Answer(_Table, frozen=True, kw_only=True):
    """A pattern of an answer, and what an answer that matches it means."""

    outcomes: Outcome | list[Outcome]
    status: int | list[int] | None = None
    header: dict[str, str] = {}  # name: regular expression that its value must match
    json: dict[str, Any] = {}  # JMESPath over the body: the value it must have
    text: str | None = None  # must stand in the body; in HTML, in what a reader sees of it
    regex: str | None = None  # must be found in the body, as it is


class Capture(_Table, frozen=True, kw_only=True):
    """What is kept of an answer: from one source, or by `regex` from the body."""

    json: str | None = None  # JMESPath over the body
    header: str | None = None  # a header's name
    cookie: str | None = None  # a cookie's name
    field: str | None = None  # the name of a form field in the page, hidden or not
    regex: str | None = None  # its first group; of the source's value, or of the body


TEXTS = ("path", "headers", "query", "json", "form", "multipart")
"""The keys of a request that may have places."""


class Request(_Table, frozen=True, kw_only=True):
    """One request, with places like {card.id}, and what is kept of its answer."""

    method: Method
    path: str
    base_url: str | None = None  # where it is sent, if not to target.base_url
    headers: dict[str, str] = {}
    query: dict[str, str] = {}
    json: Any = None
    form: dict[str, str | list[str]] | None = None
    multipart: dict[str, str] | None = None
    follow: int = 0  # how many redirects are followed
    capture: dict[str, str | Capture] = {}  # name: JMESPath over the body, or a table
    answers: list[Answer] = []


# --- where the target is ------------------------------------------------------------------------


class Tls(_Table, frozen=True, kw_only=True):
    """Certificates: the authority that signed the target's, and our own."""

    ca: str | None = None  # files, from the profile's own folder
    certificate: str | None = None
    key: str | None = None


class Target(_Table, frozen=True, kw_only=True):
    """Where the target is, and how it may be talked to."""

    base_url: str
    name: str = ""
    timeout: timedelta = timedelta(seconds=10)
    version: str | Request = ""  # the target's build; a request captures version
    private: bool = False  # whether it may be in a private network
    ownership_token: str = ""  # for a public target: its hash is in a file at its origin
    ownership_path: str = "/.well-known/otpspec-verification.txt"
    tls: Tls = Tls()
    max_rate: str = ""  # "20/s": requests of the whole run
    correlation_header: str = "X-Request-ID"
    adapter: str = ""  # "package.module:Class", for what TOML cannot say


class Launch(_Table, frozen=True, kw_only=True):
    """The target's own command, started by the harness."""

    command: list[str]
    env: dict[str, str] = {}
    folder: str = "."  # from the profile's own folder
    ready: str = "/"  # a path that answers, with whatever status, once the target is up
    wait: timedelta = timedelta(seconds=30)


# --- inboxes ------------------------------------------------------------------------------------

CODE = r"(?<!\w)(?<!\d\.)(\d{4,10})(?!\w|\.\d)"
"""Digits that stand alone, also at the end of a sentence, but are no part of an amount."""


class _Inbox(_Table, frozen=True, kw_only=True, tag_field="kind"):
    contact: Contact = "phone"  # which of a card's contacts its messages go to
    code: str = CODE  # a regular expression whose first group is the code
    reference: str | None = None  # its first group is what start captured as `reference`
    wait: timedelta = timedelta(seconds=10)  # how long a message may take
    quiet: timedelta = timedelta(seconds=1)  # how long silence must last to count as silence


class HttpInbox(_Inbox, frozen=True, kw_only=True, tag="http"):
    """A URL that lists the messages to a contact."""

    poll: Request
    messages: str  # JMESPath: the list of messages in the answer
    id: str  # JMESPath in a message: what tells it from the others
    text: str  # JMESPath in a message: its text
    feed: Request | None = (
        None  # lists all messages after the one whose id is {after}, "0" at first
    )
    to: str = ""  # JMESPath in a message of the feed: whose it is


class SmtpInbox(_Inbox, frozen=True, kw_only=True, tag="smtp"):
    """A mail server that the harness runs."""

    contact: Contact = "email"
    listen: str = "127.0.0.1:1025"


class SmsInbox(_Inbox, frozen=True, kw_only=True, tag="sms"):
    """An SMS gateway that the harness runs: Twilio's Messages form, or a webhook."""

    listen: str = "127.0.0.1:8026"
    to: str = ""  # JMESPath in what the target posts; by default the usual names are tried
    text: str = ""


class FileInbox(_Inbox, frozen=True, kw_only=True, tag="file"):
    """A file to which the target adds a line for each message, of text or of JSON."""

    path: str
    to: str = ""  # JMESPath in a line of JSON; a line of text must hold the contact
    text: str = ""


class MaildirInbox(_Inbox, frozen=True, kw_only=True, tag="maildir"):
    """A folder of mails: a Maildir, or any folder with a file for each mail."""

    contact: Contact = "email"
    path: str


class CommandInbox(_Inbox, frozen=True, kw_only=True, tag="command"):
    """A command that prints the messages to {contact}, as lines of text or as JSON."""

    command: list[str]
    messages: str = ""  # JMESPath: the list of messages, where the output is JSON
    id: str = ""
    text: str = ""


class TotpInbox(_Inbox, frozen=True, kw_only=True, tag="totp"):
    """No messages: codes are made of a secret and the time (RFC 6238)."""

    secret: str  # base32; with places: "{card.secret}"
    period: timedelta = timedelta(seconds=30)
    algorithm: Literal["SHA1", "SHA256", "SHA512"] = "SHA1"


class StaticInbox(_Inbox, frozen=True, kw_only=True, tag="static"):
    """No messages: a test code that is always right, "123456" or "{card.code}"."""

    otc: str


Inbox = (
    HttpInbox
    | SmtpInbox
    | SmsInbox
    | FileInbox
    | MaildirInbox
    | CommandInbox
    | TotpInbox
    | StaticInbox
)


# --- clocks -------------------------------------------------------------------------------------


class _Clock(_Table, frozen=True, kw_only=True, tag_field="kind"):
    pass


class RealClock(_Clock, frozen=True, kw_only=True, tag="real"):
    """The target's time is not moved. The requests of another kind may stay: one word changes."""

    read: Request | None = None
    advance: Request | None = None
    lease: Request | None = None
    release: Request | None = None


class HttpClock(_Clock, frozen=True, kw_only=True, tag="http"):
    """The target has an endpoint that moves its time."""

    read: Request  # captures now (seconds since 1970), and rate if it has one
    advance: Request  # places {seconds} and {lease}; captures now
    lease: Request | None = None  # captures lease
    release: Request | None = None  # place {lease}


class FaketimeClock(_Clock, frozen=True, kw_only=True, tag="faketime"):
    """The harness starts the target, see [launch], under libfaketime."""

    read: Request | None = None  # captures now; by default the Date header of answers is read


class FrozenClock(_Clock, frozen=True, kw_only=True, tag="frozen"):
    """The target is a Python app in this process, and its time is freezegun's."""

    app: str  # "package.module:app", ASGI or WSGI
    read: Request | None = None  # captures now; by default the Date header of answers is read


Clock = RealClock | HttpClock | FaketimeClock | FrozenClock


# --- the rest -----------------------------------------------------------------------------------


class Amounts(_Table, frozen=True, kw_only=True):
    """What transactions are made of, and which amount makes the target ask for the 3CSC."""

    currency: str = "EUR"
    merchant: str = "otpspec"
    without_csc: str = "12.00"
    amended: str = "13.00"
    with_csc: str = "250.00"


class Cards(_Table, frozen=True, kw_only=True):
    """Cards that the target already knows, where none can be enrolled: each a table of texts."""

    made_up: bool = False  # the target takes any card: nobody has to enrol those that are made up
    given: list[dict[str, str]] = []
    csv: str | None = None  # a file with a line of names, from the profile's own folder
    max_locked: int | None = None  # how many a run may lock for good


class Races(_Table, frozen=True, kw_only=True):
    """How requests are made to collide, and how long a race is looked for."""

    sizes: list[int] = msgspec.field(
        default_factory=lambda: [2, 8, 32]
    )  # how many requests are released together
    power: str = "95%/15%"  # found with 95 % probability where it shows in 15 % of rounds
    rounds: int | None = None  # at most so many rounds of each race, whatever the power
    base_urls: list[str] = []  # other nodes of the target: a burst is spread over all of them


class Load(_Table, frozen=True, kw_only=True):
    """Who comes in a load run, and what the target promises then."""

    mix: dict[str, float] = {}  # behaviour: how often, in proportion to the others
    slo: dict[str, Any] = {}  # "p99", "verify.p99", "errors": at most so much
    clock_rate: float = 1  # under clock.kind = "faketime": seconds of target time a second


class Operations(_Table, frozen=True, kw_only=True):
    """What can be asked of the target. What it does not have is left out."""

    start: Request | list[Request]
    verify: Request | list[Request]
    enroll: Request | list[Request] | None = None
    resend: Request | list[Request] | None = None
    cancel: Request | list[Request] | None = None
    amend: Request | list[Request] | None = None
    unlock: Request | list[Request] | None = None
    change_contact: Request | list[Request] | None = None


class Profile(_Table, frozen=True, kw_only=True):
    """A whole profile."""

    target: Target
    operations: Operations
    inbox: Inbox | list[Inbox]
    policy: dict[str, Any] = {}  # a named policy, and single values that differ from it
    clock: Clock = RealClock()
    launch: Launch | None = None
    cards: Cards = Cards()
    amounts: Amounts = Amounts()
    races: Races = Races()
    load: Load = Load()
    unknown_card: dict[str, str] = {}  # {card.…} of a card that does not exist
    waive: dict[str, str] = {}  # rule id: why it does not matter that it is not applicable
