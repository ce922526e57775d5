"""max_rate: whatever the whole suite does at once, the target is asked no faster."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.cards.bank import bank, profile

Otpspec = Callable[..., Any]

RATE = 80  # a second


def test_whole_check_keeps_to_the_rate(otpspec: Otpspec, tmp_path: Path) -> None:
    with bank() as ours:
        ours.enrol(14)
        path = profile(tmp_path, ours, ('name = "S', f'max_rate = "{RATE}/s"\nname = "S'))
        done = otpspec("check", str(path), "-k", "VERIFY or LOCKOUT-1 or CONTACT")
        times = [asked.at for asked in ours.asked]

    assert done.code == 0, done.out + done.err
    assert len(times) > 2 * RATE, "too few requests to tell"
    for index, began in enumerate(times):
        in_one_second = sum(at < began + 1 for at in times[index:])
        assert in_one_second <= 1.25 * RATE + 2  # a busy machine lets some through late
    assert times[-1] - times[0] >= 0.9 * (len(times) - 1) / RATE
