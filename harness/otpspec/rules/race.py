"""RACE: requests that meet are decided as if one had come after the other."""

from otpspec.rules import sources as of
from otpspec.rules.rule import Report, Rule

RACE = (
    Rule(
        "RACE-1",
        "MUST",
        "of simultaneous right codes at most one is accepted",
        (of.ASVS_ATOMIC, of.ASVS_ONE_USE, of.PSD2_ONCE),
        field=(Report("CVE-2026-107276", "MISP read, judged and deleted a code in three steps"),),
    ),
    Rule(
        "RACE-2",
        "MUST",
        "of simultaneous wrong codes at most N are judged, and the card is locked after",
        (of.HOTP_ACROSS_SESSIONS, of.ASVS_ATOMIC),
        field=(
            Report("GHSA-984p-xq9m-4rjw", "express-brute read its counter, and wrote it later"),
            Report("CVE-2026-110653", "LatePoint counted tries from a value that was stale"),
            Report("CVE-2026-110861", "Better Auth's limit was not atomic with its counter"),
        ),
    ),
    Rule(
        "RACE-3",
        "MUST",
        "some one-at-a-time order of verify, resend, expiry and unlock explains every answer",
        (of.ASVS_ATOMIC, of.ASVS_WHOLE_OR_NOT),
        needs=("resend",),
    ),
    Rule(
        "RACE-4",
        "MUST",
        "a right code among simultaneous wrong ones is approved no more often than chance allows",
        (of.HOTP_ACROSS_SESSIONS, of.ASVS_ATOMIC),
    ),
    Rule(
        "RACE-5",
        "MUST",
        "a wrong 3CSC and the right pair at once never both void and approve a transaction",
        (
            of.safekey("after a wrong 3CSC the entire transaction starts again"),
            of.ASVS_ATOMIC,
            of.ASVS_WHOLE_OR_NOT,
        ),
        needs=("csc", "void"),
        core=True,
    ),
)
