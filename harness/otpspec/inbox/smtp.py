"""A mail server that the harness runs: whatever the target sends, it takes and keeps.

It offers AUTH (PLAIN and LOGIN, whatever the credentials), SMTPUTF8 and 8BITMIME, and insists on
none of them. It does not offer STARTTLS, or TLS from the start: no certificate of ours would be
one that the target trusts. A target that asks for either is named in `seen`.
"""

import asyncio
import logging
import socket
from collections.abc import Callable
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from otpspec.inbox import contacts
from otpspec.inbox.mail import read_mail
from otpspec.inbox.serving import BACKLOG, Serving, parse_listen
from otpspec.inbox.store import Store
from otpspec.profile import Message

LARGEST_MAIL = 10 << 20
_NO_TLS = "which this inbox does not offer: let the target send without TLS"


def _keep_quiet(record: logging.LogRecord) -> bool:
    """aiosmtpd logs every line of a mail, for debugging: the code would be in the log."""
    return record.levelno >= logging.WARNING


logging.getLogger("mail.log").addFilter(_keep_quiet)


class _Protocol(SMTP):
    """One client's connection."""

    line_length_limit = 1 << 20  # many frameworks send HTML in one line, against RFC 5321

    def __init__(self, store: Store, live: "set[_Protocol]", **options: Any) -> None:
        self._store = store
        self._live = live
        self._first = True
        super().__init__(self, hostname="localhost", **options)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._live.add(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._live.discard(self)
        super().connection_lost(error)

    def data_received(self, data: bytes) -> None:
        if self._first and data.startswith(b"\x16\x03"):  # a handshake: RFC 8446 5.1
            self._store.note(f"a client began to talk TLS at once, {_NO_TLS}")
        self._first = False
        super().data_received(data)

    async def smtp_STARTTLS(self, arg: str) -> None:  # noqa: N802
        self._store.note(f"a client asked for STARTTLS, {_NO_TLS}")
        await super().smtp_STARTTLS(arg)

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """Keep a mail for everyone whom its envelope names."""
        raw = envelope.original_content or b""
        names = [str(name).strip().strip("<>") for name in envelope.rcpt_tos]
        self._store.add(map(contacts.key, names), read_mail(raw).text, shown=names)
        return "250 2.0.0 Kept"


def _anyone(*_: Any) -> AuthResult:
    return AuthResult(success=True)


class SmtpInbox:
    """Mails, by the addresses to which a target sends them."""

    def __init__(self, *, listen: str = "127.0.0.1:1025") -> None:
        """Raises ValueError where `listen` is no host and port."""
        where = parse_listen(listen, like="127.0.0.1:1025")
        self._serving = Serving("otpspec-smtp", where, self._serve)
        self._store = Store("mail")

    @property
    def address(self) -> tuple[str, int]:
        """Host and port on which it listens."""
        return self._serving.address

    def open(self) -> None:
        """Begin to take mails. Raises TargetError where the address cannot be had."""
        self._serving.open()

    def close(self) -> None:
        """End the server; mails that have come can still be read."""
        self._serving.close()

    async def messages(self, contact: str) -> list[Message]:
        """All mails that are kept for an address, oldest first."""
        return self._store.messages(contact)

    def seen(self) -> str:
        """What has come so far."""
        return self._store.seen()

    async def _serve(
        self, sockets: list[socket.socket], up: Callable[[], None], stop: asyncio.Event
    ) -> None:
        loop = asyncio.get_running_loop()
        live: set[_Protocol] = set()

        def client() -> _Protocol:
            return _Protocol(
                self._store,
                live,
                data_size_limit=LARGEST_MAIL,
                enable_SMTPUTF8=True,
                auth_require_tls=False,
                authenticator=_anyone,
                loop=loop,
            )

        servers = [await loop.create_server(client, sock=s, backlog=BACKLOG) for s in sockets]
        up()
        await stop.wait()
        for server in servers:
            server.close()
        for one in list(live):  # a client in the middle of a session does not hold us up
            if isinstance(one.transport, asyncio.Transport):
                one.transport.abort()
        await asyncio.sleep(0)
