"""LOCKOUT: several wrong codes lock the card, all of it, until support unlocks it."""

from otpspec import REFUSED, Outcome, Trial, proves
from otpspec_scenarios.conformance.needs import needs_more_than_one_try

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
async def test_lock_outlasts_the_code(trial: Trial) -> None:
    challenge = await trial.lock()

    await trial.clock.sleep_until(challenge.surely_expired)
    answer = await trial.try_start(challenge.card)

    trial.expect(answer, *REFUSED, because="the lock lasts until support unlocks")


@proves("LOCKOUT-7")
async def test_card_works_after_support_unlocks_and_old_codes_stay_dead(trial: Trial) -> None:
    card = await trial.card()
    open_before = await trial.start(card)
    challenge = await trial.lock(card)
    await trial.unlock(card)

    for old in (challenge, open_before):
        answer = await trial.verify(old)
        trial.expect(answer, *REFUSED, because="unlocking leaves all earlier codes dead")

    anew = await trial.start(card)
    await trial.approved(anew, because="support has unlocked the card")


@proves("LOCKOUT-7")
async def test_count_begins_anew_after_support_unlocks(trial: Trial) -> None:
    needs_more_than_one_try(trial)
    card = await trial.card()
    await trial.lock(card)
    await trial.unlock(card)
    challenge = await trial.start(card)

    await trial.fail(challenge, trial.policy.max_wrong - 1)

    await trial.approved(challenge, because="the count began anew, and N was not reached")


@proves("LOCKOUT-9")
async def test_other_cards_are_not_locked(trial: Trial) -> None:
    other = await trial.start(await trial.card())
    await trial.lock(await trial.card())

    await trial.approved(other, because="another card was locked, not this one")
    fresh = await trial.try_start(other.card)
    trial.expect(fresh, Outcome.DONE, because="another card was locked, not this one")
