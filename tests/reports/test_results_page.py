"""docs/reference/results.md and the structs of results.json say the same."""

import re
from pathlib import Path

import msgspec
import pytest

import otpspec.results as schema
from otpspec.results import Results

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "results.md").read_text(encoding="utf-8")
STRUCTS = {
    name: struct
    for name, struct in vars(schema).items()
    if isinstance(struct, type) and issubclass(struct, msgspec.Struct)
}


def section(name: str) -> str:
    """What the page says under a heading."""
    (found,) = re.findall(rf"^## {name}\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    return str(found)


@pytest.mark.parametrize("name", STRUCTS)
def test_every_field_has_a_row_and_every_row_a_field(name: str) -> None:
    fields = [field.encode_name for field in msgspec.structs.fields(STRUCTS[name])]

    rows = re.findall(r"^\| `(\w+)` \|", section(name), re.MULTILINE)

    assert rows == fields


@pytest.mark.parametrize("name", STRUCTS)
def test_a_field_with_a_default_says_so(name: str) -> None:
    for field in msgspec.structs.fields(STRUCTS[name]):
        optional = not field.required and field.name != "schema_version"
        (row,) = re.findall(rf"^\| `{field.name}` .*$", section(name), re.MULTILINE)
        assert ("default" in row.split("|")[2]) == optional, field.name


@pytest.mark.parametrize("name", STRUCTS)
def test_a_row_has_type_unit_and_meaning_and_the_unit_is_that_of_the_name(name: str) -> None:
    units = {"_per_s": "per second", "_ms": "milliseconds", "_s": "seconds"}
    for row in re.findall(r"^\| `.*$", section(name), re.MULTILINE):
        field, kind, unit, meaning = (cell.strip() for cell in row.strip("|").split("|"))
        assert kind
        assert meaning
        for suffix, word in units.items():
            if field.strip("`").endswith(suffix):
                assert word in unit
                break


def test_the_example_is_of_this_schema() -> None:
    (example,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)

    results = msgspec.json.decode(example, type=Results)

    for struct in (results, results.rules[0], results.rules[0].evidence[0]):
        assert all(f'"{field.name}"' in example for field in msgspec.structs.fields(struct))
    assert results.schema_version == schema.SCHEMA_VERSION


def test_every_link_leads_to_a_section() -> None:
    for target in re.findall(r"\]\(#(\w+)\)", PAGE):
        assert target in {name.lower() for name in STRUCTS}
        assert section(next(name for name in STRUCTS if name.lower() == target))
