"""What a scenario comes to: every verdict, what it needs, and what is never drawn or repeated."""

import asyncio
import json
import re
import time
from pathlib import Path
from typing import Any

import pytest

from otpspec import MISSING, REFUSED, Broken, NotApplicable, Outcome, Trial, Verdict, proves
from otpspec.verdicts import RULES_ATTRIBUTE

from .scripted import Asked, scripted
from .small_bank import Bank, Play, play_at, run, run_all

BECAUSE = "the code is right"
WRONG = (403, {"status": "wrong"})


async def right_code(trial: Trial) -> None:
    challenge = await trial.start()
    answer = await trial.verify(challenge)
    trial.expect(answer, Outcome.APPROVED, because=BECAUSE)


async def wrong_code(trial: Trial) -> None:
    challenge = await trial.start()
    answer = await trial.verify(challenge, trial.wrong(challenge.card))
    trial.expect(answer, *REFUSED, because="the code is wrong")


def operations(asked: list[Asked]) -> list[str]:
    """What was asked of the target, without the looks at the inbox."""
    words = [asked.target.rpartition("/")[2] for asked in asked]
    return [word for word in words if not word.startswith("outbox")]


# --- verdicts -----------------------------------------------------------------------------------


def test_what_is_as_it_must_be_passes() -> None:
    finished = run(Bank(), right_code)

    assert (finished.verdict, finished.reason) == (Verdict.PASSED, "")


def test_what_is_refused_though_it_must_be_approved_is_broken() -> None:
    finished = run(Bank(verify=WRONG), right_code)

    assert finished.verdict is Verdict.BROKEN
    assert finished.expected == f"approved: {BECAUSE}"
    assert finished.got == "wrong_otc (HTTP 403)"
    assert finished.reason == BECAUSE


def test_what_is_approved_though_it_must_be_refused_is_broken() -> None:
    finished = run(Bank(verify=(200, {"status": "approved"})), wrong_code)

    assert finished.verdict is Verdict.BROKEN
    assert finished.expected == "refused: the code is wrong"
    assert finished.got == "approved (HTTP 200)"


def test_the_answer_that_broke_a_rule_is_told_and_those_that_a_check_names() -> None:
    async def checked(trial: Trial) -> None:
        challenge = await trial.start()
        both = [await trial.verify(challenge), await trial.verify(challenge)]
        trial.check(False, expected="e", got="g", because="b", answers=both)

    for scenario, codes in ((right_code, 1), (checked, 2)):
        finished = run(Bank(verify=WRONG), scenario)

        assert isinstance(finished.error, Broken)
        asked = [answer.request for answer in finished.error.answers]
        assert asked == [a.request for a in finished.answers if a.operation == "verify"]
        assert len(asked) == codes


def test_another_refusal_than_the_one_that_must_be_is_broken_or_may_be_it() -> None:
    async def expects_expired(trial: Trial) -> None:
        answer = await trial.verify(await trial.start(), "x")
        trial.expect(answer, Outcome.EXPIRED, because="it is old")
        trial.notes.saw_approval = True

    assert run(Bank(verify=WRONG), expects_expired).verdict is Verdict.BROKEN
    assert run(Bank(verify=(404, {})), expects_expired).verdict is Verdict.PASSED


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (
            (429, {"wait": 5}),
            'verify: throttled (HTTP 429): {"wait": 5}; see target.max_rate and policy.max_starts',
        ),
        ((503, b"overloaded"), "verify: unavailable (HTTP 503): overloaded"),
        ((418, b""), "verify: unknown (HTTP 418)"),
        (
            (200, b"<!doctype html><title>Sorry</title>\n<p>Not  now"),
            "verify: unknown (HTTP 200): Not now",
        ),
        ((200, b"<html>"), "verify: unknown (HTTP 200): <html>"),
        ((200, b"x" * (1 << 21)), "verify: no answer (the answer is longer than 1048576 bytes)"),
        ((200, {}, {"Content-Length": "50"}), None),
        ((0, None), None),
    ],
    ids=["429", "503", "418", "page", "html", "too long", "cut off", "no answer"],
)
def test_an_answer_that_says_nothing_is_inconclusive(said: Any, reason: str | None) -> None:
    for play in (right_code, wrong_code):
        finished = run(Bank(verify=said), play)

        assert finished.verdict is Verdict.INCONCLUSIVE
        assert finished.reason == reason or reason is None
        assert finished.reason.startswith("verify: no answer (") or reason is not None


