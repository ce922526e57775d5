"""The strangers are sound, asked by hand: else the harness's false alarms look like bugs here."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .payers import Browser, Duopay, Textgate
from .stranger import NODE, Caught, cards_csv, catching, stranger

pytestmark = pytest.mark.skipif(NODE is None, reason="the strangers' servers need Node.js")

VALIDITY = 1.5


def other(code: str) -> str:
    """A code of the same form that differs."""
    return ("1" if code[0] != "1" else "2") + code[1:] if code[0].isdigit() else "Q" * 8


@pytest.fixture(scope="module")
def duopay() -> Iterator[str]:
    with stranger("json200") as server:
        yield server.url


@pytest.fixture(scope="module")
def acs() -> Iterator[tuple[str, Caught]]:
    with (
        catching("smtp") as mails,
        stranger("acsform", "--smtp", mails.address, "--validity", str(VALIDITY)) as server,
    ):
        yield server.url, mails


@pytest.fixture(scope="module")
def textgate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Caught, Path]]:
    cards = cards_csv(tmp_path_factory.mktemp("cards"), count=10)
    with catching("sms") as sink:
        options = ("--sms", sink.address, "--cards", str(cards), "--validity", str(VALIDITY))
        with stranger("form", *options) as server:
            yield server.url, sink, cards


def test_duopay_approves_a_code_once_and_only_with_its_cvv(duopay: str) -> None:
    payer = Duopay(duopay)
    _, order = payer.order()
    code = payer.codes()[-1]

    said = [
        payer.confirm(order, code, "778"),
        payer.confirm(order, code),
        payer.confirm(order, code),
    ]

    assert said == [1201, 0, 1205]


def test_duopay_locks_at_the_fourth_wrong_try_for_half_an_hour(duopay: str) -> None:
    payer = Duopay(duopay)
    _, order = payer.order()
    code = payer.codes()[-1]

    assert [payer.confirm(order, other(code)) for _ in range(4)] == [1201, 1201, 1201, 1203]
    assert payer.confirm(order, code) == 1203
    assert payer.order()[0] == 1203
    payer.later(1795)
    assert payer.order()[0] == 1203
    payer.later(10)
    assert payer.confirm(order, code) == 1205
    assert payer.order()[0] == 0


def test_duopay_counts_what_is_no_code_and_never_fails_on_it(duopay: str) -> None:
    odds: tuple[Any, ...] = ("", None, [], {}, True, 0, "12", "1" * 9000)
    for odd in odds:
        payer = Duopay(duopay)
        _, order = payer.order()
        said = [payer.confirm(order, odd) for _ in range(4)]
        assert said == [1400] * 4
        assert payer.confirm(order, payer.codes()[-1]) == 1203


def test_duopays_codes_die_at_five_minutes_at_a_new_order_and_at_a_resend(duopay: str) -> None:
    payer = Duopay(duopay)
    _, first = payer.order()
    _, second = payer.order()
    first_code, code = payer.codes()

    assert payer.confirm(first, first_code) == 1205
    assert payer.call("orders/resend", {"order_no": second})["code"] == 1429
    payer.later(31)
    assert payer.call("orders/resend", {"order_no": second})["code"] == 0
    renewed = payer.codes()[-1]
    if renewed != code:
        assert payer.confirm(second, code) == 1201
    payer.later(298)
    assert payer.confirm(second, other(renewed)) == 1201
    payer.later(2.5)
    assert payer.confirm(second, renewed) == 1204


def test_duopay_keeps_cards_apart(duopay: str) -> None:
    mine, theirs = Duopay(duopay), Duopay(duopay)
    _, order = mine.order()
    theirs.order()

    assert theirs.confirm(order, mine.codes()[-1]) == 1205
    assert mine.call("orders", {})["code"] == 0
    assert (
        Duopay(duopay).call("mobile", {"uid": mine.uid, "mobile": "+1", "password": ""})["code"]
        == 1003
    )


def test_duopay_limits_orders_and_resends(duopay: str) -> None:
    payer = Duopay(duopay)
    assert [payer.order()[0] for _ in range(7)] == [0] * 6 + [1430]
    payer.later(601)
    _, order = payer.order()
    said = []
    for _ in range(4):
        payer.later(31)
        said.append(payer.call("orders/resend", {"order_no": order})["code"])
    assert said == [0, 0, 0, 1431]


def test_duopay_sends_to_a_new_mobile_once_the_owner_has_changed_it(duopay: str) -> None:
    payer = Duopay(duopay)
    _, order = payer.order()
    code = payer.codes()[-1]
    body = {"uid": payer.uid, "mobile": payer.phone + "9", "password": "pw"}

    assert payer.call("mobile", body)["code"] == 0
    assert payer.confirm(order, code) == 1205
    payer.order()
    assert (len(payer.codes()), len(payer.codes(payer.phone + "9"))) == (1, 1)


def test_acs_approves_a_code_once(acs: tuple[str, Caught]) -> None:
    payer = Browser(*acs)
    code = payer.pay()

    assert "The code is not correct. You have 2 tries left." in payer.send(otp=other(code))
    shown = payer.page
    assert "Payment approved" in payer.send(otp=code)
    payer.page = shown
    assert "There is no open payment" in payer.send(otp=code)


def test_acs_takes_only_the_newest_form(acs: tuple[str, Caught]) -> None:
    payer = Browser(*acs)
    code = payer.pay()
    stale = payer.page
    payer.send(otp=other(code))
    payer.page = stale

    assert "out of date" in payer.send(otp=code)


def test_acs_locks_until_support_unlocks_and_old_codes_stay_dead(acs: tuple[str, Caught]) -> None:
    payer = Browser(*acs)
    code = payer.pay()
    shown = [payer.send(otp=other(code)) for _ in range(2)]
    form = payer.page
    shown.append(payer.send(otp=other(code)))

    assert "1 tries left" in shown[1]
    assert "Your card is locked" in shown[2]
    payer.page = form
    assert "Your card is locked" in payer.send(otp=code)
    time.sleep(VALIDITY + 0.1)
    assert payer.pay() == ""
    assert payer.unlock() == 200
    fresh = payer.pay()
    assert "Payment approved" in payer.send(otp=fresh)


def test_acs_asks_for_the_cvc_over_100_and_voids_on_a_wrong_one(acs: tuple[str, Caught]) -> None:
    payer = Browser(*acs)
    code = payer.pay("120.00")
    form = payer.page

    assert "card security number is not correct" in payer.send(otp=code, cvc="778")
    payer.page = form
    assert "There is no open payment" in payer.send(otp=code, cvc="777")
    code = payer.pay("120.00")
    assert "Please enter" in payer.send(otp=code)
    assert "Payment approved" in payer.send(otp=code, cvc="777")


def test_acs_repeats_the_code_twice_and_extends_nothing(acs: tuple[str, Caught]) -> None:
    payer = Browser(*acs)
    code = payer.pay()
    time.sleep(VALIDITY / 2)
    assert "sent the code again" in payer.send("/resend")
    assert payer.mail() == code
    payer.send("/resend")
    assert payer.mail() == code
    assert "cannot be sent again" in payer.send("/resend")
    time.sleep(VALIDITY / 2 + 0.1)

    assert "The code has expired" in payer.send(otp=code)


def test_textgate_reads_letters_without_regard_to_case_and_dash(
    textgate: tuple[str, Caught, Path],
) -> None:
    url, sink, _ = textgate
    shop = Textgate(url, sink, "9999000000000001", "+9995500000001")
    for spelling in (str.lower, lambda code: code.replace("-", "")):
        txn, code = shop.begin()
        assert shop.check(txn, code[:-1]) == "badrequest"
        assert shop.check(txn, spelling(code)) == "approved"
        assert shop.check(txn, code) == "gone"


def test_textgate_ends_a_challenge_at_five_wrong_codes_and_locks_no_card(
    textgate: tuple[str, Caught, Path],
) -> None:
    url, sink, _ = textgate
    shop = Textgate(url, sink, "9999000000000002", "+9995500000002")
    txn, code = shop.begin()

    said = [shop.check(txn, other(code)) for _ in range(5)]

    assert said == ["declined"] * 4 + ["exhausted"]
    assert shop.check(txn, code) == "exhausted"
    txn, code = shop.begin()
    assert shop.check(txn, code) == "approved"
    txn, code = shop.begin()
    time.sleep(VALIDITY + 0.05)
    assert shop.check(txn, code) == "expired"
    assert shop.check("0" * 24, code) == "gone"


def test_textgate_answers_for_an_unknown_card_as_for_a_known_one(
    textgate: tuple[str, Caught, Path],
) -> None:
    url, sink, _ = textgate
    shop = Textgate(url, sink, "9999000000000003", "+9995500000003")
    body = {"card": "9999000000009999", "amount": "1", "currency": "EUR", "merchant": "shop"}

    known = shop.http.post("/otp/send", data={**body, "card": shop.pan})
    unknown = shop.http.post("/otp/send", data=body)

    assert (known.status_code, len(known.text)) == (unknown.status_code, len(unknown.text))
