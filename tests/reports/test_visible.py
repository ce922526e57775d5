"""Hostile text is shown, and does nothing."""

import pytest

from otpspec_reports.visible import cut, one_line, visible


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("\x1b[2Jgone", r"\x1b[2Jgone"),
        ("bell\x07", r"bell\x07"),
        ("nul\x00", r"nul\x00"),
        ("right\u202eto left", r"right\u202eto left"),
        ("no\u00a0break", r"no\xa0break"),
        ("zero\u200bwidth", r"zero\u200bwidth"),
        ("half \ud800", r"half \ud800"),
        ("not a character \ufffe", r"not a character \ufffe"),
        ("over\rwritten", r"over\rwritten"),
        ("\u2028line", r"\u2028line"),
        ("tag \U000e0041", r"tag \U000e0041"),
    ],
)
def test_what_would_act_on_a_screen_is_written_out(hostile: str, shown: str) -> None:
    assert visible(hostile) == shown


@pytest.mark.parametrize("text", ["", "plain", "two\nlines\tand a tab", "naïve café ✓ 卡 ١٢٣"])
def test_what_can_be_read_stays(text: str) -> None:
    assert visible(text) == text


def test_line_ends_of_the_network_are_line_ends() -> None:
    assert visible("one\r\ntwo") == "one\ntwo"


def test_one_line_is_one_line() -> None:
    assert one_line("  one\r\n two\t three ") == "one two three"


def test_what_is_cut_off_is_counted() -> None:
    assert cut("a" * 1_510, 10) == "aaaaaaaaaa… (1,500 more characters)"
    assert cut("a" * 10, 10) == "aaaaaaaaaa"
