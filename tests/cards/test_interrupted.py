"""A run that is cut short says what it has done to whose cards."""

import json
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.cards.bank import Bank, bank, profile

Begin = Callable[..., subprocess.Popen[str]]


def _begun(begin: Begin, ours: Bank, folder: Path) -> subprocess.Popen[str]:
    """A check that has locked a card and is far from its end."""
    path = profile(folder, ours, ('name = "S', 'max_rate = "60/s"\nname = "S'))
    process = begin("check", str(path), "-k", "LOCKOUT", cwd=folder)
    until = time.monotonic() + 30
    while not ours.locked():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until, "no card was locked"
        time.sleep(0.01)
    return process


def _used(folder: Path) -> set[str]:
    noted = json.loads((folder / "acs.cards.json").read_text())["cards"]
    return {label for label, entry in noted.items() if entry["state"] == "used"}


def test_interrupted_run_unlocks_its_cards_and_says_which_it_used(
    begin: Begin, tmp_path: Path
) -> None:
    with bank() as ours:
        ours.enrol(6)
        process = _begun(begin, ours, tmp_path)
        labels = [f"card {n} (…{row['pan'][-4:]})" for n, row in enumerate(ours.rows, 1)]
        locked = {labels[ours.rows.index(row)] for row in ours.locked()}
        process.send_signal(signal.SIGINT)
        process.wait(40)
        left = ours.locked()

    assert process.returncode == 130
    assert locked <= _used(tmp_path) <= set(labels)
    assert not left


@pytest.mark.parametrize("how", [signal.SIGKILL])
def test_killed_run_leaves_the_ledger_whole(begin: Begin, tmp_path: Path, how: int) -> None:
    with bank() as ours:
        ours.enrol(6)
        process = _begun(begin, ours, tmp_path)
        process.send_signal(how)
        process.wait(10)
        labels = [f"card {n} (…{row['pan'][-4:]})" for n, row in enumerate(ours.rows, 1)]
        locked = {labels[ours.rows.index(row)] for row in ours.locked()}

    assert locked
    assert locked <= _used(tmp_path)
