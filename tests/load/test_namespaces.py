"""Two hosts: workers in network namespaces of their own, a master and a target in a third.

Their addresses exist in these namespaces only, which the test makes and takes away again.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import COMMAND, environment

from .counting import ENROLLED, PROFILE

IP = shutil.which("ip")
REQUIRED = "OTPSPEC_REQUIRE_NAMESPACES" in os.environ  # CI: that they are missing is no excuse
HUB = "10.77.0.1"  # where the master and the target are

TARGET = f"""
import json, sys
from counting import Counting
target = Counting({HUB!r})
print(target.port, flush=True)
sys.stdin.readline()
print(json.dumps(target.asked), flush=True)
"""


def _ip(*words: str) -> None:
    subprocess.run([str(IP), *words], check=True, capture_output=True, text=True)


def _why_not() -> str:
    if sys.platform != "linux":
        return "network namespaces are Linux's"
    if IP is None:
        return "iproute2 is not installed"
    name = f"otpspec-{os.getpid()}-try"
    try:
        _ip("netns", "add", name)
        _ip("netns", "del", name)
    except subprocess.CalledProcessError as error:
        return f"network namespaces cannot be made here ({error.stderr.strip()})"
    return ""


class Network:
    """A hub and two hosts."""

    def __init__(self) -> None:
        self._prefix = f"otpspec-{os.getpid()}"
        self.hub = f"{self._prefix}-hub"
        self.hosts = [f"{self._prefix}-{n}" for n in (1, 2)]

    def open(self) -> None:
        """Make it."""
        for name in (self.hub, *self.hosts):
            _ip("netns", "add", name)
            _ip("-n", name, "link", "set", "lo", "up")
        _ip("-n", self.hub, "addr", "add", f"{HUB}/32", "dev", "lo")
        for n, name in enumerate(self.hosts, 1):
            ends = ("type", "veth", "peer", "name", "uplink", "netns", name)
            _ip("-n", self.hub, "link", "add", f"host{n}", *ends)
            _ip("-n", self.hub, "addr", "add", f"10.77.{n}.1/30", "dev", f"host{n}")
            _ip("-n", self.hub, "link", "set", f"host{n}", "up")
            _ip("-n", name, "addr", "add", f"10.77.{n}.2/30", "dev", "uplink")
            _ip("-n", name, "link", "set", "uplink", "up")
            _ip("-n", name, "route", "add", "default", "via", f"10.77.{n}.1")

    def close(self) -> None:
        """Take it away."""
        for name in (self.hub, *self.hosts):
            subprocess.run([str(IP), "netns", "del", name], check=False, capture_output=True)

    def run(self, where: str, *words: str, **more: Any) -> "subprocess.Popen[str]":
        """Start a command in one of the namespaces."""
        return subprocess.Popen(
            [str(IP), "netns", "exec", where, *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(PYTHONPATH=str(Path(__file__).parent)),
            **more,
        )


@pytest.fixture
def network() -> Iterator[Network]:
    why_not = _why_not()
    if why_not and not REQUIRED:
        pytest.skip(why_not)
    made = Network()
    try:
        made.open()
        yield made
    finally:
        made.close()


@pytest.fixture
def profile(tmp_path: Path) -> str:
    path = tmp_path / "acs.toml"
    text = PROFILE.format(cards=ENROLLED)
    path.write_text(text.replace("[target]", "[target]\nprivate = true"))
    return str(path)


def test_workers_on_two_hosts_do_one_run(network: Network, profile: str, tmp_path: Path) -> None:
    target = network.run(network.hub, sys.executable, "-c", TARGET)
    assert target.stdout is not None
    url = f"http://{HUB}:{target.stdout.readline().strip()}"
    load = (COMMAND, "load", profile, "--base-url", url)
    listen = ("--master-bind-host", HUB, "--expect-workers", "2", "--rate", "100/s", "--for", "3s")
    master = network.run(network.hub, *load, "--master", *listen, cwd=tmp_path)
    workers = [
        network.run(host, *load, "--worker", "--master-host", HUB, cwd=tmp_path)
        for host in network.hosts
    ]

    said = [worker.communicate(timeout=60) for worker in workers]
    _, err = master.communicate(timeout=30)
    asked, _ = target.communicate("\n", timeout=10)

    assert [worker.returncode for worker in workers] == [0, 0], (said, err)
    results = json.loads((tmp_path / "otpspec-report" / "results.json").read_text())
    found = results["load"]
    counted = json.loads(asked)
    assert found["requests"] == counted["start"] + counted["verify"] > 400
    assert found["requests"] == sum(worker["requests"] for worker in found["workers"])
    assert min(worker["requests"] for worker in found["workers"]) > 100
    broken = {rule["id"] for rule in results["rules"] if rule["verdict"] == "broken"}
    assert "VERIFY-2" in broken  # this target says yes to everything
    assert master.returncode == 1


def test_each_worker_looks_itself_whether_it_may_connect(
    network: Network, profile: str, tmp_path: Path
) -> None:
    undeclared = tmp_path / "undeclared.toml"
    undeclared.write_text(Path(profile).read_text().replace("private = true", ""))
    words = (COMMAND, "load", str(undeclared), "--base-url", f"http://{HUB}:9")

    worker = network.run(network.hosts[0], *words, "--worker", "--master-host", HUB, cwd=tmp_path)

    _, err = worker.communicate(timeout=60)
    assert worker.returncode == 2
    assert f"{HUB} is in a private network, and was not tried." in err
