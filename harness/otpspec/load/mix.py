"""Which behaviours a run plays: the profile's, or those that a program names."""

import importlib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from otpspec.errors import OtpspecError, Problem, ProfileError
from otpspec.load.steps import Share
from otpspec.profile import Profile
from otpspec.profile.mix import is_own

CATALOGUE = "otpspec_scenarios.load.behaviours"
"""Where the shipped behaviours are: found by name, since they are written with this package."""

DAY = f"{CATALOGUE}:DAY"
"""The people of a real day: the mix that is run unless another is named."""


def source_of(name: str, profile: Profile) -> str:
    """Whose the mix is that `find_mix` finds, for the reader of the results."""
    if not name and profile.load.mix:
        return f"[load.mix] of {profile.source}"
    if name in ("", DAY):
        return "a day at a bank (a judgement, and no bank's figures)"
    return name


def find_mix(name: str, profile: Profile) -> Sequence[Share]:
    """The mix that is named; where none is (""), the profile's, or else that of a real day.

    `name`: "package.module:NAME" of a sequence of Share. Raises OtpspecError where there is none,
    ProfileError where the profile's cannot be used.
    """
    if not name and profile.load.mix:
        return of_profile(profile)
    name = name or DAY
    module, _, attribute = name.partition(":")
    try:
        mix = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise OtpspecError(f"No mix of behaviours is named {name!r} ({error}).") from error
    if not mix or not all(isinstance(share, Share) for share in mix):
        raise OtpspecError(f"{name!r} is not a sequence of otpspec.load.Share.")
    return list(mix)


def of_profile(profile: Profile) -> list[Share]:
    """The mix of the profile. Raises ProfileError with every behaviour that cannot be found."""
    shipped = importlib.import_module(CATALOGUE).BEHAVIOURS
    found: list[Share] = []
    problems: list[Problem] = []
    for name, weight in profile.load.mix.items():
        try:
            behaviour = _own(name, profile.folder) if is_own(name) else shipped[name]
        except ValueError as error:
            problems.append(Problem(f"load.mix.{name}", str(error)))
        else:
            found.append(Share(weight, behaviour))
    if problems:
        raise ProfileError(profile.source, problems)
    return found


def _own(name: str, folder: Path) -> Callable[..., Any]:
    """The function of "module:function", from the profile's own folder or any installed package.

    Raises ValueError: what is wrong with it.
    """
    module, _, attribute = name.partition(":")
    place = str(folder.resolve())
    sys.path.insert(0, place)
    try:
        found: Any = getattr(importlib.import_module(module), attribute)
    except Exception as error:  # whatever the module itself does wrong
        raise ValueError(f"cannot be imported: {error}") from error
    finally:
        sys.path.remove(place)
    if not callable(found):
        raise ValueError("is no function; a behaviour takes a Shopper and yields steps")
    return found  # type: ignore[no-any-return]
