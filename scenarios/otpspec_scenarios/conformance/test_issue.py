"""ISSUE: what it takes to make a code, and who gets to see it."""

import re

from otpspec import REFUSED, Answer, Inconclusive, NotApplicable, Outcome, Trial, proves
from otpspec_scenarios.conformance.alike import stands_in
from otpspec_scenarios.conformance.hidden import digests, unpacked
from otpspec_scenarios.conformance.needs import needs_one_count_for_the_card


@proves("ISSUE-1")
async def test_every_transaction_gets_a_fresh_code(trial: Trial) -> None:
    trial.needs_messages()
    card = await trial.card()
    first = await trial.start(card)
    await trial.approved(first, because="the code is right and was never used")

    # A fresh code may happen to equal the one before: three in a row do so once in 10^12.
    later = [await trial.start(card) for _ in range(3)]

    trial.check(
        any(challenge.otc != first.otc for challenge in later),
        expected="a code of its own for each of four transactions",
        got="four times the same code",
        because="a code is made each time a transaction is requested",
    )


@proves("ISSUE-3")
async def test_code_is_never_in_an_answer_to_the_payer(trial: Trial) -> None:
    challenge = await trial.start()
    if trial.policy.max_wrong > 1:
        await trial.fail(challenge, 1)
    await trial.approved(challenge, because="the code is right")

    # Six digits may stand in an answer by chance, as a time or in an id, but not twice in a row.
    again = await trial.start(await trial.card())
    shown = [a.operation for a in trial.session.answers if _shows(a, challenge.otc)]
    trial.check(
        not shown or not any(_shows(answer, again.otc) for answer in trial.session.answers),
        expected="no code in any answer",
        got=f"the code is in the answer to {', '.join(sorted(set(shown)))}",
        because="the code is for the owner of the registered contact only",
    )


def _shows(answer: Answer, otc: str) -> bool:
    """Whether an answer tells the code to a payer who has not sent it."""
    text = answer.body.decode("utf-8", "replace") + " " + " ".join(answer.headers.values())
    spellings = {otc, re.sub(r"[- ]", "", otc)}
    if any(code.encode() in answer.request.body for code in spellings):
        return False
    hidden = any(digest in text.lower() for code in spellings for digest in digests(code))
    views = [text, *unpacked(text)]
    return hidden or any(stands_in(code, view) for code in spellings for view in views)


@proves("ISSUE-5")
async def test_locked_card_gets_no_new_code(trial: Trial) -> None:
    needs_one_count_for_the_card(trial)
    trial.needs_messages()
    challenge = await trial.lock()

    answer = await trial.try_start(challenge.card)

    trial.expect(answer, *REFUSED, because="the card is locked")
    trial.check(
        not await trial.no_more_codes(challenge.card),
        expected="no code",
        got="a code",
        because="a locked card gets no new code",
    )
    other = await trial.card()
    trial.expect(
        await trial.try_start(other), Outcome.DONE, because="this card is not locked (control)"
    )


@proves("ISSUE-4")
async def test_starts_of_a_card_are_limited(trial: Trial) -> None:
    limit = trial.policy.start_limit
    if limit is None:
        raise NotApplicable("the profile declares no policy.max_starts")
    card = await trial.card()
    began = trial.clock.now()
    for number in range(limit.starts):
        answer = await trial.try_start(card, patient=False)
        because = f"start {number + 1} of {limit.starts} that policy.max_starts allows"
        trial.expect(answer, Outcome.DONE, because=because)
    last = answer

    answer = await trial.try_start(card, patient=False)

    if answer.returned - began > limit.within:
        raise Inconclusive("the starts took longer than the time in which they are counted")
    trial.check(
        Outcome.DONE not in answer.outcomes,
        expected=f"no start after {limit.starts}, as policy.max_starts declares",
        got=str(answer),
        because="every start costs a message, and is a chance to guess anew",
    )
    await trial.clock.sleep_until(last.returned + limit.within + trial.policy.tolerance)
    trial.expect(await trial.try_start(card), Outcome.DONE, because="the time is over (control)")
