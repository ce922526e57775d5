"""LOCKOUT: several wrong codes lock the card, all of it, until support unlocks it."""

from otpspec.rules import sources as of
from otpspec.rules.rule import Report, Rule

_LOCK = of.safekey("several wrong codes lock the card")
_SUPPORT = of.safekey("support unlocks")

LOCKOUT = (
    Rule(
        "LOCKOUT-1",
        "MUST",
        "N wrong codes lock the card: the right one is refused then",
        (
            _LOCK,
            of.PSD2_FIVE_FAILURES,
            of.PCI_TEN_ATTEMPTS,
            of.NIST_ONE_HUNDRED,
            of.ASVS_BRUTE_FORCE,
            of.TA_BRUTE_FORCE,
            of.WSTG_LOCKOUT,
            of.HOTP_THROTTLE,
        ),
        field=(
            Report("CVE-2026-8760", "a plugin looked at its limit when it sent codes, not later"),
            Report("CVE-2026-35597", "Vikunja rolled the lock back with the failed request"),
        ),
        core=True,
    ),
    Rule(
        "LOCKOUT-2",
        "MUST",
        "N-1 wrong codes do not lock the card",
        (of.safekey("a wrong code is denied and asked for again"), of.WSTG_LOCKOUT),
        needs=("tries",),
        core=True,
    ),
    Rule(
        "LOCKOUT-3",
        "MUST",
        "the count of wrong codes spans the transactions and sessions of a card",
        (of.safekey("the card is locked"), of.HOTP_ACROSS_SESSIONS, of.NIST_ONE_HUNDRED),
        needs=("card lock",),
        field=(
            Report("CVE-2026-78655", "a plugin counted in a cookie, which could be sent again"),
        ),
        core=True,
    ),
    Rule(
        "LOCKOUT-4",
        "MUST",
        "the lock holds on every endpoint",
        (of.safekey("the card is locked"), of.ASVS_ALL_PATHWAYS),
        needs=("resend",),
        field=(Report("CVE-2026-9798", "Keycloak's lock did not hold on the CIBA pathway"),),
        core=True,
    ),
    Rule(
        "LOCKOUT-5",
        "MUST",
        "the count does not depend on address, session or headers",
        (
            of.HOTP_ACROSS_SESSIONS,
            of.NIST_ONE_HUNDRED,
            of.ASVS_TRUSTED_ADDRESS,
            of.WSTG_FORWARDED_FOR,
        ),
        field=(
            Report("GHSA-c55g-q6f4-5qxr", "rubygems.org counted per address: others were free"),
            Report("CVE-2020-35590", "a WordPress plugin counted per X-Forwarded-For"),
        ),
    ),
    Rule(
        "LOCKOUT-6",
        "MUST",
        "the lock lasts as declared: until support unlocks the card, or for its time",
        (_SUPPORT, of.PCI_THIRTY_MINUTES, of.PSD2_END_OF_BLOCK),
        needs=("card lock", "clock"),
        core=True,
    ),
    Rule(
        "LOCKOUT-7",
        "MUST",
        "after support unlocks, the card works and the old codes stay dead",
        (_SUPPORT, of.PSD2_END_OF_BLOCK),
        needs=("card lock", "unlock"),
        field=(Report("keycloak#26177", "after a lock the same challenge could be guessed on"),),
        core=True,
    ),
    Rule(
        "LOCKOUT-8",
        "SHOULD",
        "success clears the count of wrong codes",
        (of.NIST_SUCCESS_CLEARS,),
        needs=("tries", "clearing"),
        field=(Report("zitadel#8546", "2.53.9, as reported: typos of months added up to a lock"),),
    ),
    Rule(
        "LOCKOUT-9",
        "MUST",
        "other cards are not locked",
        (of.ASVS_MALICIOUS_LOCKOUT,),
    ),
    Rule(
        "LOCKOUT-10",
        "MUST",
        "a locked card's answer does not tell a right code from a wrong one",
        (of.CWE_RESPONSE,),
    ),
)
