"""One request whose answer is waited for, outside the run proper."""

from gevent.event import Event

from otpspec.load.engine import Engine
from otpspec.load.place import Place
from otpspec.load.wire import Answer


class NoAnswerError(Exception):
    """No answer came; the message says why. The request may have been carried out all the same."""


class _Once:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.due = self.sent = 0.0
        self.full = True
        self.answer: Answer | None = None
        self.why = ""
        self.over = Event()

    def answered(self, status: int, body: bytes, answer: Answer | None, returned: float) -> None:
        self.answer = answer
        self.over.set()

    def failed(self, why: str, returned: float) -> None:
        self.why = why
        self.over.set()


def exchange(place: Place, data: bytes, *, timeout: float) -> Answer:
    """Send a request's bytes over a connection of its own; its answer. Raises NoAnswerError."""
    call = _Once(data)

    def fail(error: Exception) -> None:
        call.failed(str(error), 0.0)

    engine = Engine(timeout=timeout, most=1, fail=fail)
    try:
        engine.pool(place).submit(call)
        call.over.wait()
    finally:
        engine.close()
    if call.answer is None:
        raise NoAnswerError(call.why)
    return call.answer
