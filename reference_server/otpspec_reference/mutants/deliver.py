"""DELIVER: servers that send to the wrong place, too much, too little or too often."""

from otpspec_reference.answers import Asked
from otpspec_reference.decisions import Contact
from otpspec_reference.mutants.catalogue import breaks
from otpspec_reference.rules import SafeKey
from otpspec_reference.store import Card, Transaction

NAMES = ("to", "phone", "email", "contact")


@breaks("DELIVER-1", "honours-to")
class HonoursTo(SafeKey):
    """A contact in the request takes the place of the registered one."""

    def recipients(self, card: Card, asked: Asked) -> list[Contact]:
        given = [asked.field(name) for name in NAMES]
        contacts = [("phone", to) for to in given if isinstance(to, str) and to]
        return contacts or super().recipients(card, asked)


@breaks("DELIVER-1", "honours-to-list")
class HonoursToList(SafeKey):
    """A list of contacts in the request gets the code too (CVE-2023-7028)."""

    def recipients(self, card: Card, asked: Asked) -> list[Contact]:
        lists = [given for name in NAMES if isinstance(given := asked.field(name), list)]
        more = [("phone", str(to)) for given in lists for to in given]
        registered = super().recipients(card, asked)
        return [*registered, *(one for one in more if one not in registered)]


@breaks("DELIVER-2", "whole-contact-shown")
class WholeContactShown(SafeKey):
    """The answer to start shows the whole number or address."""

    def shown(self, contact: Contact) -> str:
        return contact[1]


@breaks("DELIVER-3", "bare-code")
class BareCode(SafeKey):
    """The message is the code and nothing else."""

    def text(self, transaction: Transaction, code: str, now: float) -> str:
        return code


@breaks("DELIVER-4", "sends-twice")
class SendsTwice(SafeKey):
    """Every message is sent twice."""

    def deliver(self, transaction: Transaction, code: str, asked: Asked, now: float) -> None:
        super().deliver(transaction, code, asked, now)
        super().deliver(transaction, code, asked, now)
