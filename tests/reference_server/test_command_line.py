"""The command line: what is understood, and the exact words where it is not."""

import socket
from datetime import timedelta

import pytest

from otpspec_reference import Settings, main
from otpspec_reference.arguments import UsageError, read
from otpspec_reference.mutants import MUTANTS
from otpspec_reference.settings import Alphabet, CscPolicy, Deliver, Resend, StartLimit


def settings(*argv: str, **environment: str) -> Settings:
    return read(argv, environment).settings


def test_nothing_said_is_the_strict_server_on_loopback() -> None:
    asked = read([], {})

    assert (asked.host, asked.port, asked.list_mutants) == ("127.0.0.1", 8000, False)
    assert asked.settings == Settings(test_token=asked.settings.test_token)


@pytest.mark.parametrize(
    ("argv", "name", "value"),
    [
        (["--validity", "10m"], "validity", timedelta(minutes=10)),
        (["--validity", "8s"], "validity", timedelta(seconds=8)),
        (["--validity", "1.5s"], "validity", timedelta(seconds=1.5)),
        (["--validity", "600"], "validity", timedelta(seconds=600)),
        (["--validity=1h"], "validity", timedelta(hours=1)),
        (["--max-wrong", "5"], "max_wrong", 5),
        (["--digits", "8"], "digits", 8),
        (["--alphabet", "letters"], "alphabet", Alphabet.LETTERS),
        (["--csc", "always"], "csc", CscPolicy.ALWAYS),
        (["--deliver", "both"], "deliver", Deliver.BOTH),
        (["--resend", "reuse"], "resend", Resend.REUSE),
        (["--lock-for", "30m"], "lock_for", timedelta(minutes=30)),
        (["--max-starts", "5/10m"], "max_starts", StartLimit(5, timedelta(minutes=10))),
        (["--max-resends", "0"], "max_resends", 0),
        (["--merge-failures"], "merge_failures", True),
        (["--hide-unknown-cards"], "hide_unknown_cards", True),
        (["--clock-rate", "60"], "clock_rate", 60.0),
        (["--test-hooks"], "test_hooks", True),
        (["--mutant", "no-lock"], "mutant", "no-lock"),
    ],
)
def test_option_is_understood(argv: list[str], name: str, value: object) -> None:
    assert getattr(settings(*argv), name) == value


def test_tokens_come_from_the_environment() -> None:
    found = settings(OTPSPEC_TEST_TOKEN="one", OTPSPEC_SUPPORT_TOKEN="two")

    assert (found.test_token, found.support_token) == ("one", "two")


def test_empty_token_is_none_and_a_random_one_is_made() -> None:
    first, second = settings(OTPSPEC_TEST_TOKEN=""), settings()

    assert len(first.test_token) == len(second.test_token) == 22
    assert first.test_token != second.test_token


def test_tokens_are_not_shown_with_the_settings() -> None:
    shown = repr(settings(OTPSPEC_TEST_TOKEN="one-token", OTPSPEC_SUPPORT_TOKEN="two-token"))

    assert "-token" not in shown


LENGTH = "not a length of time; write 10m, 90s, 1h or 600 (seconds)"
RANGE = "out of range; write a length from 1s to 8784h (a year)"


