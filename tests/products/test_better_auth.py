"""better-auth, emailOTP: what each rule comes to. docs/products/better-auth.md says more."""

from collections.abc import Callable
from typing import Any

from tests.products.install import ROOT
from tests.products.verdicts import table, verdicts

PROFILE = ROOT / "examples" / "better-auth" / "profile.toml"
VALIDITY_S = 12

EXPECTED = table(
    passed="""
        ISSUE-1 ISSUE-2 ISSUE-3 DELIVER-1 DELIVER-4 VERIFY-1 VERIFY-2 VERIFY-3 VERIFY-4
        EXPIRY-1 EXPIRY-2 EXPIRY-3 EXPIRY-4 EXPIRY-5
        LOCKOUT-1 LOCKOUT-2 LOCKOUT-5 LOCKOUT-8 LOCKOUT-9 LOCKOUT-10
        REPLAY-1 REPLAY-2 REPLAY-3 BINDING-1 BINDING-3
        INPUT-1 INPUT-2 INPUT-3 INPUT-4 INPUT-5 INPUT-6 PRIVACY-3 RACE-1 RACE-2 RACE-4
    """,
    broken={},
    not_applicable={
        "ISSUE-4": "its limit of requests is one of the whole site, and off here",
        "ISSUE-5 LOCKOUT-3 LOCKOUT-6 LOCKOUT-7": "the code dies, the account is not locked",
        "DELIVER-2 CONTACT-1 CONTACT-2 CONTACT-3": "whoever asks for a code names the address",
        "DELIVER-3 BINDING-2": "it signs in, it does not pay",
        "VERIFY-5 CSC-1 CSC-2 CSC-3 CSC-4 CSC-5 CSC-6 CSC-7 RACE-5": "there is no 3CSC",
        "LOCKOUT-4 RESEND-1 RESEND-2 RESEND-3 RESEND-4 RACE-3": "another start is another code",
        "PRIVACY-1": "there are no unknown addresses",
        "PRIVACY-2": "only with --deep",
    },
)


def test_each_rule_comes_to_what_was_found_by_hand(start: Any, otpspec: Callable[..., Any]) -> None:
    site = start("better_auth", validity_s=VALIDITY_S)
    words = ["--base-url", site.url, "--set", f"inbox.listen={site.mail}"]
    words += ["--set", f"policy.validity={VALIDITY_S}s"]

    for _ in range(2):
        done = otpspec("check", str(PROFILE), *words, timeout=240, **site.env)

        assert verdicts(done.results) == EXPECTED
        assert (done.code, done.err) == (0, "")
