"""Bursts over real sockets: all but the last byte is sent before, and then all are released."""

import asyncio
import itertools
import ssl
import sys
from pathlib import Path

import httpx
import pytest
import trustme

from otpspec.burst import Flight, Landed, Shot, fire, measure
from otpspec.errors import NotAllowedError
from otpspec.guard import Guard, Rules, tls_context

from .targets import (
    Listening,
    answer_all,
    answer_at_head,
    answer_in_turn,
    hang_up,
    listening,
    mute,
    read,
)

MANY = 16


def shots(url: str, count: int = MANY, *, hold_head: bool = False) -> list[Shot]:
    """Requests with a body each."""
    requests = [httpx.Request("POST", f"{url}/{n}", json={"otc": f"{n:06}"}) for n in range(count)]
    return [Shot(request, hold_head=hold_head) for request in requests]


def fired(
    url: str, given: list[Shot], *, rules: Rules | None = None, timeout_s: float = 5
) -> list[Landed]:
    """What became of the requests."""
    guard = Guard(rules or Rules(), [url])
    return asyncio.run(fire(guard, given, timeout_s=timeout_s, max_body=1000))


def flights(landed: list[Landed]) -> list[Flight]:
    found = []
    for one in landed:
        assert one.released_s is not None
        found.append(Flight(one.released_s, one.silent_until_s, one.answered_s))
    return found


def url_of(server: Listening, scheme: str = "http") -> str:
    return f"{scheme}://127.0.0.1:{server.port}"


def expect_together(server: Listening, landed: list[Landed]) -> None:
    """Every request was whole only after the first release, and all were in flight at once."""
    assert [one.error for one in landed] == [""] * MANY
    assert {one.response.text for one in landed if one.response} == {"ok"}
    assert server.opened == MANY
    overlap = measure(flights(landed), of=MANY)
    assert overlap.in_flight == MANY
    assert overlap.spread_s < 0.25  # a busy machine may stop us anywhere, for a while
    first = min(one.released_s or 0.0 for one in landed)
    assert min(server.whole_s) >= first - 1e-3
    assert max(one.sent_s for one in landed) < first


def test_requests_are_released_together_over_tcp() -> None:
    with listening(answer_all) as server:
        landed = fired(url_of(server), shots(url_of(server)))

        expect_together(server, landed)
        assert sorted(r.partition(b"\r\n")[0] for r in server.requests) == sorted(
            f"POST /{n} HTTP/1.1".encode() for n in range(MANY)
        )
        assert {r.partition(b"\r\n\r\n")[2] for r in server.requests} == {
            b'{"otc":"%06d"}' % n for n in range(MANY)
        }


def test_requests_are_released_together_over_tls(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    rules = Rules(tls=tls_context(ca=tmp_path / "ca.pem"))

    with listening(answer_all, tls=context) as server:
        url = url_of(server, "https")

        expect_together(server, fired(url, shots(url), rules=rules))


def test_certificate_that_nobody_signed_is_no_connection() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)

    with listening(answer_all, tls=context) as server:
        url = url_of(server, "https")
        landed = fired(url, shots(url, 2))

    assert [(one.opened, one.released_s, one.response) for one in landed] == [
        (False, None, None)
    ] * 2
    assert all("CERTIFICATE_VERIFY_FAILED" in one.error for one in landed)


def test_request_without_a_body_is_held_by_the_last_byte_of_its_head() -> None:
    with listening(answer_all) as server:
        url = url_of(server)
        landed = fired(url, [Shot(httpx.Request("GET", f"{url}/{n}")) for n in range(4)])

        first = min(one.released_s or 0.0 for one in landed)
        assert min(server.whole_s) >= first - 1e-3
        assert all(request.endswith(b"\r\n\r\n") for request in server.requests)


def test_releases_are_apart_as_asked_for() -> None:
    with listening(answer_all) as server:
        given = [s._replace(delay_s=n * 0.01) for n, s in enumerate(shots(url_of(server), 4))]
        landed = fired(url_of(server), given)

    released = [one.released_s or 0.0 for one in landed]
    apart = [later - sooner for sooner, later in itertools.pairwise(released)]
    assert released == sorted(released)
    assert released[-1] - released[0] >= 0.03 - 1e-4
    assert all(gap > 0 for gap in apart)