def test_no_answer_in_time_is_inconclusive() -> None:
    def slow(asked: Asked) -> Any:
        time.sleep(0.3)
        return 200, {"status": "approved"}

    finished = run(Bank(verify=slow), right_code, "target.timeout=100ms")

    assert finished.verdict is Verdict.INCONCLUSIVE
    assert finished.reason == "verify: no answer (no answer in time)"


def test_nothing_is_asked_again_after_no_answer() -> None:
    bank = Bank(verify=(0, None))
    with scripted(bank) as server:
        play_at(server, right_code)

        assert operations(server.asked) == ["cards", "cards", "transactions", "verify"]


def test_what_does_not_apply_says_what_would_change_that() -> None:
    async def play(trial: Trial) -> None:
        raise NotApplicable('the profile says policy.csc = "never"')

    finished = run(Bank(), play)

    assert finished.verdict is Verdict.NOT_APPLICABLE
    assert finished.reason == 'the profile says policy.csc = "never"'


@pytest.mark.parametrize("operation", ["cancel", "unlock", "change_contact", "amend"])
def test_an_operation_that_the_profile_lacks_does_not_apply(operation: str) -> None:
    async def play(trial: Trial) -> None:
        challenge = await trial.start()
        match operation:
            case "unlock":
                await trial.unlock(challenge.card)
            case "change_contact":
                await trial.change_contact(challenge.card, "+1")
            case _:
                await getattr(trial, operation)(challenge)

    finished = run(Bank(), play)

    assert finished.verdict is Verdict.NOT_APPLICABLE
    assert finished.reason == f"the profile has no [operations.{operation}]"


@pytest.mark.parametrize(
    ("policy", "asked", "verdict", "reason"),
    [
        ("never", True, Verdict.NOT_APPLICABLE, 'the profile says policy.csc = "never"'),
        ("always", False, Verdict.NOT_APPLICABLE, 'the profile says policy.csc = "always"'),
        (
            "sometimes", True, Verdict.INCONCLUSIVE,
            "the target does not ask for the 3CSC with the profile's amounts.with_csc",
        ),
        ("never", False, Verdict.PASSED, ""),
        ("sometimes", False, Verdict.PASSED, ""),
        ("sometimes", None, Verdict.PASSED, ""),
    ],
)  # fmt: skip
def test_asking_for_the_csc_is_a_matter_of_the_policy_and_the_target(
    policy: str, asked: bool | None, verdict: Verdict, reason: str
) -> None:
    async def play(trial: Trial) -> None:
        await trial.approved(await trial.start(csc=asked), because=BECAUSE)

    bank = Bank(start=lambda asked: None)
    changes = (f"policy.csc={policy}", "operations.start.capture.csc_required=asks")
    start = bank._start
    bank.answers["start"] = lambda a: (201, {**start(a)[1], "asks": False})
    finished = run(bank, play, *changes)

    assert (finished.verdict, finished.reason) == (verdict, reason)


def test_a_scenario_that_judges_nothing_is_inconclusive() -> None:
    async def play(trial: Trial) -> None:
        await trial.verify(await trial.start())

    finished = run(Bank(), play)

    assert finished.verdict is Verdict.INCONCLUSIVE
    assert finished.reason == "the scenario judged nothing"


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (LookupError("x"), "the scenario itself failed: LookupError: x"),
        (AssertionError("1 == 2"), "the scenario itself failed: AssertionError: 1 == 2"),
        (asyncio.CancelledError(), "the run was ended before it finished"),
        (SystemExit(3), "the scenario itself failed: SystemExit: 3"),
        (KeyboardInterrupt(), "the scenario itself failed: KeyboardInterrupt: "),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_a_scenario_that_fails_itself_is_inconclusive_and_ends_no_other(
    error: BaseException, reason: str
) -> None:
    async def fails(trial: Trial) -> None:
        raise error

    first, second = run_all(Bank(), fails, right_code)

    assert (first.verdict, first.reason) == (Verdict.INCONCLUSIVE, reason)
    assert second.verdict is Verdict.PASSED


