"""Three strangers' servers: sound ones break no rule, odd ones neither, broken ones the right one.

The whole of it takes an hour; with OTPSPEC_ALL_STRANGERS=1 it is run. Otherwise: each shape sound,
the oddities mixed, and some bugs, each with the rules that it must break.
"""

import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from .checking import Verdicts, begun, checking
from .expected import AT_LEAST, MIXES, NOT_APPLICABLE, SOME_BUGS, TOO_SLOW
from .stranger import HERE, NODE, SUPPORT_TOKEN, free_port, table

pytestmark = pytest.mark.skipif(NODE is None, reason="the strangers' servers need Node.js")

ALL = os.environ.get("OTPSPEC_ALL_STRANGERS") == "1"
BUGS: dict[str, Any] = table("bugs") if NODE else {}
ODDS: dict[str, Any] = table("odds") if NODE else {}

EVERY_BUG = [(shape, name) for name, bug in BUGS.items() for shape in bug["shapes"]]
EVERY_ODD = [(shape, name) for name, odd in ODDS.items() for shape in odd["shapes"]]
# A server that takes 40 requests a second is not to be asked more: the rest is throttled.
NEEDS_A_RATE = {"rate-limit": ["target.max_rate=30/s"]}


def changes_for(shape: str, names: str) -> list[str]:
    """What the profile of a shape declares of its oddities."""
    found = [
        NEEDS_A_RATE.get(name, []) + ODDS[name]["set"].get(shape, []) for name in names.split()
    ]
    return [change for changes in found for change in changes]


def run_odd(shape: str, names: str, folder: Path) -> Verdicts:
    """Check a server with oddities, of which there may be none."""
    odd = ",".join(names.split())
    with checking(shape, folder, odd=odd, changes=changes_for(shape, names)) as run:
        return run.end(timeout=400)


def run_slowed(bug: str, folder: Path) -> Verdicts:
    """Check Textgate so slowly that codes die between the requests of one scenario."""
    rules = "VERIFY-2 or LOCKOUT-1 or LOCKOUT-2 or REPLAY-1"
    with checking("form", folder, bug=bug, select=rules, changes=["target.max_rate=3/s"]) as run:
        return run.end()


SLOWED = ("form", "slowed")
IN_REAL_TIME = [("acsform", ""), ("form", ""), ("acsform", MIXES["acsform"][0])]
IN_REAL_TIME += [("form", names) for names in MIXES["form"]]
if ALL:
    IN_REAL_TIME += [("acsform", names) for names in MIXES["acsform"][1:]]


@pytest.fixture(scope="module")
def in_the_background(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[tuple[str, str], Future[Verdicts]]]:
    """The runs that sleep for real, one after the other while the other tests run."""
    folder = tmp_path_factory.mktemp
    with ThreadPoolExecutor(1) as pool, ThreadPoolExecutor(1) as beside:
        runs = {key: pool.submit(run_odd, *key, folder(key[0])) for key in IN_REAL_TIME}
        runs[SLOWED] = beside.submit(run_slowed, "", folder("slowed"))  # it mostly waits
        yield runs


Background = dict[tuple[str, str], Future[Verdicts]]


# --- broken ones ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("shape", "name"), SOME_BUGS)
def test_bug_is_reported_under_its_rule(
    in_the_background: Background, tmp_path: Path, shape: str, name: str
) -> None:
    bug = BUGS[name]
    options = {"args": bug.get("args", []), "changes": bug.get("set", [])}

    with checking(shape, tmp_path, bug=name, select=" or ".join(bug["rules"]), **options) as run:
        found = run.end()

    assert found.broken & set(bug["rules"]), found.said
    assert found.code == (
        1 if "MUST" in {found.rules[rule]["level"] for rule in found.broken} else 0
    )


@pytest.mark.skipif(not ALL, reason="only with OTPSPEC_ALL_STRANGERS=1")
@pytest.mark.parametrize(("shape", "name"), EVERY_BUG)
def test_bug_is_reported_under_its_rule_and_under_no_unrelated_one(
    tmp_path: Path, shape: str, name: str
) -> None:
    bug = BUGS[name]
    options = {"args": bug.get("args", []), "changes": bug.get("set", [])}

    with checking(shape, tmp_path, bug=name, **options) as run:
        found = run.end()

    assert found.broken & set(bug["rules"]), found.said
    if "*" not in bug["also"]:
        assert found.broken - set(bug["rules"]) - set(bug["also"]) == set(), found.said


# --- odd ones ------------------------------------------------------------------------------------


@pytest.mark.parametrize("names", MIXES["json200"])
def test_odd_but_sound_duopay_breaks_no_rule(
    in_the_background: Background, tmp_path: Path, names: str
) -> None:
    found = run_odd("json200", names, tmp_path)

    assert found.of("broken") == {}
    assert found.of("inconclusive") == {}


