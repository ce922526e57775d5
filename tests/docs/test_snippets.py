"""The profiles in the documentation load, each one that is shown."""

import hmac
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from otpspec.profile import Profile, load

DOCS = Path(__file__).parents[2] / "docs"
OURS = [
    DOCS / "reference" / "profile.md",
    DOCS / "how-to" / "adapters.md",
    DOCS / "how-to" / "cards.md",
    DOCS / "how-to" / "clocks.md",
    DOCS / "how-to" / "inboxes.md",
    DOCS / "how-to" / "load.md",
    DOCS / "how-to" / "ownership.md",
]
"""Pages on which every piece of TOML is of a profile."""

_FENCE = re.compile(r"^```(\w+)(?: ([\w.-]+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_ENV = re.compile(r"\{env\.(\w+)\}")


class Snippet(NamedTuple):
    """A piece of code on a page: what stands after its language is "complete", or a file's name."""

    page: Path
    line: int
    language: str
    name: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.stem}-{self.line}"


def snippets(page: Path) -> Iterator[Snippet]:
    """All that a page has, from its top."""
    text = page.read_text(encoding="utf-8")
    for found in _FENCE.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        yield Snippet(page, line, found[1], found[2] or "", found[3])


EVERY = [snippet for page in sorted(DOCS.rglob("*.md")) for snippet in snippets(page)]
COMPLETE = [s for s in EVERY if s.language == "toml" and s.name == "complete"]
PIECES = [s for s in EVERY if s.language == "toml" and not s.name and s.page in OURS]


def environment(text: str) -> dict[str, str]:
    """A value for each variable that a profile names."""
    return dict.fromkeys(_ENV.findall(text), "a-value-of-the-environment-of-many-characters")


def loaded(snippet: Snippet, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Profile:
    """The profile of a snippet, with the files beside it that its page shows."""
    for shown in snippets(snippet.page):
        if "." in shown.name:
            (folder / shown.name).write_text(shown.text, encoding="utf-8")
            monkeypatch.delitem(sys.modules, Path(shown.name).stem, raising=False)
    (folder / "acs.toml").write_text(snippet.text, encoding="utf-8")
    return load(str(folder / "acs.toml"), environ=environment(snippet.text))


def test_every_page_of_ours_shows_a_profile() -> None:
    assert {snippet.page for snippet in COMPLETE + PIECES} == set(OURS)


@pytest.mark.parametrize("snippet", COMPLETE, ids=str)
def test_complete_profile_loads(
    snippet: Snippet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile = loaded(snippet, tmp_path, monkeypatch)

    assert {"start", "verify"} <= profile.operations.keys()


@pytest.mark.parametrize("snippet", PIECES, ids=str)
def test_piece_of_a_profile_loads_in_the_place_of_what_the_smallest_one_has(
    snippet: Snippet, tmp_path: Path
) -> None:
    smallest = next(s for s in COMPLETE if s.page == OURS[0])
    whole: dict[str, Any] = tomllib.loads(smallest.text)
    for table, value in tomllib.loads(snippet.text).items():
        if table in ("operations", "target"):
            whole[table] |= value
        else:
            whole[table] = value
    path = tmp_path / "acs.toml"
    path.write_text(_toml(whole), encoding="utf-8")

    load(str(path), environ=environment(snippet.text))


def _toml(tables: dict[str, Any]) -> str:
    return "".join(f"{name} = {_value(value)}\n" for name, value in tables.items())


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f'"{k}" = {_value(v)}' for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'"{escaped}"'
    return str(value)


ADAPTERS = [s for s in EVERY if s.language == "python" and s.page.stem == "adapters"]


@pytest.mark.parametrize("shown", ADAPTERS, ids=lambda shown: shown.name)
def test_adapter_is_found_beside_the_profile(
    shown: Snippet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (named,) = re.findall(r"^class (\w+)\(Adapter\)", shown.text, re.MULTILINE)
    (snippet,) = (s for s in COMPLETE if s.page == shown.page)
    other = snippet.text.replace("acme_signing:Signed", f"{Path(shown.name).stem}:{named}")

    profile = loaded(snippet._replace(text=other), tmp_path, monkeypatch)

    assert profile.target.adapter.endswith(named)


def test_adapter_of_the_page_signs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (snippet,) = (s for s in COMPLETE if s.page.stem == "adapters")
    monkeypatch.setenv("ACME_KEY", "key")
    profile = loaded(snippet, tmp_path, monkeypatch)

    request = profile.build("verify", {"challenge.id": "7", "otc": "123456"})

    signed = b'POST\n/payments/7/code\n{"code":"123456"}'
    assert dict(request.headers)["X-Signature"] == hmac.new(b"key", signed, "sha256").hexdigest()
