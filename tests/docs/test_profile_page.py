"""docs/reference/profile.md has every key of a profile, with its default, and no other."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from otpspec.outcome import Outcome
from otpspec.policy import POLICIES, WORDS_FOR_NONE, Policy
from otpspec.profile import schema
from otpspec.profile.checks import CARD_PLACES

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "profile.md").read_text("utf-8")

SECTIONS: dict[str, type[msgspec.Struct]] = {
    "The tables": schema.Profile,
    "[target]": schema.Target,
    "[target.tls]": schema.Tls,
    "[operations]": schema.Operations,
    "Requests": schema.Request,
    "Captures": schema.Capture,
    "Answers": schema.Answer,
    "[launch]": schema.Launch,
    "[cards]": schema.Cards,
    "[amounts]": schema.Amounts,
    "[races]": schema.Races,
    "[load]": schema.Load,
}
KINDS = [*get_args(schema.Inbox), *get_args(schema.Clock)]
COMMON = ("contact", "code", "reference", "wait", "quiet")
"""What every inbox has; in a kind's own table only where its default is another."""


def section(heading: str, within: str = "") -> str:
    """What stands under a heading, up to the next one; the first such, or the first `within`."""
    pattern = rf"^#+ {re.escape(heading)}.*?\n(.*?)(?=^#+ |\Z)"
    page = _without_code(PAGE)
    page = page[page.index(f"\n## {within}") :] if within else page
    (found, *_) = re.findall(pattern, page, re.MULTILINE | re.DOTALL)
    return str(found)


def _without_code(text: str) -> str:
    return re.sub(r"^( *)```.*?^\1```$", "", text, flags=re.MULTILINE | re.DOTALL)


def rows(heading: str, within: str = "") -> dict[str, str]:
    """The keys of a section's first table with defaults, each with what its default is."""
    text = section(heading, within).partition("| key | default |")[2].partition("\n\n")[0]
    return dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", text, re.MULTILINE))


def written(field: Any) -> str:
    """A key's default as the page has it."""
    if field.required:
        return "needed"
    default = field.default
    if default is msgspec.NODEFAULT:
        default = field.default_factory()
    return in_toml(default)


def in_toml(default: Any) -> str:
    """A value as a profile has it, in backticks."""
    if isinstance(default, list) and default:
        return f"`{default}`"
    if default is None or isinstance(default, (msgspec.Struct, dict, list, tuple)):
        return "none"  # an empty table says nothing
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    if isinstance(default, timedelta):
        seconds = default.total_seconds()
        return f'`"{seconds / 60:g}m"`' if seconds >= 60 else f'`"{seconds:g}s"`'
    return f"`{default}`" if isinstance(default, int) else f'`"{default}"`'


@pytest.mark.parametrize("heading", SECTIONS)
def test_every_key_of_a_table_is_there_with_its_default(heading: str) -> None:
    fields = msgspec.structs.fields(SECTIONS[heading])

    expected = {field.encode_name: written(field) for field in fields}

    assert rows(heading) == expected


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_key_of_a_kind_is_there_with_its_default(kind: type[msgspec.Struct]) -> None:
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    is_inbox = kind in get_args(schema.Inbox)
    if is_inbox:
        usual = {f.encode_name: f for f in msgspec.structs.fields(schema._Inbox)}
        same = [key for key in COMMON if fields[key].default == usual[key].default]
        fields = {key: field for key, field in fields.items() if key not in same}

    found = rows(f'kind = "{kind.__struct_config__.tag}"', "[inbox]" if is_inbox else "[clock]")

    assert found == {key: written(field) for key, field in fields.items()}


def test_every_key_that_all_inboxes_have_is_there_with_its_default() -> None:
    usual = {f.encode_name: f for f in msgspec.structs.fields(schema._Inbox)}
    expected = {key: written(field) for key, field in usual.items()}
    expected |= {"kind": "needed", "code": "4 to 10 digits"}

    assert rows("[inbox]") == expected
    assert f"`{schema.CODE}`" in section("[inbox]")


def test_every_struct_of_the_schema_has_a_table() -> None:
    known = {*SECTIONS.values(), *KINDS}
    structs = {
        struct
        for name, struct in vars(schema).items()
        if isinstance(struct, type) and issubclass(struct, schema._Table) and name[0] != "_"
    }

    assert structs == known


def test_every_switch_of_a_policy_is_there_with_its_default() -> None:
    expected = {"base": '`"safekey"`'}
    for field in msgspec.structs.fields(Policy):
        word = WORDS_FOR_NONE.get(field.name)
        none = word is not None and field.default is None
        expected[field.name] = f'`"{word}"`' if none else in_toml(field.default)

    assert rows("[policy]") == expected


def test_every_word_is_there() -> None:
    outcomes = re.findall(r"^\| `(\w+)` \| [^|]*\|$", section("Answers"), re.MULTILINE)
    base = next(line for line in section("[policy]").splitlines() if line.startswith("| `base`"))

    assert outcomes == [str(outcome) for outcome in Outcome]
    assert re.findall(r'`"([\w-]+)"`', base) == list(POLICIES)
    for place in CARD_PLACES:
        assert f"`{{{place}}}`" in section("Places")
    for kind in KINDS:
        tag = kind.__struct_config__.tag
        assert re.search(rf'^### kind = "{tag}"', PAGE, re.MULTILINE), tag


def anchor(heading: str) -> str:
    """What a link to a heading says."""
    plain = re.sub(r"[^\w -]", "", heading.strip().lower())
    return plain.replace(" ", "-")


@pytest.mark.parametrize(
    "page", sorted((Path(__file__).parents[2] / "docs").rglob("*.md")), ids=lambda page: page.stem
)
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    text = _without_code(page.read_text("utf-8"))
    for target in re.findall(r"\]\((?!https?:)([^)\s]+)\)", text):
        name, _, place = target.partition("#")
        other = page if not name else (page.parent / name).resolve()
        assert other.exists(), target
        if place and other.suffix == ".md":
            headings = re.findall(r"^#+ (.*)$", _without_code(other.read_text("utf-8")), re.M)
            assert place in map(anchor, headings), target
