"""otpspec rules and otpspec serve; and what an import of otpspec brings along."""

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from otpspec.rules import RULES

Done = Any
Run = Callable[..., Done]


def test_rules_lists_the_whole_catalogue(otpspec: Run) -> None:
    done = otpspec("rules")

    assert (done.code, done.err) == (0, "")
    listed = [line.split()[:2] for line in done.out.splitlines()[2:] if line.strip()]
    wanted = [[rule.id, rule.level] for rule in RULES.values()]
    assert [pair for pair in listed if pair[0] in RULES] == wanted


def test_one_rule_is_explained_with_its_sources_and_its_check(otpspec: Run) -> None:
    done = otpspec("rules", "expiry-2")

    assert done.code == 0
    first, *rest = [" ".join(line.split()) for line in done.out.splitlines()]
    assert first == "EXPIRY-2 MUST (core)"
    assert rest[0] == f"rule {RULES['EXPIRY-2'].statement}"
    assert 'SafeKey: "valid only for 10 minutes"' in done.out
    assert "check otpspec check PROFILE -k EXPIRY-2" in rest


def test_rule_that_is_not_there(otpspec: Run) -> None:
    done = otpspec("rules", "EXPIRI-2")

    assert (done.code, done.out) == (2, "")
    assert done.err == "There is no rule EXPIRI-2; did you mean EXPIRY-2?\n"


def test_serve_is_the_reference_server(
    begin: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    process = begin("serve", "--port", "0", "--mutant", "never-expires", cwd=tmp_path)
    assert process.stdout is not None

    assert process.stdout.readline().startswith("otpspec reference server on http://127.0.0.1:")
    assert process.stdout.readline().startswith("mutant never-expires (EXPIRY-2): ")
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0


def test_serve_passes_its_options_on(otpspec: Run) -> None:
    listed = otpspec("serve", "--list-mutants")
    wrong = otpspec("serve", "--mutnat", "x")

    assert listed.code == 0
    assert "never-expires" in listed.out
    assert wrong.code == 2
    assert "--mutnat" in wrong.err


def test_without_a_command_it_says_what_there_is(otpspec: Run) -> None:
    done = otpspec()

    assert done.code == 2
    for command in ("check", "bench", "serve", "rules"):
        assert f"  {command} " in done.out + done.err


def test_an_import_brings_neither_locust_nor_gevent() -> None:
    modules = "otpspec, otpspec.plugin, otpspec.runner, otpspec_scenarios.conformance"
    code = f"import sys, {modules}; print(sorted({{'locust', 'gevent'}} & set(sys.modules)))"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"
