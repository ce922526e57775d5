"""ARCHITECTURE.md names the layers that import-linter holds, in their order."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def held() -> list[list[str]]:
    """The layers of pyproject.toml, from the top; each the modules that may stand in it."""
    read = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    (contract,) = (c for c in read["tool"]["importlinter"]["contracts"] if c["type"] == "layers")
    return [[name.strip() for name in layer.split("|")] for layer in contract["layers"]]


def drawn() -> list[list[str]]:
    """The layers of the page: "otpspec.target  frozen", and after more spaces what it is."""
    page = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    (block,) = re.findall(r"## Layers.*?```\n(.*?)```", page, re.DOTALL)
    layers = []
    for line, modules in zip(block.splitlines(), held(), strict=True):
        first, *others = line.split()[: len(modules)]
        layers.append([first, *(f"otpspec.{name}" for name in others)])
    return layers


def test_the_page_draws_the_layers_that_are_held() -> None:
    assert drawn() == held()