def test_a_reason_shows_no_code() -> None:
    codes: list[str] = []

    async def play(trial: Trial) -> None:
        challenge = await trial.start()
        codes.append(challenge.otc)
        raise LookupError(f"{challenge.otc} {challenge.card.values['card.pan']} {challenge!r}")

    finished = run(Bank(), play)

    assert finished.reason.startswith("the scenario itself failed: LookupError: ••• ••• Challenge(")
    assert codes[0] not in finished.reason


# --- the control --------------------------------------------------------------------------------


def test_a_refusal_without_an_approval_is_followed_by_a_control() -> None:
    with scripted(Bank()) as server:
        (finished,) = play_at(server, wrong_code)

        assert finished.verdict is Verdict.PASSED
        one = ["cards", "transactions", "verify"]
        assert operations(server.asked) == ["cards", *one, *one]
        verifies = [asked.json["otc"] for asked in server.asked if "verify" in asked.target]
        assert len(set(verifies)) == 2


def test_a_target_that_refuses_everything_passes_nothing() -> None:
    finished = run(Bank(verify=WRONG), wrong_code)

    assert finished.verdict is Verdict.INCONCLUSIVE
    assert finished.reason == (
        "the control failed: the right code on a fresh card was not approved either, "
        "but wrong_otc (HTTP 403); so a refusal proves nothing"
    )


def test_a_refusal_beside_an_approval_needs_no_control() -> None:
    async def both(trial: Trial) -> None:
        await wrong_code(trial)
        await trial.approved(await trial.start(), because=BECAUSE)

    with scripted(Bank()) as server:
        (finished,) = play_at(server, both)

        assert finished.verdict is Verdict.PASSED
        assert operations(server.asked).count("verify") == 2


def test_a_control_that_cannot_be_made_is_inconclusive() -> None:
    cards = iter([1, 2])

    def enroll(asked: Asked) -> Any:
        return None if next(cards, 0) else (503, b"")

    finished = run(Bank(enroll=enroll), wrong_code)

    assert finished.verdict is Verdict.INCONCLUSIVE
    assert finished.reason == "enroll did not work: unavailable (HTTP 503)"


# --- starting, and messages ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ((423, {}), "start did not work: locked (HTTP 423)"),
        ((500, {"why": "x"}), 'start did not work: unavailable (HTTP 500): {"why": "x"}'),
    ],
)
def test_no_start_is_inconclusive(said: Any, reason: str) -> None:
    finished = run(Bank(start=said), right_code)

    assert (finished.verdict, finished.reason) == (Verdict.INCONCLUSIVE, reason)


def test_no_message_is_inconclusive() -> None:
    finished = run(Bank(outbox=(200, {"messages": []})), right_code)

    assert finished.verdict is Verdict.INCONCLUSIVE
    assert finished.reason == "no message came within 0.15 s; see the profile's [inbox]"


def test_a_message_without_a_code_is_inconclusive() -> None:
    bank = Bank()
    bank.text = "Somebody is paying with your card."
    finished = run(bank, right_code)

    assert finished.verdict is Verdict.INCONCLUSIVE
    assert finished.reason == "a message came, but inbox.code finds no code in its text"


def test_an_inbox_that_fails_later_is_inconclusive_in_one_sentence() -> None:
    looks = iter([1])
    bank = Bank(outbox=lambda asked: None if next(looks, 0) else (500, {}))
    with scripted(bank) as server:
        (finished,) = play_at(server, right_code)

        assert finished.verdict is Verdict.INCONCLUSIVE
        assert finished.reason == (
            f"{server.url} does not answer as the profile's [inbox] says (HTTP 500)."
        )


def test_a_message_that_comes_late_is_waited_for() -> None:
    bank = Bank()
    looks = iter(range(4))
    bank.answers["outbox"] = lambda asked: (200, {"messages": []}) if next(looks, 9) < 4 else None

    assert run(bank, right_code, "inbox.wait=5s").verdict is Verdict.PASSED


