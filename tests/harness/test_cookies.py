"""Cookies are a payer's: those of enrolling go with each start, those of a start with it alone."""

from pathlib import Path

import httpx
import pytest

from otpspec import Trial
from otpspec.exchange import Access, Jar
from otpspec.profile import load
from otpspec.results import Verdict
from otpspec.target import Session

from .asked import in_session
from .driven import CARD, START, VERIFY
from .samples import written
from .scripted import Asked, Said, Scripted, scripted
from .small_bank import Bank, play_at

BECAUSE = "it is right"


def cookies(asked: Asked) -> dict[str, str]:
    """The cookies that came with a request."""
    lines = [value for name, value in asked.headers if name.lower() == "cookie"]
    assert len(lines) <= 1
    pairs = [pair.partition("=") for line in lines for pair in line.split("; ")]
    return {name: value for name, _, value in pairs}


def to(server: Scripted, path: str) -> list[dict[str, str]]:
    """The cookies of every request to such a path."""
    return [cookies(asked) for asked in server.asked if path in asked.target]


class CookieBank(Bank):
    """A bank that knows a payer by the cookies of the start, and of no other."""

    def _enroll(self, asked: Asked) -> Said:
        status, body, *_ = super()._enroll(asked)
        return status, body, {"Set-Cookie": f"device={body['card_id']}; Secure; HttpOnly; Path=/"}

    def _start(self, asked: Asked) -> Said:
        status, body, *_ = super()._start(asked)
        return status, body, {"Set-Cookie": f"sid={body['transaction_id']}; SameSite=Lax"}

    def _verify(self, asked: Asked) -> Said:
        if cookies(asked).get("sid") != asked.target.split("/")[2]:
            return 403, {"status": "another session"}
        return super()._verify(asked)


async def approve(trial: Trial, *challenges: object) -> None:
    for challenge in challenges:
        await trial.approved(challenge, because=BECAUSE)  # type: ignore[arg-type]


def test_two_transactions_of_one_payer_keep_their_own_cookies() -> None:
    async def play(trial: Trial) -> None:
        first = await trial.start()
        second = await trial.start()
        await approve(trial, first, second)

    with scripted(CookieBank()) as server:
        (finished,) = play_at(server, play)

        assert finished.verdict is Verdict.PASSED
        sids = [found["sid"] for found in to(server, "/verify")]
        assert len(set(sids)) == 2


def test_cookies_of_enrolling_go_with_each_start_and_what_follows() -> None:
    async def play(trial: Trial) -> None:
        card = await trial.card()
        await trial.start(card)
        await approve(trial, await trial.start(card))

    with scripted(CookieBank()) as server:
        (finished,) = play_at(server, play)

        assert finished.verdict is Verdict.PASSED
        cards = {found["device"] for found in to(server, "/transactions")}
        assert len(cards) == 1
        starts = [cookies(a) for a in server.asked if a.target == "/transactions"]
        assert [set(found) for found in starts] == [{"device"}, {"device"}]
        assert [set(found) for found in to(server, "/verify")] == [{"device", "sid"}]


def test_two_cards_share_no_cookie() -> None:
    async def play(trial: Trial) -> None:
        await approve(trial, await trial.start(await trial.card()))
        await approve(trial, await trial.start(await trial.card()))

    with scripted(CookieBank()) as server:
        (finished,) = play_at(server, play)

        assert finished.verdict is Verdict.PASSED
        first, second = to(server, "/verify")
        assert first["device"] != second["device"]
        assert first["sid"] != second["sid"]


def test_elsewhere_there_are_none_of_the_payers_cookies() -> None:
    async def play(trial: Trial) -> None:
        challenge = await trial.start()
        async with trial.elsewhere() as other:
            await other.verify(challenge)
        await approve(trial, challenge)

    with scripted(CookieBank()) as server:
        (finished,) = play_at(server, play)

        assert finished.verdict is Verdict.PASSED
        assert to(server, "/verify")[0] == {}


def test_cookie_that_is_set_anew_replaces_the_old_one() -> None:
    answers = iter(["sid=1", "sid=2; Path=/", "sid=; Max-Age=0; Path=/", "other=1"])

    async def play(session: Session) -> None:
        jar = session.jar()
        for _ in range(4):
            await session.ask("start", START, jar)

    with scripted(lambda asked: (201, {}, {"Set-Cookie": next(answers)})) as server:
        in_session(server.url, play)

        assert to(server, "/") == [{}, {"sid": "1"}, {"sid": "2"}, {}]


def test_cookies_on_the_way_of_a_redirect_are_sent_on() -> None:
    def answer(asked: Asked) -> Said:
        if asked.target == "/transactions":
            return 302, {}, {"Location": "/on", "Set-Cookie": "way=1"}
        return 201, {}, {"Set-Cookie": "end=1"}

    async def play(session: Session) -> None:
        jar = session.jar()
        await session.ask("start", START, jar)
        await session.ask("verify", VERIFY, jar)

    with scripted(answer) as server:
        in_session(server.url, play, "operations.start.follow=1")

        assert [cookies(a) for a in server.asked] == [{}, {"way": "1"}, {"way": "1", "end": "1"}]


def test_without_a_jar_no_cookie_is_kept() -> None:
    async def play(session: Session) -> None:
        await session.ask("enroll", CARD)
        await session.ask("enroll", CARD)

    with scripted(lambda asked: (201, {}, {"Set-Cookie": "a=1"})) as server:
        in_session(server.url, play)

        assert [cookies(asked) for asked in server.asked] == [{}, {}]


def test_cookie_that_an_answer_sets_can_be_captured() -> None:
    async def play(session: Session) -> object:
        return (await session.ask("start", START)).captures

    capture = 'operations.start.capture={id = {cookie = "sid", regex = "^tx-(.*)"}}'
    with scripted(lambda asked: (201, {}, {"Set-Cookie": "sid=tx-7=; Secure"})) as server:
        assert in_session(server.url, play, capture) == {"id": "7="}


@pytest.mark.parametrize(
    ("origin", "sent"),
    [
        ("http://127.0.0.1:8000", True),
        ("http://localhost:8000", True),
        ("http://[::1]:8000", True),
        ("http://10.0.0.1", False),
        ("http://acs.example.com", False),
        ("https://acs.example.com", True),
    ],
)
def test_secure_cookie_goes_in_the_clear_to_this_machine_only(
    tmp_path: Path, origin: str, sent: bool
) -> None:
    jar = Access(load(written(tmp_path), base_url=origin)).jar()
    request = httpx.Request("GET", origin + "/")
    jar.extract_cookies(
        httpx.Response(200, headers={"Set-Cookie": "sid=1; Secure; Path=/"}, request=request)
    )

    for each in (jar, jar.copy()):
        again = httpx.Request("GET", origin + "/")
        each.set_cookie_header(again)
        assert again.headers.get("cookie") == ("sid=1" if sent else None)


def test_copy_of_a_jar_goes_its_own_way() -> None:
    jar = Jar()
    jar.set("a", "1")

    other = jar.copy()
    other.set("b", "2")

    assert (dict(jar), dict(other)) == ({"a": "1"}, {"a": "1", "b": "2"})
