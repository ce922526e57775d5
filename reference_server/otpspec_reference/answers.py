"""What the server can say, and the HTTP code that goes with each word."""

from enum import StrEnum

import msgspec

Headers = tuple[tuple[bytes, bytes], ...]


class Status(StrEnum):
    """The `status` of an answer: one word for one thing, whatever the operation."""

    # what was asked for was done
    ENROLLED = "enrolled"
    PENDING = "pending"
    APPROVED = "approved"
    SENT = "sent"
    CANCELLED = "cancelled"
    AMENDED = "amended"
    CHANGED = "changed"
    UNLOCKED = "unlocked"
    # refused, and it counts as a failure
    WRONG_OTC = "wrong_otc"
    WRONG_CSC = "wrong_csc"
    REFUSED = "refused"  # either of the two, where the policy does not tell which
    PROOF_REFUSED = "proof_refused"
    # refused, and it counts nothing
    LOCKED = "locked"
    USED = "used"
    VOID = "void"
    EXPIRED = "expired"
    THROTTLED = "throttled"
    MALFORMED = "malformed"
    UNKNOWN_CARD = "unknown_card"
    UNKNOWN_TRANSACTION = "unknown_transaction"
    UNAUTHORISED = "unauthorised"
    # about the server itself
    OK = "ok"
    GRANTED = "granted"
    LEASED = "leased"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    ERROR = "error"


HTTP_CODES: dict[Status, int] = {
    Status.OK: 200,
    Status.APPROVED: 200,
    Status.CANCELLED: 200,
    Status.AMENDED: 200,
    Status.CHANGED: 200,
    Status.UNLOCKED: 200,
    Status.ENROLLED: 201,
    Status.GRANTED: 201,
    Status.PENDING: 201,
    Status.SENT: 202,
    Status.UNAUTHORISED: 401,
    Status.WRONG_OTC: 403,
    Status.WRONG_CSC: 403,
    Status.REFUSED: 403,
    Status.PROOF_REFUSED: 403,
    Status.UNKNOWN_CARD: 404,
    Status.UNKNOWN_TRANSACTION: 404,
    Status.NOT_FOUND: 404,
    Status.METHOD_NOT_ALLOWED: 405,
    Status.USED: 409,
    Status.VOID: 409,
    Status.LEASED: 409,
    Status.EXPIRED: 410,
    Status.MALFORMED: 422,
    Status.LOCKED: 423,
    Status.THROTTLED: 429,
    Status.ERROR: 500,
}


class Asked(msgspec.Struct, frozen=True, gc=False):
    """What a caller sent.

    `body` is None where it was no JSON object: what that means is for the rules to say, since a
    locked card answers `locked` whatever is sent. The strict rules never look at the headers.
    """

    body: dict[str, object] | None
    headers: Headers = ()

    def field(self, name: str) -> object:
        """The value sent under this name; None where it is absent."""
        return None if self.body is None else self.body.get(name)


class Answer(msgspec.Struct, frozen=True):
    """One word, what goes with it, and what only a broken server adds."""

    status: Status
    fields: dict[str, object] = {}
    headers: Headers = ()
    code: int | None = None

    @property
    def http_code(self) -> int:
        """The code that belongs to the word, unless this answer has one of its own."""
        return HTTP_CODES[self.status] if self.code is None else self.code
