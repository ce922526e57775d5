"""What can be asked of a target about one card, as the model sees it."""

from enum import StrEnum

import msgspec


class Csc(StrEnum):
    """What was sent as the 3CSC."""

    RIGHT = "right"
    WRONG = "wrong"
    MISSING = "missing"
    NOT_ASKED = "not_asked"  # the target did not ask for one, and none was sent


class Start(msgspec.Struct, frozen=True, tag=True, gc=False):
    """A transaction is requested, and a code is sent.

    `challenge` is the number that the harness gives it, rising within the card. `code` is what the
    message said, None while it is not known. `csc_required` is whether the target will ask for the
    3CSC, None where it does not tell. `seen` is when the message was seen, in seconds of target
    time: the code's life starts between the call and then.
    """

    challenge: int
    code: str | None = None
    csc_required: bool | None = False
    seen: float | None = None


class Verify(msgspec.Struct, frozen=True, tag=True, gc=False):
    """A well-formed OTC is sent for a challenge, with or without a 3CSC."""

    challenge: int
    otc: str
    csc: Csc = Csc.NOT_ASKED


class Malformed(msgspec.Struct, frozen=True, tag=True, gc=False):
    """Something that does not have the form of an OTC (or of a 3CSC) is sent for a challenge."""

    challenge: int


class Resend(msgspec.Struct, frozen=True, tag=True, gc=False):
    """The code is asked for again. `code` and `seen` as for Start; not used with `reuse`."""

    challenge: int
    code: str | None = None
    seen: float | None = None


class Amend(msgspec.Struct, frozen=True, tag=True, gc=False):
    """Amount or payee is changed: the code dies and another is sent. PSD2 RTS 5(1)(d)."""

    challenge: int
    code: str | None = None
    csc_required: bool | None = False
    seen: float | None = None


class Cancel(msgspec.Struct, frozen=True, tag=True, gc=False):
    """The payer gives a transaction up."""

    challenge: int


class Unlock(msgspec.Struct, frozen=True, tag=True, gc=False):
    """Support unlocks the card."""


class ChangeContact(msgspec.Struct, frozen=True, tag=True, gc=False):
    """The card's contact is changed, with the right proof of who asks, or without it."""

    proven: bool = True


Operation = Start | Verify | Malformed | Resend | Amend | Cancel | Unlock | ChangeContact

Span = tuple[float, float]
"""An interval of target time, in seconds: an operation's call and its return."""
