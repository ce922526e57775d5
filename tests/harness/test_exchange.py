"""Every request can be found again at the target, and no answer is more than a run can eat."""

import asyncio
import gzip
import re
import socket
import time
import zlib

import pytest

from otpspec.exchange import MAX_BODY
from otpspec.outcome import Outcome
from otpspec.target import Session

from .asked import enrolled, in_session, started, trickling
from .driven import CARD, table
from .samples import changed
from .scripted import Asked, Said, scripted

DONE = {Outcome.DONE}
NOTHING = {Outcome.UNAVAILABLE}


def ids(asked: list[Asked], header: str = "x-request-id") -> list[str]:
    """What each request has in a header; every request has it once."""
    found = [[v for k, v in request.headers if k.lower() == header] for request in asked]
    assert all(len(values) == 1 for values in found)
    return [values[0] for values in found]


# --- ids ----------------------------------------------------------------------------------------


def test_each_request_has_an_id_of_its_own_in_the_header_that_the_profile_names() -> None:
    async def play(session: Session) -> list[str]:
        answers = await asyncio.gather(*(session.ask("enroll", CARD) for _ in range(10)))
        return [answer.id for answer in answers]

    with scripted(lambda asked: (201, {})) as server:
        told = in_session(server.url, play, "target.correlation_header=X-Trace")

        sent = ids(server.asked, "x-trace")
        assert sorted(told) == sorted(sent)
        assert len(set(sent)) == 10
        runs = {re.fullmatch(r"otpspec-([0-9a-f]{8})-\d+", one) for one in sent}
        assert None not in runs
        assert len({found[1] for found in runs if found}) == 1


def test_two_runs_have_no_id_in_common() -> None:
    with scripted(lambda asked: (201, {})) as server:
        enrolled(server.url)
        enrolled(server.url)

        assert len(set(ids(server.asked))) == 2


def test_each_step_and_each_redirect_has_an_id_of_its_own() -> None:
    steps = table("enroll").replace("[operations.enroll]", "[[operations.enroll]]")
    first = '[[operations.enroll]]\nmethod = "GET"\npath = "/first"\nfollow = 1\n\n'

    def answer(asked: Asked) -> Said:
        return (302, {}, {"Location": "/on"}) if asked.target == "/first" else (201, {})

    with scripted(answer) as server:
        said = enrolled(server.url, text=changed((table("enroll"), first + steps)))

        assert server.targets() == ["GET /first", "GET /on", "POST /cards"]
        assert len(set(ids(server.asked))) == 3
        assert said.id == ids(server.asked)[-1]


def test_id_that_the_profile_itself_gives_stays_the_only_one() -> None:
    text = changed(('"/cards"\n', '"/cards"\nheaders = { x-request-id = "mine" }\n'))

    with scripted(lambda asked: (201, {})) as server:
        said = enrolled(server.url, text=text)

        assert ids(server.asked) == ["mine"]
        assert said.id == "mine"


# --- bodies -------------------------------------------------------------------------------------


def test_answer_as_long_as_is_read_is_read_whole() -> None:
    body = b'"' + b"x" * (MAX_BODY - 2) + b'"'

    with scripted(lambda asked: (201, body)) as server:
        said = enrolled(server.url)

    assert said.outcomes == DONE
    assert said.body == body


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_answer_that_is_longer_is_none(encoding: str) -> None:
    body = b"x" * (MAX_BODY + 1)
    sent = gzip.compress(body) if encoding == "gzip" else body

    with scripted(lambda asked: (201, sent, {"Content-Encoding": encoding})) as server:
        said = enrolled(server.url)

    assert said.outcomes == NOTHING
    assert str(said) == "no answer (the answer is longer than 1048576 bytes)"


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(b'{"card_id": "c-7"}')),
        ("deflate", zlib.compress(b'{"card_id": "c-7"}')),
        ("GZIP", gzip.compress(b'{"card_id": "c-7"}')),
        ("identity", b'{"card_id": "c-7"}'),
    ],
)
def test_answer_that_was_packed_is_unpacked(encoding: str, body: bytes) -> None:
    with scripted(lambda asked: (201, body, {"Content-Encoding": encoding})) as server:
        said = enrolled(server.url)

    assert said.captures == {"id": "c-7"}
    assert said.body == b'{"card_id": "c-7"}'


def test_only_what_can_be_unpacked_is_asked_for() -> None:
    with scripted(lambda asked: (201, {})) as server:
        enrolled(server.url)

        headers = {name.lower(): value for name, value in server.asked[0].headers}
        assert headers["accept-encoding"] == "gzip, deflate"


def test_answer_that_cannot_be_unpacked_is_none() -> None:
    with scripted(lambda asked: (201, b"no gzip", {"Content-Encoding": "gzip"})) as server:
        said = enrolled(server.url)

    assert said.outcomes == NOTHING
    assert said.status is None


def test_answer_that_is_cut_off_is_none() -> None:
    with scripted(lambda asked: (201, b"{}", {"Content-Length": "10"})) as server:
        said = enrolled(server.url)

    assert (said.outcomes, said.status) == (NOTHING, None)
    assert said.error


# --- time ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 201 Created\r\nContent-Length: 900\r\n\r\n" + b" " * 900,
        b"HTTP/1.1 201 Created\r\nX-Filler: " + b"x" * 900 + b"\r\n\r\n",
        b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 150,
    ],
    ids=["body", "headers", "chunks"],
)
def test_server_that_trickles_is_cut_at_the_profiles_timeout(answer: bytes) -> None:
    began = time.monotonic()
    said = trickling(answer, "target.timeout=400ms")
    took = time.monotonic() - began

    assert str(said) == "no answer (no answer in time)"
    assert said.outcomes == NOTHING
    assert 0.4 <= took < 10  # left alone it would take 18 s


def test_slow_answer_within_the_timeout_is_read() -> None:
    said = trickling(b"HTTP/1.1 201 OK\r\nContent-Length: 2\r\n\r\n{}", "target.timeout=15s")

    assert said.outcomes == DONE


# --- no answer ----------------------------------------------------------------------------------


def test_nobody_there_is_said_so() -> None:
    with socket.socket() as held:  # bound, but not listening
        held.bind(("127.0.0.1", 0))
        said = enrolled("http://{}:{}".format(*held.getsockname()))

    assert str(said) == "no answer (connection refused)"


def test_connection_that_is_closed_without_an_answer_is_none() -> None:
    with scripted(lambda asked: (201, None)) as server:
        said = started(server.url)

        assert (said.outcomes, said.status) == (NOTHING, None)
        assert said.error == "Server disconnected without sending a response."
        assert len(server.asked) == 1  # nothing is asked twice behind the caller's back
