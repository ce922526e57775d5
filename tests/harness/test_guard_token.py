"""What the token, its line, and the path of its file may be, before anything is read."""

import pytest

from otpspec.errors import NotAllowedError
from otpspec.guard import Guard, Rules, new_token, verification

from .doors import leads, names

TOKEN = "a-secret-of-the-profile-that-is-long-enough"
ORIGIN = "http://acs.example"
LINE = verification(TOKEN, ORIGIN)
PUBLIC = "8.8.8.8"  # nothing is sent to it


def ask(rules: Rules) -> list[tuple[str, int]]:
    """The addresses of the public host."""
    return Guard(rules, [ORIGIN]).addresses("acs.example", 80)


@pytest.mark.parametrize(
    "path",
    [
        "/users/mallory/otp.txt", "/.well-known/../mallory", "/.well-known/%2e%2e/mallory",
        f"/.well-known/echo?text={LINE}", "/.well-known/a b", "/.well-known/a\r\nX: y",
        "/.well-known/", "/.well-known", "/.well-knowny/a", "//evil.example/.well-known/a",
        "http://evil.example/.well-known/a", "", "/.well-known/a\n", "/.well-known//a",
    ],
)  # fmt: skip
def test_path_where_others_may_write_is_refused_unread(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    names(monkeypatch, [PUBLIC])
    read = leads(monkeypatch)

    with pytest.raises(NotAllowedError) as raised:
        ask(Rules(ownership_token=TOKEN, ownership_path=path))

    assert str(raised.value) == (
        f"target.ownership_path {path!r} is no plain path under /.well-known/, where only the "
        "owner of an origin writes.\n"
        'Try: ownership_path = "/.well-known/otpspec-verification.txt"'
    )
    assert read == []


def test_short_token_is_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    names(monkeypatch, [PUBLIC])
    read = leads(monkeypatch)

    with pytest.raises(NotAllowedError) as raised:
        ask(Rules(ownership_token="x" * 31))

    assert str(raised.value) == (
        "The ownership_token has 31 characters, and needs 32: its hash is public.\n"
        "Try: otpspec init makes one."
    )
    assert read == []


def test_line_is_bound_to_the_origin_however_it_is_written() -> None:
    lines = {
        verification(TOKEN, origin) for origin in (ORIGIN, f"{ORIGIN}:80/x", "HTTP://ACS.Example")
    }

    assert lines == {LINE}
    assert LINE.startswith("otpspec-verification=")
    assert len(LINE) == len("otpspec-verification=") + 64
    assert TOKEN not in LINE


def test_new_tokens_are_long_and_differ() -> None:
    tokens = {new_token() for _ in range(100)}

    assert len(tokens) == 100
    assert min(map(len, tokens)) >= 43
    assert verification(tokens.pop(), ORIGIN)


def test_secrets_do_not_show() -> None:
    rules = Rules(ownership_token=TOKEN)

    assert TOKEN not in repr(rules)
    assert TOKEN not in repr(Guard(rules, [ORIGIN]))
