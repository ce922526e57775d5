"""A call that is not measured: an enrolment, a call to support."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from otpspec.load.talk import Talk
from otpspec.load.wire import Answer
from otpspec.outcome import Outcome

if TYPE_CHECKING:
    from otpspec.load.world import World

Done = Callable[[frozenset[Outcome], Mapping[str, Any], Any], None]
"""Is given the outcomes, what was captured, and the payer's cookies."""


class Hook:
    """One operation that nobody waits for."""

    def __init__(
        self,
        world: "World",
        operation: str,
        values: Mapping[str, Any],
        done: Done,
        failed: Callable[[str], None],
    ) -> None:
        self._world = world
        self._ask = world.asks.of[operation]
        self._values = values
        self._talk = Talk(world.asks, self._ask, values, None)
        self._done = done
        self._failed = failed
        self.data = b""
        self.due = self.sent = 0.0
        self.full = True

    def begin(self) -> None:
        """Ask. Raises TargetError where a place of the request has no value."""
        try:
            self.data, pool = self._talk.begin()
        except KeyError as error:
            raise self._world.asks.lacks(self._ask.name, error.args[0]) from error
        self.due = self._world.now()
        pool.submit(self)

    def answered(self, status: int, body: bytes, answer: Answer | None, returned: float) -> None:
        """An answer came."""
        world = self._world
        assert answer is not None  # noqa: S101 - it was asked for in full
        world.recorder.hook_answered()
        world.fire(self._ask, returned - self.sent, len(body), None, hook=True)
        following = self._talk.heard(answer)
        if following is not None:
            self.data, pool = following
            pool.submit(self)
            return
        assert self._talk.reading is not None  # noqa: S101 - it is over
        self._done(*self._talk.reading, self._talk.jar)

    def failed(self, why: str, returned: float) -> None:
        """No answer came."""
        world, name = self._world, self._ask.name
        world.recorder.unanswered(name, measured=False)
        world.fire(self._ask, returned - self.sent, 0, ConnectionError(why), hook=True)
        reason = f"no answer to {name} ({why})"
        world.recorder.trouble[reason] += 1
        world.check_hopeless(reason)
        self._failed(why)
