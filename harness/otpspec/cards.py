"""Cards: those that the harness makes up, nobody's numbers, and those of the profile."""

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

_SECRET = ("pan", "csc", "passphrase", "secret", "code", "pin", "password")


@dataclass
class Card:
    """A card and its payer, as the harness knows them."""

    values: dict[str, Any] = field(repr=False)
    """What fills the places card.pan, card.csc, … and what enrolling captured, card.id."""

    contacts: tuple[str, ...] = ("phone",)
    """Which of its contacts codes are sent to: phone, email, or both."""

    tried: set[str] = field(default_factory=set, repr=False)
    """Codes that were sent to this card or tried on it: a wrong code is drawn from the others."""

    wronged: bool = False
    """Whether anything but the right codes was ever sent for it."""

    like: str = field(default="", repr=False)
    """A code that was sent to it: what a wrong one must look like."""

    jar: Any = field(default=None, repr=False)
    """The cookies that enrolling it has left with its payer."""

    label: str = ""
    """How reports call one of the profile's own cards: nothing that identifies it in full."""

    starts: list[datetime] = field(default_factory=list, repr=False)
    """When transactions were started on it, in the target's time."""

    @property
    def csc(self) -> str:
        """Its three-digit card security code."""
        return str(self.values["card.csc"])

    @property
    def wrong_csc(self) -> str:
        """Three digits that are not its code, and no HTTP status either."""
        return str(700 + (int(self.csc) - 700 + 137) % 300)

    @property
    def contact(self) -> str:
        """The contact that codes are sent to; the first, where there are several."""
        return str(self.values[f"card.{self.contacts[0]}"])

    @contact.setter
    def contact(self, contact: str) -> None:
        self.values[f"card.{self.contacts[0]}"] = contact

    @property
    def passphrase(self) -> str:
        """What proves the payer to the bank, for a change of contact."""
        return str(self.values["card.passphrase"])

    @property
    def numbers(self) -> tuple[str, ...]:
        """Its numbers, whose last digits a message may show: none of them is a code."""
        return tuple(str(value) for value in self.values.values())

    def secrets(self) -> Iterator[str]:
        """The values that must never be written."""
        for key in _SECRET:
            if f"card.{key}" in self.values:
                yield str(self.values[f"card.{key}"])


def new_contact(kind: str) -> str:
    """A phone number or an address that no one has."""
    phone = new_phone()
    return phone if kind == "phone" else f"payer{phone[4:]}@example.com"


def new_phone() -> str:
    """A number that no one has: +999 is assigned to no country, and it is new for every call."""
    return f"+999{secrets.randbelow(10**10):010}"


def new_card(contacts: tuple[str, ...] = ("phone",)) -> Card:
    """A card with a number that passes Luhn's check, of an issuer range that no one has."""
    stem = f"9999{secrets.randbelow(10**11):011}"
    # From 711 on: no HTTP status, and hardly a line's number, which would be masked as a secret.
    among = secrets.randbelow(3 * 9 * 9)
    csc = f"{7 + among // 81}{1 + among // 9 % 9}{1 + among % 9}"
    phone = new_phone()
    return Card(
        {
            "card.pan": stem + _check_digit(stem),
            "card.csc": csc,
            "card.phone": phone,
            "card.email": f"payer{phone[4:]}@example.com",
            "card.passphrase": secrets.token_urlsafe(12),
        },
        contacts,
    )


def given_card(row: Mapping[str, str], number: int, contacts: tuple[str, ...]) -> Card:
    """One of the profile's own cards. `number` counts from 1."""
    name = row.get("label") or f"card {number}"
    pan = "".join(c for c in row.get("pan", "") if c.isdigit())
    label = name + (f" (…{pan[-4:]})" if len(pan) >= 12 else "")
    values = {"card.number": str(number)} | {f"card.{key}": value for key, value in row.items()}
    return Card(dict(values), contacts, label=label)


def _check_digit(stem: str) -> str:
    """Luhn's check digit, ISO/IEC 7812-1 annex B."""
    digits = [int(c) for c in stem]
    doubled = [d * 2 - 9 * (d > 4) for d in digits[::-2]]
    return str(-(sum(digits[-2::-2]) + sum(doubled)) % 10)
