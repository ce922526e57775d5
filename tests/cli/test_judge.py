"""The real command on real files: what it prints, and with which code it ends."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
HEADER = {"format": "otpspec-history", "version": 1}


def tries(card: str, *answers: str, code: str = "#wrong") -> list[dict[str, Any]]:
    """A start, and a try every tenth of a second; the last one is of the right code."""
    begun = {"card": card, "op": "start", "challenge": "t", "code": "#right", "called": 0.0}
    begun |= {"csc_required": False, "returned": 0.1, "seen": 0.1, "answer": "done"}
    made = [begun]
    for number, answer in enumerate(answers, 2):
        made.append({"card": card, "op": "verify", "challenge": "t", "code": code})
        made[-1] |= {"called": number / 10, "returned": number / 10 + 0.05, "answer": answer}
    made[-1]["code"] = "#right"
    return made


@pytest.fixture
def history(tmp_path: Path) -> Callable[..., str]:
    def write(*lines: dict[str, Any]) -> str:
        path = tmp_path / "history.jsonl"
        path.write_text("".join(json.dumps(line) + "\n" for line in [HEADER, *lines]))
        return path.name

    return write


def test_legal_history_ends_with_0(otpspec: Run, history: Callable[..., str]) -> None:
    done = otpspec("judge", history(*tries("a", "wrong_otc", "approved")), COLUMNS="80")

    assert done.code == 0
    lines = [line.rstrip() for line in done.out.splitlines()]
    assert lines[0] == "  history  history.jsonl: 3 operations on 1 card"
    assert lines[1] == "  policy   safekey"
    assert lines[2].startswith("  verdict  legal, after ")
    assert lines[3] == "  legal    1 card"


def test_broken_history_ends_with_1_and_says_why(otpspec: Run, history: Callable[..., str]) -> None:
    wrong = ["wrong_otc"] * 3
    file = history(*tries("a", "approved"), *tries("card-7", *wrong, "approved", code="#x"))

    done = otpspec("judge", file, "--json", "verdict.json", COLUMNS="80")

    assert done.code == 1
    assert [line.rstrip() for line in done.out.splitlines()][3:] == [
        "  legal    1 card",
        "  broken   1 card",
        "           card card-7, 5 of 5 operations",
        "             0.000 to 0.100 s  the start: done",
        "             0.200 to 0.250 s  the wrong code: wrong otc",
        "             0.300 to 0.350 s  the second wrong code: wrong otc",
        "             0.400 to 0.450 s  the third wrong code: wrong otc",
        "             0.500 to 0.550 s  the right code: approved",
        "           the third wrong code was answered at 0.450 s; the right code, sent at",
        "           0.500 s, was approved: no order allows this with N = 3",
        "           lines 4, 5, 6, 7, 8",
    ]
    told = json.loads((done.folder.parent / "verdict.json").read_text())
    assert told["verdict"] == "broken"
    assert told["broken"][0]["lines"] == [4, 5, 6, 7, 8]
    assert (told["operations"], told["cards"], told["unknown"]) == (7, 2, [])


def test_policy_may_be_changed_or_taken_from_a_profile(
    otpspec: Run, history: Callable[..., str], tmp_path: Path
) -> None:
    file = history(*tries("a", *["wrong_otc"] * 3, "approved"))
    (tmp_path / "acs.toml").write_text(
        '[target]\nbase_url = "{env.NOWHERE}"\n[policy]\nmax_wrong = 4\n'
    )

    assert otpspec("judge", file).code == 1
    assert otpspec("judge", file, "--set", "policy.max_wrong=4").code == 0
    assert otpspec("judge", file, "--policy", "psd2").code == 0
    assert otpspec("judge", file, "--policy", "acs.toml").code == 0


def test_what_is_out_of_budget_ends_with_3(otpspec: Run, history: Callable[..., str]) -> None:
    burst = tries("a", *["wrong_otc"] * 11, *["locked"] * 20)
    for number, line in enumerate(burst[1:]):
        line |= {"called": 1.0, "returned": 2.0 + number / 100, "code": f"#{number}"}

    # a switch that the short cuts of the search do not know: all orders are tried
    words = ("--policy", "pci-dss", "--set", "policy.new_start=voids", "--budget", "1")
    done = otpspec("judge", history(*burst), *words, COLUMNS="80")

    assert done.code == 3
    assert "  unknown  1 card" in done.out
    assert "out of budget: a; try a --budget of more than 1" in done.out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["none.jsonl"], "(file)  cannot be read: No such file or directory"),
        (["bad.jsonl"], "line 3  not a JSON object, or cut off"),
        (["bad.jsonl", "--policy", "safekei"], "did you mean safekey?"),
        (["bad.jsonl", "--set", "policy.max_rong=3"], "did you mean max_wrong?"),
        (["bad.jsonl", "--set", "target.base_url=x"], "only policy.… can be set here"),
    ],
)
def test_what_cannot_be_used_ends_with_2(
    otpspec: Run, history: Callable[..., str], tmp_path: Path, words: list[str], message: str
) -> None:
    lines = (tmp_path / history(*tries("a", "approved"))).read_text().splitlines()
    (tmp_path / "bad.jsonl").write_text("\n".join([lines[0], lines[1], lines[2][:-5]]) + "\n")

    done = otpspec("judge", *words)

    assert done.code == 2
    assert message in done.err
    assert "legal" not in done.out


def test_no_card_number_and_no_code_is_printed(otpspec: Run, history: Callable[..., str]) -> None:
    wrong = ["wrong_otc"] * 3
    file = history(*tries("4111111111111111", *wrong, "approved", code="731902"))

    done = otpspec("judge", file, "--json", "verdict.json", "--html", "verdict.html")

    written = [(done.folder.parent / f"verdict.{kind}").read_text() for kind in ("json", "html")]
    everything = "".join([done.out, done.err, *written])
    assert done.code == 1
    assert "4111111111111111" not in everything
    assert "731902" not in everything
    assert "•••" in done.out


def test_page_shows_the_smallest_history_in_words_and_drawn(
    otpspec: Run, history: Callable[..., str]
) -> None:
    wrong = ["wrong_otc"] * 3
    file = history(*tries("a", "approved"), *tries("card-7", *wrong, "approved", code="#x"))

    done = otpspec("judge", file, "--html", "verdict.html")

    page = (done.folder.parent / "verdict.html").read_text()
    why = "the third wrong code was answered at 0.450 s; the right code, sent at 0.500 s, was"
    assert done.code == 1
    assert "<h1>broken</h1>" in page
    assert page.index("card card-7") < page.index(why) < page.index('<svg class="timeline on-wide')
    assert "5 of 5 operations; lines 4, 5, 6, 7, 8" in page
    assert page.count("<tspan>✗ </tspan>") == 4  # the two that the sentence names, on both sheets
    assert "<li>0.500 to 0.550 s  the right code: approved</li>" in page
    assert "<script" not in page


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ([], 0, "<h1>legal</h1>"),
        ([], 0, "On every card there is an order of the operations that the rules allow."),
        (["--set", "policy.max_wrong=1", "--show", "0"], 1, "1 more broken card not told here"),
    ],
)
def test_page_says_what_it_does_not_draw(
    otpspec: Run, history: Callable[..., str], words: list[str], code: int, said: str
) -> None:
    file = history(*tries("a", "wrong_otc", "approved"))

    done = otpspec("judge", file, "--html", "verdict.html", *words)

    assert done.code == code
    assert said in (done.folder.parent / "verdict.html").read_text()


def test_a_page_that_cannot_be_written_says_which_option_to_change(
    otpspec: Run, history: Callable[..., str]
) -> None:
    done = otpspec("judge", history(*tries("a", "approved")), "--html", "none/verdict.html")

    assert done.code == 2
    assert "The verdict cannot be written to none/verdict.html (No such file or" in done.err
    assert "Try: --html with a file in a directory of your own." in done.err
