"""A small bank: cards, payments, and the codes that confirm them. Knows no HTTP."""

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

LOCK_FOR_GOOD = float("inf")


class Refused(Exception):  # noqa: N818 - no error: an answer
    """Why something was not done, in one word."""

    def __init__(self, word: str) -> None:
        self.word = word
        super().__init__(word)


@dataclass
class Card:
    """A card, and the phone of its payer."""

    id: str
    csc: str
    phone: str
    wrong: int = 0
    locked_until: float = 0.0


@dataclass
class Payment:
    """A payment that waits for its code, or has come to its end."""

    id: str
    card: Card
    amount: str
    currency: str
    payee: str
    asks_csc: bool
    code: str = ""
    sent_at: float = 0.0
    over: bool = False


@dataclass
class Bank:
    """What the bank has promised, and what it keeps in its memory."""

    now: Callable[[], float]
    validity: float = 600.0
    max_wrong: int = 3
    digits: int = 6
    csc_from: float | None = None  # the amount from which the 3CSC is asked for
    lock_for: float = LOCK_FOR_GOOD
    cards: dict[str, Card] = field(default_factory=dict)
    payments: dict[str, Payment] = field(default_factory=dict)

    def enroll(self, *, csc: str, phone: str) -> Card:
        """A new card."""
        card = Card(f"c_{secrets.token_hex(8)}", csc, phone)
        self.cards[card.id] = card
        return card

    def start(self, card_id: str, *, amount: str, currency: str, payee: str) -> Payment:
        """A new payment, with its first code."""
        card = self.cards.get(card_id)
        if card is None:
            raise Refused("unknown")
        self._not_locked(card)
        asks = self.csc_from is not None and float(amount) >= self.csc_from
        payment = Payment(f"p_{secrets.token_hex(12)}", card, amount, currency, payee, asks)
        self.payments[payment.id] = payment
        self._new_code(payment)
        return payment

    def resend(self, payment_id: str) -> Payment:
        """Another code in place of the first."""
        payment = self._open(payment_id)
        self._new_code(payment)
        return payment

    def verify(self, payment_id: str, otc: object, csc: object = None) -> None:
        """Confirm a payment. A wrong code counts; a wrong 3CSC counts and ends the payment."""
        payment = self._open(payment_id)
        if not self._is_code(otc) or (payment.asks_csc and not isinstance(csc, str)):
            raise Refused("malformed")
        if not hmac.compare_digest(str(otc), payment.code):
            self._count(payment.card)
            raise Refused("wrong_code")
        if payment.asks_csc and not hmac.compare_digest(
            str(csc).encode(), payment.card.csc.encode()
        ):
            payment.over = True
            self._count(payment.card)
            raise Refused("wrong_csc")
        payment.over = True
        payment.card.wrong = 0

    def unlock(self, card_id: str) -> None:
        """What support does: the card works, and no earlier code does."""
        card = self.cards.get(card_id)
        if card is None:
            raise Refused("unknown")
        self._free(card)

    def message(self, payment: Payment) -> str:
        """The text that goes to the payer's phone."""
        what = f"{payment.amount} {payment.currency} to {payment.payee}"
        return f"Your code for {what} is {payment.code}. Never tell it to anyone."

    def _open(self, payment_id: str) -> Payment:
        payment = self.payments.get(payment_id)
        if payment is None:
            raise Refused("unknown")
        self._not_locked(payment.card)
        if payment.over:
            raise Refused("over")
        if self.now() >= payment.sent_at + self.validity:
            raise Refused("expired")
        return payment

    def _not_locked(self, card: Card) -> None:
        if card.wrong < self.max_wrong:
            return
        if self.now() < card.locked_until:
            raise Refused("locked")
        self._free(card)

    def _free(self, card: Card) -> None:
        card.wrong = 0
        for payment in self.payments.values():
            payment.over |= payment.card is card

    def _count(self, card: Card) -> None:
        card.wrong += 1
        if card.wrong >= self.max_wrong:
            card.locked_until = self.now() + self.lock_for
            raise Refused("locked")

    def _new_code(self, payment: Payment) -> None:
        payment.code = f"{secrets.randbelow(10**self.digits):0{self.digits}}"
        payment.sent_at = self.now()

    def _is_code(self, otc: object) -> bool:
        good = isinstance(otc, str) and otc.isascii() and otc.isdigit()
        return good and len(str(otc)) == self.digits
