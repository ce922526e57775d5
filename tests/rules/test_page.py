"""docs/reference/rules.md is what the catalogue says, and profile.md knows every switch."""

import re
import runpy
from pathlib import Path

from otpspec.policy import Policy

DOCS = Path(__file__).parents[2] / "docs"


def test_page_is_made_from_the_catalogue() -> None:
    made = runpy.run_path(str(DOCS / "rules_page.py"))

    written = (DOCS / "reference" / "rules.md").read_text(encoding="utf-8")

    assert written == made["page"](), "try: python docs/rules_page.py"


def test_profile_page_has_a_row_for_every_switch_of_a_policy() -> None:
    page = (DOCS / "reference" / "profile.md").read_text(encoding="utf-8")
    (table,) = re.findall(r"^## \[policy\].*?(?=^## )", page, re.MULTILINE | re.DOTALL)

    rows = re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)

    assert rows == ["base", *Policy.__struct_fields__]
