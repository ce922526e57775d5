"""Targets of three other shapes: pages and cookies, words in forms, HTTP 200 for everything."""

import json
import re
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import environment
from tests.doctor.pasting import pasted
from tests.strangers.checking import Setup
from tests.strangers.stranger import NODE, SUPPORT_TOKEN, TEXTGATE_USER, stranger

COMMAND = str(Path(sys.executable).with_name("otpspec"))
SHAPES = ("json200", "acsform", "form")
pytestmark = pytest.mark.skipif(NODE is None, reason="the strangers are written for Node.js")

Examine = Callable[[str], tuple[int, dict[str, Any]]]


@contextmanager
def examining(shape: str, folder: Path) -> Iterator[tuple[str, Examine]]:
    """A stranger's own profile, and how a changed one is examined."""
    setup = Setup(shape, folder, "", [])
    basic = b64encode(TEXTGATE_USER.encode()).decode()
    env = environment(ACS_SUPPORT_TOKEN=SUPPORT_TOKEN, TEXTGATE_BASIC=basic)
    file = folder / f"{shape}.toml"
    with stranger(shape, *setup.server) as server:

        def run(text: str) -> tuple[int, dict[str, Any]]:
            file.write_text(text, encoding="utf-8")
            words = [COMMAND, "doctor", file.name, "--base-url", server.url, "--json"]
            done = subprocess.run(
                [*words, *setup.check],
                cwd=folder,
                env=env,
                capture_output=True,
                text=True,
                timeout=90,
                check=False,
            )
            assert done.stdout, done.stderr
            return done.returncode, json.loads(done.stdout)

        yield file.read_text(encoding="utf-8"), run


def marks(found: dict[str, Any]) -> dict[str, Any]:
    return {s["name"]: (s["mark"], s["says"], s["notes"]) for s in found["steps"]}


@pytest.mark.parametrize("shape", SHAPES)
def test_nothing_is_wrong_with_a_strangers_profile(tmp_path: Path, shape: str) -> None:
    with examining(shape, tmp_path) as (profile, examine):
        code, found = examine(profile)

    assert code == 0, marks(found)
    bad = [step["name"] for step in found["steps"] if step["mark"] in ("wrong", "doubt")]
    assert bad == []


@pytest.mark.parametrize("shape", SHAPES)
def test_a_strangers_profile_that_reads_nothing_is_mended_by_what_is_suggested(
    tmp_path: Path, shape: str
) -> None:
    with examining(shape, tmp_path) as (profile, examine):
        blank = blanked(profile)

        code, found = examine(blank)
        assert code in (2, 3), marks(found)
        for _ in range(3):  # what is behind a page is seen once the page is read
            if code == 0:
                break
            blank = pasted(blank, found)
            code, found = examine(blank)

    assert code == 0, (marks(found), blank)


def blanked(profile: str) -> str:
    """A profile whose patterns match nothing, and whose captures find nothing."""
    operation, lines = "", []
    for line in profile.splitlines():
        if header := re.match(r"\[operations\.(\w+)\]", line):
            operation = header[1]
        if line.startswith("    { ") and operation:
            yes = "approved" if operation == "verify" else "done"
            line = f'    {{ status = 299, outcomes = "{yes}" }},'
        elif line.startswith("answers = [{"):
            line = 'answers = [{ status = 299, outcomes = "done" }]'
        lines.append(line)
    return "\n".join(lines) + "\n"
