"""All the pages of a run, in one directory, each whole or not at all."""

import ast
from pathlib import Path

import pytest

import otpspec_reports
from otpspec.results import read
from otpspec_reports import write_all

from .samples import everything, results


def test_every_page_is_written_and_its_path_is_told(tmp_path: Path) -> None:
    written = write_all(everything(), tmp_path / "made" / "for it")

    assert [path.name for path in written] == [
        "results.json", "report.html", "junit.xml", "summary.md"
    ]  # fmt: skip
    assert sorted(written) == sorted((tmp_path / "made" / "for it").iterdir())
    assert read(written[0]) == everything()


def test_pages_of_an_earlier_run_are_replaced(tmp_path: Path) -> None:
    write_all(everything(), tmp_path)

    write_all(results(), tmp_path)

    assert "conformant" in (tmp_path / "summary.md").read_text()
    assert len(list(tmp_path.iterdir())) == 4


def test_results_are_kept_and_old_pages_stay_whole_when_a_page_cannot_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_all(results(), tmp_path)
    before = (tmp_path / "report.html").read_text()

    def fail(_: object) -> str:
        raise RuntimeError("the page fails")

    monkeypatch.setitem(otpspec_reports._PAGES, "report.html", fail)
    with pytest.raises(RuntimeError, match="the page fails"):
        write_all(everything(), tmp_path)

    assert read(tmp_path / "results.json") == everything()
    assert (tmp_path / "report.html").read_text() == before


def test_a_directory_that_cannot_be_written_is_an_os_error(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")

    with pytest.raises(OSError, match="taken"):
        write_all(results(), tmp_path / "taken")


def test_the_package_knows_of_otpspec_only_its_words() -> None:
    for path in Path(str(otpspec_reports.__file__)).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = (
                [alias.name for alias in node.names] if isinstance(node, ast.Import)
                else [str(node.module)] if isinstance(node, ast.ImportFrom) else []
            )  # fmt: skip
            for name in names:
                if name.split(".")[0] == "otpspec":
                    assert name in {"otpspec.results", "otpspec.outcome", "otpspec.rules"}
