"""Cards that the harness makes up and enrols: nobody's numbers."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Card:
    """A card and its payer, as the harness knows them."""

    values: dict[str, Any] = field(repr=False)
    """What fills the places card.pan, card.csc, … and what enrolling captured, card.id."""

    tried: set[str] = field(default_factory=set, repr=False)
    """Codes that were sent to this card or tried on it: a wrong code is drawn from the others."""

    @property
    def csc(self) -> str:
        """Its three-digit card security code."""
        return str(self.values["card.csc"])

    @property
    def wrong_csc(self) -> str:
        """Three digits that are not its code, and no HTTP status either."""
        return str(700 + (int(self.csc) - 700 + 137) % 300)

    @property
    def phone(self) -> str:
        """The contact that codes are sent to."""
        return str(self.values["card.phone"])

    @property
    def passphrase(self) -> str:
        """What proves the payer to the bank, for a change of contact."""
        return str(self.values["card.passphrase"])

    def secrets(self) -> Iterator[str]:
        """The values that must never be written."""
        for key in ("card.pan", "card.csc", "card.passphrase"):
            yield str(self.values[key])


def new_phone() -> str:
    """A number that no one has: +999 is assigned to no country, and it is new for every call."""
    return "+999" + "".join(secrets.choice("0123456789") for _ in range(10))


def new_card() -> Card:
    """A card with a number that passes Luhn's check, of an issuer range that no one has."""
    stem = "9999" + "".join(secrets.choice("0123456789") for _ in range(11))
    # From 711 on: no HTTP status, and hardly a line's number, which would be masked as a secret.
    csc = secrets.choice("789") + "".join(secrets.choice("123456789") for _ in range(2))
    phone = new_phone()
    return Card(
        {
            "card.pan": stem + _check_digit(stem),
            "card.csc": csc,
            "card.phone": phone,
            "card.email": f"payer{phone[4:]}@example.com",
            "card.passphrase": secrets.token_urlsafe(12),
        }
    )


def _check_digit(stem: str) -> str:
    """Luhn's check digit, ISO/IEC 7812-1 annex B."""
    digits = [int(c) for c in stem]
    doubled = [d * 2 - 9 * (d > 4) for d in digits[::-2]]
    return str(-(sum(digits[-2::-2]) + sum(doubled)) % 10)
