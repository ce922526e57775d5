"""Real products, started for the tests that ask for them."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.products import running
from tests.products.install import installed
from tests.products.running import Product


def needs(name: str) -> None:
    """Skip the test where the product is not installed; fail it where CI says that it must be."""
    if installed(name):
        return
    reason = f"{name} is not installed here; run: python tests/products/install.py {name}"
    if os.environ.get("OTPSPEC_REQUIRE_PRODUCTS") == "1":
        pytest.fail(f"{reason} (OTPSPEC_REQUIRE_PRODUCTS=1)")
    pytest.skip(reason)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Product]]:
    """Starts products: start("privacyidea", workers=1, threads=1, …); see running.py."""
    started: list[Product] = []

    def begin(name: str, **how: object) -> Product:
        needs(name)
        folder = tmp_path / name
        folder.mkdir()
        started.append(getattr(running, name)(folder, **how))
        return started[-1]

    yield begin
    for product in started:
        running.end(product.process)
