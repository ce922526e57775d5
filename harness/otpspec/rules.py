"""The rule catalogue: what is checked, and where each rule comes from.

Ids are stable names, never positions: a rule that is retired leaves its id unused.
"""

from typing import Literal, NamedTuple

Level = Literal["MUST", "SHOULD"]


class Rule(NamedTuple):
    """One rule."""

    id: str
    level: Level
    statement: str
    sources: tuple[str, ...]
    core: bool = False  # one of SafeKey's own: where it cannot be checked, that must be waived

    @property
    def family(self) -> str:
        """The family's name: EXPIRY of EXPIRY-2."""
        return self.id.rpartition("-")[0]


_SAFEKEY = "SafeKey"
_ASVS = "OWASP ASVS 5.0"
_NIST = "NIST SP 800-63B-4"
_MUST: Level = "MUST"

_CATALOGUE = (
    Rule(
        "ISSUE-1",
        _MUST,
        "a fresh code is made for every transaction",
        (f'{_SAFEKEY}: "generated every time"', "OWASP Transaction Authorization Cheat Sheet 2.10"),
        core=True,
    ),
    Rule(
        "ISSUE-3",
        _MUST,
        "the code is never in a response to the payer",
        (f"{_SAFEKEY}: sent to the registered contact only",),
        core=True,
    ),
    Rule("ISSUE-5", _MUST, "a locked card gets no new code", (_SAFEKEY,), core=True),
    Rule(
        "DELIVER-1",
        _MUST,
        "the code goes to the registered contact only, whatever the request says",
        (f"{_SAFEKEY}: sent to the registered contact", "CVE-2023-7028"),
        core=True,
    ),
    Rule(
        "DELIVER-2",
        _MUST,
        "the answer to start shows only the last digits of the contact",
        (f"{_SAFEKEY}: the last few digits are shown", f"{_ASVS} 14.2.6"),
        core=True,
    ),
    Rule("DELIVER-4", _MUST, "one message per issue and channel", (_SAFEKEY,), core=True),
    Rule("VERIFY-1", _MUST, "the right code is accepted", (_SAFEKEY,), core=True),
    Rule(
        "VERIFY-2",
        _MUST,
        "a wrong code is denied and may be tried again",
        (f"{_SAFEKEY}: denied, and asked for again",),
        core=True,
    ),
    Rule(
        "EXPIRY-1",
        _MUST,
        "the right code is accepted until the end of its validity",
        (f'{_SAFEKEY}: "valid only for 10 minutes"',),
        core=True,
    ),
    Rule(
        "EXPIRY-2",
        _MUST,
        "the right code is refused after its validity",
        (f'{_SAFEKEY}: "valid only for 10 minutes"', f"{_ASVS} 6.5.5", _NIST),
        core=True,
    ),
    Rule(
        "EXPIRY-3",
        _MUST,
        "wrong tries and refusals do not extend a code's life",
        (_NIST,),
    ),
    Rule(
        "EXPIRY-4",
        _MUST,
        "an expired transaction cannot be revived: it is started again",
        (f"{_SAFEKEY}: the entire transaction starts again",),
        core=True,
    ),
    Rule(
        "EXPIRY-5",
        _MUST,
        "the validity counts from each code's own sending",
        (f'{_SAFEKEY}: "10 minutes from its arrival"',),
        core=True,
    ),
    Rule(
        "LOCKOUT-1",
        _MUST,
        "N wrong codes lock the card: the right one is refused then",
        (f"{_SAFEKEY}: several wrong codes lock the card", "PSD2 RTS 4(3)(b)", "PCI DSS 8.3.4"),
        core=True,
    ),
    Rule("LOCKOUT-2", _MUST, "N-1 wrong codes do not lock the card", (_SAFEKEY,), core=True),
    Rule(
        "LOCKOUT-3",
        _MUST,
        "the count of wrong codes spans the transactions and sessions of a card",
        (f"{_SAFEKEY}: the card is locked", "RFC 4226 7.3"),
        core=True,
    ),
    Rule(
        "LOCKOUT-4",
        _MUST,
        "the lock holds on every endpoint",
        (_SAFEKEY, "CVE-2026-9798"),
        core=True,
    ),
    Rule(
        "LOCKOUT-6",
        _MUST,
        "the lock lasts until support unlocks the card",
        (f"{_SAFEKEY}: support unlocks", "PCI DSS 8.3.4"),
        core=True,
    ),
    Rule(
        "LOCKOUT-7",
        _MUST,
        "after support unlocks, the card works and the old codes stay dead",
        (_SAFEKEY, "PSD2 RTS 4(4)"),
        core=True,
    ),
    Rule("LOCKOUT-9", _MUST, "other cards are not locked", (f"{_ASVS} 6.1.1",)),
    Rule(
        "CSC-1",
        _MUST,
        "a wrong 3CSC voids the transaction: the right pair is refused then",
        (f"{_SAFEKEY}: the entire transaction starts again",),
        core=True,
    ),
    Rule(
        "CSC-2",
        _MUST,
        "where asked for, both the OTC and the 3CSC must be right",
        (_SAFEKEY,),
        core=True,
    ),
    Rule(
        "CSC-6",
        _MUST,
        "a new transaction works after one was voided",
        (f"{_SAFEKEY}: the entire transaction starts again",),
        core=True,
    ),
    Rule(
        "CSC-7",
        _MUST,
        "repeated wrong 3CSCs are bounded: each counts as a failure",
        (f"{_SAFEKEY}: lockout after repeated failures",),
        core=True,
    ),
    Rule(
        "REPLAY-1",
        _MUST,
        "a used code is refused",
        (f"{_ASVS} 6.5.1", "CVE-2026-31875"),
    ),
    Rule(
        "REPLAY-3",
        _MUST,
        "a finished or voided transaction cannot be reopened",
        ("OWASP Transaction Authorization Cheat Sheet 2.5",),
    ),
    Rule(
        "BINDING-1",
        _MUST,
        "a code works for its own transaction only",
        (f"{_SAFEKEY}: for its transaction only", f"{_ASVS} 6.6.2", "CVE-2026-3655"),
        core=True,
    ),
    Rule(
        "RESEND-1",
        _MUST,
        "the earlier code dies at a resend",
        ("OWASP Multifactor Authentication Cheat Sheet",),
    ),
    Rule(
        "RESEND-2",
        _MUST,
        "a resend does not zero the count of wrong codes",
        (f"{_NIST} 3.1.3.2",),
    ),
    Rule(
        "CONTACT-1",
        _MUST,
        "a contact is changed only with proof",
        ("OWASP Transaction Authorization Cheat Sheet 1.2", "PCI DSS 8.3.3"),
    ),
    Rule(
        "CONTACT-2",
        _MUST,
        "a change of contact voids the pending code",
        ("OWASP Transaction Authorization Cheat Sheet 2.6",),
    ),
    Rule(
        "CONTACT-3",
        _MUST,
        "the next code goes to the new contact, none to the old",
        (f"{_SAFEKEY}: contact details can be updated",),
        core=True,
    ),
    Rule(
        "LOAD-1",
        _MUST,
        "every rule that one user's traffic can show holds for every answer under load",
        (_SAFEKEY,),
        core=True,
    ),
    Rule(
        "LOAD-2",
        _MUST,
        "overload fails closed: no wrong OTC and no wrong 3CSC is approved",
        (f"{_ASVS} 16.5.3",),
    ),
)

RULES: dict[str, Rule] = {rule.id: rule for rule in _CATALOGUE}
"""Every rule, by id."""
