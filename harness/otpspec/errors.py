"""What can go wrong before anything can be judged.

    OtpspecError
    ├── FileError          a file cannot be used: all its problems at once
    │   ├── ProfileError       the profile
    │   ├── KnownFailuresError the file of known failures
    │   └── HistoryError       a history of operations
    ├── TargetError        the target cannot be used: down, another server, a refused token
    │   └── NotAllowedError    an address that this run may not connect to
    └── ClockError         the target's clock does not do what the profile says

The command line ends with exit code 2 on each of them and prints the message as it is.
"""

from dataclasses import dataclass


class OtpspecError(Exception):
    """Something that the user can mend; the message says where, what, and what to do next."""


@dataclass(frozen=True)
class Problem:
    """One mistake in a file."""

    place: str  # the key's path: "policy.validity"
    text: str  # what is wrong, and what to write instead


class FileError(OtpspecError):
    """A file that cannot be used.

    `problems` holds every one that was found, in the order of the file.
    """

    def __init__(self, source: str, problems: list[Problem]) -> None:
        self.source = source
        self.problems = problems
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        width = min(max((len(problem.place) for problem in problems), default=0), 40)
        lines = [f"  {problem.place:<{width}}  {problem.text}" for problem in problems]
        super().__init__("\n".join([f"{source}: {count}", *lines]))

    def __reduce__(self) -> tuple[type["FileError"], tuple[str, list[Problem]]]:
        """Another process may have read the file."""
        return type(self), (self.source, self.problems)


class ProfileError(FileError):
    """A profile that cannot be used."""


class KnownFailuresError(FileError):
    """A file of known failures that cannot be used."""


class HistoryError(FileError):
    """A history that cannot be judged; no line of it is skipped."""


class TargetError(OtpspecError):
    """A target that cannot be used."""


class NotAllowedError(TargetError):
    """An address that this run may not connect to."""


class ClockError(OtpspecError):
    """A clock that does not do what the profile says."""
