"""Lines that a target adds to a file are messages, once they are complete, and once only."""

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from otpspec.errors import TargetError
from otpspec.inbox import FileInbox

from .waiting import ask, texts, wait_for

TO = "+49170123456"
LOOKED = 0.1
"""Seconds after which several looks have been taken."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "outbox.log"


@pytest.fixture
def opened(path: Path) -> Iterator[Callable[..., FileInbox]]:
    inboxes: list[FileInbox] = []

    def open_it(**options: str) -> FileInbox:
        inboxes.append(FileInbox(path=path, **options))
        inboxes[-1].open()
        return inboxes[-1]

    yield open_it
    for inbox in inboxes:
        inbox.close()


def add(path: Path, *lines: str, end: str = "\n") -> None:
    with path.open("a", encoding="utf-8") as file:
        for line in lines:
            file.write(line + end)


def test_a_line_belongs_to_the_contact_that_it_holds(
    path: Path, opened: Callable[..., FileInbox]
) -> None:
    inbox = opened()
    add(path, "12:00:01 sms to +49 170 123456: für 987654", "", "mail to Ann@x.test: 111111\r")

    assert wait_for(inbox, TO, 1) == ["12:00:01 sms to +49 170 123456: für 987654"]
    assert texts(inbox, "ann@X.test") == ["mail to Ann@x.test: 111111"]
    assert ask(inbox, TO)[0].arrived_s is None


def test_what_was_there_before_is_of_an_earlier_run(
    path: Path, opened: Callable[..., FileInbox]
) -> None:
    add(path, f"{TO} 111111")
    add(path, f"{TO} 22", end="")
    inbox = opened()
    add(path, "2222", f"{TO} 333333")

    assert wait_for(inbox, TO, 2) == [f"{TO} 222222", f"{TO} 333333"]


def test_a_file_may_not_be_there_yet(path: Path, opened: Callable[..., FileInbox]) -> None:
    inbox = opened()
    assert ask(inbox, TO) == []
    assert inbox.seen() == "nothing came; there is no file outbox.log"

    add(path, f"{TO} 987654")

    assert wait_for(inbox, TO, 1) == [f"{TO} 987654"]
    assert inbox.seen() == "1 line came to contacts that were asked for"


def test_a_line_without_its_end_is_waited_for(path: Path, opened: Callable[..., FileInbox]) -> None:
    inbox = opened()
    add(path, f"{TO} für 98".encode()[:-4].decode("utf-8", "ignore"), end="")
    time.sleep(LOOKED)
    assert ask(inbox, TO) == []
    assert inbox.seen() == "nothing came; its last line has no end yet"

    add(path, " 987654")

    assert len(wait_for(inbox, TO, 1)) == 1
    assert texts(inbox, TO)[0].endswith(" 987654")


def test_a_character_may_be_written_in_two_pieces(
    path: Path, opened: Callable[..., FileInbox]
) -> None:
    inbox = opened()
    written = f"{TO} für 987654\n".encode()
    for piece in (written[:15], written[15:]):
        with path.open("ab") as file:
            file.write(piece)
        time.sleep(LOOKED)

    assert wait_for(inbox, TO, 1) == [f"{TO} für 987654"]


def test_a_file_that_is_rotated_is_read_to_its_end_and_the_next_from_its_beginning(
    path: Path, opened: Callable[..., FileInbox]
) -> None:
    inbox = opened()
    with path.open("a") as before:
        before.write(f"{TO} 1\n")
        before.flush()
        wait_for(inbox, TO, 1)
        path.rename(path.with_suffix(".1"))
        before.write(f"{TO} 2\n")  # a program that does not yet know of it
        before.flush()
        add(path, f"{TO} 3")
        assert wait_for(inbox, TO, 3) == [f"{TO} 1", f"{TO} 2", f"{TO} 3"]


@pytest.mark.parametrize("after", ["{} 2", "{} 2 is a longer line than the first one was before"])
def test_a_file_that_is_truncated_is_read_from_its_beginning(
    path: Path, opened: Callable[..., FileInbox], after: str
) -> None:
    inbox = opened()
    add(path, f"{TO} 1 is the first one")
    wait_for(inbox, TO, 1)

    path.write_text(after.format(TO) + "\n")

    assert wait_for(inbox, TO, 2) == [f"{TO} 1 is the first one", after.format(TO)]


def test_a_file_that_is_written_anew_with_the_same_lines_doubles_none(
    path: Path, opened: Callable[..., FileInbox]
) -> None:
    inbox = opened()
    path.write_text(f"{TO} 1\n{TO} 1\n")
    assert wait_for(inbox, TO, 2) == [f"{TO} 1", f"{TO} 1"]

    path.write_text("")
    time.sleep(LOOKED)
    path.write_text(f"{TO} 1\n{TO} 1\n{TO} 2\n")

    assert wait_for(inbox, TO, 3) == [f"{TO} 1", f"{TO} 1", f"{TO} 2"]


def test_lines_of_json_are_read_by_jmespath(path: Path, opened: Callable[..., FileInbox]) -> None:
    inbox = opened(to="sms.to", text="sms.body")
    add(path, json.dumps({"sms": {"to": "0049 170 123456", "body": "für 987654"}, "n": TO}))
    add(path, json.dumps({"sms": {"to": ["a@x.test", TO], "body": "two"}}))
    add(path, "no JSON 111111", json.dumps({"sms": {"to": TO}}), json.dumps({"sms": {"body": "1"}}))
    add(path, json.dumps({"sms": {"to": TO, "body": "last"}}))

    assert wait_for(inbox, TO, 3) == ["für 987654", "two", "last"]
    assert texts(inbox, "a@x.test") == ["two"]
    assert inbox.seen() == (
        "3 lines came to contacts that were asked for; a line is not JSON; "
        "a line has no inbox.text; a line has no inbox.to"
    )


def test_one_expression_is_enough(path: Path, opened: Callable[..., FileInbox]) -> None:
    by_to, by_text = opened(to="to"), opened(text="text")
    line = json.dumps({"to": TO, "text": "987654"})
    add(path, line)

    assert wait_for(by_to, TO, 1) == [line]
    assert wait_for(by_text, TO, 1) == ["987654"]


def test_none_of_500_lines_of_several_threads_is_lost_or_doubled_while_it_is_polled(
    path: Path, opened: Callable[..., FileInbox]
) -> None:
    inbox = opened()
    polls: list[int] = []

    def write(number: int) -> None:
        with path.open("ab", buffering=0) as file:
            for turn in range(50):
                file.write(f"to +4917000000{number}: {number}-{turn}\n".encode())
                time.sleep(0.002)

    writers = [threading.Thread(target=write, args=(number,)) for number in range(10)]
    for thread in writers:
        thread.start()
    while any(thread.is_alive() for thread in writers):
        polls.append(len(ask(inbox, "+49170000000")))
        time.sleep(0.002)

    for number in range(10):
        contact = f"+4917000000{number}"
        assert wait_for(inbox, contact, 50) == [f"to {contact}: {number}-{t}" for t in range(50)]
    assert polls == sorted(polls)
    assert len(set(polls)) > 2


def test_a_line_without_bounds_is_left_out(path: Path, opened: Callable[..., FileInbox]) -> None:
    inbox = opened()
    add(path, "x" * (3 << 20) + f" {TO} 111111", "x" * (1 << 19), f"{TO} 987654")

    assert wait_for(inbox, TO, 1) == [f"{TO} 987654"]
    assert "a line is longer than 1048576 bytes" in inbox.seen()


def test_a_folder_and_a_pipe_are_refused_with_what_to_try(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    for path in (tmp_path, pipe):
        with pytest.raises(TargetError) as raised:
            FileInbox(path=path).open()
        assert str(raised.value) == (
            f"The inbox {path} cannot be read (it is no regular file).\n"
            "Try: check inbox.path, and that this user may read it."
        )


def test_a_file_that_becomes_unreadable_is_an_error_until_it_is_readable_again(
    path: Path, opened: Callable[..., FileInbox]
) -> None:
    inbox = opened()
    path.mkdir()
    time.sleep(LOOKED)
    with pytest.raises(TargetError, match=r"it is no regular file"):
        ask(inbox, TO)

    path.rmdir()
    add(path, f"{TO} 1")
    time.sleep(LOOKED)

    assert wait_for(inbox, TO, 1) == [f"{TO} 1"]


def test_it_closes_at_once_and_more_than_once(path: Path, opened: Callable[..., FileInbox]) -> None:
    inbox = opened()
    add(path, f"{TO} 1")
    wait_for(inbox, TO, 1)
    begun = time.monotonic()

    inbox.close()
    inbox.close()

    assert time.monotonic() - begun < 1
    assert not [one for one in threading.enumerate() if one.name.startswith("otpspec-")]
    assert texts(inbox, TO) == [f"{TO} 1"]
