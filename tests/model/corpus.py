"""Histories in pairs: one that keeps the rules, and the same broken by one single answer.

A line is an operation and what was answered; each takes a second, `wait` takes what it says. The
answer that breaks the last line follows after `not`. A challenge whose start says `csc` is asked
for the 3CSC.
"""

from datetime import timedelta
from typing import NamedTuple

from otpspec.policy import Policy

SAFEKEY = Policy()
REUSE = Policy(resend="reuse")
RETRY = Policy(wrong_csc="retry")
HALF_AN_HOUR = Policy(lock_for=timedelta(minutes=30))
CHALLENGE = Policy(lock_scope="challenge")
MALFORMED_COUNTS = Policy(malformed_counts=True)


class Pair(NamedTuple):
    """A history, and the answer to its last operation that breaks `rule`."""

    rule: str
    claim: str
    history: str
    policy: Policy = SAFEKEY


PAIRS = [
    Pair("VERIFY-1", "the right code is accepted", """
        start 1 111111 -> done
        verify 1 111111 -> approved not wrong_otc"""),
    Pair("VERIFY-1", "a living transaction may be cancelled", """
        start 1 111111 -> done
        cancel 1 -> done not void"""),
    Pair("VERIFY-2", "a wrong code is not accepted", """
        start 1 111111 -> done
        verify 1 222222 -> wrong_otc not approved"""),
    Pair("VERIFY-2", "a typo does not kill the code", """
        start 1 111111 -> done
        verify 1 222222 -> wrong_otc
        verify 1 111111 -> approved not void"""),
    Pair("VERIFY-2", "a wrong code may be tried again", """
        start 1 111111 -> done
        verify 1 222222 -> wrong_otc not void"""),
    Pair("VERIFY-3", "nothing is accepted before a code was issued", """
        verify 1 111111 -> void not approved"""),
    Pair("ISSUE-1", "a transaction may be started", """
        start 1 111111 -> done not void"""),
    Pair("ISSUE-1", "a living transaction's code may be asked for again", """
        start 1 111111 -> done
        resend 1 222222 -> done not void"""),
    Pair("ISSUE-5", "a locked card gets no code", """
        start 1 111111 -> done
        verify 1 000000 -> wrong_otc
        verify 1 000000 -> wrong_otc
        verify 1 000000 -> wrong_otc
        start 2 222222 -> locked not done"""),
    Pair("EXPIRY-1", "a code lives until its validity ends", """
        start 1 111111 -> done
        wait 595
        verify 1 111111 -> approved not expired"""),
    Pair("EXPIRY-1", "a wrong code within the validity is wrong, not late", """
        start 1 111111 -> done
        verify 1 222222 -> wrong_otc not expired"""),
    Pair("EXPIRY-2", "a code is dead after its validity", """
        start 1 111111 -> done
        wait 602
        verify 1 111111 -> expired not approved"""),
    Pair("EXPIRY-2", "a wrong try does not extend a code's life", """
        start 1 111111 -> done
        wait 300
        verify 1 222222 -> wrong_otc
        wait 302
        verify 1 111111 -> expired not approved"""),
    Pair("EXPIRY-4", "an expired transaction cannot be revived", """
        start 1 111111 -> done
        wait 602
        resend 1 222222 -> expired not done"""),
    Pair("EXPIRY-5", "each code has a validity of its own", """
        start 1 111111 -> done
        wait 500
        resend 1 222222 -> done
        wait 200
        verify 1 222222 -> approved not expired"""),
    Pair("EXPIRY-5", "the card's first code says nothing of later ones", """
        start 1 111111 -> done
        wait 700
        start 2 222222 -> done
        verify 2 222222 -> approved not expired"""),
    Pair("LOCKOUT-1", "the right code is refused after N wrong ones", """
        start 1 111111 -> done
        verify 1 000000 -> wrong_otc
        verify 1 000000 -> wrong_otc
        verify 1 000000 -> wrong_otc
        verify 1 111111 -> locked not approved"""),
    Pair("LOCKOUT-1", "no more than N codes are judged", """
        start 1 111111 -> done
        verify 1 000000 -> wrong_otc
        verify 1 000000 -> wrong_otc
        verify 1 000000 -> wrong_otc
        verify 1 000000 -> locked not wrong_otc"""),
    Pair("LOCKOUT-2", "N-1 wrong codes do not lock", """
        start 1 111111 -> done
        verify 1 000000 -> wrong_otc
        verify 1 000000 -> wrong_otc
        verify 1 111111 -> approved not locked"""),
    Pair("LOCKOUT-2", "a dead transaction counts nothing", """
        start 1 111111 -> done
        verify 1 111111 -> approved
        verify 1 000000 -> void
        verify 1 000000 -> void
        verify 1 000000 -> void
        start 2 222222 -> done not locked"""),
    Pair("LOCKOUT-3", "the count spans the transactions of a card", """
        start 1 111111 -> done
        verify 1 000000 -> wrong_otc
        verify 1 000000 -> wrong_otc
        start 2 222222 -> done
        verify 2 000000 -> wrong_otc
        verify 2 222222 -> locked not approved"""),
    Pair("LOCKOUT-4", "the lock holds for a resend", """
        start 1 111111 -> done
        verify 1 000000 -> wrong_otc
        verify 1 000000 -> wrong_otc
        verify 1 000000 -> wrong_otc
        resend 1 222222 -> locked not done"""),
    Pair("LOCKOUT-6", "a lock ends when its time is over", """
        start 1 111111 -> done
        verify 1 000000 -> wrong_otc
        verify 1 000000 -> wrong_otc
        verify 1 000000 -> wrong_otc
        wait 1810
        start 2 222222 -> done not locked""", HALF_AN_HOUR),
    Pair("LOCKOUT-1", "and not before", """
        start 1 111111 -> done
        verify 1 000000 -> wrong_otc
        verify 1 000000 -> wrong_otc
        verify 1 000000 -> wrong_otc
        wait 100
        verify 1 111111 -> locked not approved""", HALF_AN_HOUR),
    Pair("LOCKOUT-1", "where each code has a count of its own, N wrong ones kill it", """
        start 1 111111 -> done
        start 2 222222 -> done
        verify 1 000000 -> wrong_otc
        verify 1 000000 -> wrong_otc
        verify 1 000000 -> wrong_otc
        verify 2 000000 -> wrong_otc
        verify 1 111111 -> void not approved""", CHALLENGE),
    Pair("LOCKOUT-2", "and N-1 do not", """
        start 1 111111 -> done
        verify 1 000000 -> wrong_otc
        verify 1 000000 -> wrong_otc
        verify 1 111111 -> approved not locked""", CHALLENGE),
    Pair("LOCKOUT-7", "an unlocked card works", """
        start 1 111111 -> done
        verify 1 000000 -> wrong_otc
        verify 1 000000 -> wrong_otc
        verify 1 000000 -> wrong_otc
        unlock -> done
        start 2 222222 -> done not locked"""),
    Pair("LOCKOUT-7", "unlocking clears the count", """
        start 1 111111 -> done
        verify 1 000000 -> wrong_otc
        verify 1 000000 -> wrong_otc
        verify 1 000000 -> wrong_otc
        unlock -> done
        start 2 222222 -> done
        verify 2 000000 -> wrong_otc
        verify 2 222222 -> approved not locked"""),
    Pair("LOCKOUT-7", "unlocking leaves the earlier codes dead", """
        start 1 111111 -> done
        verify 1 000000 -> wrong_otc
        verify 1 000000 -> wrong_otc
        verify 1 000000 -> wrong_otc
        unlock -> done
        verify 1 111111 -> void not approved"""),
    Pair("LOCKOUT-7", "support may unlock a card", """
        unlock -> done not denied"""),
    Pair("LOCKOUT-8", "success clears the count", """
        start 1 111111 -> done
        verify 1 000000 -> wrong_otc
        verify 1 000000 -> wrong_otc
        verify 1 111111 -> approved
        start 2 222222 -> done
        verify 2 000000 -> wrong_otc
        verify 2 222222 -> approved not locked"""),
    Pair("LOCKOUT-9", "a card on which nothing was tried is not locked", """
        start 1 111111 -> done
        verify 1 111111 -> approved not locked"""),
    Pair("LOCKOUT-9", "nor is one that never did anything", """
        start 1 111111 -> done not locked"""),
    Pair("CSC-1", "a wrong 3CSC voids the transaction", """
        start 1 111111 csc -> done
        verify 1 111111 wrong -> wrong_csc
        verify 1 111111 right -> void not approved"""),
    Pair("CSC-2", "a wrong 3CSC is refused", """
        start 1 111111 csc -> done
        verify 1 111111 wrong -> wrong_csc not approved"""),
    Pair("CSC-2", "a missing 3CSC is refused", """
        start 1 111111 csc -> done
        verify 1 111111 missing -> wrong_csc not approved"""),
    Pair("CSC-5", "a wrong 3CSC is refused the second time too", """
        start 1 111111 csc -> done
        verify 1 111111 wrong -> wrong_csc
        verify 1 111111 wrong -> void not approved"""),
    Pair("CSC-5", "and where it may be tried again", """
        start 1 111111 csc -> done
        verify 1 111111 wrong -> wrong_csc
        verify 1 111111 wrong -> wrong_csc not approved""", RETRY),
    Pair("CSC-6", "a new transaction works after one was voided", """
        start 1 111111 csc -> done
        verify 1 111111 wrong -> wrong_csc
        start 2 222222 csc -> done not locked"""),
    Pair("CSC-6", "and its code is accepted", """
        start 1 111111 csc -> done
        verify 1 111111 wrong -> wrong_csc
        start 2 222222 csc -> done
        verify 2 222222 right -> approved not void"""),
    Pair("CSC-7", "wrong 3CSCs lock the card as wrong codes do", """
        start 1 111111 csc -> done
        verify 1 111111 wrong -> wrong_csc
        start 2 222222 csc -> done
        verify 2 222222 wrong -> wrong_csc
        start 3 333333 csc -> done
        verify 3 333333 missing -> wrong_csc
        verify 3 333333 right -> locked not approved"""),
    Pair("REPLAY-1", "a used code is refused", """
        start 1 111111 -> done
        verify 1 111111 -> approved
        verify 1 111111 -> void not approved"""),
    Pair("REPLAY-3", "a used transaction gets no new code", """
        start 1 111111 -> done
        verify 1 111111 -> approved
        resend 1 222222 -> void not done"""),
    Pair("REPLAY-3", "a cancelled transaction stays dead", """
        start 1 111111 -> done
        cancel 1 -> done
        verify 1 111111 -> void not approved"""),
    Pair("REPLAY-3", "a transaction of long ago stays dead", """
        start 1 111111 -> done
        verify 1 111111 -> approved
        start 2 222222 -> done
        verify 2 222222 -> approved
        start 3 333333 -> done
        verify 3 333333 -> approved
        start 4 444444 -> done
        verify 4 444444 -> approved
        start 5 555555 -> done
        verify 5 555555 -> approved
        start 6 666666 -> done
        verify 6 666666 -> approved
        verify 1 111111 -> void not approved"""),
    Pair("BINDING-1", "another transaction's code is a wrong one", """
        start 1 111111 -> done
        start 2 222222 -> done
        verify 1 222222 -> wrong_otc not approved"""),
    Pair("BINDING-2", "a change of the amount kills the code", """
        start 1 111111 -> done
        amend 1 222222 -> done
        verify 1 111111 -> wrong_otc not approved"""),
    Pair("RESEND-1", "a resend kills the earlier code", """
        start 1 111111 -> done
        resend 1 222222 -> done
        verify 1 111111 -> wrong_otc not approved"""),
    Pair("RESEND-2", "a resend does not clear the count", """
        start 1 111111 -> done
        verify 1 000000 -> wrong_otc
        verify 1 000000 -> wrong_otc
        resend 1 222222 -> done
        verify 1 000000 -> wrong_otc
        verify 1 222222 -> locked not approved"""),
    Pair("RESEND-3", "where the code is repeated, its life is not extended", """
        start 1 111111 -> done
        wait 500
        resend 1 -> done
        wait 102
        verify 1 111111 -> expired not approved""", REUSE),
    Pair("CONTACT-1", "a contact is changed only with proof", """
        start 1 111111 -> done
        change unproven -> denied not done"""),
    Pair("CONTACT-2", "a change of contact voids the pending code", """
        start 1 111111 -> done
        change proven -> done
        verify 1 111111 -> void not approved"""),
    Pair("CONTACT-3", "with proof, the contact can be changed", """
        start 1 111111 -> done
        change proven -> done not denied"""),
    Pair("INPUT-1", "malformed input is not accepted", """
        start 1 111111 -> done
        malformed 1 -> malformed not approved"""),
    Pair("INPUT-6", "malformed input counts where that is declared", """
        start 1 111111 -> done
        malformed 1 -> malformed
        malformed 1 -> malformed
        malformed 1 -> malformed
        verify 1 111111 -> locked not approved""", MALFORMED_COUNTS),
    Pair("INPUT-6", "malformed input counts nothing", """
        start 1 111111 -> done
        malformed 1 -> malformed
        malformed 1 -> malformed
        malformed 1 -> malformed
        verify 1 111111 -> approved not locked"""),
]  # fmt: skip
