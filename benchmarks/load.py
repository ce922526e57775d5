"""What a request costs, judged and recorded, beside clients that check nothing; and a stall's p99.

    python benchmarks/load.py [--rounds 3] [--seconds 4] [--only cost|tls|stall|schedule|scale]

Every figure is processor time of the client's process alone. A machine's speed changes from minute
to minute: so the clients take turns, and ratios within a round are what counts.
"""

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import psutil

from otpspec.load import LoadRun, Progress, run

HERE = Path(__file__).parent
PROFILE = str(HERE / "raw.toml")
CONNECTIONS = 64
ALL = ("cost", "tls", "stall", "schedule", "scale")
WRK_BODY = '{"otc":"123456"}'


class Cost(NamedTuple):
    """What a client needed."""

    us: float  # processor time for a request
    rate: float  # requests a second


@contextmanager
def raw_server(*options: str) -> Iterator[str]:
    """A raw server on the first core; its port."""
    words = [sys.executable, str(HERE / "raw_server.py"), *options]
    server = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    try:
        _pin(server.pid, first=True)
        assert server.stdout is not None
        yield server.stdout.readline().strip()
    finally:
        server.kill()
        server.wait()


def _pin(pid: int, *, first: bool) -> None:
    cores = sorted(psutil.Process(pid).cpu_affinity() or [])
    if len(cores) > 1:
        psutil.Process(pid).cpu_affinity(cores[:1] if first else cores[1:])


def ours(url: str, seconds: float, profile: str = PROFILE) -> Cost:
    """otpspec: every answer judged and recorded."""
    marks: list[tuple[float, int, float]] = []

    def mark(told: Progress) -> None:
        children = [c for c in psutil.Process().children() if "otpspec.load" in c.cmdline()]
        for child in children:
            used = child.cpu_times()
            marks.append((used.user + used.system, told.requests, told.elapsed_s))

    found = _run(url, seconds + 1.6, profile, users=CONNECTIONS, on_progress=mark)
    assert found.load.failures == 0, found.load
    assert found.load.judged == found.load.requests, found.load
    (cpu, before, began), (used, after, ended) = marks[0], marks[-1]
    return Cost((used - cpu) / (after - before) * 1e6, (after - before) / (ended - began))


def _run(url: str, seconds: float, profile: str = PROFILE, **more: object) -> LoadRun:
    os.environ["PYTHONPATH"] = os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")])
    sys.path.insert(0, str(HERE))
    lasts = timedelta(seconds=seconds)
    return run(profile, base_url=url, mix="right:RIGHT", duration=lasts, **more)  # type: ignore[arg-type]


