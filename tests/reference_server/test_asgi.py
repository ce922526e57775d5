"""The app to import: its hooks are on where the environment has a token for them."""

import runpy
from typing import Any

import pytest

from otpspec_reference import Settings

from .bank import HOOK, TOKEN, ask_app


def imported(monkeypatch: pytest.MonkeyPatch, token: str) -> Any:
    monkeypatch.setenv("OTPSPEC_TEST_TOKEN", token)
    return runpy.run_module("otpspec_reference.asgi")["app"]


def test_token_in_the_environment_opens_the_hooks(monkeypatch: pytest.MonkeyPatch) -> None:
    app = imported(monkeypatch, TOKEN)

    assert ask_app(app, "GET", "/test/clock", headers=HOOK).short == (200, "ok")


def test_without_one_there_are_none_and_support_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    app = imported(monkeypatch, "")

    assert ask_app(app, "GET", "/test/clock", headers=HOOK).short == (404, "not_found")
    unlock = ("POST", "/support/cards/x/unlock")
    for token in ("", "Bearer", "Bearer "):
        said = ask_app(app, *unlock, headers={"Authorization": token})
        assert said.short == (401, "unauthorised")


@pytest.mark.parametrize("empty", [{"test_token": ""}, {"support_token": ""}])
def test_empty_token_is_refused(empty: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="a token is empty; give one, or leave it out for a ran"):
        Settings(test_hooks=True, **empty)  # type: ignore[arg-type]
