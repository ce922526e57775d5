"""EXPIRY: a code lives for its validity, and not a second longer."""

from otpspec.rules import sources as of
from otpspec.rules.rule import Report, Rule

_TEN_MINUTES = of.safekey('"valid only for 10 minutes"')

EXPIRY = (
    Rule(
        "EXPIRY-1",
        "MUST",
        "the right code is accepted until the end of its validity",
        (_TEN_MINUTES,),
        needs=("clock",),
        core=True,
    ),
    Rule(
        "EXPIRY-2",
        "MUST",
        "the right code is refused after its validity",
        (_TEN_MINUTES, of.ASVS_LIFETIME, of.NIST_TEN_MINUTES, of.TA_LIMITED_TIME),
        needs=("clock",),
        field=(
            Report("CVE-2024-8122", "WSO2 Identity Server sent codes that never expired"),
            Report("CVE-2026-8760", "a plugin's codes had no end"),
        ),
        core=True,
    ),
    Rule(
        "EXPIRY-3",
        "MUST",
        "wrong tries and refusals do not extend a code's life",
        (of.ASVS_LIFETIME, of.NIST_TEN_MINUTES),
        needs=("clock", "tries"),
    ),
    Rule(
        "EXPIRY-4",
        "MUST",
        "an expired transaction cannot be revived: it is started again",
        (of.safekey("the entire transaction starts again"),),
        needs=("clock", "resend"),
        core=True,
    ),
    Rule(
        "EXPIRY-5",
        "MUST",
        "the validity counts from each code's own sending",
        (of.safekey('"10 minutes from its arrival"'),),
        needs=("clock",),
        core=True,
    ),
)
