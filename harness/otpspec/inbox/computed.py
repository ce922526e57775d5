"""Codes that nobody sends: made of a secret and the time (RFC 6238, RFC 4226)."""

import base64
import hmac
import re
import struct

_BASE32 = re.compile(r"[A-Z2-7]*")
ALGORITHMS = ("SHA1", "SHA256", "SHA512")


def totp(
    secret_base32: str,
    when_epoch_s: float,
    digits: int = 6,
    period_s: float = 30,
    algorithm: str = "SHA1",
) -> str:
    """The code of a moment, in seconds since 1970 (RFC 6238 4.2).

    The secret may be in any case, in groups, and without its padding. Raises ValueError where
    it is no base32, and where another value is none that the RFC knows.
    """
    if period_s <= 0:
        raise ValueError(f"the period is {period_s:g} s; it must be more than 0")
    if when_epoch_s < 0:
        raise ValueError("a time before 1970 has no code")
    return hotp(secret_base32, int(when_epoch_s // period_s), digits, algorithm)


def hotp(secret_base32: str, counter: int, digits: int = 6, algorithm: str = "SHA1") -> str:
    """The code of a counter (RFC 4226 5.3). Raises ValueError as totp does."""
    if algorithm not in ALGORITHMS:
        raise ValueError(f"no algorithm {algorithm!r}; write one of {', '.join(ALGORITHMS)}")
    if not 1 <= digits <= 10:
        raise ValueError(f"{digits} digits; a code has 1 to 10")
    mac = hmac.new(_key(secret_base32), struct.pack(">Q", counter), algorithm.lower()).digest()
    offset = mac[-1] & 0x0F
    number = int.from_bytes(mac[offset : offset + 4], "big") & 0x7FFF_FFFF
    return str(number % 10**digits).zfill(digits)


def _key(secret_base32: str) -> bytes:
    """The secret's bytes. Its text is in no message: whoever has it has every code."""
    text = re.sub(r"[\s-]", "", secret_base32).upper().rstrip("=")
    if not text:
        raise ValueError("the secret is empty; write it in base32")
    good = _BASE32.match(text)
    if good is not None and good.end() < len(text):
        raise ValueError(
            f"the secret is not base32: its character {good.end() + 1}, spaces not counted, "
            "is none of A to Z and 2 to 7"
        )
    if len(text) % 8 in (1, 3, 6):
        raise ValueError(f"the secret is not base32: {len(text)} characters, so some are missing")
    return base64.b32decode(text + "=" * (-len(text) % 8))
