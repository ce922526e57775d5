"""INPUT: what is not a code is never one, and breaks nothing."""

from otpspec.rules import sources as of
from otpspec.rules.rule import Report, Rule

INPUT = (
    Rule(
        "INPUT-1",
        "MUST",
        'what is no code ("", null, [], {}, true, 0, a query) is refused, and is no internal error',
        (of.ASVS_INPUT, of.ASVS_STRICT_TYPES, of.ASVS_FAIL_CLOSED),
        field=(
            Report("CVE-2025-12374", "a plugin took an empty code"),
            Report("CVE-2026-7458", "the same plugin took true, by a loose comparison"),
        ),
    ),
    Rule(
        "INPUT-2",
        "MUST",
        "too short, too long and prefixes of the code are refused",
        (of.ASVS_INPUT,),
        field=(Report("GHSA-rmmc-8cqj-hfp3", "otpauth before 3.2.8 could take a single digit"),),
    ),
    Rule(
        "INPUT-3",
        "MUST",
        "leading zeros are part of the code",
        (of.HOTP_SIX_DIGITS, of.ASVS_STRICT_TYPES),
        needs=("digits",),
        field=(Report("otphp#27", "codes with leading zeros failed verification"),),
    ),
    Rule(
        "INPUT-4",
        "MUST",
        "other scripts' digits, signs, exponents, spaces and line breaks are refused",
        (of.ASVS_INPUT, of.ASVS_STRICT_TYPES),
        needs=("digits",),
        field=(Report("commons-validator#380", "isDigit takes full-width and Arabic digits"),),
    ),
    Rule(
        "INPUT-5",
        "MUST",
        "repeated keys and lists of codes are one try at most",
        (of.ASVS_REPEATED_PARAMETERS, of.ASVS_STRICT_TYPES),
        needs=("tries",),
    ),
    Rule(
        "INPUT-6",
        "MUST",
        "malformed input counts as a wrong try, or does not, as declared",
        (of.declared("whether malformed input counts"), of.ASVS_AS_DOCUMENTED),
    ),
)