def test_every_message_is_given_once_and_in_its_order() -> None:
    async def play(trial: Trial) -> None:
        card = await trial.card()
        codes = [(await trial.start(card)).otc for _ in range(3)]
        trial.check(len(set(codes)) == 3, expected="three", got="fewer", because="all are fresh")
        trial.check(
            not await trial.new_messages(card.contact) and not await trial.silence(card.contact),
            expected="none", got="some", because="all were given",
        )  # fmt: skip

    assert run(Bank(), play).verdict is Verdict.PASSED


def test_silence_tells_of_what_came_all_the_same() -> None:
    bank = Bank()
    bank.copies = 2

    async def play(trial: Trial) -> None:
        challenge = await trial.start()
        more = await trial.silence(challenge.card.contact)
        trial.check(not more, expected="one", got=f"{1 + len(more)}", because="one was sent")

    finished = run(bank, play)

    assert (finished.verdict, finished.got) == (Verdict.BROKEN, "2")


# --- codes --------------------------------------------------------------------------------------


def test_a_wrong_code_is_none_that_was_sent_to_the_card_or_tried_on_it() -> None:
    drawn: list[str] = []
    live: list[str] = []

    async def play(trial: Trial) -> None:
        first = await trial.start()
        resent = await trial.resend(first)
        live.extend({first.otc, resent.otc})
        drawn.extend(trial.wrong(first.card) for _ in range(100 - len(live)))
        trial.wrong(first.card)

    bank = Bank()
    bank.text = "Code {code:.2}."
    changes = ("policy.digits=2", r"inbox.code='Code (\d\d)\.'")
    finished = run(bank, play, *changes)

    assert finished.verdict is Verdict.INCONCLUSIVE
    assert finished.reason == "no wrong code is left to try: policy.digits is too small"
    assert sorted(drawn + live) == [f"{n:02}" for n in range(100)]


def test_wrong_codes_are_of_the_declared_form() -> None:
    drawn: list[str] = []

    async def play(trial: Trial) -> None:
        card = await trial.card()
        drawn.extend(trial.wrong(card) for _ in range(20))

    run(Bank(), play, "policy.alphabet=letters", "policy.digits=8")

    assert len(drawn) == 20
    assert all(code.isalpha() and code.isupper() and len(code) == 8 for code in drawn)


def test_choices_are_the_seeds_and_the_scenarios() -> None:
    drawn: list[str] = []

    async def play(trial: Trial) -> None:
        drawn.append(trial.wrong(await trial.card()))

    run_all(Bank(), play, play)
    run_all(Bank(), play, play)

    assert sorted(drawn[:2]) == sorted(drawn[2:])
    assert len(set(drawn)) == 2


def test_the_csc_is_sent_where_it_is_asked_for_and_only_there() -> None:
    async def play(trial: Trial) -> None:
        for csc in (False, True):
            challenge = await trial.start(await trial.card(), csc=csc)
            await trial.approved(challenge, because=BECAUSE)
            await trial.verify(challenge, MISSING, csc=None)

    with scripted(Bank()) as server:
        (finished,) = play_at(server, play)
        bodies = [asked.json for asked in server.asked if "verify" in asked.target]

    assert finished.verdict is Verdict.PASSED
    assert [set(body) for body in bodies] == [{"otc"}, {"csc"}, {"otc", "csc"}, {"csc"}]
    assert bodies[1] == {"csc": None}
    assert len(bodies[2]["csc"]) == 3


def test_extras_reach_the_request() -> None:
    async def play(trial: Trial) -> None:
        challenge = await trial.start()
        await trial.verify(
            challenge, extra_body={"verified": True}, extra_headers={"X-Forwarded-For": "10.0.0.1"}
        )

    with scripted(Bank()) as server:
        play_at(server, play)
        asked = next(asked for asked in server.asked if "verify" in asked.target)

    assert json.loads(asked.body)["verified"] is True
    assert ("X-Forwarded-For", "10.0.0.1") in asked.headers


