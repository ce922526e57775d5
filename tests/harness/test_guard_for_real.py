"""The guard without anything replaced: real names, real public addresses, in a network of its own.

A namespace of the kernel has no way out; in it, public and private addresses are given to its
loopback device, and names to its own /etc/hosts. So resolver, sockets and servers are real.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

INSIDE = """ip link set lo up &&
for address in 203.0.114.5 203.0.114.6 10.20.30.40 169.254.169.254
do ip addr add $address/32 dev lo || exit 1
done && mount --bind "$1" /etc/hosts"""

FILE = "/.well-known/otpspec-verification.txt"
Found = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Found:
    """What the program saw in its own network."""
    if not (shutil.which("unshare") and shutil.which("ip")):
        pytest.skip("needs unshare and ip, of util-linux and iproute2")
    hosts = tmp_path_factory.mktemp("namespace") / "hosts"
    hosts.write_text("")

    def inside(commands: str, *words: str) -> subprocess.CompletedProcess[str]:
        enter = ["unshare", "-rnm", "sh", "-c", commands, "sh", str(hosts), *words]
        return subprocess.run(enter, capture_output=True, text=True, timeout=60, check=False)

    if inside(INSIDE).returncode != 0:
        pytest.skip("this kernel allows no user a network of their own (unshare -rnm)")
    program = str(Path(__file__).with_name("in_namespace.py"))
    done = inside(INSIDE + ' && exec "$2" "$3" "$1"', sys.executable, program)
    assert done.returncode == 0, done.stderr
    read: Found = json.loads(done.stdout)
    return read


def test_public_target_with_its_owners_line_is_used_and_stays_where_it_was(found: Found) -> None:
    assert found["public, proved"] == {
        "said": ["hello", "hello"],
        "asked": [["203.0.114.5", FILE], ["203.0.114.5", "/"], ["203.0.114.5", "/"]],
    }


def test_only_the_address_that_proves_is_sent_anything_more(found: Found) -> None:
    seen = found["public, one of two proved"]

    assert seen["said"] == ["hello", "hello"]
    assert sorted(seen["asked"][:2]) == [["203.0.114.5", FILE], ["203.0.114.6", FILE]]
    assert seen["asked"][2:] == [["203.0.114.5", "/"]] * 2


@pytest.mark.parametrize(
    ("case", "asked"),
    [
        ("public, not proved", [["203.0.114.6", FILE]]),
        ("public, another origin", [["203.0.114.5", FILE]]),
        ("public, no token", []),
        ("private, undeclared", []),
        ("mixed", []),
        ("metadata", []),
    ],
)
def test_refused_target_is_sent_nothing_but_the_question_for_the_file(
    case: str, asked: list[list[str]], found: Found
) -> None:
    assert [said.partition(":")[0] for said in found[case]["said"]] == ["NotAllowedError"] * 2
    assert found[case]["asked"] == asked


def test_private_target_is_used_where_it_is_declared(found: Found) -> None:
    assert found["private, declared"] == {
        "said": ["hello", "hello"],
        "asked": [["10.20.30.40", "/"]] * 2,
    }


def test_redirect_to_the_metadata_service_is_not_followed(found: Found) -> None:
    assert found["redirect"]["asked"] == [["10.20.30.40", "/away"]] * 2
    for said in found["redirect"]["said"]:
        assert said.startswith("NotAllowedError: The profile does not name http://metadata.example")
