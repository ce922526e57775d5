"""The SMS gateway takes what gateways' clients send, and says what it could not read."""

import asyncio
import re
import socket
import threading
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from otpspec.errors import TargetError
from otpspec.inbox import SmsInbox

from .waiting import ask, texts

TO = "+49170123456"
MESSAGES = "/2010-04-01/Accounts/AC123/Messages.json"


def opened(**options: str) -> SmsInbox:
    inbox = SmsInbox(listen="127.0.0.1:0", **options)
    inbox.open()
    return inbox


@pytest.fixture
def inbox() -> Iterator[SmsInbox]:
    with_port = opened()
    yield with_port
    with_port.close()


def url(inbox: SmsInbox, path: str = "/hook") -> str:
    return f"http://127.0.0.1:{inbox.address[1]}{path}"


def post(inbox: SmsInbox, path: str = "/hook", **options: Any) -> httpx.Response:
    return httpx.post(url(inbox, path), trust_env=False, timeout=5, **options)


# --- Twilio ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("sender", [{"From": "+15005550006"}, {"MessagingServiceSid": "MG1"}])
def test_twilios_form_is_answered_as_twilio_does(inbox: SmsInbox, sender: dict[str, str]) -> None:
    form = {"To": TO, "Body": "Code für 987654", **sender}

    answer = post(inbox, MESSAGES, data=form, auth=("AC123", "token"))

    said = answer.json()
    assert answer.status_code == 201
    assert re.fullmatch(r"SM[0-9a-f]{32}", said["sid"])
    assert {key: said[key] for key in ("status", "to", "body", "account_sid", "error_code")} == {
        "status": "queued", "to": TO, "body": "Code für 987654", "account_sid": "AC123",
        "error_code": None,
    }  # fmt: skip
    assert said["uri"] == f"/2010-04-01/Accounts/AC123/Messages/{said['sid']}.json"
    assert said["from"] == sender.get("From")
    assert abs(parsedate_to_datetime(said["date_created"]).timestamp() - time.time()) < 5
    assert texts(inbox, "0049 170 123-456") == ["Code für 987654"]


def test_twilios_client_library_sends_through_it(inbox: SmsInbox) -> None:
    rest = pytest.importorskip("twilio.rest")
    client = rest.Client("AC123", "token")
    client.api.base_url = url(inbox, "")

    sent = client.messages.create(to=TO, from_="+15005550006", body="Code 987654")

    assert (sent.status, sent.to, sent.error_code) == ("queued", TO, None)
    assert sent.date_created.year >= 2024
    assert texts(inbox, TO) == ["Code 987654"]
    with pytest.raises(Exception, match="no text") as raised:
        client.messages.create(to=TO, from_="+15005550006")
    assert (raised.value.status, raised.value.code) == (400, 21619)


def test_twilios_form_with_something_missing_is_refused_and_remembered(inbox: SmsInbox) -> None:
    answer = post(inbox, MESSAGES, data={"From": "+15005550006", "Body": "987654"})

    assert answer.status_code == 400
    assert answer.json() == {
        "status": 400,
        "code": 21604,
        "message": "No message in this request: it has no recipient (fields: Body, From); "
        "see inbox.to and inbox.text of the profile",
    }
    assert inbox.seen() == (
        "a request came that could not be read: it has no recipient (fields: Body, From)"
    )


def test_a_template_of_twilio_has_its_variables_for_a_text(inbox: SmsInbox) -> None:
    post(inbox, MESSAGES, data={"To": f"whatsapp:{TO}", "ContentVariables": '{"1":"987654"}'})

    assert texts(inbox, TO) == ['{"1":"987654"}']


# --- any webhook ----------------------------------------------------------------------------------


@pytest.mark.parametrize("to", ["to", "To", "phone", "phone_number", "phoneNumber", "PhoneNumber",
                                "recipient", "msisdn", "number", "mobile"])  # fmt: skip
