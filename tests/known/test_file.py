"""The file of known failures: what it says, and each mistake in it, word for word."""

import pickle
from datetime import date
from pathlib import Path

import pytest

from otpspec.errors import KnownFailuresError, OtpspecError, ProfileError
from otpspec.known import Entry, Known, load

TODAY = date(2026, 11, 22)


def written(folder: Path, text: str) -> str:
    path = folder / "known.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def problems(folder: Path, text: str) -> list[str]:
    """What is wrong with a file, without the line that names it."""
    source = written(folder, text)
    with pytest.raises(KnownFailuresError) as raised:
        load(source, today=TODAY)
    first, *rest = str(raised.value).splitlines()
    assert first == f"{source}: {len(rest)} problem{'s' if len(rest) > 1 else ''}"
    return rest


def test_an_entry_has_a_reason_and_may_have_a_date(tmp_path: Path) -> None:
    source = written(
        tmp_path,
        '[EXPIRY-2]\nreason = "the sweeper"\nuntil = 2027-01-31\n'
        '[RESEND-2]\nreason = "the old gateway"\n',
    )

    assert load(source, today=TODAY) == Known(
        source,
        {"EXPIRY-2": Entry("the sweeper", date(2027, 1, 31)), "RESEND-2": Entry("the old gateway")},
        TODAY,
    )


def test_a_file_may_be_empty_when_all_is_mended(tmp_path: Path) -> None:
    assert load(written(tmp_path, "# none at present\n"), today=TODAY).entries == {}


ONE_MISTAKE = {
    "rule that is near a known one": (
        '[EXPIRY-22]\nreason = "r"',
        "EXPIRY-22  is not in the rule catalogue; did you mean EXPIRY-2?",
    ),
    "rule in small letters": (
        '[expiry-2]\nreason = "r"',
        "expiry-2  is not in the rule catalogue; did you mean EXPIRY-2?",
    ),
    "rule that is near none": (
        '[W]\nreason = "r"',
        "W  is not in the rule catalogue; try: otpspec rules",
    ),
    "key outside of a table": (
        'reason = "r"',
        "reason  is not in the rule catalogue; try: otpspec rules",
    ),
    "rule that is no table": (
        'EXPIRY-2 = "the sweeper"',
        'EXPIRY-2  expected a table; write [EXPIRY-2], and below it reason = "…"',
    ),
    "unknown key that is near a known one": (
        '[EXPIRY-2]\nreason = "r"\nuntill = 2027-01-31',
        "EXPIRY-2.untill  unknown key; did you mean until?",
    ),
    "unknown key that is near none": (
        '[EXPIRY-2]\nreason = "r"\nowner = "me"',
        "EXPIRY-2.owner  unknown key; known: reason, until",
    ),
    "misspelled reason": (
        '[EXPIRY-2]\nreasn = "r"',
        "EXPIRY-2.reasn  unknown key; did you mean reason?",
    ),
    "missing reason": (
        "[EXPIRY-2]",
        "EXPIRY-2.reason  missing; say why the rule is known to be broken",
    ),
    "empty reason": (
        '[EXPIRY-2]\nreason = " "',
        "EXPIRY-2.reason  empty; say why the rule is known to be broken",
    ),
    "reason that is no text": (
        "[EXPIRY-2]\nreason = 1234",
        "EXPIRY-2.reason  expected text, got 1234",
    ),
    "date as text": (
        '[EXPIRY-2]\nreason = "r"\nuntil = "2027-01-31"',
        'EXPIRY-2.until  "2027-01-31" is not a date; '
        "write it without quotes or time: 2027-01-31",
    ),
    "date with a time": (
        '[EXPIRY-2]\nreason = "r"\nuntil = 2027-01-31T12:00:00Z',
        "EXPIRY-2.until  2027-01-31 12:00:00+00:00 is not a date; "
        "write it without quotes or time: 2027-01-31",
    ),
    "date that is a number": (
        '[EXPIRY-2]\nreason = "r"\nuntil = 2027',
        "EXPIRY-2.until  2027 is not a date; write it without quotes or time: 2027-01-31",
    ),
}  # fmt: skip


@pytest.mark.parametrize("mistake", ONE_MISTAKE)
def test_a_mistake_is_told_with_its_place_and_what_to_write(tmp_path: Path, mistake: str) -> None:
    text, message = ONE_MISTAKE[mistake]

    assert problems(tmp_path, text) == [f"  {message}"]


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    assert problems(
        tmp_path,
        '[EXPIRY-22]\nuntil = "soon"\n[LOCKOUT-1]\n[CSC-1]\nreason = ""\ncolour = "red"\n',
    ) == [
        "  EXPIRY-22         is not in the rule catalogue; did you mean EXPIRY-2?",
        '  EXPIRY-22.until   "soon" is not a date; write it without quotes or time: 2027-01-31',
        "  EXPIRY-22.reason  missing; say why the rule is known to be broken",
        "  LOCKOUT-1.reason  missing; say why the rule is known to be broken",
        "  CSC-1.reason      empty; say why the rule is known to be broken",
        "  CSC-1.colour      unknown key; known: reason, until",
    ]


def test_text_that_is_no_toml(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, "[EXPIRY-2]\nuntil = 2027-02-30\n")

    assert problem.startswith("  (file)  not TOML: Invalid date or datetime (at line 2")


def test_file_that_is_not_there(tmp_path: Path) -> None:
    source = str(tmp_path / "none.toml")

    with pytest.raises(KnownFailuresError) as raised:
        load(source, today=TODAY)

    assert str(raised.value) == (
        f"{source}: 1 problem\n  (file)  cannot be read: No such file or directory"
    )


def test_file_that_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "known.toml"
    path.write_bytes(b"\xff\xfe")

    with pytest.raises(KnownFailuresError) as raised:
        load(str(path), today=TODAY)

    assert str(raised.value) == (
        f"{path}: 1 problem\n  (file)  cannot be read: it is not UTF-8 text"
    )


def test_error_is_one_of_a_file_and_none_of_a_profile(tmp_path: Path) -> None:
    with pytest.raises(OtpspecError) as raised:
        load(str(tmp_path), today=TODAY)

    assert not isinstance(raised.value, ProfileError)
    copy = pickle.loads(pickle.dumps(raised.value))
    assert (type(copy), str(copy)) == (KnownFailuresError, str(raised.value))
