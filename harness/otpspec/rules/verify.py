"""VERIFY: the right code is accepted, nothing else is, and the server alone decides."""

from otpspec.rules import sources as of
from otpspec.rules.rule import Report, Rule

VERIFY = (
    Rule(
        "VERIFY-1",
        "MUST",
        "the right code is accepted",
        (of.safekey("the code that was sent authorizes the transaction"),),
        core=True,
    ),
    Rule(
        "VERIFY-2",
        "MUST",
        "a wrong code is denied and may be tried again",
        (of.safekey("denied, and asked for again"),),
        needs=("tries",),
        core=True,
    ),
    Rule(
        "VERIFY-3",
        "MUST",
        "nothing is accepted before a code was issued",
        (of.ASVS_STEPS, of.TA_TRANSITIONS),
        field=(
            Report("CVE-2025-12374", "a plugin took an empty code where none had been made"),
            Report("CVE-2024-5150", "a plugin's unset code was empty, and so was the guess"),
        ),
    ),
    Rule(
        "VERIFY-4",
        "MUST",
        "the decision is the server's: a client's word is ignored",
        (of.TA_SERVER_SIDE, of.ASVS_SERVER_SIDE, of.CWE_CLIENT_SIDE),
        field=(
            Report("CVE-2026-130070", "ghost skipped the code where the request said bypass_otp=1"),
            Report("CVE-2026-56073", "capgo before 12.128.2 left the verdict to the client"),
        ),
    ),
    Rule(
        "VERIFY-5",
        "MUST",
        "steps cannot be skipped or reordered",
        (of.ASVS_STEPS, of.TA_TRANSITIONS),
        field=(Report("CVE-2026-8293", "a plugin gave out sessions without the second step"),),
    ),
)
