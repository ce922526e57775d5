"""ISSUE: a fresh code for each transaction, that nobody foretells, and nobody reads on the way."""

from otpspec.rules import sources as of
from otpspec.rules.rule import Report, Rule

ISSUE = (
    Rule(
        "ISSUE-1",
        "MUST",
        "a fresh code is made for every transaction",
        (of.safekey('"generated every time"'), of.TA_UNIQUE, of.TA_UNIQUE_CREDENTIALS),
        core=True,
    ),
    Rule(
        "ISSUE-2",
        "MUST",
        "codes have the declared form, at least 20 bits (six digits), and are unpredictable",
        (of.ASVS_RANDOM, of.ASVS_ENTROPY, of.NIST_SIX_DIGITS, of.PSD2_NO_NEXT_CODE),
        field=(
            Report("CVE-2021-23451", "otp-generator before 3.0.0 made codes that could be guessed"),
        ),
    ),
    Rule(
        "ISSUE-3",
        "MUST",
        "the code is never in a response to the payer",
        (of.safekey("sent to the registered contact only"),),
        field=(
            Report("CVE-2026-105211", "ZITADEL before 4.17.1 returned the codes that it had sent"),
            Report("CVE-2026-77264", "a plugin returned its login token to whoever asked for one"),
        ),
        core=True,
    ),
    Rule(
        "ISSUE-4",
        "SHOULD",
        "starts per card are limited, as declared",
        (of.ASVS_EXCESSIVE_CALLS, of.ASVS_DOCUMENTED_LIMITS, of.WSTG_REQUEST_RATE, of.MFA_COST),
        needs=("max starts",),
    ),
    Rule(
        "ISSUE-5",
        "MUST",
        "a locked card gets no new code",
        (of.safekey("several wrong codes lock the card"),),
        needs=("card lock",),
        core=True,
    ),
)
