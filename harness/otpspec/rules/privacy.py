"""PRIVACY: answers tell no more than they must."""

from otpspec.rules import sources as of
from otpspec.rules.rule import Report, Rule

PRIVACY = (
    Rule(
        "PRIVACY-1",
        "SHOULD",
        "an unknown card looks like a known one",
        (of.ASVS_NO_ENUMERATION, of.CWE_RESPONSE),
        needs=("unknown card",),
        field=(Report("CVE-2024-0391", "WSO2's e-mail codes told which users there are"),),
    ),
    Rule(
        "PRIVACY-2",
        "SHOULD",
        "no timing tells how much of a code was right",
        (of.ASVS_CONSTANT_TIME, of.CWE_TIMING),
    ),
    Rule(
        "PRIVACY-3",
        "MUST",
        "no cache may keep a decision, and no code or 3CSC stands in a URL",
        (of.ASVS_NOT_IN_URL, of.ASVS_NO_STORE),
    ),
)
