"""Every operation of the server as data: what it takes, and every word it may answer.

The settings decide which there are: a server without a limit on starts never says `throttled`, one
without test hooks has no /test. `openapi` writes this down in its own language.
"""

from dataclasses import dataclass, field
from functools import partial
from typing import Any

from otpspec_reference.answers import Status
from otpspec_reference.settings import Alphabet, CscPolicy, Settings

Schema = dict[str, Any]
Fields = dict[str, Schema]

TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "number"}
COUNT: Schema = {"type": "integer", "minimum": 0}
FLAG: Schema = {"type": "boolean"}
MAYBE_TEXT: Schema = {"type": ["string", "null"]}
CHANNEL: Schema = {"enum": ["phone", "email"]}

PAN: Schema = {"type": "string", "pattern": "^[0-9]{12,19}$"}
CSC: Schema = {"type": "string", "pattern": "^[0-9]{3}$"}
MAYBE_CSC: Schema = {"type": ["string", "null"], "pattern": "^([0-9]{3})?$"}
AMOUNT: Schema = {"type": "string", "pattern": r"^[0-9]{1,12}(\.[0-9]{1,2})?$"}
CURRENCY: Schema = {"type": "string", "pattern": "^[A-Z]{3}$"}
MERCHANT: Schema = {"type": "string", "minLength": 1, "maxLength": 254}
SECONDS: Schema = {"type": "number", "minimum": 0, "maximum": 1e9}
RATE: Schema = {"type": "number", "exclusiveMinimum": 0, "maximum": 1e6}

CONTACT: Fields = {
    "phone": {"type": ["string", "null"], "pattern": r"^\+[0-9]{7,15}$"},
    "email": {"type": ["string", "null"], "maxLength": 254},
}
MASKED: Fields = {"phone": MAYBE_TEXT, "email": MAYBE_TEXT}
SENT: Fields = {"contact": TEXT, "channel": CHANNEL, "valid_for_s": COUNT}
TIME: Fields = {"now": NUMBER, "rate": NUMBER, "jumps": COUNT}
LEASE: Fields = {"lease": TEXT}
MESSAGE: Fields = {"seq": COUNT, "to": TEXT, "channel": CHANNEL, "text": TEXT, "sent_at": NUMBER}

SAID_WITH: dict[Status, Fields] = {
    Status.ENROLLED: {"card_id": TEXT, **MASKED},
    Status.CHANGED: MASKED,
    Status.PENDING: {"transaction_id": TEXT, **SENT, "csc_required": FLAG},
    Status.APPROVED: {"transaction_id": TEXT},
    Status.SENT: SENT,
    Status.AMENDED: {"csc_required": FLAG},
    Status.WRONG_OTC: {"tries_left": COUNT},
    Status.REFUSED: {"tries_left": COUNT},
    Status.GRANTED: LEASE,
}
"""What goes with a word, beside `status`. With `ok` it is the operation that says."""

