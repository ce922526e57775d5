"""django-allauth, headless: what each rule comes to. docs/products/django-allauth.md says more."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.products.install import ROOT
from tests.products.verdicts import broken_by, table, verdicts

PROFILE = ROOT / "examples" / "django-allauth" / "profile.toml"

BROKEN = {
    # A resend makes a new code, but the time of the login's first one goes on: sent again late,
    # the new code dies early.
    "EXPIRY-5": {"test_resent_code_lives_from_its_own_sending"},
}

EXPECTED = table(
    passed="""
        ISSUE-1 ISSUE-2 ISSUE-3 ISSUE-4 DELIVER-1 DELIVER-4
        VERIFY-1 VERIFY-2 VERIFY-3 VERIFY-4
        EXPIRY-1 EXPIRY-2 EXPIRY-3 EXPIRY-4
        LOCKOUT-1 LOCKOUT-2 LOCKOUT-4 LOCKOUT-5 LOCKOUT-8 LOCKOUT-9 LOCKOUT-10
        REPLAY-1 REPLAY-2 REPLAY-3 BINDING-1 BINDING-3 RESEND-1 RESEND-2 RESEND-4
        INPUT-1 INPUT-2 INPUT-4 INPUT-5 INPUT-6 PRIVACY-1 PRIVACY-3
    """,
    broken=BROKEN,
    not_applicable={
        "ISSUE-5 LOCKOUT-3 LOCKOUT-6 LOCKOUT-7": "the challenge dies, the account is not locked",
        "DELIVER-2": "whoever starts names the address",
        "DELIVER-3 BINDING-2": "it signs in, it does not pay",
        "VERIFY-5 CSC-1 CSC-2 CSC-3 CSC-4 CSC-5 CSC-6 CSC-7": "there is no 3CSC",
        "RESEND-3": "a resend makes a new code",
        "CONTACT-1 CONTACT-2 CONTACT-3": "whoever starts names the address",
        "INPUT-3": "codes are letters",
        "PRIVACY-2": "only with --deep",
    },
)


@pytest.mark.parametrize(
    ("workers", "threads", "validity_s", "times"),
    [(1, 1, 12, 1), (2, 8, 8, 2)],
    ids=["one request at a time", "two processes of eight threads"],
)
def test_each_rule_comes_to_what_was_found_by_hand(
    start: Any,
    otpspec: Callable[..., Any],
    workers: int,
    threads: int,
    validity_s: int,
    times: int,
) -> None:
    site = start(
        "django_allauth",
        workers=workers,
        threads=threads,
        timeout_s=validity_s,
        starts_limit="6/10s/key",
    )
    words = ["--base-url", site.url + "/_allauth/app/v1", "--set", f"inbox.listen={site.mail}"]
    words += ["--set", f"policy.validity={validity_s}s", "--set", "policy.max_starts=6/10s"]

    for _ in range(times):
        done = otpspec("check", str(PROFILE), *words, timeout=240)

        assert verdicts(done.results) == EXPECTED
        assert broken_by(done.results) == BROKEN
        assert (done.code, done.err) == (1, "")
        assert "not waived" not in done.out
