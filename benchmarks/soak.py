"""Full speed for a long time: what the load process holds in memory, and whether anything is wrong.

    python benchmarks/soak.py [--minutes 10]

Against the raw server, which keeps no state and is always right: whatever failed would be a false
alarm, and ends the run with 1. Memory is the load process's resident set, each half minute.
"""

import argparse
import sys
import time
from datetime import timedelta

import psutil
from load import PROFILE, raw_server

from otpspec.load import Progress, run

EACH_S = 30.0


class Watch:
    """Looks at the load process, each half minute."""

    def __init__(self) -> None:
        self.held: list[float] = []
        """Megabytes."""

        self._next = EACH_S

    def __call__(self, told: Progress) -> None:
        if told.elapsed_s < self._next:
            return
        self._next += EACH_S
        found = psutil.Process().children()
        load = next(p for p in found if p.cmdline()[-1:] == ["otpspec.load"])
        self.held.append(load.memory_info().rss / 1e6)
        minutes, failures = told.elapsed_s / 60, told.failures
        print(
            f"  {minutes:5.1f} min  {self.held[-1]:7.1f} MB  {told.requests:12,} requests  "
            f"{told.rate_per_s:8,.0f}/s  {failures} failures",
            flush=True,
        )


def main() -> None:
    """Run for so many minutes."""
    parser = argparse.ArgumentParser(description="Full speed for a long time.")
    parser.add_argument("--minutes", type=float, default=10.0)
    minutes = min(parser.parse_args().minutes, 60.0)
    watch, began = Watch(), time.monotonic()
    with raw_server() as port:
        found = run(
            PROFILE,
            base_url=f"http://127.0.0.1:{port}",
            mix="right:RIGHT",
            users=64,
            duration=timedelta(minutes=minutes),
            on_progress=watch,
        )
    load = found.load
    told = f"{load.requests:,} requests, {load.judged:,} judged, {load.failures} failures"
    print(f"{told}, {time.monotonic() - began:.0f} s in all")
    settled = watch.held[1:]  # after the first minute
    if settled:
        print(f"after the first minute: {min(settled):.1f} to {max(settled):.1f} MB")
    if load.failures or load.judged != load.requests or not found.complete:
        sys.exit("something was called wrong that is right")


if __name__ == "__main__":
    main()