DEAD = (Status.UNKNOWN_TRANSACTION, Status.LOCKED, Status.USED, Status.VOID, Status.EXPIRED)
"""What every operation on a transaction may answer before it reads what was sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """One operation. `scheme` names the token that it asks for."""

    method: str
    path: str
    summary: str
    answers: tuple[Status, ...]
    required: Fields = field(default_factory=dict)
    optional: Fields = field(default_factory=dict)
    query: Fields = field(default_factory=dict)
    ok: Fields = field(default_factory=dict)
    scheme: str | None = None


def operations(settings: Settings) -> list[Described]:
    """All operations of a server with these settings."""
    found = [*cards(settings), *transactions(settings), HEALTH]
    return [*found, *HOOKS] if settings.test_hooks else found


HEALTH = Described(
    method="get",
    path="/health",
    summary="That the server answers.",
    answers=(Status.OK,),
    ok={"version": TEXT},
)


def cards(settings: Settings) -> list[Described]:
    """What is done with a card."""
    return [
        Described(
            method="post",
            path="/cards",
            summary="Enrol a card; it has a phone, an e-mail address, or both.",
            required={"pan": PAN, "csc": CSC, "passphrase": {"type": "string", "minLength": 1}},
            optional=CONTACT,
            answers=(Status.ENROLLED, Status.MALFORMED),
        ),
        Described(
            method="put",
            path="/cards/{id}/contact",
            summary="Change the contact, with proof; what is pending on the card is void.",
            required={"passphrase": TEXT},
            optional=CONTACT,
            answers=(Status.CHANGED, Status.PROOF_REFUSED, *on_card(settings)),
        ),
        Described(
            method="post",
            path="/support/cards/{id}/unlock",
            summary="Unlock a card; its count is cleared and its earlier transactions are void.",
            answers=(
                Status.UNLOCKED,
                Status.UNAUTHORISED,
                Status.UNKNOWN_CARD,
                Status.MALFORMED,
            ),
            scheme="support",
        ),
    ]


def transactions(settings: Settings) -> list[Described]:
    """What is done with a transaction."""
    again = () if settings.max_resends is None else (Status.THROTTLED,)
    starts = () if settings.max_starts is None else (Status.THROTTLED,)
    return [
        Described(
            method="post",
            path="/transactions",
            summary="Start a transaction; its code goes to the registered contact.",
            required={
                "card_id": TEXT,
                "amount": AMOUNT,
                "currency": CURRENCY,
                "merchant": MERCHANT,
            },
            answers=(Status.PENDING, *on_card(settings), *starts),
        ),
        Described(
            method="post",
            path="/transactions/{id}/verify",
            summary="Verify the code, and the 3CSC where it is asked for.",
            required={"otc": code(settings)},
            optional={"csc": MAYBE_CSC},
            answers=(Status.APPROVED, *failures(settings), *DEAD, Status.MALFORMED),
        ),
        Described(
            method="post",
            path="/transactions/{id}/resend",
            summary="Send a code again.",
            answers=(Status.SENT, *DEAD, Status.MALFORMED, *again),
        ),
        Described(
            method="post",
            path="/transactions/{id}/cancel",
            summary="Give up: the transaction is void.",
            answers=(Status.CANCELLED, *DEAD, Status.MALFORMED),
        ),
        Described(
            method="patch",
            path="/transactions/{id}",
            summary="Change amount or payee: the code that was sent is dead, and a new one goes.",
            optional={"amount": AMOUNT, "merchant": MERCHANT},
            answers=(Status.AMENDED, *DEAD, Status.MALFORMED, *again),
        ),
    ]


def on_card(settings: Settings) -> tuple[Status, ...]:
    """How an operation on a card may be refused."""
    unknown = () if settings.hide_unknown_cards else (Status.UNKNOWN_CARD,)
    return (*unknown, Status.LOCKED, Status.MALFORMED)


def failures(settings: Settings) -> tuple[Status, ...]:
    """How a wrong code or 3CSC is answered."""
    if settings.merge_failures:
        return (Status.REFUSED,)
    if settings.csc is CscPolicy.NEVER:
        return (Status.WRONG_OTC,)
    return (Status.WRONG_OTC, Status.WRONG_CSC)


def code(settings: Settings) -> Schema:
    """What a well-formed code is."""
    characters = "[A-Z]" if settings.alphabet is Alphabet.LETTERS else "[0-9]"
    return {"type": "string", "pattern": f"^{characters}{{{settings.digits}}}$"}


hook = partial(Described, scheme="test")

HOOKS = [
    hook(
        method="get",
        path="/test/outbox",
        summary="The newest 100,000 messages, or those to an address and after a number.",
        query={"to": TEXT, "after": COUNT},
        ok={
            "messages": {
                "type": "array",
                "items": {"type": "object", "required": list(MESSAGE), "properties": MESSAGE},
            }
        },
        answers=(Status.OK, Status.UNAUTHORISED, Status.MALFORMED),
    ),
    hook(
        method="get",
        path="/test/clock",
        summary="The server's time.",
        ok=TIME,
        answers=(Status.OK, Status.UNAUTHORISED),
    ),
    hook(
        method="post",
        path="/test/clock/lease",
        summary="Take the right to move the clock.",
        answers=(Status.GRANTED, Status.LEASED, Status.UNAUTHORISED, Status.MALFORMED),
    ),
    hook(
        method="delete",
        path="/test/clock/lease/{id}",
        summary="Give that right back.",
        answers=(Status.OK, Status.LEASED, Status.UNAUTHORISED),
    ),
    hook(
        method="post",
        path="/test/clock/advance",
        summary="Jump forward.",
        required={"seconds": SECONDS, **LEASE},
        ok=TIME,
        answers=(Status.OK, Status.LEASED, Status.UNAUTHORISED, Status.MALFORMED),
    ),
    hook(
        method="post",
        path="/test/clock/rate",
        summary="Run so many times as fast as real time.",
        required={"rate": RATE, **LEASE},
        ok=TIME,
        answers=(Status.OK, Status.LEASED, Status.UNAUTHORISED, Status.MALFORMED),
    ),
    hook(
        method="post",
        path="/test/reset",
        summary="Forget cards, transactions and messages; back to the clock of the start.",
        ok=TIME,
        answers=(Status.OK, Status.UNAUTHORISED, Status.MALFORMED),
    ),
]
