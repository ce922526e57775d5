"""CONTACT: servers that let contact details change too easily, or too little."""

from functools import cached_property

from otpspec_reference.answers import Asked
from otpspec_reference.decisions import Contact
from otpspec_reference.mutants.catalogue import breaks
from otpspec_reference.rules import SafeKey
from otpspec_reference.store import Card


class OldContactIsKept(SafeKey):
    """A base: remembers where codes went before the contact was changed."""

    @cached_property
    def old(self) -> dict[str, list[Contact]]:
        return {}

    def set_contact(self, card: Card, phone: str | None, email: str | None) -> None:
        self.old.setdefault(card.id, self.contacts(card))
        super().set_contact(card, phone, email)


@breaks("CONTACT-1", "contact-without-proof")
class ContactWithoutProof(SafeKey):
    """Whoever knows the card's id changes its contact, without a proof."""

    def proof_is_right(self, card: Card, asked: Asked) -> bool:
        return True


@breaks("CONTACT-2", "contact-keeps-pending")
class ContactKeepsPending(SafeKey):
    """A pending code lives on when the contact changes."""

    def void_pending(self, card: Card, now: float) -> None:
        pass


@breaks("CONTACT-2", "contact-resends-pending")
class ContactResendsPending(SafeKey):
    """A pending transaction gets a new code at the new contact, and lives on."""

    def void_pending(self, card: Card, now: float) -> None:
        for transaction in card.open.values():
            if not self.is_expired(transaction, now):
                self.issue(transaction, Asked({}), now)


@breaks("CONTACT-3", "old-contact-used")
class OldContactUsed(OldContactIsKept):
    """Codes still go to the contact from before the change."""

    def recipients(self, card: Card, asked: Asked) -> list[Contact]:
        return self.old.get(card.id) or super().recipients(card, asked)


@breaks("CONTACT-3", "old-contact-copied")
class OldContactCopied(OldContactIsKept):
    """The contact from before the change gets a copy of every code."""

    def recipients(self, card: Card, asked: Asked) -> list[Contact]:
        return [*super().recipients(card, asked), *self.old.get(card.id, [])]
