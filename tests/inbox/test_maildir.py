"""Mails in a folder are read once they are complete, once each, whoever writes them there."""

import mailbox
import threading
import time
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from otpspec.errors import TargetError
from otpspec.inbox import MaildirInbox

from .waiting import ask, texts, wait_for

LOOKED = 0.3
"""Seconds after which a file that did not change has been read."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "mails"


@pytest.fixture
def opened(folder: Path) -> Iterator[Callable[[], MaildirInbox]]:
    inboxes: list[MaildirInbox] = []

    def open_it() -> MaildirInbox:
        inboxes.append(MaildirInbox(path=folder))
        inboxes[-1].open()
        return inboxes[-1]

    yield open_it
    for inbox in inboxes:
        inbox.close()


def mail(text: str, to: str = "ann@x.test") -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "bank@x.test", to, "Code"
    message.set_content(text)
    return message


class Django:
    """Writes as django.core.mail.backends.filebased.EmailBackend does (Django 5.2)."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write_message(self, message: EmailMessage) -> None:
        with self.path.open("ab") as stream:
            stream.write(message.as_bytes() + b"\n")
            stream.write(b"-" * 79)
            stream.write(b"\n")


# --- Maildir --------------------------------------------------------------------------------------


def test_a_mail_in_a_maildir_is_read_once_also_when_it_is_moved(
    folder: Path, opened: Callable[[], MaildirInbox]
) -> None:
    box = mailbox.Maildir(folder)
    box.add(mail("of an earlier run").as_bytes())
    inbox = opened()
    name = box.add(mail("987654").as_bytes())
    assert wait_for(inbox, "Ann@X.test", 1) == ["Code\n987654"]

    message = box[name]
    message.set_subdir("cur")
    message.add_flag("S")
    box[name] = message
    time.sleep(LOOKED)

    assert texts(inbox, "ann@x.test") == ["Code\n987654"]
    assert ask(inbox, "ann@x.test")[0].arrived_s is None
    assert ask(inbox, "bob@x.test") == []


def test_none_of_500_mails_of_several_threads_is_lost_or_doubled_while_it_is_polled(
    folder: Path, opened: Callable[[], MaildirInbox]
) -> None:
    mailbox.Maildir(folder)
    inbox = opened()
    polls: list[int] = []

    def deliver(number: int) -> None:
        for turn in range(100):
            name = f"{time.time_ns()}.{number}-{turn}.host"
            (folder / "tmp" / name).write_bytes(
                mail(f"{number}-{turn}", f"payer{number}@x.test").as_bytes()
            )
            (folder / "tmp" / name).rename(folder / "new" / name)
            if turn % 2:  # a reader is at work as well
                (folder / "new" / name).rename(folder / "cur" / f"{name}:2,S")

    threads = [threading.Thread(target=deliver, args=(number,)) for number in range(5)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        polls.append(len(ask(inbox, "payer0@x.test")))
        time.sleep(0.002)

    for number in range(5):
        found = wait_for(inbox, f"payer{number}@x.test", 100)
        assert sorted(found) == sorted(f"Code\n{number}-{turn}" for turn in range(100))
    assert polls == sorted(polls)


# --- any folder -----------------------------------------------------------------------------------


def test_a_file_is_a_mail_once_it_has_ceased_to_change(
    folder: Path, opened: Callable[[], MaildirInbox]
) -> None:
    folder.mkdir()
    (folder / "old.eml").write_bytes(mail("of an earlier run").as_bytes())
    inbox = opened()
    written = mail("It is 987654.").as_bytes()
    (folder / "half.tmp").write_bytes(written)
    with (folder / "1.eml").open("wb", buffering=0) as file:
        for at in range(0, len(written), 20):
            file.write(written[at : at + 20])
            time.sleep(0.02)
            assert ask(inbox, "ann@x.test") == []

    assert wait_for(inbox, "ann@x.test", 1) == ["Code\nIt is 987654."]
    time.sleep(LOOKED)
    assert len(ask(inbox, "ann@x.test")) == 1


def test_a_file_that_is_overwritten_is_another_mail_and_one_that_is_touched_is_not(
    folder: Path, opened: Callable[[], MaildirInbox]
) -> None:
    folder.mkdir()
    (folder / "last.eml").write_bytes(mail("0").as_bytes())
    inbox = opened()
    (folder / "last.eml").write_bytes(mail("11").as_bytes())
    assert wait_for(inbox, "ann@x.test", 1) == ["Code\n11"]

    (folder / "last.eml").touch()
    time.sleep(LOOKED)
    assert texts(inbox, "ann@x.test") == ["Code\n11"]

    (folder / "last.eml").write_bytes(mail("22").as_bytes())
    assert wait_for(inbox, "ann@x.test", 2) == ["Code\n11", "Code\n22"]


def test_a_log_of_django_holds_several_mails(
    folder: Path, opened: Callable[[], MaildirInbox]
) -> None:
    folder.mkdir()
    log = Django(folder / "20260102-120000-140.log")
    log.write_message(mail("of an earlier run"))
    inbox = opened()
    for number in range(3):
        log.write_message(mail(f"für {number}"))
    other = Django(folder / "20260102-120001-141.log")
    other.write_message(mail("für 3"))

    assert wait_for(inbox, "ann@x.test", 4) == [f"Code\nfür {number}" for number in range(4)]
    log.write_message(mail("für 4"))
    assert wait_for(inbox, "ann@x.test", 5)[-1] == "Code\nfür 4"


def test_a_mail_in_a_log_is_read_with_its_end_and_may_hold_a_line_like_it(
    folder: Path, opened: Callable[[], MaildirInbox]
) -> None:
    folder.mkdir()
    inbox = opened()
    line = "-" * 79
    written = mail(f"It is\n{line}\nbeneath the line: 987654").as_bytes()
    path = folder / "1.log"
    path.write_bytes(written)
    time.sleep(LOOKED)
    assert ask(inbox, "ann@x.test") == []

    with path.open("ab") as file:
        file.write(f"\n{line}\n".encode())

    assert wait_for(inbox, "ann@x.test", 1) == [
        f"Code\nIt is\n{line}\nbeneath the line: 987654"
    ]  # fmt: skip


def test_a_folder_may_not_be_there_yet(folder: Path, opened: Callable[[], MaildirInbox]) -> None:
    inbox = opened()
    assert ask(inbox, "ann@x.test") == []
    assert inbox.seen() == "nothing came; there is no folder mails"

    folder.mkdir()
    (folder / "1.eml").write_bytes(mail("1").as_bytes())
    (folder / "2.eml").write_bytes(mail("2", "joanna@x.test").as_bytes())

    assert wait_for(inbox, "ann@x.test", 1) == ["Code\n1"]
    assert inbox.seen() == (
        "1 mail came to contacts that were asked for; 1 mail came to other contacts (…na@x.test)"
    )


def test_a_file_in_its_place_is_refused_with_what_to_try(folder: Path) -> None:
    folder.write_text("")

    with pytest.raises(TargetError) as raised:
        MaildirInbox(path=folder).open()

    assert str(raised.value) == (
        f"The inbox {folder} cannot be read (not a directory).\n"
        "Try: check inbox.path, and that this user may read it."
    )


def test_it_closes_at_once_and_more_than_once(
    folder: Path, opened: Callable[[], MaildirInbox]
) -> None:
    folder.mkdir()
    inbox = opened()
    begun = time.monotonic()

    inbox.close()
    inbox.close()

    assert time.monotonic() - begun < 1
    assert not [one for one in threading.enumerate() if one.name.startswith("otpspec-")]