def test_answer_that_comes_between_the_releases_is_not_in_flight_after_it() -> None:
    def at_once(connection: object, notes: Listening) -> None:
        answer_all(connection, notes, pause_s=0)

    with listening(at_once) as server:
        given = [s._replace(delay_s=n * 0.1) for n, s in enumerate(shots(url_of(server), 4))]
        landed = fired(url_of(server), given)

    overlap = measure(flights(landed), of=4)
    assert overlap.in_flight == 1
    assert overlap.between == 3


def test_server_that_waits_until_its_client_hangs_up_answers_all() -> None:
    """As gunicorn's sync workers do, two seconds long for each connection."""
    with listening(answer_in_turn()) as server:
        landed = fired(url_of(server), shots(url_of(server)), timeout_s=5)

    assert [one.error for one in landed] == [""] * MANY
    assert measure(flights(landed), of=MANY).in_flight > MANY // 2


def test_answer_before_the_last_byte_is_seen_and_the_request_is_not_released(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys.modules["otpspec.burst.fire"], "SETTLE_S", 0.5)
    with listening(answer_at_head) as server:
        landed = fired(url_of(server), shots(url_of(server), 3))

    assert [(one.early, one.released_s) for one in landed] == [(True, None)] * 3
    assert [one.response.status_code for one in landed if one.response] == [200] * 3


def test_target_that_does_not_wait_for_the_body_waits_for_its_head() -> None:
    with listening(answer_at_head) as server:
        landed = fired(url_of(server), shots(url_of(server), 3, hold_head=True))

    assert [one.early for one in landed] == [False] * 3
    assert all(one.released_s is not None and one.response for one in landed)


def test_connection_that_is_closed_without_an_answer_is_no_answer() -> None:
    with listening(hang_up) as server:
        landed = fired(url_of(server), shots(url_of(server), 2))

    assert [one.response for one in landed] == [None, None]
    assert {one.error for one in landed} <= {
        "the connection was closed before an answer came",
        "the connection was closed before the answer was whole",
        "connection reset",
    }


def test_answer_that_does_not_come_in_time_is_no_answer() -> None:
    with listening(mute) as server:
        landed = fired(url_of(server), shots(url_of(server), 2), timeout_s=0.2)

    assert [(one.response, one.error) for one in landed] == [(None, "no answer in time")] * 2


def test_port_where_nobody_listens_is_no_connection() -> None:
    with listening(answer_all) as server:
        url = url_of(server)
    landed = fired(url, shots(url, 2))

    assert [(one.opened, one.error) for one in landed] == [(False, "connection refused")] * 2


def test_answer_is_read_whatever_way_its_end_is_told() -> None:
    answers = iter(
        [
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
            b"HTTP/1.0 200 OK\r\n\r\nok",
            b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        ]
    )

    def in_many_ways(connection: object, notes: Listening) -> None:
        read(connection, notes)
        connection.sendall(next(answers))  # type: ignore[attr-defined]

    with listening(in_many_ways) as server:
        landed = fired(url_of(server), shots(url_of(server), 3))

    assert [one.response.text if one.response else one.error for one in landed] == ["ok"] * 3


def test_answer_that_is_too_long_is_no_answer() -> None:
    def long(connection: object, notes: Listening) -> None:
        read(connection, notes)
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n" + b"x" * 2000
        connection.sendall(answer)  # type: ignore[attr-defined]

    with listening(long) as server:
        landed = fired(url_of(server), shots(url_of(server), 1))

    assert landed[0].error == "the answer is longer than 1000 bytes"


def test_burst_is_spread_over_the_addresses_of_its_host(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        listening(answer_all) as v4,
        listening(answer_all, host="::1", port=v4.port) as v6,
    ):
        monkeypatch.setattr("otpspec.guard.verified._resolve", lambda origin: ["127.0.0.1", "::1"])
        url = f"http://localhost:{v4.port}"

        landed = fired(url, shots(url, 8))

        assert [one.error for one in landed] == [""] * 8
        assert (v4.opened, v6.opened) == (4, 4)


def test_origin_that_the_profile_does_not_name_is_never_connected_to() -> None:
    with listening(answer_all) as server:
        guard = Guard(Rules(), ["http://127.0.0.1:9"])
        with pytest.raises(NotAllowedError):
            asyncio.run(fire(guard, shots(url_of(server)), timeout_s=1, max_body=10))

        assert server.opened == 0
