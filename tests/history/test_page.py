"""The examples of docs/reference/history.md are what they say."""

import re
from pathlib import Path

from otpspec import history as histories
from otpspec.history.columns import KINDS, ROW
from otpspec.history.jsonl import Line
from otpspec.linearize import Legality, judge
from otpspec.outcome import Outcome
from otpspec.policy import Policy

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "history.md").read_text("utf-8")


def fenced(kind: str) -> str:
    (found,) = re.findall(rf"^```{kind}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    return str(found)


def test_json_lines_of_the_page_are_a_legal_history(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    path.write_text(fenced("jsonl"))

    history = histories.read(path)

    assert len(history) == 6
    assert judge(history, Policy()).legality is Legality.LEGAL


def test_python_of_the_page_writes_a_history(tmp_path: Path) -> None:
    source = fenced("python").replace('Path("run.packed")', f'Path("{tmp_path}/run.packed")')

    exec(compile(source, "history.md", "exec"), {})

    assert judge(histories.read(tmp_path / "run.packed"), Policy()).legality is Legality.LEGAL


def test_script_of_the_page_is_that_of_the_example() -> None:
    example = Path(__file__).parents[2] / "examples" / "k6" / "history.js"

    assert fenced("js") in example.read_text("utf-8")


def test_every_key_operation_and_outcome_is_on_the_page() -> None:
    for word in (*Line.__struct_fields__, *KINDS, *Outcome, *(ROW.names or ())):
        assert f"`{word}`" in PAGE
