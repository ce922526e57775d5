"""A command's output is its messages, and its failure is said in its own words."""

import asyncio
import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from otpspec.errors import TargetError
from otpspec.inbox import CommandInbox, Message

TO = "+49170123456"


def run(inbox: CommandInbox, contact: str = TO, *, times: int = 1) -> list[list[Message]]:
    async def ask() -> list[list[Message]]:
        return [await inbox.messages(contact) for _ in range(times)]

    inbox.open()
    try:
        return asyncio.run(ask())
    finally:
        inbox.close()


def python(program: str, **options: Any) -> CommandInbox:
    return CommandInbox(command=[sys.executable, "-c", program, "{contact}"], **options)


def gone(pid: int) -> bool:
    """Whether a process has ended."""
    end = time.monotonic() + 3
    while time.monotonic() < end:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


def test_each_line_is_a_message_for_the_contact_in_its_words() -> None:
    inbox = python("import sys; print('für', sys.argv[1]); print(); print(' 987654 ')")

    [messages] = run(inbox)

    assert [m.text for m in messages] == [f"für {TO}", "987654"]
    assert len({m.id for m in messages}) == 2
    assert all(m.arrived_s is None for m in messages)


def test_no_shell_reads_its_words() -> None:
    inbox = CommandInbox(command=["echo", "{contact}", "$HOME; x{contact}"])

    [[message]] = run(inbox, "$(id)")

    assert message.text == "$(id) $HOME; x$(id)"


def test_a_line_keeps_its_id_wherever_it_is_printed_and_equal_lines_are_several(
    tmp_path: Path,
) -> None:
    log = tmp_path / "log"
    inbox = CommandInbox(command=["tac", str(log)])
    log.write_text("one\nsame\n")
    [before] = run(inbox)

    log.write_text("one\nsame\nsame\ntwo\n")
    [after] = run(inbox)

    new = [m for m in after if m.id not in {m.id for m in before}]
    assert sorted(m.text for m in new) == ["same", "two"]
    assert len({m.id for m in after}) == 4


def test_json_is_read_by_jmespath() -> None:
    output = '{"list": [{"n": 7, "body": {"t": "für 1"}}, {"n": "x", "body": {}}]}'
    inbox = CommandInbox(command=["echo", output], messages="list", id="n", text="body.t")

    assert [tuple(m) for m in run(inbox)[0]] == [("7", "für 1", None), ("x", "", None)]


def test_json_may_be_a_list_of_texts_or_nothing_at_all() -> None:
    listed = CommandInbox(command=["echo", '["1", "2"]'], messages="@")

    assert [m.text for m in run(listed)[0]] == ["1", "2"]
    assert run(CommandInbox(command=["true"], messages="@")) == [[]]


def test_it_runs_where_its_folder_is(tmp_path: Path) -> None:
    assert run(CommandInbox(command=["pwd"], folder=tmp_path))[0][0].text == str(tmp_path)


@pytest.mark.parametrize(
    ("command", "options", "text"),
    [
        (
            ["sh", "-c", "echo no such key for {contact} >&2; echo second >&2; exit 3"],
            {},
            "The inbox's command failed (exit code 3).\n"
            "  command   sh -c 'echo no such key for {contact} >&2; echo second >&2; exit 3'\n"
            "  said      no such key for {contact}\n"
            "            second\n",
        ),
        (
            ["sh", "-c", "kill -9 $$"],
            {},
            "The inbox's command was ended by SIGKILL.\n  command   sh -c 'kill -9 $$'\n",
        ),
        (
            ["no-such-program", "{contact}"],
            {},
            "The inbox's command could not be started (no such file or directory).\n"
            "  command   no-such-program '{contact}'\n",
        ),
        (
            ["sleep", "30"],
            {"timeout_s": 0.2},
            "The inbox's command did not end within 0.2 s.\n  command   sleep 30\n",
        ),
        (
            ["head", "-c", "3000000", "/dev/zero"],
            {},
            "The inbox's command printed more than 1048576 bytes.\n"
            "  command   head -c 3000000 /dev/zero\n",
        ),
        (
            ["echo", "987654"],
            {"messages": "list"},
            "The inbox's command printed JSON without the list that inbox.messages names.\n"
            "  command   echo 987654\n",
        ),
        (
            ["echo", "it is"],
            {"messages": "list"},
            "The inbox's command printed something that is not JSON.\n  command   echo 'it is'\n",
        ),
        (
            ["echo", "[{}]"],
            {"messages": "@", "id": "n"},
            "The inbox's command printed a message without the id that inbox.id names.\n"
            "  command   echo '[{}]'\n",
        ),
    ],
)
def test_a_failure_says_what_the_command_said(
    command: list[str], options: dict[str, Any], text: str
) -> None:
    with pytest.raises(TargetError) as raised:
        run(CommandInbox(command=command, **options))

    assert str(raised.value) == (
        text + "Try: run it by hand, with a contact for {contact}; check inbox.command."
    )