def test_header_with_a_line_break_or_another_alphabet_arrives_as_one_header() -> None:
    async def play(trial: Trial) -> None:
        challenge = await trial.start()
        for value in ("1\r\nX-Admin: yes", "٠١٢٣", "é"):
            answer = await trial.verify(challenge, extra_headers={"X-Code": value})
            trial.expect(answer, Outcome.APPROVED, because=BECAUSE)

    with scripted(Bank()) as server:
        (finished,) = play_at(server, play)
        headers = [dict(asked.headers) for asked in server.asked if "verify" in asked.target]

    assert finished.reason == ""
    assert [h["X-Code"].encode("latin-1").decode() for h in headers] == [
        "1 X-Admin: yes", "٠١٢٣", "é",
    ]  # fmt: skip
    assert not any("X-Admin" in h for h in headers)


def test_path_arrives_as_it_was_built() -> None:
    async def play(trial: Trial) -> None:
        await trial.try_resend(await trial.start())

    bank = Bank(start=(201, {"transaction_id": "a/../b c%2F?#ü"}), resend=(202, {}))
    bank.answers["outbox"] = (200, {"messages": [{"seq": 1, "text": "123456"}]})
    with scripted(bank) as server:
        play_at(server, play)

        assert "POST /transactions/a%2F..%2Fb%20c%252F%3F%23%C3%BC/resend" in server.targets()


# --- ages ---------------------------------------------------------------------------------------


def alive(delay: float) -> Play:
    async def play(trial: Trial) -> None:
        challenge = await trial.start()
        await asyncio.sleep(delay)
        answer = await trial.verify(challenge)
        trial.expect_alive(challenge, answer, because="it is young")

    return play


def test_a_code_that_is_refused_while_it_must_live_is_broken() -> None:
    assert run(Bank(verify=WRONG), alive(0), "policy.validity=5s").verdict is Verdict.BROKEN
    assert run(Bank(), alive(0), "policy.validity=5s").verdict is Verdict.PASSED


def test_a_refusal_that_came_too_late_to_tell_is_inconclusive() -> None:
    finished = run(Bank(verify=WRONG), alive(0.12), "policy.validity=100ms")

    assert finished.verdict is Verdict.INCONCLUSIVE
    assert re.fullmatch(
        r"too close to call: 0\.1 to 0\.\d s after it was sent \(validity 0\.1 s\)", finished.reason
    )


def test_life_of_a_code_is_an_interval_from_the_call_to_the_message() -> None:
    seen: list[Any] = []

    async def play(trial: Trial) -> None:
        seen.append(trial.clock.now())
        challenge = await trial.start()
        seen.extend([challenge, trial.clock.now()])

    run(Bank(), play, "policy.tolerance=2s")
    before, challenge, after = seen

    assert before <= challenge.sent_earliest <= challenge.sent_latest <= after
    assert challenge.surely_alive == challenge.sent_earliest + challenge.policy.validity
    assert (challenge.surely_expired - challenge.sent_latest).total_seconds() == 602


def test_a_resend_begins_the_life_of_its_own_code_unless_it_repeats_the_first() -> None:
    seen: list[Any] = []

    async def play(trial: Trial) -> None:
        first = await trial.start()
        seen.extend([first, await trial.resend(first)])

    run(Bank(), play)
    run(Bank(), play, "policy.resend=reuse")

    assert seen[1].sent_earliest > seen[0].sent_latest
    assert seen[3].sent_earliest == seen[2].sent_earliest


# --- proves -------------------------------------------------------------------------------------


def test_proves_names_rules_of_the_catalogue_only() -> None:
    @proves("EXPIRY-2", "LOCKOUT-1")
    async def scenario(trial: Trial) -> None: ...

    assert getattr(scenario, RULES_ATTRIBUTE) == ("EXPIRY-2", "LOCKOUT-1")
    with pytest.raises(
        ValueError, match=r"^not in the rule catalogue: EXPIRY-99; see otpspec rules$"
    ):
        proves("EXPIRY-2", "EXPIRY-99")


def test_reprs_show_no_secret(tmp_path: Path) -> None:
    shown: list[str] = []
    secrets: list[str] = []

    async def play(trial: Trial) -> None:
        challenge = await trial.start(csc=True)
        answer = await trial.verify(challenge)
        shown.append(f"{challenge!r} {challenge.card!r} {answer!r} {answer}")
        secrets.extend([challenge.otc, *challenge.card.secrets()])

    run(Bank(), play)

    assert not [secret for secret in secrets if secret in shown[0]]
