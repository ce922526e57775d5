"""LOCKOUT: several wrong codes lock the card, all of it, until support unlocks it."""

from datetime import datetime

from otpspec import REFUSED, Challenge, Inconclusive, NotApplicable, Outcome, Trial, proves
from otpspec_scenarios.conformance.alike import differences, persistent
from otpspec_scenarios.conformance.needs import (
    needs_codes_that_work_elsewhere,
    needs_more_than_one_try,
    needs_one_count_for_the_card,
)

LOCKED = "N wrong codes lock the card"


@proves("LOCKOUT-1")
async def test_right_code_is_refused_after_n_wrong_ones(trial: Trial) -> None:
    challenge = await trial.lock()

    answer = await trial.verify(challenge)

    trial.expect(answer, *REFUSED, because=LOCKED)


@proves("LOCKOUT-1")
async def test_right_code_of_another_transaction_is_refused_after_n_wrong_ones(
    trial: Trial,
) -> None:
    needs_one_count_for_the_card(trial)
    card = await trial.card()
    open_before = await trial.start(card)
    await trial.lock(card)

    answer = await trial.verify(open_before)

    trial.expect(answer, *REFUSED, because="the lock is the card's, over all its transactions")


@proves("LOCKOUT-2")
async def test_right_code_is_accepted_after_one_wrong_code_fewer_than_n(trial: Trial) -> None:
    needs_more_than_one_try(trial)
    challenge = await trial.start()

    await trial.fail(challenge, trial.policy.max_wrong - 1)

    await trial.approved(challenge, because=f"only {trial.policy.max_wrong - 1} were wrong")


@proves("LOCKOUT-3")
async def test_wrong_codes_of_several_transactions_add_up(trial: Trial) -> None:
    needs_one_count_for_the_card(trial)
    needs_more_than_one_try(trial)
    card = await trial.card()
    await trial.fail(await trial.start(card), trial.policy.max_wrong - 1)
    second = await trial.start(card)

    await trial.fail(second, 1)
    answer = await trial.verify(second)

    trial.expect(answer, *REFUSED, because="N codes were wrong, over two transactions of one card")


@proves("LOCKOUT-4")
async def test_lock_holds_for_a_resend(trial: Trial) -> None:
    challenge = await trial.lock()

    answer = await trial.try_resend(challenge)

    trial.expect(answer, *REFUSED, because=LOCKED)
    still = await trial.verify(challenge)
    trial.expect(still, *REFUSED, because="asking for a resend does not unlock")


@proves("LOCKOUT-6")
async def test_lock_that_support_ends_outlasts_the_code(trial: Trial) -> None:
    needs_one_count_for_the_card(trial)
    if trial.policy.lock_for is not None:
        raise NotApplicable("the profile says that a lock ends by itself: policy.lock_for")
    challenge = await trial.start()
    last = await trial.fail(challenge, trial.policy.max_wrong)
    await _is_not_ended_by_being_tried(trial, challenge)

    # From the lock, not from the code: on a slow machine they are seconds apart.
    await trial.clock.sleep_until(last.returned + trial.policy.validity + trial.policy.tolerance)
    answer = await trial.try_start(challenge.card)

    trial.expect(answer, *REFUSED, because="the lock lasts until support unlocks")


@proves("LOCKOUT-6")
async def test_lock_that_ends_by_itself_lasts_as_declared(trial: Trial) -> None:
    needs_one_count_for_the_card(trial)
    if trial.policy.lock_for is None:
        raise NotApplicable("the profile says that support ends a lock: policy.lock_for")
    challenge = await trial.start()
    last = await trial.fail(challenge, trial.policy.max_wrong)
    surely_locked = last.called + trial.policy.lock_for
    other = await trial.start(
        await trial.card()
    )  # trying may make a lock last longer: not this card's
    tried = await trial.fail(other, trial.policy.max_wrong)
    await _is_not_ended_by_being_tried(trial, other, tried.called + trial.policy.lock_for)

    await trial.clock.sleep_until(surely_locked - 0.02 * trial.policy.lock_for)
    answer = await trial.try_start(challenge.card)
    if answer.returned < surely_locked:
        trial.expect(answer, *REFUSED, because="the lock lasts as declared")

    await trial.clock.sleep_until(last.returned + trial.policy.lock_for + trial.policy.tolerance)
    anew = await trial.try_start(challenge.card)
    trial.expect(anew, Outcome.DONE, because="the lock has ended, as declared")


@proves("LOCKOUT-7")
async def test_challenge_from_before_the_lock_stays_dead_when_it_ends(trial: Trial) -> None:
    needs_one_count_for_the_card(trial)
    if trial.policy.lock_for is None or trial.policy.lock_for >= trial.policy.validity:
        raise NotApplicable("a lock that ends by itself while a code lives: policy.lock_for")
    challenge = await trial.start()
    last = await trial.fail(challenge, trial.policy.max_wrong)

    await trial.clock.sleep_until(last.returned + trial.policy.lock_for + trial.policy.tolerance)
    answer = await trial.verify(challenge)

    trial.expect(answer, *REFUSED, because="after a lock the transaction is started anew")