@pytest.fixture
def sleeper(tmp_path: Path) -> tuple[list[str], Path]:
    """A command that starts a child which holds its output open, and says their ids."""
    pids = tmp_path / "pids"
    return ["sh", "-c", f"sleep 30 & echo $$ $! > {pids}.new; mv {pids}.new {pids}; wait"], pids


def ids(pids: Path) -> list[int]:
    end = time.monotonic() + 5
    while not pids.exists() and time.monotonic() < end:
        time.sleep(0.01)
    return [int(word) for word in pids.read_text().split()]


def test_a_command_that_takes_too_long_is_ended_with_its_children(
    sleeper: tuple[list[str], Path],
) -> None:
    with pytest.raises(TargetError, match=r"did not end within 0\.5 s"):
        run(CommandInbox(command=sleeper[0], timeout_s=0.5))

    assert all(gone(pid) for pid in ids(sleeper[1]))


def test_a_poll_that_is_cancelled_ends_its_command(sleeper: tuple[list[str], Path]) -> None:
    inbox = CommandInbox(command=sleeper[0])
    inbox.open()

    async def cancel() -> None:
        task = asyncio.ensure_future(inbox.messages(TO))
        while not sleeper[1].exists():
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel())
    assert all(gone(pid) for pid in ids(sleeper[1]))


def test_closing_ends_a_command_that_runs(sleeper: tuple[list[str], Path]) -> None:
    inbox = CommandInbox(command=sleeper[0])
    inbox.open()

    async def close() -> None:
        task = asyncio.ensure_future(inbox.messages(TO))
        while not sleeper[1].exists():
            await asyncio.sleep(0.01)
        inbox.close()
        with pytest.raises(TargetError, match="was ended by SIGKILL"):
            await task

    begun = time.monotonic()
    asyncio.run(close())
    assert time.monotonic() - begun < 5
    assert all(gone(pid) for pid in ids(sleeper[1]))
    inbox.close()


def test_a_poll_never_holds_up_its_loop_and_few_commands_run_at_once(tmp_path: Path) -> None:
    program = (
        "import os, sys, time; p = sys.argv[1] + str(os.getpid()); open(p, 'w').close(); "
        "time.sleep(0.1); print(len(os.listdir(sys.argv[1]))); os.unlink(p)"
    )
    inbox = CommandInbox(command=[sys.executable, "-Sc", program, f"{tmp_path}{os.sep}"])
    inbox.open()
    longest = 0.0

    async def watch() -> None:
        nonlocal longest
        while True:
            begun = time.monotonic()
            await asyncio.sleep(0.005)
            longest = max(longest, time.monotonic() - begun)

    async def poll() -> list[list[Message]]:
        watcher = asyncio.ensure_future(watch())
        found = await asyncio.gather(*(inbox.messages(f"+4917000{n}") for n in range(12)))
        watcher.cancel()
        return found

    at_once = [int(messages[0].text) for messages in asyncio.run(poll())]
    inbox.close()

    assert max(at_once) <= 4
    assert longest < 0.5


def test_runs_for_one_contact_follow_each_other_with_a_pause() -> None:
    inbox = CommandInbox(command=["date", "+%s.%N"])

    times = [float(messages[0].text) for messages in run(inbox, times=3)]

    assert times[1] - times[0] > 0.19
    assert times[2] - times[1] > 0.19


def test_seen_says_how_often_it_ran_and_what_it_printed() -> None:
    inbox = CommandInbox(command=["echo", "987654"])
    assert inbox.seen() == "its command was not run to its end"
    run(inbox)
    assert inbox.seen() == "its command was run once, and printed 1 message"
    run(inbox, "+1555")
    assert inbox.seen() == "its command was run 2 times, and printed 2 messages"


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"command": []}, 'the command is empty; write a list of words: ["./codes", "{contact}"]'),
        (
            {"command": ["x"], "text": "t"},
            "id and text are read from JSON; say by messages where its list is",
        ),
    ],
)
def test_what_cannot_be_run_is_refused(options: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError) as raised:  # noqa: PT011 -- the text is compared as a whole
        CommandInbox(**options)

    assert str(raised.value) == text
