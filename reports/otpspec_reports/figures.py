"""How a figure is written."""

import re
from datetime import datetime, timedelta
from typing import Any

_ISO_DURATION = re.compile(r"PT?(?:(\d+)D)?T?(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?")
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"))


def duration(seconds: float) -> str:
    """A span in the unit that reads best: "0.4 ms", "12.5 s", "10 min", "1 h 5 min"."""
    if seconds < 1:
        return millis(seconds * 1000)
    if seconds < 60:
        return f"{_short(seconds)} s"
    left, parts = round(seconds), []
    for size, unit in _UNITS:
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {unit}")
    if left:
        parts.append(f"{left} s")
    return " ".join(parts[:2])


def millis(milliseconds: float) -> str:
    """A latency: three figures that matter, and its unit."""
    if milliseconds >= 10_000:
        return f"{milliseconds / 1000:,.1f} s"
    if milliseconds >= 100:
        return f"{milliseconds:,.0f} ms"
    if milliseconds >= 10:
        return f"{milliseconds:.1f} ms"
    return f"{_short(milliseconds)} ms"


def at(seconds: float) -> str:
    """A point in target time since the scenario began, to the millisecond."""
    return f"{seconds:,.3f}"


def moment(iso: str) -> str:
    """When, for people; what is not ISO 8601 stays as it is."""
    try:
        when = datetime.fromisoformat(iso)
    except ValueError:
        return iso
    return f"{when.day} {when:%b %Y, %H:%M:%S} {when.tzname() or ''}".strip()


def setting(value: Any) -> str:
    """A value of the policy: a duration as results.json holds it ("PT600S") as people say it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "none"
    if isinstance(value, timedelta):
        return duration(value.total_seconds())
    if isinstance(value, str) and value != "P" and (parts := _ISO_DURATION.fullmatch(value)):
        days, hours, minutes, seconds = (float(part or 0) for part in parts.groups())
        return duration(days * 86_400 + hours * 3_600 + minutes * 60 + seconds)
    return str(value)


def px(length: float) -> str:
    """A length in a drawing, to a tenth: "12", "12.5"."""
    return f"{length:.1f}".removesuffix(".0")


def _short(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
