"""What is written is read again, in either format, and what cannot be used is named."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from otpspec import history as histories
from otpspec.errors import HistoryError
from otpspec.history import Builder, Call, History, packed
from otpspec.history.columns import mask, unmask
from otpspec.model import (
    Amend,
    Cancel,
    ChangeContact,
    Csc,
    Malformed,
    Resend,
    Start,
    Unlock,
    Verify,
)
from otpspec.outcome import Outcome

HEADER = '{"format": "otpspec-history", "version": 1}'
START = {"card": "a", "op": "start", "challenge": 1, "called": 0.0, "returned": 0.1}
START |= {"answer": "done"}
VERIFY = {"card": "a", "op": "verify", "challenge": 1, "code": "#1", "called": 1.0}
VERIFY |= {"returned": 1.5, "answer": "approved"}
DONE = frozenset({Outcome.DONE})


def every_kind() -> list[Call]:
    vague = frozenset({Outcome.WRONG_OTC, Outcome.VOID})
    return [
        Call(Start(3, "1", None, 0.5), 0.0, 0.25, DONE),
        Call(Start(4, None, True), 0.0, 0.25, DONE),
        Call(Verify(3, "2", Csc.WRONG), 1.0, 1.5, vague),
        Call(Verify(3, "1", Csc.RIGHT), 1.0),
        Call(Malformed(3), 1.0, 1.5, frozenset({Outcome.THROTTLED})),
        Call(Resend(3, "5", 2.5), 2.0, 2.25, DONE),
        Call(Amend(3, "6", False, 3.5), 3.0, 3.25, DONE),
        Call(Cancel(3), 4.0, 4.25, DONE),
        Call(Unlock(), 5.0, 5.25, DONE),
        Call(ChangeContact(proven=False), 6.0, 6.25, frozenset({Outcome.DENIED})),
    ]


def made() -> History:
    builder = Builder()
    for call in every_kind():
        builder.add("card one", call)
        builder.add("card two", call)
    return builder.history()


def written(tmp_path: Path, *lines: Any, header: str = HEADER) -> Path:
    path = tmp_path / "history.jsonl"
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    path.write_text("\n".join([header, *texts]) + "\n")
    return path


def refusal(path: Path) -> str:
    with pytest.raises(HistoryError) as refused:
        histories.read(path)
    return str(refused.value).replace(str(path), path.name)


@pytest.mark.parametrize("name", ["history.jsonl", "history.packed"])
def test_what_is_written_is_read_again(tmp_path: Path, name: str) -> None:
    history = made()
    histories.write(history, tmp_path / name)

    found = histories.read(tmp_path / name)

    assert list(found.names) == list(history.names)
    before, after = (h.calls(np.arange(len(h))) for h in (history, found))
    for one, other in zip(before, after, strict=True):
        assert type(one.operation) is type(other.operation)
        assert (one.called, one.returned, one.outcomes) == (
            *(other.called, other.returned),
            other.outcomes,
        )
        for name_ in ("csc", "csc_required", "proven", "seen"):
            told = [getattr(c.operation, name_, None) for c in (one, other)]
            assert told[0] == told[1]
    codes = [getattr(c.operation, "otc", getattr(c.operation, "code", None)) for c in after]
    assert codes[0] == codes[1] == codes[6] != codes[4]  # a code is a token: only equality is kept


@pytest.mark.parametrize("line", [VERIFY, VERIFY | {"answer": ["wrong_otc", "void"]}])
def test_line_may_mean_one_outcome_or_several(tmp_path: Path, line: dict[str, Any]) -> None:
    history = histories.read(written(tmp_path, START, line))

    words = [line["answer"]] if isinstance(line["answer"], str) else line["answer"]
    assert history.calls(np.array([1]))[0].outcomes == set(words)


def test_line_without_an_answer_has_no_return(tmp_path: Path) -> None:
    (call,) = histories.read(written(tmp_path, VERIFY | {"answer": None, "returned": 3.0})).calls(
        np.array([0])
    )

    assert (call.returned, call.outcomes) == (None, None)


def test_last_line_may_lack_its_end(tmp_path: Path) -> None:
    path = written(tmp_path, START, VERIFY)
    path.write_text(path.read_text().rstrip("\n"))

    assert len(histories.read(path)) == 2


def test_history_is_longer_than_what_is_read_at_once(tmp_path: Path) -> None:
    lines = [VERIFY | {"card": f"card-{n}", "called": n, "returned": n + 1} for n in range(5000)]

    history = histories.read(written(tmp_path, *lines))

    assert len(history) == 5000
    assert history.rows["called"].tolist() == list(range(5000))
    assert history.names[4999] == "card-4999"


OUTCOMES = ", ".join(Outcome)

REFUSED = {
    "not JSON": ("{", "line 2  not a JSON object, or cut off"),
    "a wrong type": (VERIFY | {"called": "1"}, "line 2  expected `float`, got `str` in called"),
    "an unknown operation": (VERIFY | {"op": "check"}, "line 2  invalid enum value 'check' in op"),
    "an unknown key": (
        VERIFY | {"retruned": 1},
        "line 2  object contains unknown field `retruned`",
    ),
    "no card": (
        {k: v for k, v in VERIFY.items() if k != "card"},
        "line 2  object missing required field `card`",
    ),
    "an unknown answer": (
        VERIFY | {"answer": "ok"},
        f'line 2  "ok" is no outcome; known: {OUTCOMES}',
    ),
    "an answer that could be a secret": (
        VERIFY | {"answer": "123456"},
        f"line 2  the answer is no outcome; known: {OUTCOMES}",
    ),
    "an answer that never came": (
        VERIFY | {"returned": None},
        'line 2  an answer, but no "returned"; say when it came',
    ),
    "a verify without a code": (VERIFY | {"code": None}, "line 2  no code; a verify tries one"),
    "no challenge": (
        VERIFY | {"challenge": None},
        "line 2  no challenge; which transaction was it about?",
    ),
    "a challenge too many": (
        VERIFY | {"op": "unlock", "code": None, "answer": "done"},
        "line 2  a challenge, but the operation is about the card",
    ),
    "a code too many": (
        VERIFY | {"op": "unlock", "challenge": None, "answer": "done"},
        "line 2  a code, but the operation takes none",
    ),
    "no proof said": (
        VERIFY | {"op": "change_contact", "challenge": None, "code": None, "answer": "done"},
        'line 2  no "proven"; was the change asked for with proof (true) or without (false)?',
    ),
    "a return before the call": (
        VERIFY | {"returned": 0.5},
        "line 2  returned before it was called",
    ),
    "a message before it was asked for": (
        START | {"seen": -1.0},
        "line 2  its message was seen before it was asked for",
    ),
    "a message nobody asked for": (
        VERIFY | {"seen": 2.0},
        "line 2  seen, but no message was asked for",
    ),
    "an empty line": ("", "line 2  empty; each line is an operation"),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_line_that_cannot_be_used_is_named_and_nothing_is_read(tmp_path: Path, fault: str) -> None:
    line, text = REFUSED[fault]

    assert refusal(written(tmp_path, line, START)) == f"history.jsonl: 1 problem\n  {text}"


def test_all_lines_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    path = written(tmp_path, START, VERIFY | {"card": 1}, VERIFY, "{", START)

    assert refusal(path) == (
        "history.jsonl: 2 problems\n"
        "  line 3  expected `str`, got `int` in card\n"
        "  line 5  not a JSON object, or cut off"
    )


def test_file_that_is_wrong_throughout_is_told_of_in_one_screen(tmp_path: Path) -> None:
    path = written(tmp_path, *[VERIFY | {"returned": 0.0}] * 900)

    assert refusal(path).startswith("history.jsonl: 20 problems\n")


@pytest.mark.parametrize(
    ("header", "text"),
    [
        (json.dumps(START), f"no header; the first line must be {HEADER}"),
        ('{"format": "csv", "version": 1}', f"another format; the first line must be {HEADER}"),
        (
            HEADER.replace("1", "2"),
            "version 2 is not known; this otpspec reads version 1",
        ),
    ],
)
def test_header_says_what_the_file_is(tmp_path: Path, header: str, text: str) -> None:
    path = written(tmp_path, VERIFY, header=header)

    assert refusal(path) == f"history.jsonl: 1 problem\n  line 1  {text}"


def test_file_without_an_operation_proves_nothing(tmp_path: Path) -> None:
    text = "history.jsonl: 1 problem\n  (file)  holds no operation"

    assert refusal(written(tmp_path)) == text


def test_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    text = "none.jsonl: 1 problem\n  (file)  cannot be read: No such file or directory"

    assert refusal(tmp_path / "none.jsonl") == text


def test_packed_history_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "history.packed"
    histories.write(made(), path)
    whole = path.read_bytes()
    size = len(whole)

    for cut, text in (
        (10, "is cut off within its head"),
        (size - 1, f"holds {size - 1} bytes; its head promises {size}"),
    ):
        path.write_bytes(whole[:cut])
        assert refusal(path) == f"history.packed: 1 problem\n  (file)  {text}"


@pytest.mark.parametrize(
    ("column", "value", "text"),
    [
        ("kind", 99, "no such operation; known: start, verify, malformed, resend, amend, cancel, "),
        ("called", np.nan, "called is no time"),
        ("called", np.inf, "called is no time"),
        ("returned", np.nan, "returned before it was called"),
        ("card", 7, "its card has no name"),
        ("outcomes", 1 << 15, "an answer that is not known"),
        ("detail", 9, "a detail that is not known"),
    ],
)
def test_packed_record_that_cannot_be_used_is_named(
    tmp_path: Path, column: str, value: float, text: str
) -> None:
    history = made()
    history.rows[column][4] = value
    histories.write(history, tmp_path / "history.packed")

    assert f"  record 5  {text}" in refusal(tmp_path / "history.packed")


def test_packed_history_of_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "history.packed"
    path.write_bytes(packed.MAGIC + (2).to_bytes(4, "little") + bytes(12))

    text = "version 2 is not known; this otpspec reads version 1"
    assert refusal(path) == f"history.packed: 1 problem\n  (file)  {text}"


@pytest.mark.parametrize("outcomes", [set(), {Outcome.VOID}, set(Outcome)])
def test_outcomes_are_bits_and_back(outcomes: set[Outcome]) -> None:
    assert unmask(mask(outcomes)) == outcomes
