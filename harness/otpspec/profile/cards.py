"""The cards that a target knows already: read from the profile, or from a file beside it."""

import csv
from pathlib import Path

from otpspec.policy import Policy
from otpspec.profile import schema
from otpspec.profile.reader import Findings

Row = dict[str, str]


def read(cards: schema.Cards, folder: Path, found: Findings) -> list[Row]:
    """The rows of [cards], those of the file after those of the table."""
    rows = [dict(row) for row in cards.given]
    if cards.csv is not None:
        rows += _from_file(folder / cards.csv, found)
        if not rows:
            found.add("cards.csv", f"{cards.csv} holds no card")
    if cards.max_locked is not None and cards.max_locked < 0:
        found.add("cards.max_locked", f"{cards.max_locked} is too small; at least 0")
    return rows


def check(rows: list[Row], profile: schema.Profile, policy: Policy, found: Findings) -> None:
    """Look whether every card has what the profile will ask of it, and is there once."""
    needed: set[str] = {inbox.contact for inbox in _inboxes(profile) if _sends(inbox)}
    if policy.csc != "never":
        needed.add("csc")
    if profile.operations.change_contact is not None:
        needed.add("passphrase")
    for name in sorted(needed):
        lacking = [number for number, row in enumerate(rows, 1) if not row.get(name)]
        if lacking:
            text = f"card {lacking[0]} has no {name}" + _and_others(len(lacking) - 1)
            found.add("cards", text)
    twice = {tuple(sorted(row.items())) for row in rows}
    if len(twice) < len(rows):
        found.add("cards", "the same card is listed twice: two scenarios would share it")
    if not rows and profile.operations.enroll is None:
        text = "missing; or list cards that the target knows in [[cards.given]] or cards.csv"
        found.add("operations.enroll", text)


def _inboxes(profile: schema.Profile) -> list[schema.Inbox]:
    return profile.inbox if isinstance(profile.inbox, list) else [profile.inbox]


def _sends(inbox: schema.Inbox) -> bool:
    return not isinstance(inbox, schema.TotpInbox | schema.StaticInbox)


def _and_others(more: int) -> str:
    return f", nor have {more} others" if more else ""


def _from_file(path: Path, found: Findings) -> list[Row]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines)
            rows = [(reader.line_num, row) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        found.add("cards.csv", f"{path.name} cannot be read: {why}")
        return []
    read = []
    for number, row in rows:
        if None in row or None in row.values():
            found.add("cards.csv", f"{path.name}, line {number}: not as many values as names")
        else:
            read.append({key.strip(): value.strip() for key, value in row.items()})
    return read
