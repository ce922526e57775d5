"""How a stand-in is started, and the clock with which a profile moves its time."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]

CLOCK = (
    'clock={kind="http", read={method="GET", path="/test/clock", capture={now="now"}}, '
    'advance={method="POST", path="/test/clock/advance", json={seconds="{seconds}"}, '
    'capture={now="now"}}}'
)
"""For --set: ten minutes in a millisecond."""


@contextmanager
def stand_in(name: str, *options: str) -> Iterator[str]:
    """A stand-in on a free port, for as long as the block lasts; its URL."""
    words = [sys.executable, "-m", f"{__package__}.{name}", *options]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        assert process.stdout is not None
        first = process.stdout.readline().strip()
        assert first.startswith(f"{name} on http://127.0.0.1:"), first
        yield first.rpartition(" ")[2]
    finally:
        process.terminate()
        process.communicate(timeout=10)
