"""A check in real time is begun before all other tests, and sleeps while they run."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

Server = Any


class Begun(NamedTuple):
    """A check that is under way."""

    server: Server
    process: subprocess.Popen[str]
    folder: Path


@pytest.fixture(scope="session", autouse=True)
def in_real_time(
    request: pytest.FixtureRequest,
    serve: Callable[..., Server],
    begin: Callable[..., subprocess.Popen[str]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Begun | None:
    """The check of a server whose clock nobody moves; None where no test asks for it."""
    if not any("test_real_clock" in item.nodeid for item in request.session.items):
        return None
    server = serve("--validity", "8s")
    folder = tmp_path_factory.mktemp("in_real_time")
    words = ("check", "safekey-reference", "--base-url", server.url, "--set", "clock.kind=real")
    return Begun(server, begin(*words, "--set", "policy.validity=8s", cwd=folder), folder)
