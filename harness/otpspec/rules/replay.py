"""REPLAY: a code is good for one use."""

from otpspec.rules import sources as of
from otpspec.rules.rule import Report, Rule

_ONCE = (of.ASVS_ONE_USE, of.NIST_ONCE, of.PSD2_ONCE)

REPLAY = (
    Rule(
        "REPLAY-1",
        "MUST",
        "a used code is refused",
        _ONCE,
        field=(Report("CVE-2026-31875", "Parse Server did not use up its recovery codes"),),
    ),
    Rule(
        "REPLAY-2",
        "MUST",
        "a used code stays refused, also later, and in other spellings",
        _ONCE,
        needs=("clock",),
        field=(
            Report("CVE-2025-55000", "OpenBao forgot that a code was used where it was spaced"),
            Report("CVE-2021-43177", "devise-two-factor took a used code again in the next span"),
        ),
    ),
    Rule(
        "REPLAY-3",
        "MUST",
        "a finished or voided transaction cannot be reopened",
        (of.TA_TRANSITIONS, of.ASVS_STEPS),
        needs=("resend",),
    ),
)
