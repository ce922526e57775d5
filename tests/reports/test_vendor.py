"""What was vendored is what was published, and says so."""

import hashlib
from importlib.resources import files

import pytest

VENDOR = files("otpspec_reports") / "vendor"


@pytest.mark.parametrize("name", ["uPlot.iife.min.js", "uPlot.min.css", "LICENSE"])
def test_a_vendored_file_has_the_sum_that_its_readme_says(name: str) -> None:
    readme = (VENDOR / "README.md").read_text(encoding="utf-8")

    total = hashlib.sha256((VENDOR / name).read_bytes()).hexdigest()

    assert any(f"| {name} |" in line and total in line for line in readme.splitlines())


def test_the_library_is_of_the_version_that_its_readme_says() -> None:
    readme = (VENDOR / "README.md").read_text(encoding="utf-8")
    banner = (VENDOR / "uPlot.iife.min.js").read_text(encoding="utf-8").splitlines()[0]

    assert "(v1.6.32)" in banner
    assert "1.6.32" in readme
