"""Each template of `otpspec init`, against a server that keeps what the template promises."""

import socket
from base64 import b64encode
from collections.abc import Callable
from typing import Any

from tests.stand_ins.started import CLOCK, stand_in
from tests.stand_ins.twilio_verify import ACCOUNT, SERVICE

Run = Callable[..., Any]
TOKEN = "a-token-of-the-tests"

ALWAYS = """
ISSUE-1 ISSUE-2 ISSUE-3 DELIVER-4 VERIFY-1 VERIFY-2 VERIFY-3 VERIFY-4
EXPIRY-1 EXPIRY-2 EXPIRY-3 EXPIRY-4 EXPIRY-5 LOCKOUT-1 LOCKOUT-2 LOCKOUT-5 LOCKOUT-8 LOCKOUT-9
LOCKOUT-10 REPLAY-1 REPLAY-2 BINDING-1 BINDING-3
INPUT-1 INPUT-2 INPUT-3 INPUT-4 INPUT-5 INPUT-6 PRIVACY-3
"""
"""What every template lets the harness check."""

CARD_LOCK = "LOCKOUT-3 LOCKOUT-6 ISSUE-5 DELIVER-3"
RESEND = "RESEND-2 REPLAY-3"


def free_port() -> int:
    """A port that nobody listens on at the moment."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def conformant(otpspec: Run, template: str, url: str, passed: str, **how: Any) -> None:
    """Begin with a template, check with it: nothing is broken, and this much is judged."""
    given = how.pop("given", [])
    changes = [f"--set={change}" for change in how.pop("changes", [])]
    begun = otpspec("init", "acs.toml", "--from", template, "--base-url", url, *given, **how)
    assert (begun.code, begun.err) == (0, "")

    done = otpspec("check", "acs.toml", "--seed", "7", *changes, timeout=240, **how)

    verdicts = {rule["id"]: rule["verdict"] for rule in done.results["rules"]}
    assert done.results["rules"], done.err
    wrong = {n: v for n, v in verdicts.items() if v in ("broken", "inconclusive")}
    assert wrong == {}, done.out
    assert {n for n, v in verdicts.items() if v == "passed"} >= set(passed.split())


def test_json_api(otpspec: Run) -> None:
    with stand_in("json_api") as url:
        conformant(otpspec, "json-api", url, f"{ALWAYS} {CARD_LOCK} DELIVER-1", changes=[CLOCK])


def test_html_form(otpspec: Run) -> None:
    listen = f"127.0.0.1:{free_port()}"
    csc = "VERIFY-5 CSC-1 CSC-2 CSC-4 CSC-5 CSC-6 CSC-7"
    more = f"{CARD_LOCK} {RESEND} {csc} DELIVER-2 LOCKOUT-4 LOCKOUT-7 RESEND-1"

    with stand_in("html_form", "--token", TOKEN, "--sms", f"http://{listen}") as url:
        conformant(
            otpspec,
            "html-form",
            url,
            f"{ALWAYS} {more}",
            given=["--inbox", "sms", "--inbox-at", listen],
            changes=[CLOCK],
            SUPPORT_TOKEN=TOKEN,
        )


def test_twilio_verify(otpspec: Run) -> None:
    listen = f"127.0.0.1:{free_port()}"
    basic = b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()

    with stand_in("twilio_verify", "--token", TOKEN, "--sms", f"http://{listen}") as url:
        conformant(
            otpspec,
            "twilio-verify",
            url,
            f"{ALWAYS} {RESEND} ISSUE-4 RESEND-3 RESEND-4",
            changes=[CLOCK, f"inbox.listen={listen}"],
            TWILIO_SERVICE=SERVICE,
            TWILIO_BASIC=basic,
        )


def test_safekey_reference(otpspec: Run, reference_server: Any) -> None:
    everything = f"{ALWAYS} {CARD_LOCK} {RESEND} CSC-1 BINDING-2 CONTACT-3 LOCKOUT-7"

    conformant(otpspec, "safekey-reference", reference_server.url, everything)
