"""What time it is at the target, as its own answers show it: for clocks that have no endpoint."""

from collections.abc import Awaitable, Callable, Mapping
from email.utils import parsedate_to_datetime

from otpspec.clock import Reading
from otpspec.errors import ClockError

DATE_BEHIND = 2.0
"""Seconds by which a Date header may be behind: it has whole seconds (RFC 9110, 5.6.7), and many
servers (uvicorn, Node, nginx) make it once a second and send it again until the next."""

Headers = Callable[[], Awaitable[Mapping[str, str]]]
"""Asks the target for anything; the headers of its answer, names in lower case."""


class DateHeader:
    """The target's time by the Date header of its answers.

    `place` is where the target is, for messages.
    """

    def __init__(self, ask: Headers, place: str) -> None:
        self._ask = ask
        self._place = place

    async def __call__(self) -> Reading:
        """Read it. Raises ClockError where there is none."""
        return date_of(await self._ask(), self._place)


def date_of(headers: Mapping[str, str], place: str) -> Reading:
    """What time an answer shows. Raises ClockError where it shows none."""
    date = headers.get("date")
    if date is None:
        raise ClockError(
            f"The answers of {place} have no Date header, so nobody sees whether its clock moves.\n"
            "No rule was checked, so this says nothing about the target.\n"
            "Try: declare [clock.read] in the profile, a request whose answer shows the target's "
            "time; or let its server send the Date header."
        )
    try:
        return Reading(parsedate_to_datetime(date).timestamp(), behind=DATE_BEHIND)
    except ValueError as error:
        raise ClockError(
            f'The Date header of {place} is no date: "{date}".\n'
            "No rule was checked, so this says nothing about the target.\n"
            "Try: declare [clock.read] in the profile, a request whose answer shows the target's "
            "time."
        ) from error
