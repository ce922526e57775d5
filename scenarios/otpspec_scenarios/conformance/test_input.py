"""INPUT: what is not a code is never one, and breaks nothing."""

from typing import Any

import pytest

from otpspec import MISSING, REFUSED, Challenge, NotApplicable, Outcome, Trial, proves
from otpspec_scenarios.conformance.needs import needs_digits, needs_more_than_one_try


async def refuses(trial: Trial, challenge: Challenge, otc: Any, what: str, **extra: Any) -> None:
    """Send something that is not the code: it is refused, and not by an internal error."""
    answer = await trial.verify(challenge, otc, **extra)
    trial.check(
        answer.status is None or answer.status < 500,
        expected="refused",
        got=f"HTTP {answer.status}",
        because=f"{what} in place of the code is an input like any other, not a failure",
    )
    trial.expect(answer, *REFUSED, because=f"{what} is not the code")


NOT_A_CODE: dict[str, Any] = {
    "nothing": MISSING,
    "an empty string": "",
    "null": None,
    "an empty list": [],
    "an empty object": {},
    "true": True,
    "0": 0,
    "a query": {"$ne": ""},  # to some stores: any code but this one
    "a wildcard": "%",
    "an expression": ".*",
    "a quotation mark": "' OR '1'='1",
}


@proves("INPUT-1")
@pytest.mark.parametrize("what", NOT_A_CODE)
async def test_what_is_no_code_is_refused(trial: Trial, what: str) -> None:
    challenge = await trial.start()

    await refuses(trial, challenge, NOT_A_CODE[what], what)


@proves("INPUT-1")
async def test_number_in_place_of_the_code_breaks_nothing(trial: Trial) -> None:
    needs_digits(trial)
    async for challenge in trial.many(12):  # all with a leading zero: once in 10^12
        if not challenge.otc.startswith("0"):  # as a number it would be another code
            break

    answer = await trial.verify(challenge, int(challenge.otc))

    # The right digits as a JSON number may be taken or refused; both are sound.
    trial.check(
        answer.status is None or answer.status < 500,
        expected="approved or refused",
        got=f"HTTP {answer.status}",
        because="a number in place of text is an input like any other, not a failure",
    )


@proves("INPUT-2")
@pytest.mark.parametrize(
    "what", ["first", "all but the last", "one more", "ten", "three hundred", "a million"]
)
async def test_code_of_another_length_is_refused(trial: Trial, what: str) -> None:
    challenge = await trial.start()
    otc = challenge.otc
    filler = "1" if trial.policy.alphabet == "digits" else "A"
    sent = {
        "first": otc[:1],
        "all but the last": otc[:-1],
        "one more": otc + filler,
        "ten": otc + filler * 4,
        "three hundred": otc + filler * (300 - len(otc)),  # more than most columns hold
        "a million": otc + filler * (1_000_000 - len(otc)),
    }[what]

    await refuses(trial, challenge, sent, f"{what} of its characters")


@proves("INPUT-3")
async def test_leading_zeros_count(trial: Trial) -> None:
    needs_digits(trial)
    # No leading zero 120 times in a row: 3 in a million.
    async for challenge in trial.many(120, at_once=4):
        if challenge.otc.startswith("0"):
            break
    else:
        raise NotApplicable("none of 120 codes began with a zero (ISSUE-2 looks into that)")

    await refuses(trial, challenge, challenge.otc.lstrip("0") or "0", "the code without its zeros")
    more = await trial.start(await trial.card())
    await refuses(trial, more, "0" + more.otc, "the code with a zero before it")


def arabic(otc: str) -> str:
    """The same digits in Arabic-Indic script."""
    return "".join(chr(0x0660 + int(c)) for c in otc)


def full_width(otc: str) -> str:
    """The same digits, full width."""
    return "".join(chr(0xFF10 + int(c)) for c in otc)


