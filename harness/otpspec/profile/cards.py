"""The cards that a target knows already: read from the profile, or from a file beside it."""

import csv
from pathlib import Path
from typing import Any

import msgspec

from otpspec.policy import Policy
from otpspec.profile import schema
from otpspec.profile.places import compile_tree, names_in
from otpspec.profile.reader import Findings

Row = dict[str, str]

MADE_UP = ("pan", "csc", "phone", "email", "passphrase")
"""What a card has that the harness makes up."""


def read(cards: schema.Cards, folder: Path, found: Findings) -> list[Row]:
    """The rows of [cards], those of the file after those of the table."""
    rows = [dict(row) for row in cards.given]
    if cards.csv is not None and (of_file := _from_file(folder, cards.csv, found)) is not None:
        rows += of_file
        if not of_file:
            found.add("cards.csv", f"{cards.csv} holds no card")
    if cards.max_locked is not None and cards.max_locked < 0:
        found.add("cards.max_locked", f"{cards.max_locked} is too small; at least 0")
    return rows


def check(rows: list[Row], profile: schema.Profile, policy: Policy, found: Findings) -> None:
    """Look whether every card has what the profile will ask of it, and is there once."""
    needed = _asked_of_a_card(profile)
    needed |= {inbox.contact for inbox in _inboxes(profile) if _sends(inbox)}
    if policy.csc != "never":
        needed.add("csc")
    if profile.operations.change_contact is not None:
        needed.add("passphrase")
    for name in sorted(needed):
        lacking = [number for number, row in enumerate(rows, 1) if not row.get(name)]
        if lacking:
            text = f"card {lacking[0]} has no {name}" + _and_others(len(lacking) - 1)
            found.add("cards", text)
    different = {row.get("pan") or tuple(sorted(row.items())) for row in rows}
    if len(different) < len(rows):
        found.add("cards", "the same card is listed twice: two scenarios would share it")
    labels = [row["label"] for row in rows if row.get("label")]
    if len(set(labels)) < len(labels):
        found.add("cards", "two cards have the same label: what each went through is noted by it")
    if profile.cards.made_up:
        _check_made_up(profile, found)
    elif profile.operations.enroll is None and profile.cards == schema.Cards():
        text = (
            "missing; or list cards that the target knows in [[cards.given]] or cards.csv; "
            "or, where it takes any phone or address, write cards.made_up = true"
        )
        found.add("operations.enroll", text)


def _check_made_up(profile: schema.Profile, found: Findings) -> None:
    """Cards come from one place only, and have no other values than a card that is made up."""
    if profile.operations.enroll is not None:
        text = "true, and there is [operations.enroll], which makes them known; take one away"
        found.add("cards.made_up", text)
    if profile.cards.given or profile.cards.csv is not None:
        text = "true, and cards are listed beside it; take one away"
        found.add("cards.made_up", text)
    for name in sorted(_asked_of_a_card(profile) - set(MADE_UP)):
        known = ", ".join(MADE_UP)
        found.add("cards.made_up", f"a card that is made up has no {name}; it has {known}")


def _asked_of_a_card(profile: schema.Profile) -> set[str]:
    """The names in places {card.…} that no answer fills: these cards are never enrolled."""
    texts: list[Any] = [getattr(inbox, "secret", None) for inbox in _inboxes(profile)]
    texts += [getattr(inbox, "otc", None) for inbox in _inboxes(profile)]
    asked = {name for _, name in names_in(compile_tree(texts), "")}
    for operation, requests in msgspec.structs.asdict(profile.operations).items():
        if operation == "enroll" or requests is None:
            continue
        captured: set[str] = set()
        for request in requests if isinstance(requests, list) else [requests]:
            tree = compile_tree([getattr(request, key) for key in schema.TEXTS])
            asked |= {name for _, name in names_in(tree, "")} - captured
            if operation in ("unlock", "change_contact"):
                captured |= {f"card.{name}" for name in request.capture}
    enroll = profile.operations.enroll or []
    for request in enroll if isinstance(enroll, list) else [enroll]:
        asked -= {f"card.{name}" for name in request.capture}  # they are enrolled anew, then
    return {name.removeprefix("card.") for name in asked if name.startswith("card.")}


def _inboxes(profile: schema.Profile) -> list[schema.Inbox]:
    return profile.inbox if isinstance(profile.inbox, list) else [profile.inbox]


def _sends(inbox: schema.Inbox) -> bool:
    return not isinstance(inbox, schema.TotpInbox | schema.StaticInbox)


def _and_others(more: int) -> str:
    return f", nor have {more} others" if more else ""


def _from_file(folder: Path, name: str, found: Findings) -> list[Row] | None:
    """The rows of a file; None where it is not a file of rows."""
    try:
        with (folder / name).open(encoding="utf-8-sig", newline="") as lines:
            separator = max(",;\t", key=lines.readline().count)  # ; where the comma is in numbers
            lines.seek(0)
            reader = csv.DictReader(lines, delimiter=separator)
            rows = [(reader.line_num, row) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        found.add("cards.csv", f"{name} cannot be read: {why}")
        return None
    bad = [number for number, row in rows if None in row or None in row.values()]
    for number in bad:
        found.add("cards.csv", f"{name}, line {number}: not as many values as names")
    if bad:
        return None
    return [{key.strip(): value.strip() for key, value in row.items()} for _, row in rows]