def locust(kind: str, url: str, seconds: float, *rate: str) -> dict[str, float]:
    """One of Locust's own clients."""
    words = [sys.executable, str(HERE / "locust_client.py"), kind, url, str(seconds), *rate]
    done = subprocess.run(
        words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=120, check=True
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def of_locust(kind: str) -> Callable[[str, float], Cost]:
    """Its cost."""

    def client(url: str, seconds: float) -> Cost:
        found = locust(kind, url, seconds)
        return Cost(found["cpu_s"] / found["requests"] * 1e6, found["rate"])

    return client


def wrk(url: str, seconds: float) -> Cost:
    """wrk, of which all is C."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(
            f"wrk.method='POST'; wrk.body='{WRK_BODY}'\n"
            "wrk.headers['Content-Type']='application/json'\n"
        )
        script.flush()
        words = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds:.0f}s", "-s", script.name]
        began = os.times()
        done = subprocess.run(
            [*words, f"{url}/transactions/t1/verify"],
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
        ended = os.times()
    used = ended.children_user + ended.children_system - began.children_user - began.children_system
    match = re.search(r"(\d+) requests in ([\d.]+)s", done.stdout)
    assert match is not None, done.stdout
    return Cost(used / int(match[1]) * 1e6, int(match[1]) / float(match[2]))


def costs(rounds: int, seconds: float) -> None:
    """The table of costs."""
    clients = {"otpspec, judged": ours, "FastHttpUser": of_locust("fast")}
    clients["HttpUser"] = of_locust("slow")
    if shutil.which("wrk"):
        clients["wrk"] = wrk
    found: dict[str, list[Cost]] = {name: [] for name in clients}
    with raw_server() as port:
        for _ in range(rounds):
            for name, client in clients.items():
                found[name].append(client(f"http://127.0.0.1:{port}", seconds))
    print(f"plain HTTP, {CONNECTIONS} connections, medians of {rounds} rounds")
    _table(found)


def _table(found: dict[str, list[Cost]]) -> None:
    own = found["otpspec, judged"]
    print(f"  {'client':16}{'µs/request':>12}{'requests/s':>12}  otpspec against it")
    for name, costs in found.items():
        us = statistics.median(cost.us for cost in costs)
        rate = statistics.median(cost.rate for cost in costs)
        ratio = statistics.median(o.us / c.us for o, c in zip(own, costs, strict=True))
        told = "" if costs is own else f"{ratio:.2f} times (1/{1 / ratio:.1f})"
        print(f"  {name:16}{us:12.1f}{rate:12,.0f}  {told}")


def tls(rounds: int, seconds: float) -> None:
    """The same by TLS."""
    import trustme

    authority = trustme.CA()
    with tempfile.TemporaryDirectory() as folder:
        certificate, ca = Path(folder) / "both.pem", Path(folder) / "ca.pem"
        authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(certificate)
        authority.cert_pem.write_to_path(ca)
        profile = Path(folder) / "raw.toml"
        text = (HERE / "raw.toml").read_text()
        profile.write_text(text.replace("[policy]", f'[target.tls]\nca = "{ca}"\n\n[policy]'))
        found: dict[str, list[Cost]] = {"otpspec, judged": [], "FastHttpUser": []}
        with raw_server("--tls", str(certificate)) as port:
            for _ in range(rounds):
                url = f"https://localhost:{port}"
                found["otpspec, judged"].append(ours(url, seconds, str(profile)))
                found["FastHttpUser"].append(of_locust("fast")(url, seconds))
    print(f"TLS, {CONNECTIONS} connections, medians of {rounds} rounds")
    _table(found)


def stall(seconds: float) -> None:
    """A server that stalls for 2 s in each 10: what the schedule implies, and what is told."""
    rate, each, lasts = 500, 10.0, 2.0
    with raw_server("--stall", str(lasts), "--each", str(each)) as port:
        url = f"http://127.0.0.1:{port}"
        found = _run(url, each, rate=f"{rate // 2}/s", connections=2000).load
        fast = locust("fast", url, each - 1.0, str(rate))
    latency, sent = found.latency, found.latency_sent
    assert latency is not None
    assert sent is not None
    implied = _implied(rate // 2, each, lasts)
    print(f"a stall of {lasts:g} s in {each:g} s, {rate} requests/s")
    print(f"  {'':28}{'p99, ms':>10}{'p99.9, ms':>12}")
    print(f"  {'what the schedule implies':28}{implied[0]:10,.0f}{implied[1]:12,.0f}")
    print(f"  {'otpspec, from when due':28}{latency.p99_ms:10,.0f}{latency.p999_ms:12,.0f}")
    print(f"  {'otpspec, from when sent':28}{sent.p99_ms:10,.0f}{sent.p999_ms:12,.0f}")
    print(f"  {'FastHttpUser, throughput':28}{fast['p99_ms']:10,.0f}")
    print(f"  kept its schedule: {found.trusted}; {found.schedule}")


def _implied(journeys: int, each: float, lasts: float) -> tuple[float, float]:
    """p99 and p99.9, in ms, of journeys of two requests: a start that comes in the stall is held to
    its end, and so is a verify whose start was answered just before."""
    begins = each / 2
    held: list[float] = []
    for n in range(int(journeys * each)):
        due = n / journeys
        held += [max(begins + lasts - due, 0.0) if due >= begins else 0.0, 0.0]
    held.sort()
    return tuple(held[int(len(held) * part) - 1] * 1e3 for part in (0.99, 0.999))  # type: ignore[return-value]


def schedule(seconds: float) -> None:
    """Ten thousand requests a second on one core: how late the generator is."""
    with raw_server() as port:
        found = _run(f"http://127.0.0.1:{port}", seconds, rate="5000/s").load
    print(f"5,000 journeys/s, {found.rate_per_s:,.0f} requests/s, {found.judged:,} judged")
    print(f"  {found.schedule}")
    print(f"  to be trusted: {found.trusted}")


def scale(rounds: int, seconds: float) -> None:
    """Whether a request costs the same with one worker and with two, with few cards and many."""
    workers: dict[str, list[Cost]] = {"one process": [], "2 workers": [], "and their master": []}
    cards: dict[str, list[Cost]] = {"1,000": [], "10,000": [], "100,000": []}
    for _ in range(rounds):
        with raw_server() as port:
            url = f"http://127.0.0.1:{port}"
            workers["one process"].append(_used(url, seconds, users=CONNECTIONS)[0])
            apart, all_ = _used(url, seconds, users=2 * CONNECTIONS, processes=2)
            workers["2 workers"].append(apart)
            workers["and their master"].append(all_)
        for count, found in cards.items():
            with raw_server() as port:
                wanted = int(count.replace(",", ""))
                url = f"http://127.0.0.1:{port}"
                found.append(_used(url, seconds, users=CONNECTIONS, cards=wanted)[0])
                with urllib.request.urlopen(f"{url}/cards/count", timeout=5) as answer:
                    enrolled = int(answer.read())
                assert enrolled >= wanted, enrolled
    print(f"{CONNECTIONS} users to a process, medians of {rounds} rounds")
    _against("processes", workers)
    _against("cards", cards)


def _used(url: str, seconds: float, **more: object) -> tuple[Cost, Cost]:
    """What those processes use that ask; and all together, a master of theirs, too."""
    marks: list[tuple[float, float, int, float]] = []

    def mark(told: Progress) -> None:
        found = psutil.Process().children(recursive=True)
        load = [p for p in found if p.cmdline()[-1:] == ["otpspec.load"]]  # a master comes first
        used = [sum(p.cpu_times()[:2]) for p in load]
        asking = sum(used[1:]) if len(used) > 1 else used[0]
        marks.append((asking, sum(used), told.requests, told.elapsed_s))

    found = _run(url, seconds + 2.6, on_progress=mark, **more)
    assert found.load.failures == 0, found.load
    first, last = marks[1], marks[-1]
    asking, used, requests, lasted = (b - a for a, b in zip(first, last, strict=True))
    rate = requests / lasted
    return Cost(asking / requests * 1e6, rate), Cost(used / requests * 1e6, rate)


def _against(what: str, found: dict[str, list[Cost]]) -> None:
    first = next(iter(found.values()))
    print(f"  {what:18}{'µs/request':>12}{'requests/s':>12}  against the first")
    for name, costs in found.items():
        us = statistics.median(cost.us for cost in costs)
        rate = statistics.median(cost.rate for cost in costs)
        ratio = statistics.median(c.us / f.us for c, f in zip(costs, first, strict=True))
        print(f"  {name:18}{us:12.1f}{rate:12,.0f}  {ratio:.2f}")


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description="What a load run costs, and how honest it is.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--only", choices=ALL, default=None)
    options = parser.parse_args()
    wanted = [options.only] if options.only else ALL
    if "cost" in wanted:
        costs(options.rounds, options.seconds)
    if "tls" in wanted:
        tls(options.rounds, options.seconds)
    if "stall" in wanted:
        stall(options.seconds)
    if "schedule" in wanted:
        schedule(options.seconds)
    if "scale" in wanted:
        scale(options.rounds, options.seconds)


if __name__ == "__main__":
    main()
