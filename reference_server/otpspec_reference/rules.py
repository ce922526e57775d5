"""The SafeKey rules: in which order a request is judged, and what each verdict changes.

    locked?  ->  dead? (used, void, expired)  ->  malformed?  ->  OTC right?  ->  3CSC right?

The first that applies is the answer. A wrong OTC and a wrong 3CSC count one failure of the card
each, and the N-th locks it; whatever is refused earlier counts nothing. Each operation is a plain
method without an await in it, so on one event loop it is atomic: requests that race are served in
some order, one at a time.
"""

from otpspec_reference import fields
from otpspec_reference.answers import Answer, Asked, Status
from otpspec_reference.decisions import Decisions, Operation
from otpspec_reference.settings import new_token
from otpspec_reference.store import Card, Transaction


class SafeKey(Decisions):
    """The operations of the server, strict as the rules are; `Decisions` holds their parts."""

    # --- cards -----------------------------------------------------------------------------

    def enrol(self, asked: Asked) -> Answer:
        """A new card. The same number may be enrolled again: it is another card."""
        pan = fields.pan(asked.field("pan"))
        csc = fields.csc(asked.field("csc"))
        passphrase = fields.passphrase(asked.field("passphrase"))
        contact = self.read_contact(asked)
        if pan is None or csc is None or passphrase is None or contact is None:
            return Answer(Status.MALFORMED)

        card_id = new_token()
        seals = self.seal(card_id, csc), self.seal(card_id, passphrase)
        card = self.store.cards[card_id] = Card(card_id, *contact, *seals)
        return Answer(Status.ENROLLED, {"card_id": card_id, **self.shown_contacts(card)})

    def change_contact(self, card_id: str, asked: Asked) -> Answer:
        """New contact details, with proof. A wrong proof is a failure like a wrong code."""
        now = self.clock.now()
        card = self.find_card(card_id)
        if card is None:
            return Answer(Status.UNKNOWN_CARD)
        if self.refuses_locked(card, Operation.CONTACT, now):
            return Answer(Status.LOCKED)
        contact = self.read_contact(asked)
        if contact is None:
            return Answer(Status.MALFORMED)
        if not self.proof_is_right(card, asked):
            self.fail(card, None, asked, now)
            return Answer(Status.PROOF_REFUSED)

        self.set_contact(card, *contact)
        self.void_pending(card, now)
        return Answer(Status.CHANGED, self.shown_contacts(card))

    def set_contact(self, card: Card, phone: str | None, email: str | None) -> None:
        """From now on codes go here; what was not given stays as it was."""
        card.phone = phone or card.phone
        card.email = email or card.email

    def unlock(self, card_id: str, asked: Asked) -> Answer:
        """Support unlocks the card. Who asks has been checked: see `http`."""
        card = self.store.cards.get(card_id)
        if card is None:
            return Answer(Status.UNKNOWN_CARD)
        if asked.body is None:
            return Answer(Status.MALFORMED)
        self.release(card, self.clock.now())
        return Answer(Status.UNLOCKED)

    # --- transactions ----------------------------------------------------------------------

    def start(self, asked: Asked) -> Answer:
        """A new transaction, and its code sent. Others of the card that are open live on."""
        now = self.clock.now()
        card_id = asked.field("card_id")
        if not isinstance(card_id, str):
            return Answer(Status.MALFORMED)
        card = self.find_card(card_id)
        if card is None:
            return Answer(Status.UNKNOWN_CARD)
        if self.refuses_locked(card, Operation.START, now):
            return Answer(Status.LOCKED)
        amount = fields.amount(asked.field("amount"))
        currency = fields.currency(asked.field("currency"))
        merchant = fields.merchant(asked.field("merchant"))
        if amount is None or currency is None or merchant is None:
            return Answer(Status.MALFORMED)
        if self.start_is_throttled(card, now):
            return Answer(Status.THROTTLED)

        transaction = Transaction(
            self.new_transaction_id(),
            card,
            amount,
            currency,
            merchant,
            csc_required=self.csc_is_asked_for(amount),
        )
        self.issue(transaction, asked, now)
        self.store.add(transaction, now)
        return Answer(Status.PENDING, self.started(transaction, now))

    def verify(self, transaction_id: str, asked: Asked) -> Answer:
        """Judge what was typed, then write down what follows from it."""
        now = self.clock.now()
        transaction = self.store.transactions.get(transaction_id)
        if transaction is None:
            return self.unknown_transaction(transaction_id, asked)
        return self.settle(transaction, self.judge(transaction, asked, now), asked, now)

    def judge(self, transaction: Transaction, asked: Asked, now: float) -> Status:
        """The verdict on what was typed. Nothing is written here."""
        refused = self.refuses(transaction, Operation.VERIFY, now)
        if refused is not None:
            return refused
        otc, csc = self.read_otc(asked), self.read_csc(asked)
        if otc is None or csc is None:
            return Status.MALFORMED
        # both are compared whatever the first says: the time it takes tells nothing
        otc_is_right = self.otc_is_right(transaction, otc)
        csc_is_right = not transaction.csc_required or self.csc_is_right(transaction, csc)
        if not otc_is_right:
            return Status.WRONG_OTC
        return Status.APPROVED if csc_is_right else Status.WRONG_CSC

    def settle(self, transaction: Transaction, verdict: Status, asked: Asked, now: float) -> Answer:
        """Write down what follows from a verdict, and answer."""
        if verdict is Status.APPROVED:
            self.consume(transaction, now)
            self.clear_count(transaction.card)
            return Answer(verdict, {"transaction_id": transaction.id})
        if verdict is Status.WRONG_OTC:
            self.after_wrong_otc(transaction, asked, now)
        elif verdict is Status.WRONG_CSC:
            self.after_wrong_csc(transaction, asked, now)
        else:
            return Answer(verdict)
        return self.refusal(verdict, self.fail(transaction.card, transaction, asked, now))

    def resend(self, transaction_id: str, asked: Asked) -> Answer:
        """The code did not arrive: send one again. It clears no count, and revives nothing."""
        now = self.clock.now()
        transaction = self.store.transactions.get(transaction_id)
        if transaction is None:
            return self.unknown_transaction(transaction_id, asked)
        refused = self.refuses(transaction, Operation.RESEND, now)
        if refused is not None:
            return Answer(refused)
        if asked.body is None:
            return Answer(Status.MALFORMED)
        if self.resend_is_throttled(transaction):
            return Answer(Status.THROTTLED)

        self.issue_again(transaction, asked, now)
        return Answer(Status.SENT, self.sent(transaction, now))

    def amend(self, transaction_id: str, asked: Asked) -> Answer:
        """Another amount or payee: the code that was sent was not for this, so a new one goes."""
        now = self.clock.now()
        transaction = self.store.transactions.get(transaction_id)
        if transaction is None:
            return self.unknown_transaction(transaction_id, asked)
        refused = self.refuses(transaction, Operation.AMEND, now)
        if refused is not None:
            return Answer(refused)
        amended = self.read_amendment(transaction, asked)
        if amended is None:
            return Answer(Status.MALFORMED)
        if self.resend_is_throttled(transaction):
            return Answer(Status.THROTTLED)

        transaction.amount, transaction.merchant = amended
        transaction.csc_required = self.csc_is_asked_for(transaction.amount)
        self.issue_amended(transaction, asked, now)
        return Answer(Status.AMENDED, {"csc_required": transaction.csc_required})

    def cancel(self, transaction_id: str, asked: Asked) -> Answer:
        """The payer gives up: the transaction is void."""
        now = self.clock.now()
        transaction = self.store.transactions.get(transaction_id)
        if transaction is None:
            return self.unknown_transaction(transaction_id, asked)
        refused = self.refuses(transaction, Operation.CANCEL, now)
        if refused is not None:
            return Answer(refused)
        if asked.body is None:
            return Answer(Status.MALFORMED)
        self.void(transaction)
        return Answer(Status.CANCELLED)

    def reset(self) -> None:
        """Forget all cards and transactions."""
        self.store.clear()

    # --- steps that operations share -------------------------------------------------------

    def find_card(self, card_id: str) -> Card | None:
        """The card of this id, or what stands in for it."""
        return self.store.cards.get(card_id) or self.unknown_card(card_id)

    def refuses(self, transaction: Transaction, operation: Operation, now: float) -> Status | None:
        """What is answered before a request is even read: locked, or what it died of."""
        if self.refuses_locked(transaction.card, operation, now):
            return Status.LOCKED
        return self.death(transaction, now)

    def fail(self, card: Card, transaction: Transaction | None, asked: Asked, now: float) -> int:
        """Count a failure, and lock the card if it is the last one; how many are left."""
        left = self.failure_limit() - self.count_failure(card, transaction, asked)
        if left <= 0:
            self.lock(card, now)
        return max(0, left)

    def read_contact(self, asked: Asked) -> tuple[str | None, str | None] | None:
        """Phone and e-mail as given, of which there is at least one; else malformed."""
        phone, email = asked.field("phone"), asked.field("email")
        read = fields.phone(phone), fields.email(email)
        if read == (None, None):
            return None
        if (phone is not None and read[0] is None) or (email is not None and read[1] is None):
            return None
        return read

    def read_amendment(self, transaction: Transaction, asked: Asked) -> tuple[str, str] | None:
        """Amount and merchant as they shall be, of which one is given; else malformed."""
        given = asked.field("amount"), asked.field("merchant")
        if given == (None, None):
            return None
        amount = transaction.amount if given[0] is None else fields.amount(given[0])
        merchant = transaction.merchant if given[1] is None else fields.merchant(given[1])
        return None if amount is None or merchant is None else (amount, merchant)

    def shown_contacts(self, card: Card) -> dict[str, object]:
        """The registered contacts, masked."""
        phone, email = card.phone, card.email
        return {
            "phone": phone and self.shown(("phone", phone)),
            "email": email and self.shown(("email", email)),
        }
