"""The products are installed once, and their tests do not pass by being left out."""

from pathlib import Path

import pytest
from tests.products import conftest, install

REASON = "privacyidea is not installed here; run: python tests/products/install.py privacyidea"


def test_product_that_is_missing_skips_its_tests_and_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(install, "ROOT", tmp_path)
    monkeypatch.delenv("OTPSPEC_REQUIRE_PRODUCTS", raising=False)

    with pytest.raises(pytest.skip.Exception) as skipped:
        conftest.needs("privacyidea")

    assert skipped.value.msg == REASON


def test_product_that_is_missing_fails_its_tests_where_ci_asks_for_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(install, "ROOT", tmp_path)
    monkeypatch.setenv("OTPSPEC_REQUIRE_PRODUCTS", "1")

    with pytest.raises(pytest.fail.Exception) as failed:
        conftest.needs("privacyidea")

    assert failed.value.msg == f"{REASON} (OTPSPEC_REQUIRE_PRODUCTS=1)"


def test_product_of_other_versions_counts_as_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(install, "ROOT", tmp_path)
    folder = tmp_path / ".products" / "privacyidea"
    folder.mkdir(parents=True)
    (folder / ".installed").write_text("of other requirements\n")

    assert not install.installed("privacyidea")


def test_name_that_is_no_product_is_said_with_those_that_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert install.main(["privacyida"]) == 2

    there = "django_allauth, privacyidea, better_auth, drfpasswordless"
    text = f"no such product: privacyida; there are {there}\n"
    assert capsys.readouterr().out == text
