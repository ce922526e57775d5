"""The mail server takes whatever a real client sends, and keeps it by its recipients."""

import asyncio
import logging
import smtplib
import socket
import threading
import time
from collections.abc import Iterator
from email.message import EmailMessage

import pytest

from otpspec.errors import TargetError
from otpspec.inbox import SmtpInbox

from .waiting import ask, texts, wait_for


@pytest.fixture
def inbox() -> Iterator[SmtpInbox]:
    with_port = SmtpInbox(listen="127.0.0.1:0")
    with_port.open()
    yield with_port
    with_port.close()


def client(inbox: SmtpInbox) -> smtplib.SMTP:
    return smtplib.SMTP(*inbox.address, timeout=5, local_hostname="target.test")


def mail(to: str, text: str, *, subject: str = "Code") -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "bank@x.test", to, subject
    message.set_content(text)
    return message


def threads() -> list[str]:
    return [one.name for one in threading.enumerate() if one.name.startswith("otpspec-")]


def test_a_mail_is_kept_for_its_recipient_in_any_case(inbox: SmtpInbox) -> None:
    before = time.monotonic()
    with client(inbox) as smtp:
        smtp.send_message(mail("Ann@X.test", "It is 987654."))

    [message] = ask(inbox, "<ann@x.TEST>")

    assert message.text == "Code\nIt is 987654."
    assert message.arrived_s is not None
    assert before < message.arrived_s < time.monotonic()
    assert ask(inbox, "bob@x.test") == []


def test_the_envelope_says_who_is_sent_a_mail(inbox: SmtpInbox) -> None:
    with client(inbox) as smtp:
        smtp.send_message(mail("list@x.test", "It is 1."), to_addrs=["a@x.test", "b@x.test"])

    assert texts(inbox, "a@x.test") == texts(inbox, "b@x.test") == ["Code\nIt is 1."]
    assert texts(inbox, "list@x.test") == []


def test_mails_of_one_session_keep_their_order(inbox: SmtpInbox) -> None:
    with client(inbox) as smtp:
        for number in range(20):
            smtp.send_message(mail("a@x.test", str(number), subject=""))

    messages = ask(inbox, "a@x.test")
    assert [m.text for m in messages] == [str(number) for number in range(20)]
    assert len({m.id for m in messages}) == 20


def test_addresses_and_headers_beyond_ascii_are_taken(inbox: SmtpInbox) -> None:
    with client(inbox) as smtp:
        smtp.send_message(mail("änne@müller.test", "für 987654", subject="Grüße"))
        assert smtp.has_extn("SMTPUTF8")

    assert texts(inbox, "ÄNNE@müller.test") == ["Grüße\nfür 987654"]


def test_html_in_one_long_line_is_taken(inbox: SmtpInbox) -> None:
    head = "To: a@x.test\r\nSubject: Code\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
    page = "<p>" + "für " * 2000 + "</p><p>987654</p>\r\n"
    with client(inbox) as smtp:
        smtp.sendmail("bank@x.test", ["a@x.test"], (head + page).encode(), ["BODY=8BITMIME"])

    assert texts(inbox, "a@x.test")[0].endswith("für\n987654")


def test_a_mail_without_a_sender_is_taken(inbox: SmtpInbox) -> None:
    with client(inbox) as smtp:
        smtp.sendmail("", ["a@x.test"], "Subject: Code\r\n\r\n987654\r\n")

    assert texts(inbox, "a@x.test") == ["Code\n987654"]


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_any_credentials_are_accepted_and_none_are_needed(inbox: SmtpInbox, mechanism: str) -> None:
    with client(inbox) as smtp:
        smtp.ehlo()
        smtp.user, smtp.password = "someone", "whatever"
        assert smtp.auth(mechanism, getattr(smtp, f"auth_{mechanism.lower()}"))[0] == 235
        smtp.send_message(mail("a@x.test", "It is 1."))
    with client(inbox) as smtp:
        smtp.login("another", "whatever")
        smtp.send_message(mail("a@x.test", "It is 2."))

    assert texts(inbox, "a@x.test") == ["Code\nIt is 1.", "Code\nIt is 2."]


def test_a_client_that_insists_on_tls_is_named(inbox: SmtpInbox) -> None:
    with client(inbox) as smtp, pytest.raises(smtplib.SMTPNotSupportedError):
        smtp.starttls()
    with client(inbox) as smtp:
        assert smtp.docmd("STARTTLS")[0] == 454
    with pytest.raises(OSError):  # noqa: PT011 -- which one it is differs by version of OpenSSL
        smtplib.SMTP_SSL(*inbox.address, timeout=0.5)
    end = time.monotonic() + 5
    while "at once" not in inbox.seen() and time.monotonic() < end:
        time.sleep(0.01)

    assert inbox.seen() == (
        "a client asked for STARTTLS, which this inbox does not offer: let the target send "
        "without TLS; a client began to talk TLS at once, which this inbox does not offer: let "
        "the target send without TLS"
    )


def test_mails_that_nobody_asked_for_are_told_by_the_end_of_their_address(
    inbox: SmtpInbox,
) -> None:
    assert inbox.seen() == "nothing came"
    with client(inbox) as smtp:
        smtp.send_message(mail("joanna@x.test", "987654"))

    assert ask(inbox, "ann@x.test") == []
    assert inbox.seen() == "1 mail came to other contacts (…na@x.test)"


