"""The target's clock during a load run: read at its start and at its end."""

import math
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import NamedTuple

from otpspec.errors import TargetError
from otpspec.load.once import NoAnswerError, exchange
from otpspec.load.place import Place
from otpspec.load.wire import Answer, encode
from otpspec.profile import Profile, Raw, Request

SLACK_S = 1.0
"""Seconds of target time by which a clock may be off: many keep whole seconds."""


DATE_SLACK_S = 2.0
"""The same of a Date header, in seconds of real time: it has whole seconds, and many servers make
it once a second, which a clock that is made to run fast does not make more often."""


FAKED = ", by libfaketime in the target's process; a database beside it keeps its own time"


class Reading(NamedTuple):
    """What the target's clock showed, and when that was asked."""

    now: float  # seconds since 1970
    rate: float  # seconds of target time a second
    asked: float  # time.monotonic before and after
    told: float
    slack: float = SLACK_S  # by how much it may be off
    by: str = ""  # what makes it run so, where that is not the target itself


def read(
    profile: Profile, places: Mapping[str, Place], *, within_s: float = math.inf
) -> Reading | None:
    """Read the target's clock; None where it has none of its own, and runs as real time does.

    `within_s`: for whom the profile's time-out is too long. Raises TargetError where it cannot be
    read.
    """
    operation, rate, slack = profile.clock.read, None, SLACK_S
    faked = profile.clock.kind == "faketime"
    if faked:
        rate = profile.load.clock_rate
        slack = SLACK_S if operation is not None else DATE_SLACK_S * rate
    elif operation is None:
        return None
    origin = profile.origin if operation is None else operation.origin
    place = places[origin]
    asked = time.monotonic()
    try:
        request = _ready(profile) if operation is None else operation.build({})
        data = encode(request, place.host)
        timeout = min(profile.timeout.total_seconds(), within_s)
        answer = exchange(place, data, timeout=timeout)
        told = time.monotonic()
        if operation is None:
            return Reading(_date(answer), profile.load.clock_rate, asked, told, slack, FAKED)
        if answer.status != 200:
            raise ValueError(f"HTTP {answer.status}")
        captured = operation.captured(Raw(answer.status, answer.headers, answer.body))
        rate = float(captured.get("rate") or 1.0) if rate is None else rate
        by = FAKED if faked else ""
        return Reading(float(captured["now"]), rate, asked, told, slack, by)
    except (NoAnswerError, ValueError, TypeError, KeyError) as error:
        raise TargetError(
            f"The clock of {profile.base_url} cannot be read ({error}).\n"
            f"  profile   {profile.source}, [clock]\n"
            "Try: check --base-url, and that tokens in the environment are this server's."
        ) from error


def _ready(profile: Profile) -> Request:
    """A request to which the target answers, whatever it says."""
    path = "/" if profile.launch is None else profile.launch.ready
    return Request("clock read", "GET", path, (), b"", profile.origin)


def _date(answer: Answer) -> float:
    """The Date header as seconds since 1970. Raises ValueError, KeyError where there is none."""
    return parsedate_to_datetime(answer.headers["date"]).timestamp()


def drift(first: Reading, last: Reading) -> str:
    """Why time cannot be judged between two readings; empty where it can."""
    shown = last.now - first.now
    slack = max(first.slack, last.slack)
    least = (last.asked - first.told) * first.rate - slack
    most = (last.told - first.asked) * first.rate + slack
    if last.rate == first.rate and least <= shown <= most:
        return ""
    return (
        f"someone else moved the target's clock, or it does not run as the profile says: it went "
        f"{shown:.1f} s on during the run, and {least + slack:.1f} s were due"
    )


def describe(reading: Reading | None) -> str:
    """How the target's time runs, in a few words."""
    if reading is None or reading.rate == 1.0:
        return "real time"
    return f"runs {reading.rate:g} times as fast as real time{reading.by}"
