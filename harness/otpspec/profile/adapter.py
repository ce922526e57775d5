"""What TOML cannot say: a Python class beside the profile, with the same operations.

    class Signed(Adapter):
        def prepare(self, request):          every request of an operation, before it is sent
        def read(self, operation, answer):   what an answer means, where no pattern can say it
        def start(self, values, **extra):    a whole operation: a generator that yields requests,
                                             is sent their answers, and returns a Reading

An adapter knows no socket: whatever it asks for goes through the guard, at the profile's pace, with
the payer's cookies, in checks and under load.
"""

import importlib
import sys
import traceback
from collections.abc import Collection, Generator, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from otpspec.errors import OtpspecError, Problem, ProfileError, TargetError
from otpspec.profile.answers import Raw, Reading
from otpspec.profile.compiled import Profile
from otpspec.profile.places import UnsayableError, Values
from otpspec.profile.requests import Operation, Request, Step


class Adapter:
    """What a profile's `target.adapter` names. Override what TOML cannot say, and leave the rest.

    A method with the name of an operation ("start", "verify", …) takes its place. `values` fills
    the places: "card.id", "otc"; `extra` is what a scenario adds to the request, for Step.build.
    """

    def __init__(self, profile: Profile) -> None:
        self.profile = profile

    def now(self) -> datetime:
        """The target's time, in UTC: also where its clock is moved. Real time under load."""
        return self.profile.time.now()

    def prepare(self, request: Request) -> Request:
        """A request of an operation as it is to be sent: `request._replace(headers=…)`.

        Called each time one is sent, also for a redirect that is followed, for one that is sent
        again after a while, and for those that a method of your own yields.
        """
        return request

    def read(self, operation: str, answer: Raw) -> Reading | None:
        """What an answer means, and what is kept of it; None: what the profile's patterns say."""
        return None

    def usual(
        self, operation: str, values: Values, **extra: Any
    ) -> Generator[Request, Raw, Reading]:
        """An operation as the profile has it, for a method that only adds to it."""
        return Operation.exchange(
            self.profile.operations[operation], values, self.profile.origins, **extra
        )


def fit(profile: Profile) -> None:
    """Have the profile's adapter take part in its operations, where it names one.

    Raises ProfileError where there is no such class.
    """
    if not profile.target.adapter:
        return
    fitted = _Fitted(_adapter(profile), profile)
    for operation in profile.operations.values():
        for step in operation.steps:
            step.read = partial(fitted.read, step.name, step.read)
        operation.build = partial(  # type: ignore[method-assign]
            fitted.build, operation.build
        )
        operation.exchange = partial(  # type: ignore[method-assign]
            fitted.exchange, operation
        )


class _Fitted:
    """An adapter whose mistakes are told as its own: they say nothing of the target."""

    def __init__(self, adapter: Adapter, profile: Profile) -> None:
        self._adapter = adapter
        self._profile = profile

    def build(self, usual: Any, values: Values, **extra: Any) -> Request:
        """An operation's decisive request, as it is to be sent."""
        return self._prepared(usual(values, **extra))

    def read(self, operation: str, usual: Any, raw: Raw) -> Reading:
        """What an answer means: by the adapter, else by the profile's patterns."""
        with self._blamed("read"):
            reading = self._adapter.read(operation, raw)
            _needs(reading, Reading | None)
        return usual(raw) if reading is None else reading

    def exchange(
        self, operation: Operation, values: Values, origins: Collection[str], **extra: Any
    ) -> Generator[Request, Raw, Reading]:
        """A whole operation; each of its requests prepared as it is sent."""
        method = getattr(self._adapter, operation.name, None)
        if method is None:
            going = Operation.exchange(operation, values, origins, **extra)
        else:
            going = self._own(partial(method, values, **extra), operation)
        raw: Any = None
        while True:
            try:
                request = going.send(raw)
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return]
            raw = yield self._prepared(request)

    def _own(self, method: Any, operation: Operation) -> Generator[Request, Raw, Reading]:
        """A method that takes an operation's place, and what it yields."""
        with self._blamed(operation.name, operation):
            going = method()
            _needs(going, Generator)
        raw: Any = None
        while True:
            try:
                with self._blamed(operation.name, operation):
                    request = going.send(raw)
                    _needs(request, Request)
            except StopIteration as end:
                with self._blamed(operation.name):
                    if raw is None:
                        raise TypeError("no request was yielded") from None
                    _needs(end.value, Reading)
                return end.value  # type: ignore[no-any-return]
            raw = yield request

    def _prepared(self, request: Request) -> Request:
        with self._blamed("prepare"):
            prepared = self._adapter.prepare(request)
            _needs(prepared, Request)
        return prepared

    @contextmanager
    def _blamed(self, method: str, operation: Operation | None = None) -> Iterator[None]:
        """What the adapter does wrong is its own. What an operation's usual requests lack is not.

        Raises TargetError: which method failed, and where.
        """
        try:
            yield
        except (StopIteration, OtpspecError, UnsayableError):
            raise
        except Exception as error:
            steps: list[Step] = [] if operation is None else operation.steps
            if isinstance(error, KeyError) and any(error.args[0] in step.names for step in steps):
                raise
            theirs = sys.modules[type(self._adapter).__module__].__file__
            frames = traceback.extract_tb(error.__traceback__)
            lines = [frame.lineno for frame in frames if frame.filename == theirs]
            where = f"{Path(theirs or '').name}, line {lines[-1]}" if lines else ""
            raise TargetError(
                f"{self._profile.target.adapter}, {method}: {type(error).__name__}: {error}\n"
                f"  profile   {self._profile.source}, target.adapter\n"
                + (f"  raised    {where}\n" if where else "")
                + "Try: mend the class; this says nothing about the target."
            ) from error


def _needs(value: object, wanted: Any) -> None:
    if not isinstance(value, wanted):
        name = getattr(wanted, "__name__", "Reading or None")
        raise TypeError(f"{type(value).__name__} is no {name}")


def _adapter(profile: Profile) -> Adapter:
    """The adapter of "module:Class", from the profile's own folder or any installed package."""
    name = profile.target.adapter
    module, colon, attribute = name.partition(":")
    if not colon or not module or not attribute:
        raise _problem(profile, f'"{name}" names no class; write it like "signing:Signed"')
    folder = str(Path(profile.folder).resolve())
    sys.path.insert(0, folder)
    try:
        found = getattr(importlib.import_module(module), attribute)
    except Exception as error:  # whatever the module itself does wrong
        raise _problem(profile, f"{name} cannot be imported: {error}") from error
    finally:
        sys.path.remove(folder)
    if not (isinstance(found, type) and issubclass(found, Adapter)):
        raise _problem(profile, f"{name} is no class that inherits from otpspec.Adapter")
    try:
        return found(profile)
    except Exception as error:
        raise _problem(profile, f"{name} cannot be made: {error}") from error


def _problem(profile: Profile, text: str) -> ProfileError:
    return ProfileError(profile.source, [Problem("target.adapter", text)])