SPELLINGS: dict[str, Any] = {
    "arabic digits": arabic,
    "full-width digits": full_width,
    "a plus sign": lambda otc: "+" + otc,
    "a minus sign": lambda otc: "-" + otc,
    "an exponent": lambda otc: f"{otc}e0",
    "a decimal point": lambda otc: f"{otc}.0",
    "an underscore": lambda otc: f"{otc[:3]}_{otc[3:]}",
    "a space before": lambda otc: " " + otc,
    "a space after": lambda otc: otc + " ",
    "a space within": lambda otc: f"{otc[:3]} {otc[3:]}",
    "a line break": lambda otc: otc + "\r\n",
    "a forged line": lambda otc: f"{otc}\r\nstatus=approved",
    "a zero byte": lambda otc: otc + "\0",
}


SPACES = ("a space before", "a space after", "a space within", "a line break")


@proves("INPUT-4")
@pytest.mark.parametrize("what", SPELLINGS)
async def test_other_spelling_of_the_right_code_is_refused(trial: Trial, what: str) -> None:
    needs_digits(trial)
    if what in SPACES and "spaces" in trial.policy.ignores:
        raise NotApplicable('the profile says policy.ignores = ["spaces"]')
    if what == "an underscore" and "separators" in trial.policy.ignores:
        raise NotApplicable('the profile says policy.ignores = ["separators"]')
    challenge = await trial.start()

    await refuses(trial, challenge, SPELLINGS[what](challenge.otc), f"the code with {what}")


@proves("INPUT-4")
async def test_line_break_in_a_wrong_code_does_not_forge_the_result(trial: Trial) -> None:
    challenge = await trial.start()
    wrong = trial.wrong(challenge.card)

    for line in ("status=approved", "OK", "result=success"):
        anew = await trial.start(await trial.card())
        await refuses(trial, anew, f"{wrong}\r\n{line}", "a code with a forged line")


@proves("INPUT-5")
async def test_list_of_codes_is_not_searched_for_the_right_one(trial: Trial) -> None:
    challenge = await trial.start()
    wrong = [trial.wrong(challenge.card) for _ in range(2)]

    # Many take the first of a list, or the last, as they do with a key that is there twice: that
    # is one try. One that is found between the others was looked for.
    what = "a list that holds the code among wrong ones"
    await refuses(trial, challenge, [wrong[0], challenge.otc, wrong[1]], what)


@proves("INPUT-5")
async def test_repeated_keys_are_one_try_at_most(trial: Trial) -> None:
    needs_more_than_one_try(trial)
    challenge = await trial.start()
    wrong = [trial.wrong(challenge.card) for _ in range(trial.policy.max_wrong)]
    right_within = [*wrong[1:], challenge.otc, wrong[0]]

    try:
        answer = await trial.verify(challenge, repeated=("otc", right_within))
    except KeyError as error:
        raise NotApplicable("no key of operations.verify.json is just the place {otc}") from error

    trial.expect(answer, *REFUSED, because="the right code is neither the first nor the last")
    await trial.approved(challenge, because="a request is one try at most, and N is more than one")


@proves("INPUT-6")
async def test_malformed_input_counts_as_declared(trial: Trial) -> None:
    challenge = await trial.start()
    for _ in range(trial.policy.max_wrong):
        answer = await trial.verify(challenge, challenge.otc[:2])
        trial.expect(answer, *REFUSED, because="two characters are not the code")
    told_as_malformed = Outcome.WRONG_OTC not in answer.outcomes

    answer = await trial.verify(challenge)

    # To many targets whatever is no code is a wrong one, and wrong ones count: only a promise
    # could be broken by that.
    promised = told_as_malformed or "malformed_counts" in trial.profile.declared
    if not promised and Outcome.APPROVED not in answer.outcomes:
        raise NotApplicable(
            "what is no code is answered as a wrong one, and the profile does not declare "
            "policy.malformed_counts"
        )
    if trial.policy.malformed_counts:
        trial.expect(answer, *REFUSED, because="the profile says policy.malformed_counts = true")
    else:
        because = "the profile says policy.malformed_counts = false"
        trial.expect_alive(challenge, answer, because=because)
