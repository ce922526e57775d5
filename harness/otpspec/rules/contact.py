"""CONTACT: who may change where codes go, and what becomes of those on their way."""

from otpspec.rules import sources as of
from otpspec.rules.rule import Rule

CONTACT = (
    Rule(
        "CONTACT-1",
        "MUST",
        "a contact is changed only with proof",
        (of.TA_CURRENT_TOKEN, of.PCI_IDENTITY_FIRST, of.NIST_ONE_CHANGE_ONE_BINDING),
        needs=("contact",),
    ),
    Rule(
        "CONTACT-2",
        "MUST",
        "a change of contact voids the pending code",
        (of.ASVS_REVOCABLE,),
        needs=("contact",),
    ),
    Rule(
        "CONTACT-3",
        "MUST",
        "the next code goes to the new contact, none to the old",
        (of.safekey("contact details can be updated"),),
        needs=("contact",),
        core=True,
    ),
)
