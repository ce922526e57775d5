"""How fast is the judge, and what does it hold in memory? Run: python benchmarks/judge.py

Each measurement is made in a process of its own, on one core, three times; the median counts. On a
machine that does other work, trust the CPU seconds. `--quick` makes everything a tenth.
"""

import argparse
import json
import os
import platform
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

from histories import make, overlapping

from otpspec import history as histories
from otpspec.history import Call
from otpspec.linearize import Legality, judge, judge_card
from otpspec.model import Start, Verify
from otpspec.outcome import Outcome
from otpspec.policy import Policy

ROUNDS = 3
BURST = 64


def main() -> None:
    """Measure all, or in a process of its own one file."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true")
    options.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    options.add_argument("--policy", default="{}", help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.file:
        print(json.dumps(one_file(chosen.file, json.loads(chosen.policy))))
        return
    scale = 10 if chosen.quick else 1
    print(
        f"Python {platform.python_version()}, {platform.machine()}, load {os.getloadavg()[0]:.1f}"
    )
    print(f"\n{'history':50}{'s':>6}{'CPU s':>7}{'op/CPU s':>11}{'bytes/op':>10}")
    with tempfile.TemporaryDirectory() as folder:
        measure_files(Path(folder), scale)
    measure_bursts()


def measure_files(folder: Path, scale: int) -> None:
    """Many cards and few hot ones, growing, packed and as JSON lines."""
    for cards, operations in (
        (10_000, 100_000),
        (100_000, 1_000_000),
        (2, 100_000),
        (20, 1_000_000),
    ):
        made = make(cards=max(cards // scale, 1), operations=operations // scale, overlap=0.05)
        told = f"{cards // scale or 1:,} cards, {operations // scale:,} operations"
        share = f"{overlapping(made):.1%}"
        for suffix, kind in ((".packed", "packed"), (".jsonl", "JSONL")):
            path = folder / f"history{suffix}"
            histories.write(made, path)
            report(f"{told}, {share}, {kind}", path)
    made = make(cards=10_000 // scale, operations=100_000 // scale, overlap=0.05)
    path = folder / "exact.packed"
    histories.write(made, path)
    report(f"{10_000 // scale:,} cards, exact search only", path, lock_scope="challenge")


def report(told: str, path: Path, **policy: str) -> None:
    """Judge a file a few times in processes of their own, and print the median."""
    words = [sys.executable, __file__, "--file", str(path), "--policy", json.dumps(policy)]
    runs = [json.loads(subprocess.check_output(words)) for _ in range(ROUNDS)]
    seconds, cpu = (median(run[name] for run in runs) for name in ("seconds", "cpu"))
    count, memory = runs[0]["operations"], max(run["memory"] for run in runs)
    figures = f"{seconds:6.2f}{cpu:7.2f}{count / cpu:11,.0f}{memory / count:10,.0f}"
    print(f"{told:50}{figures}", flush=True)


def one_file(path: Path, policy: dict[str, str]) -> dict[str, float]:
    """Read and judge a file on one core; its memory is what came on top of the imports."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    before = _peak_bytes()
    began, began_cpu = perf_counter(), process_time()
    history = histories.read(path)
    found = judge(history, Policy(**policy), processes=1)
    seconds, cpu = perf_counter() - began, process_time() - began_cpu
    if found.legality is not Legality.LEGAL and not policy:
        raise SystemExit(f"{path} was made legal, and is judged {found.legality}")
    memory = _peak_bytes() - before
    return {"seconds": seconds, "cpu": cpu, "operations": len(history), "memory": memory}


def _peak_bytes() -> int:
    # Not ru_maxrss: a process inherits that of the one that started it.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def measure_bursts() -> None:
    """64 operations on one card, all of them under way at once."""
    print(f"\n{f'a burst of {BURST} on one card':46}{'s':>8}  verdict")
    for told, calls in bursts():
        began = perf_counter()
        found = judge_card(Policy(), calls)
        print(f"{told:46}{perf_counter() - began:8.3f}  {found.legality}")


def bursts() -> list[tuple[str, list[Call]]]:
    """Bursts that are legal, and the same with one answer too many."""
    wrong, approved, void, locked = (
        Outcome.WRONG_OTC,
        Outcome.APPROVED,
        Outcome.VOID,
        Outcome.LOCKED,
    )
    many = BURST // 2
    equal = [("0", wrong)] * 3 + [("0", locked)] * (BURST - 3)
    mixed = [("1", approved), *[("1", void)] * (many - 1)]
    mixed += [(f"x{n}", wrong if n < 2 else void) for n in range(many)]
    lost = [("1", approved), *[("1", None)] * 9, *[(f"x{n}", None) for n in range(10)]]
    lost += [(f"y{n}", wrong if n < 2 else void) for n in range(BURST - len(lost))]
    made = [("equal wrong codes", equal), ("right and distinct wrong codes", mixed)]
    made.append(("the same, 19 without an answer", lost))
    spoilt = [
        ("equal wrong codes, four judged", [("0", wrong), *equal[:-1]]),
        ("right and wrong, two approved", [("1", approved), *mixed[:-1]]),
        ("19 without an answer, two approved", [("1", approved), *lost[:-1]]),
    ]
    return [(told, _burst(tries)) for told, tries in [*made, *spoilt]]


def _burst(tries: list[tuple[str, Outcome | None]]) -> list[Call]:
    chance = random.Random(7)
    calls = [Call(Start(1, "1", False, 0.1), 0.0, 0.1, frozenset({Outcome.DONE}))]
    for code, outcome in tries:
        called = 1.0 + chance.random() * 0.01
        returned = None if outcome is None else 2.0 + chance.random() * 0.5
        answer = None if outcome is None else frozenset({outcome})
        calls.append(Call(Verify(1, code), called, returned, answer))
    return calls


if __name__ == "__main__":
    main()
