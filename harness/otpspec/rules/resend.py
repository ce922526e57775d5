"""RESEND: sending again gives nobody more codes, more time, or more guesses."""

from otpspec.rules import sources as of
from otpspec.rules.rule import Report, Rule

RESEND = (
    Rule(
        "RESEND-1",
        "MUST",
        "the earlier code dies at a resend that makes a new one",
        (of.WSTG_ONE_VALID,),
        needs=("resend", "rotate"),
    ),
    Rule(
        "RESEND-2",
        "MUST",
        "a resend does not zero the count of wrong codes",
        (of.NIST_NEW_CODE_OLD_COUNT,),
        needs=("resend", "tries"),
    ),
    Rule(
        "RESEND-3",
        "MUST",
        "a resend that repeats the code does not extend its life",
        (of.ASVS_LIFETIME, of.NIST_TEN_MINUTES),
        needs=("resend", "reuse", "clock"),
        field=(Report("rallly#2439", "better-auth's resendStrategy reuse extends the expiry"),),
    ),
    Rule(
        "RESEND-4",
        "SHOULD",
        "resends are limited, as declared",
        (of.ASVS_EXCESSIVE_CALLS, of.WSTG_REQUEST_RATE, of.MFA_COST),
        needs=("resend", "max resends"),
    ),
)
