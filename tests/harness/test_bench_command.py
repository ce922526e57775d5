"""otpspec bench: times the verify path of a target that answers rightly, over HTTP or in here."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from otpspec.errors import TargetError
from otpspec.inprocess import find_app

from .samples import PROFILE, written
from .scripted import Asked, Said, scripted
from .small_bank import Bank

Server = Any
Done = Any
Run = Callable[..., Done]

APP = "otpspec_reference.asgi:app"

# An app that notes what time it is to it, beside the time that really is.
CLOCKED_APP = """
import datetime, time
from otpspec_reference.asgi import app as reference

seen = []

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        seen.append("started")
    else:
        seen.append([time.time(), datetime.datetime.now().timestamp()])
    await reference(scope, receive, send)
    if scope["type"] == "lifespan":
        import json, pathlib
        pathlib.Path("seen.json").write_text(json.dumps(seen))
"""


def figures(path: Path) -> dict[str, dict[str, Any]]:
    """The benchmarks of a pytest-benchmark file, by case."""
    return {one["param"]: one for one in json.loads(path.read_text())["benchmarks"]}


def test_every_case_is_timed_and_judged_over_http(
    otpspec: Run, reference_server: Server, tmp_path: Path
) -> None:
    done = otpspec(
        "bench", "safekey-reference", "--base-url", reference_server.url,
        "--benchmark-json", "bench.json",
    )  # fmt: skip

    assert (done.code, done.err.strip()) == (0, "Wrote benchmark data in: bench.json")
    found = figures(tmp_path / "bench.json")
    assert set(found) == {"right", "right with 3CSC", "wrong", "wrong 3CSC", "locked"}
    for case in found.values():
        assert case["stats"]["rounds"] == 150
        assert case["stats"]["min"] > 0
        assert case["extra_info"]["judged"] == 160  # the warm-up, too


def test_an_app_in_this_process_is_timed_and_compared_with_an_earlier_run(
    otpspec: Run, tmp_path: Path
) -> None:
    words = ("bench", "safekey-reference", "--app", APP, "-k", "locked")

    first = otpspec(*words, "--benchmark-autosave")
    second = otpspec(*words, "--benchmark-compare", "--benchmark-json=second.json")

    assert (first.code, second.code) == (0, 0)
    assert "(0001_" in second.out
    assert "(NOW)" in second.out
    assert set(figures(tmp_path / "second.json")) == {"locked"}


def test_time_stands_still_for_an_app_in_this_process_and_not_for_the_timer(
    otpspec: Run, tmp_path: Path
) -> None:
    (tmp_path / "clocked.py").write_text(CLOCKED_APP)

    done = otpspec(
        "bench", "safekey-reference", "--app", "clocked:app", "-k", "locked",
        "--benchmark-json=bench.json",
    )  # fmt: skip

    assert done.code == 0
    first, *times = json.loads((tmp_path / "seen.json").read_text())
    assert first == "started"
    assert len(times) > 160
    assert len({tuple(time) for time in times}) == 1
    stats = figures(tmp_path / "bench.json")["locked"]["stats"]
    assert 0 < stats["min"] < stats["max"]


def test_a_fast_wrong_answer_is_no_figure(otpspec: Run, serve: Callable[..., Server]) -> None:
    server = serve("--mutant", "csc-ignored")

    done = otpspec("bench", "safekey-reference", "--base-url", server.url, "-k", "wrong and 3CSC")

    assert done.code == 1
    assert "got approved (HTTP 200)" in done.out


def test_target_that_is_down_is_no_broken_rule(otpspec: Run) -> None:
    done = otpspec("bench", "safekey-reference", "--base-url", "http://127.0.0.1:9")

    assert done.code == 2
    assert "No answer from http://127.0.0.1:9 (connection refused)." in done.out + done.err
    assert "Traceback" not in done.out + done.err


def test_no_traceback_shows_a_code(otpspec: Run, tmp_path: Path) -> None:
    seen: list[Asked] = []

    def verify(asked: Asked) -> Said | None:
        seen.append(asked)
        return (0, None) if len(seen) % 5 == 0 else None

    bank = Bank(verify=verify)
    with scripted(bank) as server:
        source = written(tmp_path, PROFILE)
        done = otpspec(
            "bench", source, "--base-url", server.url, "-l", "--tb=long", "-k", "right",
            "--set", "policy.csc=always",
        )  # fmt: skip
        cards = [asked.json for asked in server.asked if asked.target == "/cards"]

    assert done.code == 1
    assert "RemoteProtocolError" in done.out
    assert "•••" in done.out
    secrets = {*bank.codes.values(), *(asked.json.get("otc") for asked in seen)}
    secrets |= {card["pan"] for card in cards}
    assert len(secrets) > 3
    assert not [secret for secret in secrets if secret in done.out + done.err]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("app", '"app" names no app.\nTry: --app package.module:app'),
        (
            "otpspec_reference.asgi:nope",
            "The app otpspec_reference.asgi:nope cannot be imported "
            "(module 'otpspec_reference.asgi' has no attribute 'nope').\n"
            "Try: run otpspec where the app's own tests run, with its packages installed.",
        ),
        (
            "a_module_that_is_not_there:app",
            "The app a_module_that_is_not_there:app cannot be imported "
            "(No module named 'a_module_that_is_not_there').\n"
            "Try: run otpspec where the app's own tests run, with its packages installed.",
        ),
        ("os:sep", "os:sep is not an ASGI app, but a str."),
    ],
)
def test_app_that_cannot_be_used(name: str, message: str) -> None:
    with pytest.raises(TargetError) as raised:
        find_app(name)

    assert str(raised.value) == message


def test_app_that_cannot_be_used_ends_the_bench(otpspec: Run) -> None:
    done = otpspec("bench", "safekey-reference", "--app", "otpspec_reference.asgi:nope")

    assert done.code == 2
    assert "The app otpspec_reference.asgi:nope cannot be imported" in done.out + done.err