def test_the_usual_names_are_found_in_json_form_and_query(inbox: SmsInbox, to: str) -> None:
    names = ["text", "body", "Body", "message", "Message", "content", "sms"]
    for text in names:
        fields = {"from": "Bank", to: TO, text: "987654"}
        for options in ({"json": fields}, {"data": fields}, {"params": fields}):
            answer = post(inbox, "/any/path", **options)
            assert answer.status_code == 200
            assert answer.json() == {"status": "accepted", "id": ask(inbox, TO)[-1].id}

    assert texts(inbox, TO) == ["987654"] * 3 * len(names)


@pytest.mark.parametrize(
    "body",
    [
        {"recipients": [TO], "body": "987654"},
        {"to": [{"phone": TO}], "text": "987654"},
        {"to": 49170123456, "text": 987654},
        {"data": {"attributes": {"to": TO, "message": {"text": "987654"}}}},
        {"messages": [{"destinations": [{"to": TO}], "text": "987654"}]},
        {"from": {"number": "+1555"}, "to": {"number": TO}, "message": {"content": "987654"}},
        [{"to": TO, "text": "987654"}],
        {"to": TO, "text": "987654", "number": "5", "meta": {"to": "+1555", "text": "1"}},
    ],
)
def test_shapes_of_well_known_gateways_are_read(inbox: SmsInbox, body: Any) -> None:
    assert post(inbox, json=body).status_code == 200

    assert texts(inbox, TO) == ["987654"]
    assert texts(inbox, "+1555") == []


def test_a_batch_is_kept_for_each_of_its_recipients(inbox: SmsInbox) -> None:
    post(inbox, json={"messages": [{"to": "+491", "text": "1"}, {"to": "+492", "text": "2"}]})
    post(inbox, json={"recipients": ["+491", "+492"], "text": "3"})

    assert texts(inbox, "+491") == ["1", "3"]
    assert texts(inbox, "+492") == ["2", "3"]


def test_put_get_and_multipart_are_taken_too(inbox: SmsInbox) -> None:
    with httpx.Client(trust_env=False) as http:
        assert http.put(url(inbox), json={"to": TO, "text": "1"}).status_code == 200
        assert http.get(url(inbox), params={"to": TO, "text": "2"}).status_code == 200
        parts = {"to": (None, TO), "text": (None, "für 3")}
        assert http.post(url(inbox), files=parts).status_code == 200
        assert http.delete(url(inbox)).status_code == 405

    assert texts(inbox, TO) == ["1", "2", "für 3"]


def test_jmespath_says_where_it_is_where_the_usual_names_do_not() -> None:
    inbox = opened(to="an.nummer", text="inhalt")
    try:
        post(inbox, json={"an": {"nummer": TO}, "inhalt": "987654", "to": "+1555", "text": "no"})

        assert texts(inbox, TO) == ["987654"]
        assert texts(inbox, "+1555") == []
        assert post(inbox, json={"to": TO, "text": "1"}).status_code == 400
    finally:
        inbox.close()


def test_one_expression_leaves_the_other_to_the_usual_names() -> None:
    inbox = opened(to="an")
    try:
        post(inbox, json={"an": TO, "to": "+1555", "text": "987654"})

        assert texts(inbox, TO) == ["987654"]
        assert texts(inbox, "+1555") == []
    finally:
        inbox.close()


def test_expressions_over_a_batch_go_side_by_side() -> None:
    inbox = opened(to="sms[].an", text="sms[].inhalt")
    try:
        post(inbox, json={"sms": [{"an": "+491", "inhalt": "1"}, {"an": "+492", "inhalt": "2"}]})

        assert (texts(inbox, "+491"), texts(inbox, "+492")) == (["1"], ["2"])
    finally:
        inbox.close()


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"json": {"to": TO, "txt": "987654"}}, "it has no text (fields: to, txt)"),
        ({"json": {"whom": TO, "text": "987654"}}, "it has no recipient (fields: text, whom)"),
        ({"json": {}}, "it has no recipient and text (fields: none)"),
        ({"json": {"to": "", "text": None}}, "it has no recipient and text (fields: text, to)"),
        ({"json": [1, "x", None]}, "it has no recipient and text (fields: none)"),
        ({"content": b"{broken"}, "its body is not JSON"),
        ({"content": b"[" * 100_000}, "its body is not JSON"),
        ({"content": b'{"to":' * 900 + b"1" + b"}" * 900}, "it is nested too deeply"),
        (
            {"content": b"<sms/>", "headers": {"Content-Type": "text/xml; charset=utf-8"}},
            "its body is neither JSON nor a form, but text/xml",
        ),
        ({"content": b"\xff\xfe=\xff"}, "it has no recipient and text (fields: \ufffd\ufffd)"),
    ],
)
def test_what_is_no_message_is_refused_and_remembered(
    inbox: SmsInbox, options: dict[str, Any], why: str
) -> None:
    answer = post(inbox, **options)

    assert answer.status_code == 400
    assert answer.json()["message"] == (
        f"No message in this request: {why}; see inbox.to and inbox.text of the profile"
    )
    assert inbox.seen() == f"a request came that could not be read: {why}"
    assert "987654" not in inbox.seen()


