"""The target's clock during a load run: read at its start and at its end."""

import math
import time
from collections.abc import Mapping
from typing import NamedTuple

from otpspec.errors import TargetError
from otpspec.load.once import NoAnswerError, exchange
from otpspec.load.place import Place
from otpspec.load.wire import encode
from otpspec.profile import Profile, Raw

SLACK_S = 1.0
"""Seconds of target time by which a clock may be off: many keep whole seconds."""


class Reading(NamedTuple):
    """What the target's clock showed, and when that was asked."""

    now: float  # seconds since 1970
    rate: float  # seconds of target time a second
    asked: float  # time.monotonic before and after
    told: float


def read(
    profile: Profile, places: Mapping[str, Place], *, within_s: float = math.inf
) -> Reading | None:
    """Read the target's clock; None where it has none of its own, and runs as real time does.

    `within_s`: for whom the profile's time-out is too long. Raises TargetError where it cannot be
    read.
    """
    operation = profile.clock.read
    if operation is None:
        return None
    place = places[operation.origin]
    asked = time.monotonic()
    try:
        data = encode(operation.build({}), place.host)
        timeout = min(profile.timeout.total_seconds(), within_s)
        answer = exchange(place, data, timeout=timeout)
        told = time.monotonic()
        if answer.status != 200:
            raise ValueError(f"HTTP {answer.status}")
        captured = operation.captured(Raw(answer.status, answer.headers, answer.body))
        return Reading(float(captured["now"]), float(captured.get("rate") or 1.0), asked, told)
    except (NoAnswerError, ValueError, TypeError, KeyError) as error:
        raise TargetError(
            f"The clock of {profile.base_url} cannot be read ({error}).\n"
            f"  profile   {profile.source}, [clock]\n"
            "Try: check --base-url, and that tokens in the environment are this server's."
        ) from error


def drift(first: Reading, last: Reading) -> str:
    """Why time cannot be judged between two readings; empty where it can."""
    shown = last.now - first.now
    least = (last.asked - first.told) * first.rate - SLACK_S
    most = (last.told - first.asked) * first.rate + SLACK_S
    if last.rate == first.rate and least <= shown <= most:
        return ""
    return (
        f"someone else moved the target's clock: it went {shown:.1f} s on during the run, "
        f"and {least + SLACK_S:.1f} s were due"
    )


def describe(reading: Reading | None) -> str:
    """How the target's time runs, in a few words."""
    if reading is None or reading.rate == 1.0:
        return "real time"
    return f"runs {reading.rate:g} times as fast as real time"
