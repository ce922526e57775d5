"""What a caller may send: each field is read here, or found malformed (None)."""

import re

_PAN = re.compile(r"[0-9]{12,19}")  # ISO/IEC 7812-1: the numbers of cards in use
_CSC = re.compile(r"[0-9]{3}")
_PHONE = re.compile(r"\+[0-9]{7,15}")  # ITU-T E.164: at most 15 digits
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_AMOUNT = re.compile(r"[0-9]{1,12}(\.[0-9]{1,2})?")
_CURRENCY = re.compile(r"[A-Z]{3}")  # ISO 4217

_LONGEST = 254


def _matching(pattern: re.Pattern[str], value: object) -> str | None:
    return value if isinstance(value, str) and pattern.fullmatch(value) else None


def pan(value: object) -> str | None:
    """A card number."""
    return _matching(_PAN, value)


def csc(value: object) -> str | None:
    """A card security code."""
    return _matching(_CSC, value)


def optional_csc(value: object) -> str | None:
    """A card security code, or "" where none was sent (absent, null and "" are the same)."""
    return "" if value is None or value == "" else csc(value)


def phone(value: object) -> str | None:
    """A telephone number, in international form."""
    return _matching(_PHONE, value)


def email(value: object) -> str | None:
    """An e-mail address, loosely: whether it exists is seen when a message arrives."""
    address = _matching(_EMAIL, value)
    return address if address and len(address) <= _LONGEST and address.isprintable() else None


def amount(value: object) -> str | None:
    """An amount of money, with at most two decimals."""
    return _matching(_AMOUNT, value)


def currency(value: object) -> str | None:
    """The code of a currency."""
    return _matching(_CURRENCY, value)


def merchant(value: object) -> str | None:
    """The payee's name. It goes into the message: a line break could forge one."""
    if not isinstance(value, str) or not value.strip() or len(value) > _LONGEST:
        return None
    return value if value.isprintable() else None


def passphrase(value: object) -> str | None:
    """What proves the card holder to the bank."""
    return value if isinstance(value, str) and value else None


def masked_phone(number: str) -> str:
    """Only the last digits, and not even how many there are."""
    return "*******" + number[-4:]


def masked_email(address: str) -> str:
    """The first letter and the domain."""
    name, _, domain = address.rpartition("@")
    return f"{name[0]}***@{domain}"
