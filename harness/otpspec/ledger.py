"""What each of the profile's own cards has gone through, kept beside the profile across runs."""

import os
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

import msgspec

from otpspec.errors import OtpspecError
from otpspec.profile import Profile


class State(StrEnum):
    """What a card is known to be in."""

    UNKNOWN = "unknown"  # nobody has noted anything: it may have been used by hand
    CLEAN = "clean"  # brought to a known state by this run, and not used since
    USED = "used"
    SET_ASIDE = "set_aside"  # it cannot be brought to a known state


class _Entry(msgspec.Struct, kw_only=True):
    state: State
    at: datetime
    why: str = ""


class _File(msgspec.Struct, kw_only=True):
    version: int = 1
    cards: dict[str, _Entry] = {}


class Ledger:
    """The file beside a profile: card to what became of it. Cards are named by their labels, which
    identify none in full."""

    def __init__(self, path: Path | None, *, may_retry: bool = True) -> None:
        """`path`: None keeps nothing. `may_retry`: whether cards that were set aside are tried
        again, since they can be unlocked or enrolled anew.

        Raises OtpspecError where the file cannot be read.
        """
        self.name = "" if path is None else path.name
        self._path = path
        self._file = _File()
        if path is not None and path.exists():
            self._file = _read(path)
        for entry in self._file.cards.values():
            # A card that was clean when a run ended may have been used by anyone since.
            if entry.state is not State.SET_ASIDE or may_retry:
                entry.state = State.UNKNOWN

    @classmethod
    def beside(cls, profile: Profile, *, read_only: bool = False) -> "Ledger":
        """The ledger of a profile."""
        may_retry = bool({"unlock", "enroll"} & profile.operations.keys())
        may_retry |= profile.policy.lock_for is not None
        source = Path(profile.source)
        path = source.with_suffix(".cards.json") if source.suffix == ".toml" else None
        ledger = cls(path, may_retry=may_retry)
        if read_only:
            ledger._path = None
        return ledger

    def state(self, label: str) -> State:
        """What a card is known to be in."""
        entry = self._file.cards.get(label)
        return State.UNKNOWN if entry is None else entry.state

    def why(self, label: str) -> str:
        """Why a card was set aside."""
        entry = self._file.cards.get(label)
        return "" if entry is None else entry.why

    def note(self, label: str, state: State, why: str = "") -> None:
        """Note what became of a card. It is written at once: a run may be killed."""
        self._file.cards[label] = _Entry(state=state, at=datetime.now(UTC), why=why)
        self.write()

    def write(self) -> None:
        """Write the file, whole or not at all."""
        if self._path is None:
            return
        text = msgspec.json.format(msgspec.json.encode(self._file), indent=1)
        temporary = self._path.with_suffix(".tmp")
        try:
            temporary.write_bytes(text)
            os.replace(temporary, self._path)  # noqa: PTH105 - whole or not at all
        except OSError as error:
            raise OtpspecError(
                f"What the cards went through cannot be noted in {self._path} ({error.strerror}).\n"
                "Try: make the profile's folder writable; the next run relies on it."
            ) from error


def _read(path: Path) -> _File:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_File)
    except (OSError, msgspec.DecodeError, msgspec.ValidationError) as error:
        raise OtpspecError(
            f"{path} cannot be read ({error}).\n"
            "It holds what the profile's cards went through in earlier runs.\n"
            "Try: delete it, if every card has been unlocked since."
        ) from error
