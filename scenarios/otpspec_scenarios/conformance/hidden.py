"""A code that is sent to the payer's browser in disguise: encoded, or as a digest of itself."""

import base64
import hashlib
import re
import zlib
from collections.abc import Iterator

_ENCODED = re.compile(r"[A-Za-z0-9+/_-]{12,}")
_LONGEST = 100_000


def unpacked(text: str) -> Iterator[str]:
    """What stands in the parts of a text that may be base64: a session cookie, a token (JWT).

    A session that is only signed can be read by whoever has it.
    """
    for part in _ENCODED.findall(text):
        plain = part.replace("-", "+").replace("_", "/")
        try:
            raw = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
        except ValueError:
            continue
        yield raw.decode("latin-1")
        if raw[:1] == b"x":  # some compress it first
            try:
                yield zlib.decompressobj().decompress(raw, _LONGEST).decode("latin-1")
            except zlib.error:
                continue


def digests(code: str) -> list[str]:
    """Digests of a code, in lower case: a million tries find which code it is of."""
    return [hashlib.new(name, code.encode()).hexdigest() for name in ("md5", "sha1", "sha256")]
