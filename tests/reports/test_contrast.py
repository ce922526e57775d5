"""Every ink can be read on its ground: WCAG AA, 4.5 to 1, in light and in dark."""

import re
from importlib.resources import files
from itertools import product

import pytest

CSS = (files("otpspec_reports") / "templates" / "report.css").read_text(encoding="utf-8")
LIGHT, DARK = (
    dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block))
    for block in re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)
)
THEMES = {"light": LIGHT, "dark": {**LIGHT, **DARK}}
VERDICTS = ("passed", "broken", "inconclusive", "not-applicable")
PAIRS = [
    ("ink", "page"), ("ink", "card"), ("ink", "code"),
    ("muted", "page"), ("muted", "card"), ("muted", "code"), ("accent", "page"), ("accent", "card"),
    *((verdict, f"{verdict}-bg") for verdict in VERDICTS),
    *((verdict, "card") for verdict in VERDICTS),
    *(("ink", f"{verdict}-bg") for verdict in VERDICTS),
]  # fmt: skip
SIGNS = [(f"{v}-solid", "card") for v in VERDICTS[:3]] + [
    (tone, ground) for tone in ("through", "refused") for ground in ("code", "card")
]


def contrast(one: str, other: str) -> float:
    """The ratio as WCAG 2 defines it."""

    def luminance(colour: str) -> float:
        parts = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
        red, green, blue = (
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize(("theme", "pair"), list(product(THEMES, PAIRS)))
def test_text_can_be_read(theme: str, pair: tuple[str, str]) -> None:
    ink, ground = (THEMES[theme][name] for name in pair)

    assert contrast(ink, ground) >= 4.5


@pytest.mark.parametrize(("theme", "pair"), list(product(THEMES, SIGNS)))
def test_what_is_not_text_can_be_told_apart(theme: str, pair: tuple[str, str]) -> None:
    ink, ground = (THEMES[theme][name] for name in pair)

    assert contrast(ink, ground) >= 3


def test_the_measure_itself_is_right() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
