"""How many requests in which time: "20/s"."""

import re
from typing import NamedTuple

_RATE = re.compile(r"(\d+(?:\.\d+)?)/(s|m|min|h)")
_SECONDS = {"s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


class Rate(NamedTuple):
    """So many in a second."""

    per_s: float

    @classmethod
    def parse(cls, text: str) -> "Rate":
        """Read a text like "20/s" or "90/m". Raises ValueError with what to write instead."""
        match = _RATE.fullmatch(text.strip().replace(" ", ""))
        if match is None or float(match[1]) <= 0:
            raise ValueError(f'"{text}" is not a rate; write it like "20/s" or "90/m"')
        return cls(float(match[1]) / _SECONDS[match[2]])
