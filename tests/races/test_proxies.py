"""A proxy before the target: what it does with requests that came together is not seen from here,
and that is said; a race that it lets through is found all the same."""

import time
from urllib.parse import urlsplit

import pytest
from tests.harness.scripted import Said, scripted
from tests.harness.small_bank import play_at

from otpspec import Verdict
from otpspec.runner import Finished
from otpspec_scenarios.conformance import test_race as races

from .proxy import buffering
from .stand_in import APPROVED, DEAD, Bank, Transaction

RACE_1 = races.test_of_simultaneous_right_codes_at_most_one_is_accepted
IN_TURN = (
    "one after the other, as by a server that handles one request at a time, or by a proxy that "
    "passes them on so; whether they meet behind it cannot be seen from here"
)


def racy(bank: Bank, transaction: Transaction, otc: str) -> Said:
    """Used, but for who comes within the next moment."""
    free = not transaction.used and otc == transaction.otc
    time.sleep(0.04)  # as long for a refusal: the pace tells something only of equals
    transaction.used |= free
    return APPROVED if free else DEAD


def through_a_proxy(*, in_turn: bool) -> Finished:
    words = ("policy.csc=never", "policy.lock_scope=challenge", "races.rounds=4", "races.sizes=[8]")
    with (
        scripted(Bank(racy)) as server,
        buffering(urlsplit(server.url).port or 0, in_turn=in_turn) as proxy,
    ):
        (finished,) = play_at(proxy, RACE_1, changes=words)
    return finished


def test_race_is_found_behind_a_proxy_that_holds_requests_until_they_are_whole() -> None:
    finished = through_a_proxy(in_turn=False)

    assert finished.verdict is Verdict.BROKEN
    assert "it is for one use" in finished.reason


def test_proxy_that_lets_one_at_a_time_through_is_told_by_the_pace_of_the_answers() -> None:
    """Such a target cannot be raced this way: its rounds pass, and say what was not seen."""
    tried = (through_a_proxy(in_turn=True) for _ in range(5))  # a busy machine spreads a burst
    whole = "8 of 8 in flight at once, as seen from here; released"
    finished = next(one for one in tried if whole in one.measured.get("overlap", ""))

    assert finished.verdict is Verdict.PASSED, finished.reason
    assert finished.measured["answered"].endswith(f" ms: {IN_TURN}")
    assert finished.measured["proxy"] == (
        "the answers name one (via 1.1 front): it may hold requests until they are whole, and what "
        "it does with them then cannot be seen from here"
    )


@pytest.mark.parametrize("name", ["nginx", "openresty"])
def test_proxy_that_calls_itself_the_server_is_named(name: str) -> None:
    def sound(bank: Bank, transaction: Transaction, otc: str) -> Said:
        with bank.lock:
            said = DEAD if transaction.used else APPROVED
            transaction.used = True
        return (*said, {"Server": f"{name}/1.22.1"})

    words = ("policy.csc=never", "policy.lock_scope=challenge", "races.rounds=2", "races.sizes=[4]")
    with scripted(Bank(sound)) as server:
        (finished,) = play_at(server, RACE_1, changes=words)

    assert finished.measured["proxy"].startswith(f"the answers name one ({name}): ")
