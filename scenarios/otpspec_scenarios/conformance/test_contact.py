"""CONTACT: details can be updated, by their owner."""

from otpspec import MISSING, REFUSED, Outcome, Trial, proves


@proves("CONTACT-1")
async def test_contact_is_not_changed_without_proof(trial: Trial) -> None:
    stranger = trial.new_contact()
    for proof in ("not-the-proof-of-this-card", MISSING):
        card = await trial.card()
        answer = await trial.change_contact(card, stranger, proof=proof)
        trial.expect(answer, *REFUSED, because="nothing proves that the owner asks")

    if trial.policy.max_wrong == 1:  # a wrong proof may be a failure like others, and lock the card
        card = await trial.card()
    challenge = await trial.start(card)
    trial.check(
        not await trial.new_messages(stranger),
        expected="the code at the registered contact only",
        got="a message at the contact of the refused change",
        because="the change was refused",
    )
    await trial.approved(challenge, because="the registered contact is still the card's (control)")
    changed = await trial.change_contact(card, trial.new_contact())
    trial.expect(changed, Outcome.DONE, because="the owner has proved who they are (control)")


@proves("CONTACT-2")
async def test_change_of_contact_voids_the_pending_code(trial: Trial) -> None:
    challenge = await trial.start()
    changed = await trial.change_contact(challenge.card, trial.new_contact())
    trial.expect(changed, Outcome.DONE, because="the owner has proved who they are")

    answer = await trial.verify(challenge)

    trial.expect(answer, *REFUSED, because="the code was sent to a contact that is no longer valid")
    for message in await trial.silence(challenge.card):
        code = trial.code_in(message)
        if code is not None:  # a notice of the change holds none
            answer = await trial.verify(challenge, code)
            trial.expect(answer, *REFUSED, because="what was pending is void, not sent elsewhere")


@proves("CONTACT-3")
async def test_next_code_goes_to_the_new_contact_and_none_to_the_old(trial: Trial) -> None:
    card = await trial.card()
    old, new = card.contact, trial.new_contact()
    changed = await trial.change_contact(card, new)
    trial.expect(changed, Outcome.DONE, because="the owner has proved who they are")

    # A notice of the change may have gone to the old contact; what counts is what comes after.
    while await trial.new_messages(old):
        await trial.next_message(old)
    started = await trial.try_start(card)
    trial.expect(started, Outcome.DONE, because="the card has a contact")

    trial.check(
        not await trial.silence(old),
        expected="nothing at the old contact",
        got="a message",
        because="the contact was changed",
    )
    await trial.next_message(new)
    challenge = await trial.start(card)
    await trial.approved(challenge, because="the code came to the new contact")
