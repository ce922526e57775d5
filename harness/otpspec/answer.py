"""What the target said to one request, or to the requests of one operation."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from otpspec.exchange import Jar
from otpspec.outcome import Outcome
from otpspec.profile import Raw, Request


class Flown(NamedTuple):
    """How a request went that was released together with others; in the target's time."""

    lane: str  # "conn. 3": its connection
    released: datetime | None = None  # when its last byte was sent; None: never
    first: datetime | None = None  # when the first of the burst was
    unanswered: datetime | None = None  # when it was last looked at, and had no answer


@dataclass(frozen=True)
class Answer:
    """What the target said to one request, or to the requests of one operation.

    It was decided somewhere between `called` and `returned`, in the target's time.
    """

    request: Request = field(repr=False)
    status: int | None  # None: no answer came
    outcomes: frozenset[Outcome]
    captures: dict[str, Any] = field(default_factory=dict, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    error: str = ""  # why there is no answer
    dies: datetime | None = None  # a right code was sent: from then on it may have expired
    id: str = ""  # of the request, to be found in the target's own logs
    jar: Jar | None = field(default=None, repr=False)  # the cookies of the payer who asked
    label: str = ""  # what was asked, where the operation alone does not say it: "right code"
    flown: Flown | None = field(default=None, repr=False)  # None: it was asked by itself
    called: datetime = datetime.min
    returned: datetime = datetime.min

    @property
    def seen(self) -> str:
        """The body as a reader sees it: of a page the text, with single spaces."""
        return Raw(self.status or 0, self.headers, self.body).seen

    @property
    def operation(self) -> str:
        """What was asked: "verify"."""
        return self.request.operation

    def __str__(self) -> str:
        """'approved (HTTP 200)'."""
        if self.status is None:
            return f"no answer ({self.error})"
        return f"{' or '.join(sorted(self.outcomes))} (HTTP {self.status})"
