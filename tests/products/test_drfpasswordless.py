"""drfpasswordless: what each rule comes to. docs/products/drfpasswordless.md says more."""

from collections.abc import Callable
from typing import Any

from tests.products.install import ROOT
from tests.products.verdicts import broken_by, table, verdicts

PROFILE = ROOT / "examples" / "drfpasswordless" / "profile.toml"
VALIDITY_S = 12

SPELLINGS = (
    "test_used_code_is_refused_in_another_spelling[a space after]",
    "test_used_code_is_refused_in_another_spelling[a space before]",
    "test_used_code_is_refused_in_another_spelling[a line break]",
)
BROKEN = {
    # No wrong code is counted, nowhere.
    "LOCKOUT-1": {"test_right_code_is_refused_after_n_wrong_ones"},
    "LOCKOUT-5": {
        "test_count_does_not_depend_on_address_or_headers",
        "test_count_does_not_depend_on_the_session",
    },
    "LOCKOUT-10": {"test_locked_cards_answer_does_not_tell_a_right_code_from_a_wrong_one"},
    # A code signs in as often as it is sent, until it expires or another one is made.
    "REPLAY-1": {"test_used_code_is_refused"},
    "REPLAY-2": {*SPELLINGS, "test_used_code_is_refused_later_too"},
    # Spaces around a code are taken away.
    "INPUT-4": {
        f"test_other_spelling_of_the_right_code_is_refused[{what}]"
        for what in ("a space before", "a space after", "a line break")
    },
}

EXPECTED = table(
    passed="""
        ISSUE-1 ISSUE-2 ISSUE-3 DELIVER-1 DELIVER-4 VERIFY-1 VERIFY-2 VERIFY-3 VERIFY-4
        EXPIRY-1 EXPIRY-2 EXPIRY-3 EXPIRY-4 EXPIRY-5 LOCKOUT-2 LOCKOUT-8 LOCKOUT-9
        REPLAY-3 BINDING-1 BINDING-3 INPUT-1 INPUT-2 INPUT-3 INPUT-5 INPUT-6 PRIVACY-3
    """,
    broken=BROKEN,
    not_applicable={
        "ISSUE-4": "it documents no limit of starts",
        "ISSUE-5 LOCKOUT-3 LOCKOUT-6 LOCKOUT-7": "it documents no lock",
        "DELIVER-2 CONTACT-1 CONTACT-2 CONTACT-3": "whoever asks for a code names the address",
        "DELIVER-3 BINDING-2": "it signs in, it does not pay",
        "VERIFY-5 CSC-1 CSC-2 CSC-3 CSC-4 CSC-5 CSC-6 CSC-7": "there is no 3CSC",
        "LOCKOUT-4 RESEND-1 RESEND-2 RESEND-3 RESEND-4": "another start is another code",
        "PRIVACY-1": "there are no unknown addresses",
        "PRIVACY-2": "only with --deep",
    },
)


def test_each_rule_comes_to_what_was_found_by_hand(start: Any, otpspec: Callable[..., Any]) -> None:
    site = start("drfpasswordless", threads=4, validity_s=VALIDITY_S)
    words = ["--base-url", site.url, "--set", f"inbox.listen={site.mail}"]
    words += ["--set", f"policy.validity={VALIDITY_S}s", "-k", "not race"]

    for _ in range(2):
        done = otpspec("check", str(PROFILE), *words, timeout=240)

        assert verdicts(done.results) == EXPECTED
        assert broken_by(done.results) == BROKEN
        assert (done.code, done.err) == (1, "")
