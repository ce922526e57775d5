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
from collections.abc import Collection, Generator
from functools import partial
from pathlib import Path
from typing import Any

from otpspec.errors import Problem, ProfileError
from otpspec.profile.answers import Raw, Reading
from otpspec.profile.compiled import Profile
from otpspec.profile.places import Values
from otpspec.profile.requests import Operation, Request, Step


class Adapter:
    """What a profile's `target.adapter` names. Override what TOML cannot say, and leave the rest.

    A method with the name of an operation ("start", "verify", …) takes its place. `values` fills
    the places: "card.id", "otc"; `extra` is what a scenario adds to the request, for Step.build.
    """

    def __init__(self, profile: Profile) -> None:
        self.profile = profile

    def prepare(self, request: Request) -> Request:
        """A request of an operation as it is to be sent: `request._replace(headers=…)`."""
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
    adapter = _adapter(profile)
    for name, operation in profile.operations.items():
        for step in operation.steps:
            _fit_step(step, adapter)
        if (asked := getattr(adapter, name, None)) is not None:
            operation.exchange = partial(_exchange, asked)  # type: ignore[method-assign]


def _exchange(
    asked: Any, values: Values, origins: Collection[str], **extra: Any
) -> Generator[Request, Raw, Reading]:
    reading: Reading = yield from asked(values, **extra)
    return reading


def _fit_step(step: Step, adapter: Adapter) -> None:
    build, read, name = step.build, step.read, step.name

    def prepared(values: Values, **extra: Any) -> Request:
        return adapter.prepare(build(values, **extra))

    def understood(raw: Raw) -> Reading:
        reading = adapter.read(name, raw)
        return read(raw) if reading is None else reading

    step.build = prepared  # type: ignore[method-assign]
    step.read = understood


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
    return found(profile)


def _problem(profile: Profile, text: str) -> ProfileError:
    return ProfileError(profile.source, [Problem("target.adapter", text)])
