"""Cards of the profile's own, which somebody uses: doctor is careful with them."""

import json
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.doctor.pasting import REFERENCE

Server = Any
Done = Any
CARD = {
    "pan": "9999000000000018",
    "csc": "917",
    "phone": "+9995550001",
    "email": "payer@example.com",
    "passphrase": "a-passphrase-of-the-tests",
}


def ask(url: str, body: Any) -> dict[str, Any]:
    data, headers = json.dumps(body).encode(), {"Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=5) as answer:
        said: dict[str, Any] = json.load(answer)
    return said


def with_own_card(card_id: str, *, unlock: bool) -> str:
    """The reference server's profile for a card that it knows already."""
    begin, end = REFERENCE.index("[operations.enroll]"), REFERENCE.index("[operations.start]")
    text = REFERENCE[:begin] + REFERENCE[end:]
    if not unlock:
        begin = text.index("[operations.unlock]")
        text = text[:begin] + text[text.index("[operations.change_contact]") :]
    row = {**CARD, "id": card_id}
    return text + "\n[[cards.given]]\n" + "".join(f'{k} = "{v}"\n' for k, v in row.items())


@pytest.mark.parametrize("unlock", [True, False])
def test_own_card_is_left_as_it_was(
    serve: Callable[..., Server], otpspec: Callable[..., Done], tmp_path: Path, unlock: bool
) -> None:
    server = serve()
    card = ask(server.url + "/cards", CARD)["card_id"]
    for _ in range(2):  # one more, and it is locked
        started = ask(server.url + "/transactions", {"card_id": card, "amount": "1.00", "currency": "EUR", "merchant": "m"})  # fmt: skip  # noqa: E501
        wrong = urllib.request.Request(
            f"{server.url}/transactions/{started['transaction_id']}/verify",
            b'{"otc": "000000"}',
            {"Content-Type": "application/json"},
        )
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(wrong, timeout=5)
    (tmp_path / "acs.toml").write_text(with_own_card(card, unlock=unlock))

    done = otpspec("doctor", "acs.toml", "--json", "--base-url", server.url)

    found = json.loads(done.out)
    steps = {step["name"]: step for step in found["steps"]}
    assert done.code == 0, {name: (s["mark"], s["says"]) for name, s in steps.items()}
    names = list(steps)
    assert names.index("verify, the right code") < names.index("verify, a wrong code")
    assert ("unlock, before anything else" in names) == unlock
    assert steps["change_contact, the right proof"]["says"] == "a card of [cards] keeps its contact"
    assert CARD["pan"] not in done.out
    started = ask(server.url + "/transactions", {"card_id": card, "amount": "1.00", "currency": "EUR", "merchant": "m"})  # fmt: skip  # noqa: E501
    assert started["contact"].endswith("0001")
    assert not (tmp_path / "acs.cards.json").exists()


def test_own_card_whose_code_is_not_found_is_tried_with_no_wrong_one(
    serve: Callable[..., Server], otpspec: Callable[..., Done], tmp_path: Path
) -> None:
    server = serve()
    card = ask(server.url + "/cards", CARD)["card_id"]
    text = with_own_card(card, unlock=False).replace('messages = "messages"', 'messages = "list"')
    (tmp_path / "acs.toml").write_text(text)

    done = otpspec("doctor", "acs.toml", "--json", "--base-url", server.url)

    tried = [step for step in json.loads(done.out)["steps"] if step["place"] == "operations.verify"]
    assert done.code == 2
    assert {step["mark"] for step in tried} == {"skipped"}