def test_a_request_without_bounds_is_refused(inbox: SmsInbox) -> None:
    answer = post(inbox, json={"to": TO, "text": "x" * (1 << 20)})

    assert answer.status_code == 413
    assert texts(inbox, TO) == []


@pytest.mark.parametrize(("option", "text"), [("to", "a["), ("text", "]")])
def test_an_expression_that_cannot_be_read_is_refused(option: str, text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 -- the text is that of jmespath
        SmsInbox(**{option: text})


# --- the server -----------------------------------------------------------------------------------


def test_none_of_500_messages_of_several_threads_is_lost_or_doubled(inbox: SmsInbox) -> None:
    done = threading.Event()
    polls: list[int] = []

    def send(number: int) -> None:
        with httpx.Client(trust_env=False, timeout=20) as http:
            for turn in range(50):
                http.post(url(inbox), json={"to": f"+4917000{number}", "text": f"{number}-{turn}"})

    def poll() -> None:
        while not done.is_set():
            polls.append(len(ask(inbox, "+49170000")))

    poller = threading.Thread(target=poll)
    senders = [threading.Thread(target=send, args=(number,)) for number in range(10)]
    for thread in (poller, *senders):
        thread.start()
    for thread in senders:
        thread.join(60)
    done.set()
    poller.join(5)

    for number in range(10):
        assert texts(inbox, f"+4917000{number}") == [f"{number}-{turn}" for turn in range(50)]
    assert polls == sorted(polls)
    assert len(set(polls)) > 2


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"POST /hook HT",
        b"POST /hook HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf",
        b"GET /hook?to=1&text=2 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00nonsense",
    ],
)
def test_it_closes_in_the_middle_of_a_request(
    inbox: SmsInbox, said: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    with socket.create_connection(inbox.address, timeout=5) as raw:
        raw.sendall(said)
        time.sleep(0.05)
        begun = time.monotonic()

        inbox.close()

        assert time.monotonic() - begun < 2
    assert not [one for one in threading.enumerate() if one.name.startswith("otpspec-")]
    assert capfd.readouterr() == ("", "")
    inbox.close()


def test_it_takes_a_burst_of_connections(inbox: SmsInbox) -> None:
    async def burst() -> list[int]:
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(trust_env=False, limits=limits, timeout=30) as http:
            sent = [http.post(url(inbox), json={"to": TO, "text": str(n)}) for n in range(200)]
            return [answer.status_code for answer in await asyncio.gather(*sent)]

    assert asyncio.run(burst()) == [200] * 200
    assert sorted(map(int, texts(inbox, TO))) == list(range(200))


def test_two_inboxes_cannot_have_one_port(inbox: SmsInbox) -> None:
    port = inbox.address[1]

    with pytest.raises(TargetError, match=rf"^Another program listens on 127\.0\.0\.1:{port}\."):
        SmsInbox(listen=f"127.0.0.1:{port}").open()


def test_nothing_of_a_message_is_printed(
    inbox: SmsInbox, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    post(inbox, json={"to": TO, "text": "Code 987654"})
    post(inbox, json={"to": TO, "txt": "Code 987654"})

    assert capfd.readouterr() == ("", "")
