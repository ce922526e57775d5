"""What cards went through is kept beside the profile, and what is kept can be relied on."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.cards.bank import bank, profile

from otpspec.errors import OtpspecError
from otpspec.ledger import Ledger, State

Otpspec = Callable[..., Any]


def test_what_was_noted_is_known_to_the_next_run(tmp_path: Path) -> None:
    path = tmp_path / "acs.cards.json"
    first = Ledger(path)
    first.note("card 1 (…4801)", State.USED)
    first.note("card 2 (…8846)", State.SET_ASIDE, "it stays locked")

    second = Ledger(path, may_retry=False)

    assert second.state("card 1 (…4801)") is State.UNKNOWN  # used by anyone since
    assert second.state("card 2 (…8846)") is State.SET_ASIDE
    assert second.why("card 2 (…8846)") == "it stays locked"
    assert second.state("card 3 (…3077)") is State.UNKNOWN
    assert Ledger(path, may_retry=True).state("card 2 (…8846)") is State.UNKNOWN
    assert not path.with_suffix(".tmp").exists()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"version": 1, "cards": {"card 1"', "Input data was truncated"),
        (
            '{"cards": {"card 1": {"state": "lost", "at": "2026-01-01T00:00:00Z"}}}',
            "Invalid enum value 'lost' - at `$.cards[...].state`",
        ),
    ],
)
def test_broken_file_ends_the_run_before_anything_is_sent(
    otpspec: Otpspec, tmp_path: Path, text: str, why: str
) -> None:
    with bank() as ours:
        ours.enrol(2)
        path = profile(tmp_path, ours)
        ledger = tmp_path / "acs.cards.json"
        ledger.write_text(text)
        done = otpspec("check", str(path), "-k", "VERIFY-1")
        asked = ours.asked

    assert done.code == 2
    assert done.err == (
        f"{ledger} cannot be read ({why}).\n"
        "It holds what the profile's cards went through in earlier runs.\n"
        "Try: delete it, if every card has been unlocked since.\n"
    )
    assert not asked
    assert ledger.read_text() == text


def test_folder_that_cannot_be_written_ends_the_run_before_anything_is_sent(
    otpspec: Otpspec, tmp_path: Path
) -> None:
    with bank() as ours:
        ours.enrol(2)
        path = profile(tmp_path, ours)
        (tmp_path / "acs.cards.tmp").mkdir()  # nobody's file can be written there, root's neither
        done = otpspec("check", str(path), "-k", "VERIFY-1")
        asked = ours.asked

    assert done.code == 2
    assert done.err == (
        "What the cards went through cannot be noted in "
        f"{tmp_path / 'acs.cards.json'} (Is a directory).\n"
        "Try: make the profile's folder writable; the next run relies on it.\n"
    )
    assert not asked


def test_error_names_the_folder_that_is_gone(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "gone" / "acs.cards.json")

    with pytest.raises(OtpspecError) as raised:
        ledger.note("card 1", State.USED)

    assert "(No such file or directory)" in str(raised.value)


def test_card_without_a_number_is_called_by_its_label_or_its_place(
    otpspec: Otpspec, tmp_path: Path
) -> None:
    with bank() as ours:
        rows = [{**row, "label": label} for row, label in zip(ours.enrol(2), "AB", strict=True)]
        for row in rows:
            del row["pan"]
        path = profile(tmp_path, ours, rows=rows)
        done = otpspec("check", str(path), "-k", "VERIFY-2")

    assert done.code == 0, done.err
    noted = json.loads((tmp_path / "acs.cards.json").read_text())
    assert set(noted["cards"]) == {"A"}
