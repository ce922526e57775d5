"""What a scenario needs of the policy, said in the words of the profile."""

from dataclasses import replace

from otpspec import NotApplicable, Outcome, Trial


def needs_more_than_one_try(trial: Trial) -> None:
    """With N = 1 there is nothing between the first wrong code and the lock."""
    if trial.policy.max_wrong == 1:
        raise NotApplicable("the profile says policy.max_wrong = 1")


def needs_void_after_wrong_csc(trial: Trial) -> None:
    """Some targets let a wrong 3CSC be tried again."""
    if trial.policy.wrong_csc != "void":
        raise NotApplicable(f'the profile says policy.wrong_csc = "{trial.policy.wrong_csc}"')


def needs_rotation(trial: Trial) -> None:
    """Some targets repeat the code at a resend."""
    if trial.policy.resend != "rotate":
        raise NotApplicable(f'the profile says policy.resend = "{trial.policy.resend}"')


def needs_digits(trial: Trial) -> None:
    """Zeros and other scripts' digits are questions about digits."""
    if trial.policy.alphabet != "digits":
        raise NotApplicable(f'the profile says policy.alphabet = "{trial.policy.alphabet}"')


def needs_one_count_for_the_card(trial: Trial) -> None:
    """Some targets count for each challenge: its code dies, the card lives."""
    if trial.policy.lock_scope != "card":
        raise NotApplicable(f'the profile says policy.lock_scope = "{trial.policy.lock_scope}"')


async def needs_codes_that_work_elsewhere(trial: Trial) -> None:
    """Where a code only works in the session that it was made in, others cannot try it at all."""
    if not await codes_work_elsewhere(trial):
        raise NotApplicable("a code only works in the session in which it was asked for")


async def needs_transactions_told_apart(trial: Trial) -> None:
    """Where a code is verified by card and code alone, a card has one transaction, the newest.

    What a request has of its transaction may be no more than a session, or a page's token. So one
    card's right code is sent with all that another card's transaction has: where that is approved,
    it is the card that says which code is meant.
    """
    mine, theirs = await trial.start(await trial.card()), await trial.start(await trial.card())
    answer = await trial.verify(replace(theirs, card=mine.card), mine.otc)
    if Outcome.APPROVED in answer.outcomes:
        raise NotApplicable(
            "a code is looked for by its card: two transactions of a card are not told apart"
        )


async def codes_work_elsewhere(trial: Trial) -> bool:
    """Whether a code also works in another session than the one that it was made in."""
    challenge = await trial.start(await trial.card())
    async with trial.elsewhere() as other:
        answer = await other.verify(challenge)
    return Outcome.APPROVED in answer.outcomes
