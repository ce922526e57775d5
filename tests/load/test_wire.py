"""HTTP/1.1 as bytes: what is sent, and what is made of what comes in."""

import pytest

from otpspec.errors import TargetError
from otpspec.load.wire import MAX_BODY, Answer, NotHttpError, Parser, encode
from otpspec.profile import Request

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


def request(**changes: object) -> Request:
    asked = Request("verify", "POST", "/t/1/verify", (("X-A", "b"),), b'{"otc":"1"}')
    return asked._replace(**changes)


def read(*chunks: bytes) -> tuple[Answer, bool]:
    """The answer, and whether its connection may be used again."""
    parser = Parser()
    for chunk in chunks:
        if parser.take(chunk):
            return parser.answer(), parser.reusable
    raise AssertionError("no answer yet")


def test_request_is_written_as_it_stands() -> None:
    assert encode(request(), "acs.example:8080") == (
        b"POST /t/1/verify HTTP/1.1\r\nHost: acs.example:8080\r\nX-A: b\r\n"
        b'Content-Length: 11\r\n\r\n{"otc":"1"}'
    )


def test_post_without_a_body_says_that_it_has_none() -> None:
    assert b"\r\nContent-Length: 0\r\n" in encode(request(body=b""), "h")
    assert b"Content-Length" not in encode(request(method="GET", body=b""), "h")


@pytest.mark.parametrize("value", ["a\r\nX-B: c", "a\nX-B: c"])
def test_line_break_in_a_header_is_refused(value: str) -> None:
    with pytest.raises(
        TargetError, match=r"^A line break in a header of verify: see the profile\.$"
    ):
        encode(request(headers=(("X-A", value),)), "h")


def test_answer_that_comes_byte_by_byte_is_whole_in_the_end() -> None:
    answer, reusable = read(*(OK[i : i + 1] for i in range(len(OK))))

    headers = {"content-type": "application/json", "content-length": "2"}
    assert answer == Answer(200, headers, b"{}")
    assert reusable


def test_one_parser_reads_answer_after_answer() -> None:
    parser, answers = Parser(), []
    for _ in range(3):
        parser.begin()
        assert parser.take(OK)
        answers.append(parser.answer())

    assert answers == [read(OK)[0]] * 3
    assert parser.reusable


def test_cookies_are_noticed_whatever_their_headers_case() -> None:
    for name in (b"Set-Cookie", b"set-cookie", b"SET-COOKIE"):
        answer, _ = read(OK.replace(b"Content-Type: application/json", name + b": a=1; Path=/"))
        parser = Parser()
        parser.take(OK.replace(b"Content-Type", name))

        assert parser.sets_cookies()
        assert answer.cookies == ("a=1; Path=/",)


def test_answer_without_cookies_has_none() -> None:
    parser = Parser()
    parser.take(OK)

    assert not parser.sets_cookies()


@pytest.mark.parametrize(
    ("chunks", "body", "reusable"),
    [
        (
            [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{", b"}\r\n0\r\n\r\n"],
            b"{}",
            1,
        ),
        ([b"HTTP/1.1 100 Continue\r\n\r\n" + OK], b"{}", True),
        ([b"HTTP/1.1 204 No Content\r\n\r\n"], b"", True),
        ([b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}"], b"{}", False),
        ([b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}"], b"{}", False),
        ([b"HTTP/1.1 200 OK\r\n\r\n{", b"}", b""], b"{}", False),
        ([OK + b"more"], b"{}", False),
        ([OK + OK], b"{}", False),
    ],
    ids=["chunked", "interim", "empty", "close", "1.0", "until the end", "surplus", "two answers"],
)
def test_answers_of_every_framing_are_read(
    chunks: list[bytes], body: bytes, reusable: bool
) -> None:
    answer, again = read(*chunks)

    assert answer.body == body
    assert again is bool(reusable)


def test_repeated_headers_are_joined() -> None:
    answer, _ = read(b"HTTP/1.1 204 No\r\nVary: a\r\nX-Empty:\r\nvary: b\r\n\r\n")

    assert answer.headers == {"vary": "a, b", "x-empty": ""}


@pytest.mark.parametrize(
    ("chunks", "why"),
    [
        ([b"SSH-2.0-OpenSSH_9.2\r\n"], "what came back is not HTTP"),
        ([b""], "the connection was closed before the answer was whole"),
        ([OK[:-1], b""], "the connection was closed before the answer was whole"),
        (
            [b"HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n", b"x" * (MAX_BODY + 1)],
            "the answer is longer than 1048576 bytes",
        ),
    ],
    ids=["not HTTP", "nothing", "cut off", "endless"],
)
def test_what_is_no_answer_says_why(chunks: list[bytes], why: str) -> None:
    with pytest.raises(NotHttpError, match=why):
        read(*chunks)