def test_none_of_500_mails_of_several_threads_is_lost_or_doubled(inbox: SmtpInbox) -> None:
    done = threading.Event()
    polls: list[int] = []

    def send(number: int) -> None:
        for begin in range(0, 50, 10):  # ten mails a connection
            with client(inbox) as smtp:
                for turn in range(begin, begin + 10):
                    smtp.send_message(mail(f"payer{number}@x.test", f"{number}-{turn}", subject=""))

    def poll() -> None:
        while not done.is_set():
            polls.append(len(ask(inbox, "payer0@x.test")))

    poller = threading.Thread(target=poll)
    senders = [threading.Thread(target=send, args=(number,)) for number in range(10)]
    for thread in (poller, *senders):
        thread.start()
    for thread in senders:
        thread.join(60)
    done.set()
    poller.join(5)

    for number in range(10):
        assert texts(inbox, f"payer{number}@x.test") == [f"{number}-{t}" for t in range(50)]
    assert polls == sorted(polls)
    assert len(set(polls)) > 2  # it did poll while they came


def test_a_poll_never_waits_for_a_client(inbox: SmtpInbox) -> None:
    async def poll() -> float:
        begun = time.monotonic()
        for _ in range(1000):
            await inbox.messages("a@x.test")
        return time.monotonic() - begun

    with socket.create_connection(inbox.address, timeout=5) as raw:
        raw.sendall(b"EHLO x\r\nMAIL FROM:<a@x.test>\r\nRCPT TO:<a@x.test>\r\nDATA\r\nhalf")

        assert asyncio.run(poll()) < 1


def ended(raw: socket.socket) -> bool:
    """Whether the other end has closed the connection, in whatever way."""
    try:
        while raw.recv(1000):
            pass
    except ConnectionResetError:
        pass
    return True


@pytest.mark.parametrize("said", [b"", b"EHLO x\r\n", b"HEL", b"EHLO x\r\nMAIL FROM:<a@x.test>\r\n"
                                  b"RCPT TO:<a@x.test>\r\nDATA\r\nSubject: half"])  # fmt: skip
def test_it_closes_in_the_middle_of_a_session(
    inbox: SmtpInbox, said: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_connection(inbox.address, timeout=5) as raw:
        raw.recv(100)
        raw.sendall(said)
        time.sleep(0.05)
        begun = time.monotonic()

        inbox.close()

        assert time.monotonic() - begun < 2
        assert threads() == []
        assert ended(raw)
    assert not caplog.records
    inbox.close()


def test_it_can_be_opened_again_and_still_has_what_came(inbox: SmtpInbox) -> None:
    with client(inbox) as smtp:
        smtp.send_message(mail("a@x.test", "1"))
    inbox.close()
    assert texts(inbox, "a@x.test") == ["Code\n1"]
    with pytest.raises(RuntimeError):
        _ = inbox.address

    inbox.open()
    with client(inbox) as smtp:
        smtp.send_message(mail("a@x.test", "2"))

    assert wait_for(inbox, "a@x.test", 2) == ["Code\n1", "Code\n2"]


def test_no_line_of_a_mail_is_logged(inbox: SmtpInbox, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), client(inbox) as smtp:
        smtp.login("someone", "secretword")
        smtp.send_message(mail("a@x.test", "It is 987654."))

    assert "987654" not in caplog.text
    assert "secretword" not in caplog.text


def test_a_port_that_is_taken_is_said_with_what_to_try() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(TargetError) as raised:
            SmtpInbox(listen=f"127.0.0.1:{port}").open()

    assert str(raised.value) == (
        f"Another program listens on 127.0.0.1:{port}.\n"
        "Try: end it (an earlier run, perhaps), or give the inbox another port with inbox.listen, "
        "and the target the same."
    )
    assert threads() == []


def test_a_host_that_is_none_of_this_machine_is_said_with_what_to_try() -> None:
    with pytest.raises(TargetError) as raised:
        SmtpInbox(listen="192.0.2.1:0").open()  # RFC 5737: nobody's

    assert str(raised.value).startswith("The inbox cannot listen on 192.0.2.1:0 (")
    assert str(raised.value).endswith(
        "Try: check the host in inbox.listen; it must be an address of this machine."
    )


@pytest.mark.parametrize("host", ["localhost", "0.0.0.0", "127.0.0.1"])
def test_it_listens_where_its_user_says(host: str) -> None:
    inbox = SmtpInbox(listen=f"{host}:0")
    inbox.open()
    try:
        with smtplib.SMTP("localhost", inbox.address[1], timeout=5, local_hostname="t") as smtp:
            smtp.send_message(mail("a@x.test", "1"))
        with smtplib.SMTP("127.0.0.1", inbox.address[1], timeout=5, local_hostname="t") as smtp:
            smtp.send_message(mail("a@x.test", "2"))

        assert texts(inbox, "a@x.test") == ["Code\n1", "Code\n2"]
    finally:
        inbox.close()


def test_it_listens_on_ipv6() -> None:
    inbox = SmtpInbox(listen="[::1]:0")
    try:
        inbox.open()
    except TargetError:
        pytest.skip("this machine has no IPv6")
    try:
        assert inbox.address[0] == "::1"
        with client(inbox) as smtp:
            smtp.send_message(mail("a@x.test", "1"))

        assert texts(inbox, "a@x.test") == ["Code\n1"]
    finally:
        inbox.close()


@pytest.mark.parametrize(
    "listen", ["", "1025", ":1025", "127.0.0.1", "127.0.0.1:", "::1:1025", "[::1]", "x:65536",
               "smtp://x:1025", "a b:25", "x:25/"]
)  # fmt: skip
def test_an_address_that_is_none_is_refused_with_what_to_write(listen: str) -> None:
    with pytest.raises(ValueError) as raised:  # noqa: PT011 -- the text is compared as a whole
        SmtpInbox(listen=listen)

    assert str(raised.value) == (
        f'{listen!r} is no address to listen on; write "127.0.0.1:1025", '
        'or "[::1]:PORT" for IPv6, with a port from 0 (any that is free) to 65535'
    )