@proves("LOCKOUT-7")
async def test_card_works_after_support_unlocks_and_old_codes_stay_dead(trial: Trial) -> None:
    needs_one_count_for_the_card(trial)
    card = await trial.card()
    open_before = await trial.start(card)
    challenge = await trial.lock(card)
    await trial.unlock(card)

    for old in (challenge, open_before):
        answer = await trial.verify(old)
        trial.expect(answer, *REFUSED, because="unlocking leaves all earlier codes dead")

    anew = await trial.started(card, because="support has unlocked the card")
    await trial.approved(anew, because="support has unlocked the card")


@proves("LOCKOUT-7")
async def test_count_begins_anew_after_support_unlocks(trial: Trial) -> None:
    needs_one_count_for_the_card(trial)
    needs_more_than_one_try(trial)
    card = await trial.card()
    await trial.lock(card)
    await trial.unlock(card)
    challenge = await trial.started(card, because="support has unlocked the card")

    await trial.fail(challenge, trial.policy.max_wrong - 1)

    await trial.approved(challenge, because="the count began anew, and N was not reached")


@proves("LOCKOUT-5")
async def test_count_does_not_depend_on_address_or_headers(trial: Trial) -> None:
    challenge = await trial.start()
    for number in range(trial.policy.max_wrong):
        address = f"198.51.100.{number + 1}"  # RFC 5737: for documentation, nobody's
        headers = {"X-Forwarded-For": address, "X-Real-IP": address, "Forwarded": f"for={address}"}
        headers |= {"True-Client-IP": address, "User-Agent": f"browser/{number}"}
        wrong = trial.wrong(challenge.card)
        answer = await trial.verify(challenge, wrong, extra_headers=headers)
        trial.expect(answer, *REFUSED, because="the OTC is wrong")

    answer = await trial.verify(challenge)

    trial.expect(answer, *REFUSED, because="N codes were wrong, whatever the headers said")


@proves("LOCKOUT-3", "LOCKOUT-5")
async def test_count_does_not_depend_on_the_session(trial: Trial) -> None:
    await needs_codes_that_work_elsewhere(trial)
    challenge = await trial.start()
    for _ in range(trial.policy.max_wrong):
        async with trial.elsewhere() as other:
            await other.fail(challenge, 1)

    async with trial.elsewhere() as other:
        answer = await other.verify(challenge)

    trial.expect(answer, *REFUSED, because="N codes were wrong, over several sessions")


@proves("LOCKOUT-3")
async def test_one_guess_on_ever_fresh_codes_is_stopped(trial: Trial) -> None:
    needs_one_count_for_the_card(trial)
    card = await trial.card()
    for _ in range(trial.policy.max_wrong):
        await trial.fail(await trial.start(card), 1)

    answer = await trial.try_start(card)

    trial.expect(answer, *REFUSED, because="N codes were wrong, one in each transaction")


@proves("LOCKOUT-8")
async def test_success_clears_the_count(trial: Trial) -> None:
    needs_more_than_one_try(trial)
    if not trial.policy.success_clears_count:
        raise NotApplicable("the profile says policy.success_clears_count = false")
    card = await trial.card()

    for _ in range(2):
        challenge = await trial.start(card)
        await trial.fail(challenge, trial.policy.max_wrong - 1)
        await trial.approved(challenge, because="N was not reached since the last success")


@proves("LOCKOUT-10")
async def test_locked_cards_answer_does_not_tell_a_right_code_from_a_wrong_one(
    trial: Trial,
) -> None:
    challenge = await trial.lock()

    async def compare() -> list[str]:
        wrong = await trial.verify(challenge, trial.wrong(challenge.card))
        right = await trial.verify(challenge)
        again = await trial.verify(challenge, trial.wrong(challenge.card))
        for answer in (wrong, right, again):
            trial.expect(answer, *REFUSED, because=LOCKED)
        return differences(wrong, right, again=again)

    found = await persistent(compare)

    trial.check(
        not found,
        expected="the same answer to a right code as to a wrong one",
        got="; ".join(found),
        because="else the lock tells a guesser that the guess was right",
    )


@proves("LOCKOUT-9")
async def test_other_cards_are_not_locked(trial: Trial) -> None:
    untouched = await trial.card()
    try:
        other = await trial.start(await trial.card())
        await trial.lock(await trial.card())
    except Inconclusive:  # by what other scenarios do meanwhile, all cards may be locked already
        clean = await trial.try_start(untouched)
        if Outcome.LOCKED in clean.outcomes:
            trial.expect(clean, Outcome.DONE, because="no wrong code was ever sent for this card")
        raise

    answer = await trial.verify(other)
    trial.expect(answer, Outcome.APPROVED, because="another card was locked, not this one")
    fresh = await trial.try_start(other.card)
    trial.expect(fresh, Outcome.DONE, because="another card was locked, not this one")


async def _is_not_ended_by_being_tried(
    trial: Trial, challenge: Challenge, ends: datetime | None = None
) -> None:
    """More wrong codes change nothing: some lock at the N-th, and at no other.

    Judged as far as the lock surely lasts: `ends` is when one that ends by itself may be over.
    """
    if Outcome.DONE in (await trial.try_start(challenge.card)).outcomes:
        return  # a locked card is sent a code all the same: see ISSUE-5
    for _ in range(trial.policy.max_wrong):
        again = await trial.verify(challenge, trial.wrong(challenge.card))
        answer = await trial.try_start(challenge.card)
        if ends is not None and answer.returned >= ends:
            return
        trial.expect(again, *REFUSED, because=LOCKED)
        trial.expect(answer, *REFUSED, because="the lock does not end by being tried")