@pytest.mark.parametrize(
    ("option", "text", "said"),
    [
        ("--validity", "10x", LENGTH),
        ("--validity", "ten", LENGTH),
        ("--validity", "", LENGTH),
        ("--validity", "0", RANGE),
        ("--validity", "0.5s", RANGE),
        ("--validity", "999999h", RANGE),
        ("--lock-for", "x", LENGTH),
        ("--max-wrong", "0", "not a whole number from 1 to 100"),
        ("--max-wrong", "three", "not a whole number from 1 to 100"),
        ("--digits", "5", "not a whole number from 6 to 10"),
        ("--digits", "٦", "not a whole number from 6 to 10"),
        ("--port", "70000", "not a whole number from 0 to 65535"),
        ("--csc", "maybe", "not one of never, sometimes, always"),
        ("--alphabet", "greek", "not one of digits, letters"),
        ("--deliver", "post", "not one of phone, both"),
        ("--resend", "twice", "not one of rotate, reuse"),
        ("--max-starts", "5", "not a limit; write 5/10m for five starts in any ten minutes"),
        ("--max-starts", "0/10m", "not a whole number from 1 to 1000000"),
        ("--max-starts", "5/x", LENGTH),
        ("--max-resends", "-1", "not a whole number from 0 to 1000"),
        ("--clock-rate", "0", "not a rate; write a number above 0, 60 for a minute a second"),
        ("--clock-rate", "inf", "not a rate; write a number above 0, 60 for a minute a second"),
        ("--mutant", "nolock", "no such mutant; did you mean no-lock?"),
        ("--mutant", "zzz", "no such mutant; --list-mutants shows all"),
    ],
)
def test_value_that_is_none_is_said_to_be(option: str, text: str, said: str) -> None:
    with pytest.raises(UsageError) as refused:
        read([f"{option}={text}"], {})

    assert str(refused.value) == (
        "otpspec reference server: 1 problem on the command line\n"
        f"  {option} {text}  {said}\n"
        "Try: python -m otpspec_reference --help"
    )


@pytest.mark.parametrize(
    ("argv", "problem"),
    [
        (["--validty", "8s"], "--validty  unknown option; did you mean --validity?"),
        (["--validty=8s"], "--validty=8s  unknown option; did you mean --validity?"),
        (["--zzz"], "--zzz  unknown option"),
        (["--vali", "8s"], "--vali  unknown option; did you mean --validity?"),
        (["8000"], "8000  not an option, and none takes it as its value"),
        (["--port"], "--port  expected one argument"),
        (["--test-hooks=yes"], "--test-hooks  ignored explicit argument 'yes'"),
    ],
)
def test_word_that_is_not_understood_is_said_to_be(argv: list[str], problem: str) -> None:
    with pytest.raises(UsageError) as refused:
        read(argv, {})

    assert str(refused.value).splitlines()[1] == f"  {problem}"


def test_all_problems_are_said_at_once_and_the_exit_code_is_2(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code = main(["--validity", "10x", "--csc", "maybe", "--mutant", "nolock", "--prt", "1"])

    assert code == 2
    assert capsys.readouterr().err == (
        "otpspec reference server: 4 problems on the command line\n"
        "  --prt            unknown option; did you mean --port?\n"
        "  --validity 10x   not a length of time; write 10m, 90s, 1h or 600 (seconds)\n"
        "  --csc maybe      not one of never, sometimes, always\n"
        "  --mutant nolock  no such mutant; did you mean no-lock?\n"
        "Try: python -m otpspec_reference --help\n"
    )


def test_port_in_use_is_said_and_the_exit_code_is_2(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code = main(["--port", str(port)])

    assert code == 2
    assert capsys.readouterr().err == (
        f"Cannot listen on 127.0.0.1:{port} (address already in use).\n"
        "Try: --port 0 for a free port, or end what listens there\n"
    )


def test_host_that_is_not_ours_is_said_and_the_exit_code_is_2(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code = main(["--host", "192.0.2.1", "--port", "0"])  # RFC 5737: nobody's address

    assert code == 2
    assert capsys.readouterr().err == (
        "Cannot listen on 192.0.2.1:0 (cannot assign requested address).\nTry: --host 127.0.0.1\n"
    )


def test_list_of_mutants_gives_name_rule_and_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list-mutants"]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(MUTANTS)
    assert [line.split()[:2] for line in lines] == [[m.name, m.rule] for m in MUTANTS.values()]
    assert all(
        mutant.sentence in line for mutant, line in zip(MUTANTS.values(), lines, strict=True)
    )
    (limited,) = (line for line in lines if line.startswith("starts-unlimited"))
    assert limited.endswith("is not kept. (with --max-starts 5/600s)")


def test_help_says_all_options(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])

    assert ended.value.code == 0
    shown = capsys.readouterr().out
    for option in ("--host", "--validity", "--hide-unknown-cards", "--list-mutants"):
        assert option in shown
