"""privacyIDEA: what each rule comes to. docs/products/privacyidea.md says more."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.products.install import ROOT
from tests.products.verdicts import broken_by, table, verdicts

PROFILE = ROOT / "examples" / "privacyidea" / "profile.toml"
VALIDITY_S = 20  # a lock takes ten requests of it, of 25 ms and more each

BROKEN = {
    # Codes are HOTP values of the token's counter, and what is looked for is any of the next ten:
    # the code of the newest challenge answers an older one of the token.
    "BINDING-1": {"test_code_of_another_transaction_of_the_card_is_refused"},
    # A reset sets the counter to zero, and leaves the open challenge as it is.
    "LOCKOUT-7": {"test_card_works_after_support_unlocks_and_old_codes_stay_dead"},
    # No "pass", null, true or a number in it: HTTP 500.
    "INPUT-1": {
        "test_what_is_no_code_is_refused[nothing]",
        "test_what_is_no_code_is_refused[null]",
        "test_what_is_no_code_is_refused[true]",
        "test_what_is_no_code_is_refused[0]",
        "test_number_in_place_of_the_code_breaks_nothing",
    },
}

EXPECTED = table(
    passed="""
        ISSUE-1 ISSUE-2 ISSUE-3 ISSUE-5 DELIVER-1 DELIVER-4
        VERIFY-1 VERIFY-2 VERIFY-3 VERIFY-4
        EXPIRY-1 EXPIRY-2 EXPIRY-3 EXPIRY-4 EXPIRY-5
        LOCKOUT-1 LOCKOUT-2 LOCKOUT-3 LOCKOUT-5 LOCKOUT-6 LOCKOUT-8 LOCKOUT-9 LOCKOUT-10
        REPLAY-1 REPLAY-2 REPLAY-3 BINDING-3 INPUT-2 INPUT-3 INPUT-4 INPUT-5 INPUT-6 PRIVACY-3
    """,
    broken=BROKEN,
    not_applicable={
        "ISSUE-4": "it documents no limit of starts",
        "DELIVER-2": "the answer to a start shows nothing of the address",
        "DELIVER-3 BINDING-2": "it signs in, it does not pay",
        "VERIFY-5 CSC-1 CSC-2 CSC-3 CSC-4 CSC-5 CSC-6 CSC-7": "there is no 3CSC",
        "LOCKOUT-4 RESEND-1 RESEND-2 RESEND-3 RESEND-4": "there is no resend",
        "CONTACT-1 CONTACT-2 CONTACT-3": "only administrators change an address",
        "PRIVACY-1": "it does not promise to hide which tokens there are",
        "PRIVACY-2": "only with --deep",
    },
)


def test_each_rule_comes_to_what_was_found_by_hand(start: Any, otpspec: Callable[..., Any]) -> None:
    server = start("privacyidea", workers=2, threads=1, validity_s=VALIDITY_S)
    words = ["--base-url", server.url, "--set", f"inbox.listen={server.mail}"]
    words += ["--set", f"policy.validity={VALIDITY_S}s", "-k", "not race"]

    for _ in range(2):
        done = otpspec("check", str(PROFILE), *words, timeout=400, **server.env)

        assert verdicts(done.results) == EXPECTED
        assert broken_by(done.results) == BROKEN
        assert (done.code, done.err) == (1, "")
        assert "not waived" not in done.out
        written = (done.folder / "results.json").read_text()
        assert server.env["PRIVACYIDEA_PASSWORD"] not in written


@pytest.mark.parametrize(
    ("workers", "threads", "rounds", "broken"),
    [(1, 1, 4, set()), (2, 8, 80, {"RACE-1", "RACE-2"})],
    ids=["one request at a time", "two processes of eight threads"],
)
def test_it_races_where_two_requests_are_carried_out_at_once(
    start: Any,
    otpspec: Callable[..., Any],
    workers: int,
    threads: int,
    rounds: int,
    broken: set[str],
) -> None:
    """Its counter shows in most rounds. That a code is spent twice shows in about one of twenty:
    the rounds end where it has shown."""
    server = start("privacyidea", workers=workers, threads=threads, validity_s=60)
    words = ["--base-url", server.url, "--set", f"inbox.listen={server.mail}"]
    words += ["--set", "policy.validity=60s", "--set", "races.sizes=[2, 16]"]
    words += ["--races", "95%/2%", "--set", f"races.rounds={rounds}"]

    found: set[str] = set()
    for rule in ("RACE-1 and not several_sessions", "RACE-2"):  # together they slow each other down
        done = otpspec("check", str(PROFILE), *words, "-k", rule, timeout=240, **server.env)
        found |= {name for name, verdict in verdicts(done.results).items() if verdict == "broken"}

    assert found == broken
