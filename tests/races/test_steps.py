"""Bursts of operations with several requests, cookies, captures and hidden fields."""

import itertools
import re
import threading
import time
from pathlib import Path

import pytest
from tests.harness.driven import table
from tests.harness.samples import PROFILE, written
from tests.harness.scripted import Asked, Said, Scripted, scripted

from otpspec import Outcome, Race, Trial
from otpspec.profile import load
from otpspec.runner import Runner, Scenario

STEPS = """
[[operations.verify]]
method = "GET"
path = "/pages/{challenge.id}"
capture = { csrf = { field = "csrf" } }

[[operations.verify]]
method = "POST"
path = "/pages/{challenge.id}"
form = { csrf = "{challenge.csrf}", otc = "{otc}" }
follow = 1
answers = [
    { status = 200, text = "Paid", outcomes = "approved" },
    { status = 403, outcomes = "wrong_otc" },
    { status = 409, outcomes = "void" },
]
"""


class Site:
    """Shows a form with a token of its own, wants it back with its cookie, and redirects."""

    def __init__(self) -> None:
        self.lock, self.ids = threading.Lock(), itertools.count(1)
        self.messages: list[dict[str, object]] = []
        self.otc, self.phone, self.used = "", "", False
        self.posts: list[tuple[float, str]] = []

    def __call__(self, asked: Asked) -> Said:
        with self.lock:
            return self._answer(asked)

    def _answer(self, asked: Asked) -> Said:
        if asked.target == "/cards":
            self.phone = asked.json["phone"]
            return 201, {"card_id": "c"}
        if asked.target == "/transactions":
            self.otc, self.used = f"{next(self.ids):06}", False
            text = f"Code {self.otc}."
            self.messages.append({"seq": next(self.ids), "to": self.phone, "text": text})
            return 201, {"transaction_id": "t"}, {"Set-Cookie": "session=s"}
        if asked.target.startswith("/outbox"):
            return 200, {"messages": self.messages}
        if asked.target == "/paid":
            return 200, b"<p>Paid</p>"
        return self._page(asked)

    def _page(self, asked: Asked) -> Said:
        token = f"k{next(self.ids)}"
        cookies = dict(asked.headers).get("Cookie", "")
        if asked.method == "GET":
            page = f'<form><input type="hidden" name="csrf" value="{token}"></form>'
            return 200, page.encode(), {"Set-Cookie": f"csrf={token}", "Content-Type": "text/html"}
        self.posts.append((time.monotonic(), cookies))
        sent = re.search(rb"csrf=(\w+)", asked.body)
        if sent is None or f"csrf={sent[1].decode()}" not in cookies or "session=s" not in cookies:
            return 400, b"no token"
        if f"otc={self.otc}".encode() not in asked.body:
            return 403, b"Wrong"
        if self.used:
            return 409, b"Used"
        self.used = True
        return 303, b"", {"Location": "/paid"}


@pytest.fixture
def races(tmp_path: Path) -> tuple[Race, Site, Scripted]:
    """What four right codes at once come to."""
    site, found = Site(), []

    async def play(trial: Trial) -> None:
        challenge = await trial.start()
        found.append(await trial.burst([trial.to_verify(challenge) for _ in range(4)]))
        trial.check(True, expected="", got="", because="")

    with scripted(site) as server:
        text = PROFILE.replace(table("verify"), STEPS).replace('csc = "{csc}"', "")
        runner = Runner(load(written(tmp_path, text), base_url=server.url), seed=1)
        runner.open()
        try:
            finished = runner.result(Scenario("play", (), play))
        finally:
            runner.close()
    assert not finished.reason
    return found[0], site, server


def test_each_call_has_a_token_of_its_own_and_one_of_them_is_approved(
    races: tuple[Race, Site, Scripted],
) -> None:
    race, site, _ = races

    outcomes = sorted(str(next(iter(answer.outcomes))) for answer in race.answers)
    assert outcomes == ["approved", "void", "void", "void"]
    assert len({cookies for _, cookies in site.posts}) == 4


def test_only_the_request_that_carries_the_code_is_released_together(
    races: tuple[Race, Site, Scripted],
) -> None:
    race, _, server = races

    asked = [line for line in server.targets() if "/pages/" in line or "/paid" in line]
    assert asked == ["GET /pages/t"] * 4 + ["POST /pages/t"] * 4 + ["GET /paid"]
    assert race.overlap.of == 4


def test_answers_come_in_order_of_return_and_to_their_calls(
    races: tuple[Race, Site, Scripted],
) -> None:
    race, _, _ = races

    returned = [answer.returned for _, answer in race.in_order_of_return]
    assert returned == sorted(returned)
    assert all(answer.called <= answer.returned for answer in race.answers)
    assert {frozenset(a.outcomes) for a in race.answers} <= {
        frozenset({Outcome.APPROVED}),
        frozenset({Outcome.VOID}),
    }