@pytest.mark.parametrize(("shape", "names"), [key for key in IN_REAL_TIME if key[1]])
def test_odd_but_sound_server_in_real_time_breaks_no_rule(
    in_the_background: Background, shape: str, names: str
) -> None:
    found = in_the_background[shape, names].result()

    assert found.of("broken") == {}
    assert unclear(found) == {}


@pytest.mark.skipif(not ALL, reason="only with OTPSPEC_ALL_STRANGERS=1")
@pytest.mark.parametrize(("shape", "name"), EVERY_ODD)
def test_one_oddity_breaks_no_rule(tmp_path: Path, shape: str, name: str) -> None:
    found = run_odd(shape, name, tmp_path)

    assert found.of("broken") == {}
    assert len(found.of("passed")) >= AT_LEAST[shape] - 3


@pytest.mark.skipif(not ALL, reason="only with OTPSPEC_ALL_STRANGERS=1")
@pytest.mark.parametrize("shape", MIXES)
def test_throttled_run_without_a_declared_rate_ends_and_accuses_nobody(
    tmp_path: Path, shape: str
) -> None:
    with checking(shape, tmp_path, odd="rate-limit") as run:
        found = run.end(timeout=240)

    assert found.of("broken") == {}


def test_code_that_died_while_a_slow_run_took_its_time_accuses_nobody(
    in_the_background: Background,
) -> None:
    found = in_the_background[SLOWED].result()

    assert found.of("broken") == {}


@pytest.mark.skipif(not ALL, reason="only with OTPSPEC_ALL_STRANGERS=1")
@pytest.mark.parametrize(("bug", "rule"), [("no-lock", "LOCKOUT-1"), ("not-consumed", "REPLAY-1")])
def test_refusal_of_a_code_that_died_meanwhile_proves_nothing(
    tmp_path: Path, bug: str, rule: str
) -> None:
    found = run_slowed(bug, tmp_path)

    assert rule not in found.of("passed")


# --- sound ones ----------------------------------------------------------------------------------


def unclear(found: Verdicts) -> dict[str, str]:
    """What could not be judged, and not because of a busy machine."""
    reasons = found.of("inconclusive")
    return {rule: why for rule, why in reasons.items() if not any(w in why for w in TOO_SLOW)}


def judge_sound(shape: str, found: Verdicts) -> None:
    expected, others = NOT_APPLICABLE[shape], found.of("not_applicable")
    assert found.of("broken") == {}
    assert unclear(found) == {}
    assert others.keys() == expected.keys()
    assert [rule for rule, why in expected.items() if why not in others[rule]] == []
    slow = len(found.of("inconclusive"))
    assert slow <= 3
    assert len(found.of("passed")) + slow >= AT_LEAST[shape]


def test_sound_duopay_passes_every_rule_that_applies(
    in_the_background: Background, tmp_path: Path
) -> None:
    found = run_odd("json200", "", tmp_path)

    judge_sound("json200", found)
    assert found.of("inconclusive") == {}
    assert found.code == 0


@pytest.mark.parametrize("shape", ["acsform", "form"])
def test_sound_server_in_real_time_passes_every_rule_that_applies(
    in_the_background: Background, shape: str
) -> None:
    judge_sound(shape, in_the_background[shape, ""].result())


LAUNCH = """
[clock]
kind = "faketime"

[launch]
command = ["{node}", "{here}/server.mjs", "--shape", "acsform", "--port", "{port}",
    "--smtp", "{smtp}", "--token", "{token}"]
"""


@pytest.mark.skipif(not ALL, reason="only with OTPSPEC_ALL_STRANGERS=1")
def test_sound_acs_under_libfaketime_passes_every_rule_in_its_own_ten_minutes(
    tmp_path: Path,
) -> None:
    pytest.importorskip("libfaketime")
    port, smtp = free_port(), f"127.0.0.1:{free_port()}"
    text = (HERE / "acsform.toml").read_text()
    text = text.replace("127.0.0.1:8000", f"127.0.0.1:{port}").replace("127.0.0.1:1025", smtp)
    text += LAUNCH.format(node=NODE, here=HERE, port=port, smtp=smtp, token=SUPPORT_TOKEN)
    (tmp_path / "acsform.toml").write_text(text)

    with begun(["acsform.toml", "--seed", "7", "-k", "not race"], tmp_path) as run:
        found = run.end()

    judge_sound("acsform", found)
    assert found.of("inconclusive") == {}


@pytest.mark.parametrize("shape", MIXES)
def test_sound_server_is_accused_of_no_race(
    in_the_background: Background, tmp_path: Path, shape: str
) -> None:
    with checking(shape, tmp_path, select="race") as run:
        found = run.end()

    assert {"RACE-1", "RACE-2", "RACE-4"} <= set(found.rules), found.said
    assert found.of("broken") == {}, found.said
    read_from_a_page = shape == "acsform"  # then nobody can tell one approval from another
    assert (found.of("passed") == {}) is read_from_a_page, found.said
