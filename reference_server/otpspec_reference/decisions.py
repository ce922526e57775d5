"""What the server decides: one small method for each thing that a rule could find broken.

A mutant overrides one of them. The order in which they are asked is in `rules`.
"""

import hashlib
import hmac
import re
import secrets
import string
from collections import deque
from collections.abc import Callable
from decimal import Decimal
from enum import Enum, auto

from otpspec_reference import fields
from otpspec_reference.answers import Answer, Asked, Status
from otpspec_reference.clock import Clock
from otpspec_reference.settings import CSC_FROM, Alphabet, CscPolicy, Deliver, Resend, Settings
from otpspec_reference.store import Card, State, Store, Transaction

Send = Callable[[str, str, str, float], None]
"""Takes the address, the channel, the text and the time of a message."""

Contact = tuple[str, str]
"""A channel (`phone`, `email`) and an address on it."""


class Operation(Enum):
    """What may be asked of a card that could be locked."""

    START = auto()
    VERIFY = auto()
    RESEND = auto()
    CANCEL = auto()
    AMEND = auto()
    CONTACT = auto()


class Decisions:
    """The server's single decisions, each as the strict SafeKey rules make it."""

    def __init__(self, settings: Settings, clock: Clock, send: Send) -> None:
        self.settings = settings
        self.clock = clock
        self.send = send
        self.validity_s = settings.validity.total_seconds()
        self.store = Store(self.validity_s)
        self._key = secrets.token_bytes(32)
        letters = "A-Z" if settings.alphabet is Alphabet.LETTERS else "0-9"
        self._is_code = re.compile(f"[{letters}]{{{settings.digits}}}").fullmatch

    # --- codes -----------------------------------------------------------------------------

    def new_transaction_id(self) -> str:
        """128 random bits: an id cannot be guessed (CWE-639)."""
        return secrets.token_urlsafe(16)

    def new_code(self, card: Card, now: float) -> str:
        """A fresh code, from the system's source of randomness (ASVS 5.0 6.5.3)."""
        size = self.settings.digits
        if self.settings.alphabet is Alphabet.LETTERS:
            return "".join(secrets.choice(string.ascii_uppercase) for _ in range(size))
        return str(secrets.randbelow(10**size)).zfill(size)

    def seal(self, owner: str, secret: str) -> bytes:
        """What is kept of a secret: a keyed hash, bound to what it belongs to.

        The key lives as long as the process: a copy of the store alone tells no code.
        """
        message = f"{owner}:{secret}".encode()
        return hashlib.blake2b(message, digest_size=16, key=self._key).digest()

    def issue(self, transaction: Transaction, asked: Asked, now: float) -> None:
        """Make a code and send it; its validity starts, and an earlier code is dead."""
        code = self.new_code(transaction.card, now)
        transaction.seal = self.seal(transaction.id, code)
        transaction.sent_at = now
        if self.settings.resend is Resend.REUSE:
            transaction.code = code
        self.deliver(transaction, code, asked, now)

    def issue_again(self, transaction: Transaction, asked: Asked, now: float) -> None:
        """What a resend does: rotate, or repeat the code, which lives no longer for it."""
        if transaction.code is None:
            self.issue(transaction, asked, now)
        else:
            self.deliver(transaction, transaction.code, asked, now)

    def issue_amended(self, transaction: Transaction, asked: Asked, now: float) -> None:
        """What a change of amount or payee does: the code was for another payment, so it dies."""
        self.issue(transaction, asked, now)

    # --- messages --------------------------------------------------------------------------

    def contacts(self, card: Card) -> list[Contact]:
        """Where codes for this card go."""
        found: list[Contact] = []
        if card.phone is not None:
            found.append(("phone", card.phone))
        if card.email is not None and (not found or self.settings.deliver is Deliver.BOTH):
            found.append(("email", card.email))
        return found

    def recipients(self, card: Card, asked: Asked) -> list[Contact]:
        """The registered contacts only, whatever the request says (CVE-2023-7028)."""
        return self.contacts(card)

    def deliver(self, transaction: Transaction, code: str, asked: Asked, now: float) -> None:
        """Send the code, once on each channel. A card that does not exist gets none."""
        if transaction.card.is_ghost:
            return
        text = self.text(transaction, code, now)
        for channel, address in self.recipients(transaction.card, asked):
            self.send(address, channel, text, now)

    def text(self, transaction: Transaction, code: str, now: float) -> str:
        """The message names amount and payee (PSD2 RTS 5(1)(a))."""
        payment = f"{transaction.currency} {transaction.amount} at {transaction.merchant}"
        life = spelled(self.valid_for_s(transaction, now))
        return f"SafeKey: {code} is your code for {payment}. It is valid for {life}."

    def shown(self, contact: Contact) -> str:
        """The last digits of the contact, for the payer to see where the code went."""
        channel, address = contact
        if channel == "phone":
            return fields.masked_phone(address)
        return fields.masked_email(address)

    # --- limits on sending -----------------------------------------------------------------

    def start_is_throttled(self, card: Card, now: float) -> bool:
        """Whether this card has started too often; else this start is one of them."""
        limit = self.settings.max_starts
        if limit is None:
            return False
        if card.starts is None:
            card.starts = deque(maxlen=limit.starts)
        full = len(card.starts) == limit.starts
        if full and now - card.starts[0] < limit.within.total_seconds():
            return True
        card.starts.append(now)
        return False

    def resend_is_throttled(self, transaction: Transaction) -> bool:
        """Whether codes were sent again as often as may be; else this is one more time."""
        limit = self.settings.max_resends
        if limit is not None and transaction.sent_again >= limit:
            return True
        transaction.sent_again += 1
        return False

    # --- the 3CSC --------------------------------------------------------------------------

    def csc_is_asked_for(self, amount: str) -> bool:
        """Whether the card security code is asked for along with the OTC."""
        if self.settings.csc is CscPolicy.SOMETIMES:
            return Decimal(amount) >= CSC_FROM
        return self.settings.csc is CscPolicy.ALWAYS

    # --- the lock --------------------------------------------------------------------------

    def refuses_locked(self, card: Card, operation: Operation, now: float) -> bool:
        """Whether the card's lock forbids this operation: it forbids each."""
        return self.is_locked(card, now)

    def is_locked(self, card: Card, now: float) -> bool:
        """Whether the card is locked. A lock that has lasted its time ends as support ends it."""
        if card.locked_at is None:
            return False
        if self.lock_has_ended(card.locked_at, now):
            self.release(card, now)
            return False
        return True

    def lock_has_ended(self, locked_at: float, now: float) -> bool:
        """Whether the lock is over by itself: never, or after the declared time."""
        lock_for = self.settings.lock_for
        return lock_for is not None and now - locked_at >= lock_for.total_seconds()

    def failure_limit(self) -> int:
        """The failure that locks the card, counted from one."""
        return self.settings.max_wrong

    def count_failure(self, card: Card, transaction: Transaction | None, asked: Asked) -> int:
        """One more failure; the count is the card's, over all that is done with it."""
        card.failures += 1
        return card.failures

    def clear_count(self, card: Card) -> None:
        """Success clears the count (NIST 800-63B-4 3.2.2)."""
        card.failures = 0

    def lock(self, card: Card, now: float) -> None:
        """Lock the card."""
        card.locked_at = now

    def release(self, card: Card, now: float) -> None:
        """What ends a lock: the count is cleared, and every earlier transaction is void."""
        card.locked_at = None
        card.failures = 0
        for transaction in list(card.open.values()):
            self.void(transaction)

    # --- the life of a transaction ---------------------------------------------------------

    def death(self, transaction: Transaction, now: float) -> Status | None:
        """What the transaction died of; None while it lives."""
        if self.is_used(transaction, now):
            return Status.USED
        if transaction.state is State.VOID:
            return Status.VOID
        if self.is_expired(transaction, now):
            return Status.EXPIRED
        return None

    def is_used(self, transaction: Transaction, now: float) -> bool:
        """Whether its code was accepted: it is good for one use (ASVS 5.0 6.5.1)."""
        return transaction.state is State.USED

    def is_expired(self, transaction: Transaction, now: float) -> bool:
        """Whether its validity is over: it lives in [sent, sent + validity)."""
        return now >= self.dies_at(transaction)

    def dies_at(self, transaction: Transaction) -> float:
        """The first moment at which the last code that was sent is no longer good."""
        return transaction.sent_at + self.validity_s

    def valid_for_s(self, transaction: Transaction, now: float) -> int:
        """Whole seconds for which the code that was sent last is good."""
        rounding = 1e-3  # of a sum of two floats: 600 must not read 599
        return int(transaction.sent_at + self.validity_s - now + rounding)

    def consume(self, transaction: Transaction, now: float) -> None:
        """The code has been used."""
        self.store.close(transaction, State.USED)

    def void(self, transaction: Transaction) -> None:
        """The transaction is over without an approval, and is started again."""
        self.store.close(transaction, State.VOID)

    def after_wrong_otc(self, transaction: Transaction, asked: Asked, now: float) -> None:
        """Nothing but the count: a wrong code is denied and asked for again."""

    def after_wrong_csc(self, transaction: Transaction, asked: Asked, now: float) -> None:
        """The entire transaction starts again."""
        self.void(transaction)

    def void_pending(self, card: Card, now: float) -> None:
        """A change of contact voids what is pending; what had expired stays so."""
        for transaction in list(card.open.values()):
            if not self.is_expired(transaction, now):
                self.void(transaction)

    # --- what was typed --------------------------------------------------------------------

    def read_otc(self, asked: Asked) -> str | None:
        """A code of the declared length in the declared ASCII characters; else malformed."""
        otc = asked.field("otc")
        return otc if isinstance(otc, str) and self._is_code(otc) else None

    def read_csc(self, asked: Asked) -> str | None:
        """The 3CSC, "" where there is none; else malformed."""
        return fields.optional_csc(asked.field("csc"))

    def otc_is_right(self, transaction: Transaction, otc: str) -> bool:
        """Whether this is the code that was sent last for this very transaction."""
        return hmac.compare_digest(self.seal(transaction.id, otc), transaction.seal)

    def csc_is_right(self, transaction: Transaction, csc: str) -> bool:
        """Whether this is the 3CSC of the transaction's card; none is a wrong one."""
        card = transaction.card
        return hmac.compare_digest(self.seal(card.id, csc), card.csc_seal)

    def proof_is_right(self, card: Card, asked: Asked) -> bool:
        """Whether the card holder is proven: a session is not enough (OWASP TA 1.2)."""
        passphrase = fields.passphrase(asked.field("passphrase"))
        seal = self.seal(card.id, passphrase or "")
        return hmac.compare_digest(seal, card.passphrase_seal)

    # --- what is told ----------------------------------------------------------------------

    def unknown_card(self, card_id: str) -> Card | None:
        """What stands in for a card that does not exist, where the policy hides that.

        Asked twice it is the same one, with a contact of its own, which gets no message.
        """
        if not self.settings.hide_unknown_cards:
            return None
        digest = self.seal("ghost", card_id)
        phone = f"+{int.from_bytes(digest[:6], 'big') % 10**11:011d}"
        return self.store.ghost(Card(card_id, phone, None, digest, digest, is_ghost=True))

    def unknown_transaction(self, transaction_id: str, asked: Asked) -> Answer:
        """The answer where no transaction has this id: nothing can be right."""
        return Answer(Status.UNKNOWN_TRANSACTION)

    def started(self, transaction: Transaction, now: float) -> dict[str, object]:
        """What the payer is told of a transaction that has begun."""
        return {
            "transaction_id": transaction.id,
            **self.sent(transaction, now),
            "csc_required": transaction.csc_required,
        }

    def sent(self, transaction: Transaction, now: float) -> dict[str, object]:
        """What the payer is told when a code was sent."""
        contact = self.contacts(transaction.card)[0]
        return {
            "contact": self.shown(contact),
            "channel": contact[0],
            "valid_for_s": self.valid_for_s(transaction, now),
        }

    def refusal(self, verdict: Status, tries_left: int) -> Answer:
        """A wrong OTC or 3CSC; one answer for both, where the policy says so (PSD2 4(3)(a))."""
        if self.settings.merge_failures:
            return Answer(Status.REFUSED, {"tries_left": tries_left})
        if verdict is Status.WRONG_OTC:
            return Answer(verdict, {"tries_left": tries_left})
        return Answer(verdict)


def spelled(seconds: int) -> str:
    """A length of time as a message says it: in minutes where it is whole ones."""
    minutes, rest = divmod(seconds, 60)
    number, unit = (seconds, "second") if rest or not minutes else (minutes, "minute")
    return f"{number} {unit}" + ("" if number == 1 else "s")
