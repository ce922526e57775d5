"""BINDING: a code is good for its own transaction, as it was when the code was sent."""

from otpspec.rules import sources as of
from otpspec.rules.rule import Report, Rule

BINDING = (
    Rule(
        "BINDING-1",
        "MUST",
        "a code works for its own transaction only",
        (
            of.safekey("for its transaction only"),
            of.ASVS_BOUND,
            of.PSD2_SPECIFIC,
            of.PSD2_CORRESPONDS,
        ),
        needs=("tries",),
        field=(
            Report("CVE-2026-3655", "a plugin took a code for any account, not for its own number"),
            Report("CVE-2026-78619", "a plugin took another account's recovery code"),
        ),
        core=True,
    ),
    Rule(
        "BINDING-2",
        "MUST",
        "a change of amount or payee voids the code",
        (of.PSD2_CHANGE_INVALIDATES, of.TA_MODIFIED_DATA),
        needs=("amend",),
    ),
    Rule(
        "BINDING-3",
        "MUST",
        "transaction ids cannot be guessed, and a stranger's is refused",
        (of.CWE_OTHERS_KEY, of.ASVS_UNGUESSABLE, of.ASVS_DATA_ACCESS),
        needs=("id",),
    ),
)
